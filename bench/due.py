"""`python -m bench.due`: what it costs to find what is due among all that is owed, and to rehearse a year."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from sqlmodel import select

from bench.obligations import DAY_BEFORE, TODAY, fill, nine_on
from bench.results import Aim, aims, publish, table
from bot.demo import BEGINS, load_demo
from bot.settings import Settings
from scheduler.digest import Found, due_now
from scheduler.rehearsal import Rehearsed, rehearsal
from scheduler.watch import keep_surveys, to_survey, watch
from storage.store import Store
from storage.tables import Organization
from tests.postgres import scratch_database

DUE = 1_000
SIZES = (1_000, 1_000_000)
TIMES = 15
YEAR = (date(2025, 1, 1), date(2025, 12, 31))

Result = TypeVar("Result")


@dataclass(frozen=True, order=True)
class Took:
    """Seconds by the clock, and of this process's processor: the rest is the database server's, or others'."""

    clock: float
    processor: float

    @property
    def ms(self) -> str:
        return f"{1000 * self.clock:.{1 if self.clock < 0.01 else 0}f} ms"


@dataclass(frozen=True)
class Costs:
    """What the parts of a tick cost with so many obligations, `DUE` of them due."""

    engine: str
    size: int
    people: int
    due: Took
    nothing: Took
    watch: Took
    survey: Took


async def measure(folder: Path) -> Iterator[str]:
    """Everything, as the lines of a page."""
    gc.collect()
    gc.freeze()
    gc.enable()  # as `dondoc run` does
    costs = [cost for size in SIZES for cost in _of_size(folder, size)]
    return _written(costs, *_rehearsed(folder))


def _of_size(folder: Path, size: int) -> Iterator[Costs]:
    yield _costs("SQLite", f"sqlite:///{folder / f'{size}.db'}", size)
    with scratch_database() as url:
        yield _costs("PostgreSQL", url, size)


def _costs(engine: str, url: str, size: int) -> Costs:
    with closing(Store(url)) as store:
        fill(store, size, DUE)
        due, found = _best(TIMES, lambda: _found(store, nine_on(TODAY)))
        nothing, empty = _best(TIMES, lambda: _found(store, nine_on(DAY_BEFORE)))
        if sum(len(one.lines) for one in found.dues) != DUE or empty.looks:
            raise RuntimeError("the commune is not as it should be, and its figures would mean nothing")
        survey, _ = _best(1, lambda: _survey(store, nine_on(DAY_BEFORE)))
        beat, _ = _best(TIMES, lambda: _watch(store, nine_on(DAY_BEFORE)))
    cost = Costs(engine, size, len(found.dues), due, nothing, beat, survey)
    print(f"{engine:10} {size:9,}  {due.ms} due, {nothing.ms} not", flush=True)
    return cost


def _best(times: int, work: Callable[[], Result]) -> tuple[Took, Result]:
    """The least time it took, and what came of it."""
    runs = []
    for _ in range(times):
        clock, processor = time.perf_counter(), time.process_time()
        result = work()
        runs.append(Took(time.perf_counter() - clock, time.process_time() - processor))
    return min(runs), result


def _found(store: Store, now: datetime) -> Found:
    """The reading part of a tick."""
    with store.reading() as db:
        (found,) = [due_now(db, organization, now) for organization in db.exec(select(Organization)).all()]
        return found


def _watch(store: Store, now: datetime) -> None:
    """Once a minute, whatever is due: a beat."""
    with store.writing() as db:
        watch(db, now)


def _survey(store: Store, now: datetime) -> None:
    """Once a day: who cannot be reached, who left and who is back."""
    with store.reading() as db:
        surveys = to_survey(db, now)
    if len(surveys) != 1:
        raise RuntimeError("the commune was not looked at, and the figure would mean nothing")
    with store.writing() as db:
        keep_surveys(db, surveys, now)


def _rehearsed(folder: Path) -> tuple[Took, list[Rehearsed]]:
    """The demo's commune through a year in which nobody reports."""
    with closing(Store(f"sqlite:///{folder / 'demo.db'}")) as store:
        store.prepare()
        with store.writing() as db:
            load_demo(db, Settings().timezone)
        with store.reading() as db:
            return _best(3, lambda: rehearsal(db, 1, *YEAR, BEGINS, "nobody"))


def _written(costs: Sequence[Costs], year: Took, messages: Sequence[Rehearsed]) -> Iterator[str]:
    yield (
        f"{DUE:,} obligations are due today, and of each two reminders were heard; the others are due in four "
        f"weeks. The best of {TIMES} times (the survey: once):"
    )
    yield from ("", *table(_rows(costs)), "")
    yield (
        f"A year of the demo's commune in which nobody reports, rehearsed: {len(messages)} messages, "
        f"{year.clock:.1f} s ({year.processor:.1f} s of processor)."
    )
    yield from ("", *aims(_aims(costs, year)))


def _rows(costs: Sequence[Costs]) -> Iterator[tuple[str, ...]]:
    yield ("database", "obligations", "people to write to", "finding what is due", "of it in this process",
           "nothing due", "beat, each minute", "survey, each day")  # fmt: skip
    for one in costs:
        processor = f"{1000 * one.due.processor:.0f} ms"
        yield (one.engine, f"{one.size:,}", f"{one.people:,}", one.due.ms, processor, one.nothing.ms,
               one.watch.ms, one.survey.ms)  # fmt: skip


def _aims(costs: Sequence[Costs], year: Took) -> Iterator[Aim]:
    few, many = ({one.engine: one for one in costs if one.size == size} for size in SIZES)
    for engine in few:
        due, ratio = many[engine].due, many[engine].due.clock / few[engine].due.clock
        yield f"{DUE:,} due of {SIZES[1]:,} found in less than 100 ms, {engine}", due.ms, due.clock < 0.1
        yield f"at most 3 times as long as {DUE:,} due of {SIZES[0]:,}, {engine}", f"{ratio:.1f}", ratio <= 3
    nothing = max(one["SQLite"].nothing for one in (few, many))
    yield "a tick with nothing due in less than 1 ms, SQLite", nothing.ms, nothing.clock < 0.001
    yield "a year rehearsed in less than 5 s", f"{year.clock:.1f} s", year.clock < 5


if __name__ == "__main__":
    publish("due", measure)
