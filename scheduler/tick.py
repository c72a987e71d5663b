"""The tick: APScheduler wakes it, rows tell what is due. It may run late, twice, or on two machines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlmodel import Session, select

from scheduler.digest import Found, due_now, write_digests
from scheduler.watch import keep_surveys, to_survey, watch
from storage import outbox
from storage.chats import forget_seen, forget_set_aside
from storage.looking import keep_looks
from storage.tables import Organization

log = logging.getLogger("dondoc.tick")

EVERY = timedelta(seconds=30)
BEATS_EVERY = timedelta(seconds=60)
AT_ONCE = 20
"""People written in one commit, so that nobody's answer waits long behind a wave."""
LOOKS_AT_ONCE = 250
SEEN_KEPT = timedelta(days=7)
SENT_KEPT = timedelta(days=90)
FAILURES_KEPT = timedelta(days=90)
TIDY_EVERY = timedelta(hours=1)

Work = Callable[[Session], Any]
Row = TypeVar("Row")


class Ticker:
    """Plans what is due. `write` runs work in a transaction, `read` on a snapshot, beside the event loop; `woken`
    tells that rows were written."""

    def __init__(
        self,
        write: Callable[[Work], Awaitable[Any]],
        read: Callable[[Work], Awaitable[Any]],
        now: Callable[[], datetime],
        woken: Callable[[], None],
    ) -> None:
        self._write = write
        self._read = read
        self._now = now
        self._woken = woken
        self._one_at_a_time = asyncio.Lock()
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._first: asyncio.Task[None] | None = None
        self._beaten_at: datetime | None = None

    def start(self) -> None:
        """Tick now and from now on. A missed wake-up is made up for by the next one: the rows carry the truth."""
        self._scheduler.add_job(
            self.tick,
            "interval",
            seconds=EVERY.total_seconds(),
            coalesce=True,
            misfire_grace_time=None,
            max_instances=1,
        )
        self._scheduler.add_job(self.tidy, "interval", seconds=TIDY_EVERY.total_seconds(), misfire_grace_time=None)
        self._scheduler.start()
        self._first = asyncio.create_task(self._begin())

    async def _begin(self) -> None:
        await self.tick()
        await self.tidy()

    def stop(self) -> None:
        if self._first is not None:
            self._first.cancel()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def tick(self) -> int:
        """Plan every digest that is due; returns how many. A failure is logged and the next tick tries again."""
        async with self._one_at_a_time:
            try:
                return await self._plan(self._now())
            except Exception:
                log.exception("action=tick_failed")
                return 0

    async def _plan(self, now: datetime) -> int:
        await self._watch(now)
        surveys = await self._read(lambda db: to_survey(db, now))
        if surveys:
            await self._write(lambda db: keep_surveys(db, surveys, now))
        written = 0
        for found in await self._read(lambda db: _all_due(db, now)):
            written += await self._write_all(found, now)
        if written:
            log.info("action=digests_planned count=%s", written)
        return written

    async def _watch(self, now: datetime) -> None:
        """A beat is a commit: not at every tick, but at once when the clock jumped."""
        if self._beaten_at is None or not timedelta(0) <= now - self._beaten_at < BEATS_EVERY:
            await self._write(lambda db: watch(db, now))
            self._beaten_at = now

    async def _write_all(self, found: Found, now: datetime) -> int:
        """First the digests; only when all are written, those obligations need not be looked at again today."""
        written = 0
        for dues in _in_parts(found.dues, AT_ONCE):
            written += await self._write(partial(write_digests, dues=dues, now=now))
            self._woken()
            await asyncio.sleep(0)
        for looks in _in_parts(found.looks, LOOKS_AT_ONCE):
            await self._write(partial(keep_looks, looks=looks))
            await asyncio.sleep(0)
        return written

    async def tidy(self) -> None:
        """Drop what is no longer needed: keys of messages seen, messages sent, messages that failed."""
        await self._write(lambda db: forget_seen(db, self._now() - SEEN_KEPT))
        await self._write(lambda db: forget_set_aside(db, self._now() - FAILURES_KEPT))
        forgotten = 1
        while forgotten:
            forgotten = await self._write(lambda db: outbox.forget(db, self._now() - SENT_KEPT))


def tick_once(db: Session, now: datetime) -> int:
    """A whole tick in one transaction, for rehearsals and tests; returns how many digests were written."""
    keep_surveys(db, to_survey(db, now), now)
    written = 0
    for found in _all_due(db, now):
        written += write_digests(db, found.dues, now)
        keep_looks(db, found.looks)
    return written


def _all_due(db: Session, now: datetime) -> list[Found]:
    return [due_now(db, organization, now) for organization in db.exec(select(Organization)).all()]


def _in_parts(rows: list[Row], size: int) -> Iterator[list[Row]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
