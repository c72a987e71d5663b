"""`python -m bench.kills`: SIGKILL at random instants of a day of reminders and reports."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.day import Account, Day, Prepared, claimed, prepare, settle
from bench.process import OURS, stage
from bench.results import aims, publish, table

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
REMINDED, REPORTING = 20 * KILLS, 40
LATENCY = 0.05
SHIPPED: dict[str, str] = {}
"""The pace of the shipped settings: a message is likely to be under way at any instant."""
THINKING = (1.0, 8.0)
ALIVE = 2.0
"""The most seconds to the next kill: from the first fetch of messages on, every fourth time from the start."""
SEED = 2025


async def measure(folder: Path) -> Iterator[str]:
    prepared = prepare(folder, REMINDED, REPORTING)
    account, in_flight = await _killed_all_day(prepared)
    return _written(account, in_flight)


async def _killed_all_day(prepared: Prepared) -> tuple[Account, Counter[str]]:
    instants, in_flight = random.Random(SEED), Counter[str]()
    async with stage(OURS, prepared.database, LATENCY, SHIPPED) as (api, bot):
        day = Day(api, prepared, THINKING)
        day.begin()
        for number in range(KILLS):
            await (bot.start() if number % 4 else bot.spawn())
            await asyncio.sleep(instants.uniform(0, ALIVE))
            await bot.kill()
            in_flight += claimed(bot.database)
        unheard = REMINDED - day.heard
        print(f"{KILLS} kills, {unheard} still to be reminded, {len(day.filed)} reports", flush=True)
        await bot.start()
        await day.ends()
        expected = [obligation for each in prepared.reports.values() for obligation in each]
        return settle(bot, day, expected, in_flight), in_flight


def _written(account: Account, in_flight: Counter[str]) -> Iterator[str]:
    yield (
        f"{KILLS} kills, up to {ALIVE:.0f} s after the program began to fetch messages (every fourth: after its "
        f"start), with the shipped pace and {1000 * LATENCY:.0f} ms a call. {REMINDED} people are to be reminded; "
        f"{REPORTING} others report, each thinking for {THINKING[0]:.0f} to {THINKING[1]:.0f} s before an answer. "
        "*In flight* are the messages claimed for sending at the kills; nobody is told anything more often than "
        "it was in flight at a kill."
    )
    head = ("reminded", "never reminded", "reports filed", "lost", "filed twice", "said twice", "in flight")
    figures = (account.reminded, account.never_reminded, account.filed, account.never_filed, account.filed_twice,
               account.repeated, in_flight.total())  # fmt: skip
    yield from ("", *table([head, tuple(map(str, figures))]), "")
    lost, doubled = account.never_filed, account.filed_twice
    yield from aims(
        [
            ("no reminder lost", str(account.never_reminded), account.never_reminded == 0),
            ("no report lost or filed twice", f"{lost}, {doubled}", lost + doubled == 0),
            ("nothing said twice but what was in flight", f"{account.beyond} beyond it", account.beyond == 0),
        ]
    )


if __name__ == "__main__":
    publish("kills", measure)
