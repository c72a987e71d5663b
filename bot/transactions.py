"""How the asyncio edge runs the synchronous core's transactions; works that come together commit together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from storage.store import Store, is_away, is_clash, is_of_the_place

log = logging.getLogger("dondoc.database")
Result = TypeVar("Result")
Work = Callable[[Session], Result]
Bears = Callable[[int, bool], bool]
"""`bears(tries, others_succeed)`: whether to go on after so many failures, while others succeed or nobody does."""

TOGETHER = 64
HELD = 0.01
"""Works in one commit, and the seconds after which no further one joins it: the event loop is held meanwhile."""
WRITERS = 4
"""Commits under way at once on PostgreSQL, each with one work: none waits there for the locks of another."""
CHECKPOINT_EVERY = 100
"""Commits; of a few pages each."""
SLOW_COMMIT = 0.005
SLOW_IN_A_ROW = 20
CLASHES = 3
"""So often another transaction may have been faster with the same unique key."""
PAUSES = (0.005, 0.02, 0.1, 0.5, 2.0, 5.0)
"""Seconds before another try while the database is busy or away; the last one repeats."""


SAID_FROM = 4
"""Failures in a row after which it is said that the database is away: another process may hold it for a moment."""
AWAY = {
    "SQLITE_BUSY": "another program holds the database",
    "SQLITE_LOCKED": "another program holds the database",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk does not do what it is told",
    "SQLITE_CANTOPEN": "the database file cannot be opened",
    "SQLITE_READONLY": "the database file cannot be written to",
}


class GaveUp(Exception):
    """The database failed this work as often as its caller would bear."""


def patiently(_tries: int, _others_succeed: bool) -> bool:
    """Bears everything."""
    return True


class _Outage:
    """The database being away: each reason is said once, and so is the end."""

    def __init__(self) -> None:
        self._began_at = 0.0
        self._said: str | None = None

    async def rest(self, failures: int, error: Exception) -> None:
        """Say what is wrong, if it is new and lasts, and wait before the next try."""
        if self._said is None and failures == 1:
            self._began_at = time.monotonic()
        reason = _reason(error)
        if failures >= SAID_FROM and reason != self._said:
            log.error("action=database_away reason=%s; what comes in waits, nothing is lost", reason)
            self._said = reason
        await asyncio.sleep(PAUSES[min(failures, len(PAUSES)) - 1])

    def over(self) -> None:
        if self._said is not None:
            log.warning("action=database_back seconds=%.0f", time.monotonic() - self._began_at)
        self._said = None


def _reason(error: Exception) -> str:
    """What is wrong in plain words, and the database's own name for it."""
    cause = getattr(error, "orig", None)
    name = str(
        getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or type(cause).__name__
    )
    words = next(
        (words for kind, words in AWAY.items() if name.startswith(kind)), "the database cannot be reached"
    )
    return f"{words} ({name})"


@dataclass(slots=True, eq=False)
class _Job:
    """A work that waits to be written. `began_at` is how many commits there were at its first failure."""

    work: Work[Any]
    bears: Bears
    done: asyncio.Future[Any]
    tries: int = 0
    began_at: int = 0


