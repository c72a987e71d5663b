"""Whether the program is at work: its heartbeats, and what they and the outbox tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from storage.outbox import oldest_waiting
from storage.statement import Statement
from storage.tables import Heartbeat, SetAside
from storage.tables.core import connection, table

heartbeat, set_aside = table(Heartbeat), table(SetAside)

TICK = "tick"
"""The heartbeat of what looks for what is due."""
TICKS_STOPPED = timedelta(minutes=5)
"""Without a tick for so long, nobody is reminded any more."""
WAITS_LONG = timedelta(minutes=5)
"""A message that could be sent and has waited so long: nothing is delivered any more."""
LAST_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the program was at `at`. `set_aside`: messages of the last day whose handling failed."""

    at: datetime
    ticked_at: datetime | None
    oldest_waiting_at: datetime | None
    set_aside: int

    @property
    def silence(self) -> timedelta | None:
        """Since the last tick; None: there never was one."""
        return self.at - self.ticked_at if self.ticked_at else None

    @property
    def waited(self) -> timedelta:
        """How long the oldest message that could be sent has waited."""
        return max(timedelta(0), self.at - (self.oldest_waiting_at or self.at))

    @property
    def is_ticking(self) -> bool:
        # Also a tick far in the future is an old one: the clock was set back since.
        return self.silence is not None and abs(self.silence) <= TICKS_STOPPED

    @property
    def is_delivering(self) -> bool:
        return self.waited <= WAITS_LONG


def pulse(db: Session, now: datetime) -> Pulse:
    """How the program is now."""
    lately = select(func.count()).select_from(set_aside).where(set_aside.c.at > now - LAST_DAY)
    failures = connection(db).execute(lately).scalar_one()
    return Pulse(now, last_beat(db, TICK), oldest_waiting(db, now), failures)


def _beating(insert: Callable[..., Any]) -> Any:
    made = insert(heartbeat).values(
        name=bindparam("name", type_=heartbeat.c.name.type), at=bindparam("at", type_=heartbeat.c.at.type)
    )
    return made.on_conflict_do_update(index_elements=[heartbeat.c.name], set_={"at": made.excluded.at})


_beat = Statement({"sqlite": _beating(sqlite.insert), "postgresql": _beating(postgresql.insert)})


def beat(db: Session, name: str, now: datetime) -> None:
    """That part was at work now; of several that beat at once, the last one counts."""
    _beat.change(db, name=name, at=now)


def last_beat(db: Session, name: str) -> datetime | None:
    """When that part last beat; None: never, or it was cleared."""
    at: datetime | None = connection(db).execute(select(heartbeat.c.at).where(heartbeat.c.name == name)).scalar()
    return at


def since(db: Session, what: str, edition: str, now: datetime) -> datetime:
    """Since when `what` is of this edition; from now on where it was of another, or is new."""
    name = f"{what} {edition}"
    at = last_beat(db, name)
    if at is None or at > now:  # noted while the clock was ahead
        connection(db).execute(delete(heartbeat).where(heartbeat.c.name.startswith(f"{what} ")))
        beat(db, name, now)
        return now
    return at


def clear(db: Session, name: str) -> None:
    """As if that part had never beaten."""
    connection(db).execute(delete(heartbeat).where(heartbeat.c.name == name))
