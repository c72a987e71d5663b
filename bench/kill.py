"""SIGKILL in the middle of a burst: what was lost, what was said twice, which conversations went on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.commune import Reports
from bench.people import FIGURE, Caller, Tally
from bench.process import ECHO, OURS, Bot, stage

KILL_AFTER = 150
"""Answers of the burst that reached the server before the kill."""
GIVEN_UP_AFTER = 6.0
"""Seconds of silence after which nobody is answered any more; a restart takes less."""
REPEATED_WITHIN = 1.0


@dataclass(frozen=True)
class Killed:
    """What a kill did."""

    burst: int
    before: int
    """Answers that had reached the server at the kill."""
    lost: int
    """People who were never answered."""
    repeated: int
    """Answers too many."""
    in_flight: int | None = None
    """Messages claimed for sending at the kill."""
    went_on: int | None = None
    """Half-finished conversations that stood after the burst's answer when asked."""


async def kill_ours(database: Path, reports: Reports, latency: float) -> Killed:
    """Everybody has a report open and answers its first question at the same time."""
    async with stage(OURS, database, latency) as (api, bot):
        await bot.start()
        tally = Tally()
        people = [Caller(api, person, tally) for person in reports]
        await asyncio.gather(*(one.answered(one.says(f"/report {reports[one.id][0]}")) for one in people))
        before = await _burst_and_kill(bot, people, tally)
        in_flight = _claimed(bot.database)
        lost, repeated = await _restart(bot, people, tally)
        went_on = await asyncio.gather(*(_goes_on(one) for one in people))
        return Killed(len(people), before, lost, repeated, in_flight, sum(went_on))


async def kill_echo(database: Path, reports: Reports, latency: float) -> Killed:
    """The same burst of texts for the echo bot, which has no conversations to keep."""
    async with stage(ECHO, database, latency) as (api, bot):
        await bot.start()
        tally = Tally()
        people = [Caller(api, person, tally) for person in reports]
        before = await _burst_and_kill(bot, people, tally)
        return Killed(len(people), before, *await _restart(bot, people, tally))


async def _burst_and_kill(bot: Bot, people: Sequence[Caller], tally: Tally) -> int:
    """Everybody writes at the same time; returns how many answers came before the kill."""
    tally.said = 0
    for one in people:
        one.answers.clear()
        await one.says(FIGURE)
    while tally.said < KILL_AFTER and await tally.hears_within(GIVEN_UP_AFTER):
        pass
    await bot.kill()
    return tally.said


def _claimed(database: Path) -> int:
    with closing(sqlite3.connect(database)) as link:
        rows = link.execute("SELECT count(*) FROM outgoing WHERE state = 'waiting' AND claimed_until IS NOT NULL")
        return int(rows.fetchone()[0])


async def _restart(bot: Bot, people: Sequence[Caller], tally: Tally) -> tuple[int, int]:
    """Start again and wait until nothing more is said: people never answered, and answers too many."""
    await bot.spawn()
    while await tally.hears_within(_patience(people)):
        pass
    lost = sum(not one.answers for one in people)
    return lost, tally.said - (len(people) - lost)


def _patience(people: Sequence[Caller]) -> float:
    return REPEATED_WITHIN if all(one.answers for one in people) else GIVEN_UP_AFTER


async def _goes_on(person: Caller) -> bool:
    """True when the talk stands right after the answer given in the burst."""
    heard = await person.answered(person.says("tiếp"))
    return "2/" in heard.text or ["Gửi", "Sửa"] in heard.buttons