class Transactions:
    """Runs work in the event loop on SQLite (half a millisecond each), in a few threads on PostgreSQL.

    On SQLite, works that wait at the same time are written in one commit, in their order; where one of them fails,
    the commit is undone and each goes alone. One that fails as the database is away goes behind the others. On a
    disk where SQLite's commits take more than 5 ms, one thread takes them over.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._together, self._most_writers = (TOGETHER, 1) if store.is_sqlite else (1, WRITERS)
        self._pool = None if store.is_sqlite else ThreadPoolExecutor(WRITERS + 2, thread_name_prefix="database")
        self._jobs: deque[_Job] = deque()
        self._alone = 0
        self._commits = 0
        self._failures = 0
        self._outage = _Outage()
        self._slow = 0
        self._writers: list[asyncio.Task[None]] = []
        self._checkpoint: asyncio.Task[None] | None = None

    async def write(self, work: Work[Result], bears: Bears = patiently) -> Result:
        """One writing transaction. `work` may run more than once, and what it did before the last time is undone.

        Waits and tries again while the database is away, or when another process was faster with the same unique
        key. Raises what `work` raises, and GaveUp when it has failed for longer than the caller `bears`.
        """
        job = _Job(work, bears, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._writers = [writer for writer in self._writers if not writer.done()]
        if len(self._writers) < self._most_writers:
            self._writers.append(asyncio.create_task(self._write_all()))
        result: Result = await job.done
        return result

    async def read(self, work: Work[Result]) -> Result:
        """Work on a snapshot; waits and tries again while the database is away."""
        return await self._patiently(lambda: self._run(self._reading, work))

    async def read_beside(self, work: Work[Result]) -> Result:
        """The same in a thread of its own: for work that would hold the event loop too long."""
        return await self._patiently(lambda: asyncio.to_thread(self._reading, work))

    async def _patiently(self, reading: Callable[[], Awaitable[Result]]) -> Result:
        failures = 0
        while True:
            try:
                return await reading()
            except Exception as error:
                if not is_away(error):
                    raise
                failures += 1
                await self._outage.rest(failures, error)

    async def _write_all(self) -> None:
        await asyncio.sleep(0)  # what comes in the same moment joins in
        while self._jobs:
            count = 1 if self._alone else min(self._together, len(self._jobs))
            taken = [self._jobs.popleft() for _ in range(count)]
            self._alone = max(0, self._alone - 1)
            jobs = [job for job in taken if not job.done.cancelled()]
            try:
                await self._write_together(jobs)
            except Exception as error:
                await self._failed(jobs, error)
            await asyncio.sleep(0)

    async def _write_together(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        results = await self._run(self._writing, lambda db: _until_held(db, jobs))
        self._jobs.extendleft(reversed(jobs[len(results) :]))
        self._commits += 1
        self._failures = 0
        self._outage.over()
        if self.store.is_sqlite and self._commits % CHECKPOINT_EVERY == 0:
            self._checkpoint = asyncio.create_task(self._checkpoint_beside())
        for job, result in zip(jobs, results, strict=False):
            if not job.done.done():
                job.done.set_result(result)

    async def _checkpoint_beside(self) -> None:
        try:
            await asyncio.to_thread(self.store.checkpoint)
        except DBAPIError as error:
            log.warning("action=checkpoint_failed reason=%s", _reason(error))

    async def _failed(self, jobs: list[_Job], error: Exception) -> None:
        """Undone: several go one by one, to show which of them fails; one is tried again or given up."""
        if len(jobs) > 1:
            self._jobs.extendleft(reversed(jobs))
            self._alone = len(jobs)
            return
        [job] = jobs
        if not is_away(error) and not (is_clash(error) and job.tries < CLASHES):
            return _tell(job, error)
        if job.tries == 0:
            job.began_at = self._commits
        job.tries += 1
        others_succeed = self._commits > job.began_at and not is_of_the_place(error)
        if not job.bears(job.tries, others_succeed):
            gave_up = GaveUp()
            gave_up.__cause__ = error
            return _tell(job, gave_up)
        self._jobs.append(job)
        self._failures += 1
        await self._outage.rest(self._failures, error)

    async def _run(self, how: Callable[[Work[Result]], Result], work: Work[Result]) -> Result:
        if self._pool is not None:
            return await asyncio.get_running_loop().run_in_executor(self._pool, how, work)
        return how(work)

    def _writing(self, work: Work[Result]) -> Result:
        with self.store.writing() as db:
            result = work(db)
        if self._pool is None:
            self._notice(self.store.commit_took)
        return result

    def _reading(self, work: Work[Result]) -> Result:
        with self.store.reading() as db:
            return work(db)

    def _notice(self, took: float) -> None:
        self._slow = self._slow + 1 if took > SLOW_COMMIT else max(0, self._slow - 1)
        if self._slow > SLOW_IN_A_ROW:
            log.warning("action=slow_disk commits move to a thread")
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="database")

    def close(self) -> None:
        for writer in self._writers:
            writer.cancel()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _until_held(db: Session, jobs: Sequence[_Job]) -> list[Any]:
    """The results of the first works, as many as may share a commit."""
    results, began = [], time.perf_counter()
    for job in jobs:
        results.append(job.work(db))
        if time.perf_counter() - began > HELD:
            break
    return results


def _tell(job: _Job, error: Exception) -> None:
    if not job.done.done():
        job.done.set_exception(error)
