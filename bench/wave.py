"""`python -m bench.wave`: thousands are reminded at once while others write, and the server keeps its limits."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.day import Account, Day, Prepared, claimed, prepare, settle
from bench.process import OURS, stage
from bench.results import Aim, aims, publish, table
from tests.botapi import PACED, Limits

REMINDED, REPORTING = 3000, 40
FASTER = int(sys.argv[1]) if len(sys.argv) > 1 else 10
"""Telegram's limit of 30 messages a second, and ours beneath it, times this; so is the way there shorter."""
LIMIT, RATE, LATENCY = 30 * FASTER, 28.5 * FASTER, 0.1 / FASTER
SETTINGS = {"TELEGRAM_RATE": str(RATE)}
THINKING = (1.0, 3.0)


@dataclass(frozen=True)
class Wave:
    """One wave, from the first reminder to the last."""

    seconds: float
    messages: int
    refused: int
    replies: list[float]
    """Seconds each reply took, in order of size."""
    account: Account
    in_flight: int | None = None

    @property
    def ratio(self) -> float:
        """How much longer it took than the limit asks for."""
        return self.seconds * LIMIT / self.messages

    def reply(self, share: float) -> float:
        """The seconds within which this share of the replies came."""
        return self.replies[min(int(len(self.replies) * share), len(self.replies) - 1)]


async def measure(folder: Path) -> Iterator[str]:
    prepared = prepare(folder, REMINDED, REPORTING)
    whole = await _wave(prepared, is_killed=False)
    killed = await _wave(prepared, is_killed=True)
    return _written(whole, killed)


async def _wave(prepared: Prepared, is_killed: bool) -> Wave:
    limits, in_flight = Limits(overall=LIMIT), None
    async with stage(OURS, prepared.database, LATENCY, SETTINGS, limits) as (api, bot):
        day = Day(api, prepared, THINKING)
        await bot.spawn()
        while not day.heard:
            await day.tally.hears_within(1)
        began = time.perf_counter()
        day.begin()
        if is_killed:
            await _heard(day, REMINDED // 2)
            await bot.kill()
            in_flight = claimed(bot.database)
            await bot.spawn()
        await _heard(day, REMINDED)
        ended = time.perf_counter()
        calls = sum(call.method.lower() in PACED for call in api.calls) - limits.refused
        await day.stops()
        await asyncio.sleep(2)  # what was in flight is recorded, or said again
        account = settle(bot, day, day.filed, in_flight or Counter())
        replies = day.tally.between(began, ended)
        flying = in_flight.total() if in_flight is not None else None
        return Wave(ended - began, calls, limits.refused, replies, account, flying)


async def _heard(day: Day, count: int) -> None:
    """Wait until so many are reminded, or nothing more is said."""
    while day.heard < count and await day.tally.hears_within(8):
        pass


def _written(whole: Wave, killed: Wave) -> Iterator[str]:
    yield (
        f"{REMINDED} people are due at once and {REPORTING} others report meanwhile, each thinking for "
        f"{THINKING[0]:.0f} to {THINKING[1]:.0f} s before an answer. The server takes {LIMIT} messages in any "
        f"second and one a second in each chat after a burst of five; the program has TELEGRAM_RATE={RATE:g}: "
        f"{FASTER} times the real figures, with {1000 * LATENCY:.0f} ms a call."
    )
    yield from ("", *table(_rows(whole, killed)), "", *aims(_aims(whole, killed)))


def _rows(*waves: Wave) -> Iterator[tuple[str, ...]]:
    yield ("wave", "seconds", "messages", "of the time at the limit", "429", "replies", "p50", "p95", "longest",
           "never reminded", "said twice", "in flight")  # fmt: skip
    for one in waves:
        yield (
            "whole" if one.in_flight is None else "killed halfway",
            f"{one.seconds:.1f}",
            str(one.messages),
            f"{one.ratio:.2f}",
            str(one.refused),
            str(len(one.replies)),
            *(f"{1000 * one.reply(share):.0f} ms" for share in (0.5, 0.95, 1.0)),
            str(one.account.never_reminded),
            str(one.account.repeated),
            "" if one.in_flight is None else str(one.in_flight),
        )


def _aims(whole: Wave, killed: Wave) -> Iterator[Aim]:
    lost = whole.account.never_reminded + killed.account.never_reminded
    unfiled = whole.account.never_filed + killed.account.never_filed
    per_thousand = 1000 * whole.refused / whole.messages
    yield "within 1.07 of messages / limit", f"{whole.ratio:.3f}", whole.ratio <= 1.07
    yield "at most one 429 for 1,000 messages", f"{per_thousand:.1f}", per_thousand <= 1
    yield "p95 of a reply meanwhile under 1 s", f"{whole.reply(0.95):.2f} s", whole.reply(0.95) < 1
    yield "nobody forgotten, no report lost, also when killed", f"{lost}, {unfiled}", lost + unfiled == 0
    yield "nothing said twice", str(whole.account.repeated), whole.account.repeated == 0
    yield "killed: no more said twice than was in flight", str(killed.account.repeated), killed.account.is_whole


if __name__ == "__main__":
    publish("wave", measure)
