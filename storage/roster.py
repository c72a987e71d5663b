"""The members of a commune, as they are listed: who, in which unit and role, how they are reached, if away.

Also who is to report for a unit, as its head is told of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session

from storage.absences import Away, away_on, not_ended
from storage.chats import Role, chat_of_member
from storage.reports import name_of
from storage.statement import Statement
from storage.tables import Account, Member, Membership, Unit
from storage.tables.core import connection, table

account, member, membership, unit = table(Account), table(Member), table(Membership), table(Unit)


@dataclass(frozen=True, slots=True)
class Listed:
    """A member with their roles. `reach`: yes, no (every chat of theirs is closed to the bot), never (no chat).
    `away`: the absence that runs; `next_away`: the next one to begin."""

    id: int
    name: str
    phone: str | None
    roles: tuple[Role, ...]
    reach: str
    away: Away | None
    next_away: Away | None

    def is_in(self, unit_id: int | None) -> bool:
        """True where a role is held in the unit; None stands for the commune as a whole."""
        return any(role.unit_id == unit_id for role in self.roles)


@dataclass(frozen=True, slots=True)
class Colleague:
    """Staff of a unit, as its head is told of them. `stand_in` names who reads in their place."""

    name: str
    is_away: bool
    stand_in: str | None
    is_reached: bool
    """What is meant for them is read by somebody."""


_staff_of = Statement(
    select(member.c.id, member.c.name)
    .join(membership, membership.c.member_id == member.c.id)
    .where(membership.c.unit_id == bindparam("unit_id"), membership.c.role == "staff")
    .order_by(membership.c.id)
)


def roster(db: Session, organization_id: int, today: date, units: Collection[int] | None = None) -> list[Listed]:
    """Everybody who has a role, in the order they joined; with `units`, those of these units."""
    rows = connection(db).execute(
        select(member.c.id, member.c.name, member.c.phone, membership.c.role, membership.c.unit_id, unit.c.name)
        .join(membership, membership.c.member_id == member.c.id)
        .outerjoin(unit, unit.c.id == membership.c.unit_id)
        .where(member.c.organization_id == organization_id)
        .order_by(member.c.id, membership.c.id)
    )
    people: dict[tuple[int, str, str | None], list[Role]] = {}
    for member_id, name, phone, *role in rows:
        people.setdefault((member_id, name, phone), []).append(Role(*role))
    reach, absences = _reach(db, organization_id), not_ended(db, organization_id, today)
    away = {one.member_id: one for one in absences if one.from_on <= today}
    coming = {one.member_id: one for one in reversed(absences) if one.from_on > today}
    found = [
        Listed(*who, tuple(roles), reach.get(who[0], "never"), away.get(who[0]), coming.get(who[0]))
        for who, roles in people.items()
    ]
    return [one for one in found if units is None or any(map(one.is_in, units))]


def find_listed(db: Session, organization_id: int, member_id: int, today: date) -> Listed | None:
    """One of them, or None."""
    return next((one for one in roster(db, organization_id, today) if one.id == member_id), None)


def staff_of(db: Session, organization_id: int, unit_id: int, today: date) -> list[Colleague]:
    """Who is to report for a unit, in the order they came to it."""
    away = away_on(db, organization_id, today)
    return [_colleague(db, row, away) for row in _staff_of.all(db, unit_id=unit_id)]


def _colleague(db: Session, row: Any, away: Mapping[int, int | None]) -> Colleague:
    reader = away.get(row.id, row.id)
    if reader is None:
        return Colleague(row.name, True, None, False)
    stand_in = name_of(db, reader) if row.id in away else None
    return Colleague(row.name, row.id in away, stand_in, chat_of_member(db, reader) is not None)


def _reach(db: Session, organization_id: int) -> dict[int, str]:
    accounts = connection(db).execute(
        select(account.c.member_id, account.c.is_reachable)
        .join(member, member.c.id == account.c.member_id)
        .where(member.c.organization_id == organization_id)
        .order_by(account.c.is_reachable)
    )
    return {row.member_id: "yes" if row.is_reachable else "no" for row in accounts}
