"""`python -m bench.loop`: a person in every commune of the country is due in the same minute; is the loop held?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.day import Account, Day, prepare, settle
from bench.process import stage
from bench.results import aims, publish, table
from bench.watched import HELD

REMINDED, REPORTING = 3321, 40
WATCHED = ("bench.watched",)
SETTINGS = {"TELEGRAM_RATE": "0"}
"""The pace is not what is measured: without it the loop has the most to do at once."""
THINKING = (1.0, 3.0)
LONGEST = 0.05


async def measure(folder: Path) -> Iterator[str]:
    prepared = prepare(folder, REMINDED, REPORTING)
    async with stage(WATCHED, prepared.database, 0.01, SETTINGS) as (api, bot):
        day = Day(api, prepared, THINKING)
        await bot.spawn()
        day.begin()
        await day.ends()
        await bot.end()
        account = settle(bot, day, day.filed, Counter())
        held = json.loads((bot.folder / HELD).read_text())
    return _written(account, held)


def _written(account: Account, held: list[tuple[float, float, str]]) -> Iterator[str]:
    yield (
        f"{REMINDED} people are due in the same minute and {REPORTING} others report, each thinking for "
        f"{THINKING[0]:.0f} to {THINKING[1]:.0f} s before an answer. TELEGRAM_RATE=0: everything at once. "
        "A task that should run every millisecond notes how late it is; the longest holds:"
    )
    rows = [
        (f"{1000 * took:.0f} ms", f"{1000 * busy:.0f} ms", f"`{where}`" if where else "")
        for took, busy, where in held
    ]
    yield from ("", *table([("held", "of it on the processor", "where it stood"), *rows]), "")
    longest = held[0][0] if held else 0.0
    missed, doubled = account.never_reminded, account.repeated
    yield from aims(
        [
            ("nobody missed, nobody reminded twice", f"{missed}, {doubled}", missed + doubled == 0),
            ("every report that was confirmed is there", f"{account.filed}", not account.never_filed),
            (f"never held for {1000 * LONGEST:.0f} ms", f"{1000 * longest:.0f} ms", longest < LONGEST),
        ]
    )


if __name__ == "__main__":
    publish("loop", measure)
