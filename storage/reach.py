"""Who cannot be reached: people who closed their chat, who were invited and never came, units without anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select
from sqlmodel import Session

from storage.people import CODE_LIVES
from storage.statement import Statement, among
from storage.tables import (
    OPEN,
    Account,
    Assignment,
    Invite,
    Member,
    Membership,
    Obligation,
    Organization,
    Plan,
    Task,
    Unit,
)
from storage.tables.core import table

account, assignment, invite = table(Account), table(Assignment), table(Invite)
member, membership, unit = table(Member), table(Membership), table(Unit)
obligation, plan, task = table(Obligation), table(Plan), table(Task)

ANSWERED_WITHIN = timedelta(days=7)
"""An invitation not taken up after so long is told."""
REMEMBERED = timedelta(days=30)
"""A code that ended longer ago is past: the person joined by another one, or is no longer expected."""
OWED_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Unreached:
    """What a coordinator must know once. `kind`: blocked, never_joined or empty_unit; `subject` names it for good
    ("member:12", "invite:5", "unit:3"); `since` where that is known."""

    kind: str
    subject: str
    name: str | None
    unit_name: str | None
    phone: str | None = None
    since: datetime | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation nobody has taken up yet."""

    id: int
    name: str | None
    role: str
    unit_id: int | None
    unit_name: str | None
    made_at: datetime
    is_expired: bool


def _has_account(*how: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(account.c.member_id == member.c.id, *how)


_invited = Statement(
    select(
        invite.c.id,
        invite.c.name,
        invite.c.role,
        invite.c.unit_id,
        unit.c.name.label("unit_name"),
        invite.c.expires_at,
    )
    .outerjoin(unit, unit.c.id == invite.c.unit_id)
    .where(
        invite.c.organization_id == bindparam("organization_id"),
        invite.c.uses_left > 0,
        invite.c.expires_at > bindparam("ended_after"),
    )
    .order_by(invite.c.expires_at, invite.c.id)
)
_closed = Statement(
    select(member.c.id, member.c.name, member.c.phone, membership.c.role, unit.c.name.label("unit_name"))
    .join(membership, membership.c.member_id == member.c.id)
    .outerjoin(unit, unit.c.id == membership.c.unit_id)
    .where(
        member.c.organization_id == bindparam("organization_id"),
        _has_account(),
        ~_has_account(account.c.is_reachable),
    )
    .order_by(member.c.id, membership.c.id.desc())
)
_is_manned = (
    exists()
    .where(
        membership.c.unit_id == unit.c.id,
        or_(membership.c.role == "staff", membership.c.role == "head"),
        account.c.member_id == membership.c.member_id,
        account.c.is_reachable,
    )
    .correlate(unit)
)
_leads = exists().where(assignment.c.unit_id == unit.c.id, assignment.c.part == "lead")
_owes = (
    exists()
    .where(
        obligation.c.unit_id == unit.c.id,
        obligation.c.due_on <= bindparam("until"),
        or_(obligation.c.extended_to.is_(None), obligation.c.extended_to <= bindparam("until")),
        among(obligation.c.state, OPEN),
        and_(task.c.id == obligation.c.task_id, plan.c.id == task.c.plan_id),
        plan.c.is_archived.is_(False),
    )
    .correlate(unit)
)
"""The unit owes something of a plan in force by then: looked up by the unit and its days."""
_empty = Statement(
    select(unit.c.id, unit.c.name)
    .where(
        unit.c.organization_id == bindparam("organization_id"),
        or_(unit.c.kind == "internal", _leads),
        ~_is_manned,
        _owes,
    )
    .order_by(unit.c.id)
)


def unreached(db: Session, organization_id: int, now: datetime) -> list[Unreached]:
    """Everybody and every unit that the program cannot reach, units first."""
    today = now.astimezone(ZoneInfo(db.get_one(Organization, organization_id).timezone)).date()
    return [
        *_empty_units(db, organization_id, today),
        *_blocked(db, organization_id),
        *(_never_joined(one) for one in invited(db, organization_id, now) if now - one.made_at > ANSWERED_WITHIN),
    ]


def invited(db: Session, organization_id: int, now: datetime) -> list[Invited]:
    """Invitations that nobody has taken up, oldest first; those long expired are left out."""
    rows = _invited.all(db, organization_id=organization_id, ended_after=now - REMEMBERED)
    return [
        Invited(one_id, name, role, unit_id, unit_name, ends_at - CODE_LIVES, ends_at <= now)
        for one_id, name, role, unit_id, unit_name, ends_at in rows
    ]


def _never_joined(one: Invited) -> Unreached:
    return Unreached("never_joined", f"invite:{one.id}", one.name, one.unit_name, None, one.made_at, one.role)


def _blocked(db: Session, organization_id: int) -> list[Unreached]:
    """Members with a role, each of whose chats is closed to the bot."""
    rows = _closed.all(db, organization_id=organization_id)
    by_member: dict[int, Any] = {row.id: row for row in rows}  # by their first role
    return [
        Unreached("blocked", f"member:{row.id}", row.name, row.unit_name, row.phone, None, row.role)
        for row in by_member.values()
    ]


def _empty_units(db: Session, organization_id: int, today: date) -> list[Unreached]:
    """Units that owe something soon and have neither staff nor a head who can be reached."""
    rows = _empty.all(db, organization_id=organization_id, until=today + OWED_WITHIN)
    return [Unreached("empty_unit", f"unit:{row.id}", row.name, row.name) for row in rows]
