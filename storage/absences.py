"""Who is away, and who stands in."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlmodel import Session

from storage.tables import Absence
from storage.tables.core import connection, table

absence = table(Absence)


def away_on(db: Session, organization_id: int, day: date) -> dict[int, int | None]:
    """Members who are away that day, each with who stands in, also where that one is away too; None: nobody."""
    rows = connection(db).execute(
        select(absence.c.member_id, absence.c.stand_in)
        .where(absence.c.organization_id == organization_id, absence.c.from_on <= day, absence.c.to_on >= day)
        .order_by(absence.c.id)
    )
    named: dict[int, int | None] = {row.member_id: row.stand_in for row in rows}
    return {member_id: _at_work(member_id, named) for member_id in named}


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
