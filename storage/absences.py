"""Who is away, and who stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlmodel import Session

from storage.statement import Statement
from storage.tables import Absence, Member
from storage.tables.core import connection, table
from storage.waking import wake_of_member

absence, member = table(Absence), table(Member)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Away:
    """A person's absence, both days included; `name` is who stands in, where anybody does."""

    id: int
    member_id: int
    from_on: date
    to_on: date
    stand_in: int | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Replaced:
    """Somebody who is away on these days, for whom another stands in."""

    member_id: int
    name: str
    from_on: date
    to_on: date


_away = Statement(
    select(absence.c.member_id, absence.c.stand_in)
    .where(
        absence.c.organization_id == bindparam("organization_id"),
        absence.c.from_on <= bindparam("day"),
        absence.c.to_on >= bindparam("day"),
    )
    .order_by(absence.c.id)
)
_coming = Statement(
    select(absence.c.from_on, absence.c.to_on).where(
        absence.c.organization_id == bindparam("organization_id"), absence.c.to_on >= bindparam("day")
    )
)


def away_on(
    db: Session, organization_id: int, day: date, as_if: Mapping[int, int | None] | None = None
) -> dict[int, int | None]:
    """Members who are away that day, each with who stands in, also where that one is away too; None: nobody.
    `as_if`: others who would be away, and who would stand in for them."""
    rows = _away.all(db, organization_id=organization_id, day=day)
    named: dict[int, int | None] = {row.member_id: row.stand_in for row in rows} | dict(as_if or {})
    return {member_id: _at_work(member_id, named) for member_id in named}


def turns(db: Session, organization_id: int, first: date, last: date = date.max) -> list[date]:
    """`first`, and the days after it up to `last` on which anybody leaves or is back."""
    rows = _coming.all(db, organization_id=organization_id, day=first)
    days = {day for row in rows for day in (row.from_on, row.to_on + DAY) if first < day <= last}
    return sorted({first} | days)


def _at_work(member_id: int, named: dict[int, int | None]) -> int | None:
    passed = {member_id}
    stand_in = named[member_id]
    while stand_in in named and stand_in not in passed:
        passed.add(stand_in)
        stand_in = named[stand_in]
    return None if stand_in in passed else stand_in


def turning(db: Session, organization_id: int, since: date, today: date) -> set[int]:
    """Members who left or came back after `since`, up to today."""
    rows = connection(db).execute(
        select(absence.c.member_id, absence.c.from_on, absence.c.to_on).where(
            absence.c.organization_id == organization_id, absence.c.to_on >= since, absence.c.from_on <= today
        )
    )
    return {row.member_id for row in rows if row.from_on > since or row.to_on < today}


_seen: Select[Any] = (
    select(
        absence.c.id,
        absence.c.member_id,
        absence.c.from_on,
        absence.c.to_on,
        absence.c.stand_in,
        member.c.name,
    )
    .outerjoin(member, member.c.id == absence.c.stand_in)
    .order_by(absence.c.from_on, absence.c.id)
)


def not_ended(db: Session, organization_id: int, day: date) -> list[Away]:
    """Absences of everybody that run on that day or begin later, the next one first."""
    rows = connection(db).execute(
        _seen.where(absence.c.organization_id == organization_id, absence.c.to_on >= day)
    )
    return [Away(*row) for row in rows]


def absences_of(db: Session, member_id: int, since: date) -> list[Away]:
    """A person's absences that have not ended before `since`, the next one first."""
    rows = connection(db).execute(_seen.where(absence.c.member_id == member_id, absence.c.to_on >= since))
    return [Away(*row) for row in rows]


def replaced_by(db: Session, member_id: int, first: date, last: date) -> list[Replaced]:
    """For whom this person was asked to stand in on any of these days."""
    rows = connection(db).execute(
        select(absence.c.member_id, member.c.name, absence.c.from_on, absence.c.to_on)
        .join(member, member.c.id == absence.c.member_id)
        .where(absence.c.stand_in == member_id, absence.c.to_on >= first, absence.c.from_on <= last)
        .order_by(absence.c.from_on, absence.c.id)
    )
    return [Replaced(*row) for row in rows]


def absence_in(db: Session, member_id: int, from_on: date, to_on: date) -> Away | None:
    """The first absence of a person that falls into these days."""
    return next((one for one in absences_of(db, member_id, from_on) if one.from_on <= to_on), None)


def add_absence(
    db: Session, organization_id: int, member_id: int, from_on: date, to_on: date, stand_in: int | None
) -> int:
    """Keep an absence and let reminders move; returns its id."""
    new = Absence(
        organization_id=organization_id, member_id=member_id, from_on=from_on, to_on=to_on, stand_in=stand_in
    )
    db.add(new)
    db.flush()
    assert new.id is not None
    wake_of_member(db, organization_id, member_id)
    return new.id


def change_stand_in(db: Session, absence_id: int, stand_in: int | None) -> None:
    """Another person stands in from now on, or nobody."""
    row = db.get_one(Absence, absence_id)
    row.stand_in = stand_in
    db.flush()
    wake_of_member(db, row.organization_id, row.member_id)


def end_absence(db: Session, absence_id: int, today: date) -> None:
    """The person is at work from `today` on; an absence that had not begun before it is gone."""
    row = db.get_one(Absence, absence_id)
    if row.from_on < today:
        row.to_on = today - DAY
    else:
        db.delete(row)
    db.flush()
    wake_of_member(db, row.organization_id, row.member_id)
