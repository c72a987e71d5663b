"""Rehearsal: every message that would go out in the days to come, found by the very code of the tick.

It works on a copy of the database that it changes as time passes there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlmodel import Session

from scheduler.makers import MAKERS
from scheduler.making import Later, Made
from scheduler.morning import Rulebook
from scheduler.tick import tick_once
from storage import outbox
from storage.copying import copy_of
from storage.outbox import Claimed
from storage.owed import owed_until
from storage.rehearsing import (
    Reader,
    Why,
    answer,
    as_if_joined,
    as_if_unanswered,
    begin_rehearsal,
    has_joined,
    names_of,
    reader_of,
    whys,
)
from storage.reminding import lines_of
from storage.tables import Organization

Answers = Literal["as-it-stands", "nobody", "on-the-day"]
"""Nothing more comes in than has been filed; nothing was ever filed; everything comes in on the day it is due."""
ANSWERS: tuple[Answers, ...] = ("as-it-stands", "nobody", "on-the-day")
LEASE = timedelta(minutes=1)
ROWS_AT_ONCE = 500
A_DAY = timedelta(days=1)
LOOKED_AHEAD = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One message that would go out: when (in the commune's zone), to whom, why, in which words (HTML)."""

    at: datetime
    reader: Reader
    why: list[Why]
    text: str


def rehearsal(
    db: Session, organization_id: int, first: date, last: date, now: datetime, answers: Answers = "as-it-stands"
) -> list[Rehearsed]:
    """The messages of the days from `first` to `last`, in their order, tried on a copy: `db` is only read.

    The days between now and `first` pass unseen; days before now are played as if nothing had been sent in them.
    While nobody has joined, everybody who is known is written to.
    """
    with closing(copy_of(db)) as copy, copy.writing() as rehearsed:
        organization = rehearsed.get_one(Organization, organization_id)
        return list(_rehearse(rehearsed, organization, first, last, now, answers))


def next_day(db: Session, organization_id: int, after: date, now: datetime) -> date | None:
    """The first day after this one on which anybody hears something, within three months; tried on a copy."""
    with closing(copy_of(db)) as copy, copy.writing() as rehearsed:
        organization = rehearsed.get_one(Organization, organization_id)
        coming = _rehearse(rehearsed, organization, after + A_DAY, after + LOOKED_AHEAD, now, "as-it-stands")
        found = next(coming, None)
        return found.at.date() if found is not None else None


def _rehearse(
    db: Session, organization: Organization, first: date, last: date, now: datetime, answers: Answers
) -> Iterator[Rehearsed]:
    zone = ZoneInfo(organization.timezone)
    today = now.astimezone(zone).date()
    begin_rehearsal(db, organization.id or 0, min(first, today), is_past=first < today)
    if not has_joined(db, organization.id or 0):
        as_if_joined(db, organization.id or 0)
    if answers == "nobody":
        as_if_unanswered(db, organization.id or 0)
    names = names_of(db, organization.id or 0)
    day = min(first, today)
    while day <= last:
        opens = datetime.combine(day, organization.office_from, zone)
        at = max(opens, now) if first >= today else opens
        for one in _of_day(db, organization, at.astimezone(UTC), day, names):
            if day >= first:
                yield one
        if answers == "on-the-day":
            answer(db, _due_on(db, organization, day), datetime.combine(day, time(16), zone).astimezone(UTC))
        day += A_DAY


def _of_day(
    db: Session, organization: Organization, now: datetime, day: date, names: Mapping[int, str]
) -> Iterator[Rehearsed]:
    """A tick, and whatever of it and of earlier wishes goes out until the office closes."""
    zone = ZoneInfo(organization.timezone)
    if now.astimezone(zone).date() != day:
        return  # now is already past this day
    closes = datetime.combine(day, organization.office_to, zone)
    tick_once(db, now)
    while now < closes:
        yield from _delivered(db, now, zone, names)
        ready_at = outbox.next_ready_at(db, now)
        if ready_at is None:
            return
        now = max(ready_at, now + timedelta(seconds=1))


def _delivered(db: Session, now: datetime, zone: ZoneInfo, names: Mapping[int, str]) -> Iterator[Rehearsed]:
    while rows := outbox.claim(db, outbox.REMINDER, now, LEASE, ROWS_AT_ONCE):
        for row in rows:
            made = _made(db, row, now)
            if isinstance(made, Made):
                yield Rehearsed(
                    now.astimezone(zone), reader_of(db, row.account_id), _why(db, row, names), made.text
                )


def _made(db: Session, row: Claimed, now: datetime) -> Made | Later | None:
    """As delivery does it: made now, recorded as sent, put off, or dropped."""
    maker = MAKERS[row.maker or ""]
    is_late = row.expires_at is not None and row.expires_at <= now
    made = None if is_late else maker.make(db, row.args or {}, now)
    if isinstance(made, Later):
        outbox.postpone(db, row.id, made.until)
    elif made is None:
        outbox.record_end(db, row.id, "dropped")
    else:
        outbox.record_sent(db, [(row.id, None)], now)
        if maker.sent is not None:
            maker.sent(db, row.args or {}, now)
    return made


def _why(db: Session, row: Claimed, names: Mapping[int, str]) -> list[Why]:
    args = row.args or {}
    if "digest_id" in args:
        return whys(db, lines_of(db, args["digest_id"]), names)
    return [Why("wished", names[obligation_id], 0) for obligation_id in args["obligations"]]


def _due_on(db: Session, organization: Organization, day: date) -> list[int]:
    """What counts as due on this day and is still owed."""
    book = Rulebook.of(db, organization.id or 0, day)
    owed = owed_until(db, organization.id or 0, None, day + timedelta(days=10))
    return [item.id for item in owed if book.effective_on(item) == day]
