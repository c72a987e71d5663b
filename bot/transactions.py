"""How the asyncio edge runs the synchronous core's transactions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlmodel import Session

from storage.store import Store, is_away, is_clash

log = logging.getLogger("dondoc.database")
Result = TypeVar("Result")
Way = Callable[[Callable[[Session], Result]], Result]

SLOW_COMMIT = 0.005
SLOW_IN_A_ROW = 20
CLASHES = 3
"""So often another transaction may have been faster with the same unique key."""
PAUSES = (0.005, 0.02, 0.1, 0.5, 2.0, 5.0)
"""Seconds before another try while the database is busy or away; the last one repeats."""


class GaveUp(Exception):
    """The database failed this work as often as the caller would bear."""


class Transactions:
    """Runs work in the event loop on SQLite (half a millisecond each), in a few threads on PostgreSQL.

    On a disk where SQLite's commits take more than 5 ms, one thread takes them over.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._pool = None if store.is_sqlite else ThreadPoolExecutor(4, thread_name_prefix="database")
        self._slow = 0

    async def write(
        self, work: Callable[[Session], Result], bears: Callable[[int], bool] = lambda tries: True
    ) -> Result:
        """One writing transaction; waits and tries again while the database is away, or when another process was
        faster with the same unique key.

        `bears(tries)` says whether to go on after that many failures; else GaveUp is raised.
        """
        return await self._again(self._writing, work, bears)

    async def read(self, work: Callable[[Session], Result]) -> Result:
        """Work on a snapshot; waits and tries again while the database is away."""
        return await self._again(self._reading, work, lambda tries: True)

    async def _again(
        self, how: Way[Result], work: Callable[[Session], Result], bears: Callable[[int], bool]
    ) -> Result:
        tries = 0
        while True:
            try:
                return await self._run(how, work)
            except Exception as error:
                if not is_away(error) and not (is_clash(error) and tries < CLASHES):
                    raise
                tries += 1
                if not bears(tries):
                    raise GaveUp from error
                if tries == len(PAUSES):
                    log.warning("action=database_away reason=%s", type(error).__name__)
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES)) - 1])

    async def _run(self, how: Way[Result], work: Callable[[Session], Result]) -> Result:
        if self._pool is not None:
            return await asyncio.get_running_loop().run_in_executor(self._pool, how, work)
        return how(work)

    def _writing(self, work: Callable[[Session], Result]) -> Result:
        with self.store.writing() as db:
            result = work(db)
        if self._pool is None:
            self._notice(self.store.commit_took)
        return result

    def _reading(self, work: Callable[[Session], Result]) -> Result:
        with self.store.reading() as db:
            return work(db)

    def _notice(self, took: float) -> None:
        self._slow = self._slow + 1 if took > SLOW_COMMIT else max(0, self._slow - 1)
        if self._slow > SLOW_IN_A_ROW:
            log.warning("action=slow_disk commits move to a thread")
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="database")

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
