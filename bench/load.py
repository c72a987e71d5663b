"""One program under load: everybody writes as soon as they are answered, for some seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.commune import Reports
from bench.people import Caller, Tally
from bench.process import Bot, stage

AT_ONCE = 48
"""People writing at the same time. At 50 ms a call nobody is answered in less than 75 ms, whatever the bot does:
fewer people could not write often enough for the rate aimed at, and many more would only wait for each other."""
WARM_UP, SECONDS = 1.0, 4.0

Play = Callable[[Caller], Awaitable[None]]


@dataclass(frozen=True)
class Result:
    """One run. Times in seconds, memory in MiB."""

    rate: float
    """Updates answered a second."""
    p50: float
    p99: float
    processor: float
    """Of the bot's process, for each update answered."""
    server: float
    """Share of a processor that the double and its people took: near 1, they were what was measured."""
    start: float
    memory_started: float
    memory_loaded: float


async def load(command: tuple[str, ...], play: Play, database: Path, reports: Reports, latency: float) -> Result:
    """Start the program and let people write to it."""
    async with stage(command, database, latency) as (api, bot):
        start, tally = await bot.start(), Tally()
        people = [Caller(api, person, tally) for person in reports]
        return await _under_load(bot, play, people, tally, start)


async def _under_load(bot: Bot, play: Play, people: Sequence[Caller], tally: Tally, start: float) -> Result:
    memory_started, everybody = bot.memory(), iter(people)
    seats = [asyncio.create_task(_seat(everybody, play)) for _ in range(AT_ONCE)]
    await _run_for(WARM_UP, seats)
    began, used, own = time.perf_counter(), bot.processor_seconds(), time.process_time()
    await _run_for(SECONDS, seats)
    ended, used, own = time.perf_counter(), bot.processor_seconds() - used, time.process_time() - own
    for seat in seats:
        seat.cancel()
    took = tally.between(began, ended)
    return Result(
        rate=len(took) / (ended - began),
        p50=median(took),
        p99=took[int(len(took) * 0.99)],
        processor=used / len(took),
        server=own / (ended - began),
        start=start,
        memory_started=memory_started,
        memory_loaded=bot.memory(),
    )


async def _seat(everybody: Iterator[Caller], play: Play) -> None:
    """One person after another."""
    for person in everybody:
        await play(person)


async def _run_for(seconds: float, seats: Sequence[asyncio.Task[None]]) -> None:
    """Let them talk; a conversation that fails ends the run, and so does a lack of people."""
    done, _ = await asyncio.wait(seats, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for seat in done:
        seat.result()
        raise RuntimeError("there were not enough people for the whole run")


def middle(results: Sequence[Result]) -> Result:
    """The median of every figure."""
    return Result(*(median(figures) for figures in zip(*(vars(one).values() for one in results), strict=True)))
