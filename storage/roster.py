"""The members of a commune, as they are listed: who, in which unit and role, how they are reached, if away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlmodel import Session

from storage.absences import Away, away_now
from storage.chats import Role
from storage.tables import Account, Member, Membership, Unit
from storage.tables.core import connection, table

account, member, membership, unit = table(Account), table(Member), table(Membership), table(Unit)


@dataclass(frozen=True, slots=True)
class Listed:
    """A member with their roles. `reach`: yes, no (every chat of theirs is closed to the bot), never (no chat)."""

    id: int
    name: str
    phone: str | None
    roles: tuple[Role, ...]
    reach: str
    away: Away | None

    def is_in(self, unit_id: int | None) -> bool:
        """True where a role is held in the unit; None stands for the commune as a whole."""
        return any(role.unit_id == unit_id for role in self.roles)


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
    reach, away = _reach(db, organization_id), away_now(db, organization_id, today)
    found = [
        Listed(*who, tuple(roles), reach.get(who[0], "never"), away.get(who[0])) for who, roles in people.items()
    ]
    return [one for one in found if units is None or any(map(one.is_in, units))]


def find_listed(db: Session, organization_id: int, member_id: int, today: date) -> Listed | None:
    """One of them, or None."""
    return next((one for one in roster(db, organization_id, today) if one.id == member_id), None)


def _reach(db: Session, organization_id: int) -> dict[int, str]:
    accounts = connection(db).execute(
        select(account.c.member_id, account.c.is_reachable)
        .join(member, member.c.id == account.c.member_id)
        .where(member.c.organization_id == organization_id)
        .order_by(account.c.is_reachable)
    )
    return {row.member_id: "yes" if row.is_reachable else "no" for row in accounts}
