"""Who cannot be reached: people who closed their chat, who were invited and never came, units without anybody or
whose people are all away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select
from sqlmodel import Session

from storage.absences import DAY, away_on, replaced_by, turns
from storage.looking import is_heard
from storage.people import CODE_LIVES
from storage.statement import Statement, among
from storage.tables import (
    OPEN,
    Absence,
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

absence, account, assignment, invite = table(Absence), table(Account), table(Assignment), table(Invite)
member, membership, unit = table(Member), table(Membership), table(Unit)
obligation, plan, task = table(Obligation), table(Plan), table(Task)

ANSWERED_WITHIN = timedelta(days=7)
"""An invitation not taken up after so long is told."""
REMEMBERED = timedelta(days=30)
"""A code that ended longer ago is past: the person joined by another one, or is no longer expected."""
OWED_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Unreached:
    """What a coordinator must know once. `kind`: blocked, never_joined, empty_unit or away_unit; `subject` names
    it for good ("member:12", "invite:5", "unit:3"); `since` where that is known, `until` the last day away."""

    kind: str
    subject: str
    name: str | None
    unit_name: str | None
    phone: str | None = None
    since: datetime | None = None
    role: str | None = None
    until: date | None = None


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
_is_theirs = or_(membership.c.role == "staff", membership.c.role == "head")
_is_manned = (
    exists()
    .where(
        membership.c.unit_id == unit.c.id,
        _is_theirs,
        account.c.member_id == membership.c.member_id,
        account.c.is_reachable,
    )
    .correlate(unit)
)
_misses_somebody = unit.c.id.in_(
    select(membership.c.unit_id)
    .join(absence, absence.c.member_id == membership.c.member_id)
    .where(
        _is_theirs,
        absence.c.organization_id == bindparam("organization_id"),
        absence.c.from_on <= bindparam("today"),
        absence.c.to_on >= bindparam("today"),
    )
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
_is_asked = and_(unit.c.organization_id == bindparam("organization_id"), or_(unit.c.kind == "internal", _leads))
_empty = Statement(select(unit.c.id, unit.c.name).where(_is_asked, ~_is_manned, _owes).order_by(unit.c.id))
_thinned = Statement(
    select(unit.c.id, unit.c.name).where(_is_asked, _misses_somebody, _is_manned, _owes).order_by(unit.c.id)
)
_owing = Statement(
    select(unit.c.id, unit.c.name)
    .join(membership, membership.c.unit_id == unit.c.id)
    .where(_is_asked, _is_theirs, membership.c.member_id == bindparam("member_id"), _owes)
)


def unreached(db: Session, organization_id: int, now: datetime) -> list[Unreached]:
    """Everybody and every unit that the program cannot reach, units first."""
    today = now.astimezone(ZoneInfo(db.get_one(Organization, organization_id).timezone)).date()
    return [
        *_empty_units(db, organization_id, today),
        *_away_units(db, organization_id, today),
        *_blocked(db, organization_id),
        *(_never_joined(one) for one in invited(db, organization_id, now) if now - one.made_at > ANSWERED_WITHIN),
    ]


def unheard(
    db: Session, organization_id: int, member_id: int, stand_in: int | None, first: date, last: date
) -> dict[str, tuple[date, date]]:
    """Units, by name, that would have nobody who hears, were this person away on these days: from when to when.
    Units of those for whom they stand in too."""
    concerned = [member_id, *(one.member_id for one in replaced_by(db, member_id, first, last))]
    until = {"organization_id": organization_id, "until": last + OWED_WITHIN}
    units = {row.id: row.name for one in concerned for row in _owing.all(db, member_id=one, **until)}
    as_if = {member_id: stand_in}
    away = {day: away_on(db, organization_id, day, as_if) for day in turns(db, organization_id, first, last)}
    found = {}
    for unit_id, name in units.items():
        silent = [day for day in away if not is_heard(db, unit_id, away[day])]
        if silent:
            back = (day - DAY for day in away if day > silent[0] and day not in silent)
            found[name] = silent[0], next(back, last)
    return found


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


def _away_units(db: Session, organization_id: int, today: date) -> list[Unreached]:
    """Units that owe something soon, whose people and those who stand in are all away or out of reach."""
    away = away_on(db, organization_id, today)
    if not away:
        return []
    rows = _thinned.all(db, organization_id=organization_id, today=today, until=today + OWED_WITHIN)
    return [_away_unit(db, organization_id, row, today) for row in rows if not is_heard(db, row.id, away)]


def _away_unit(db: Session, organization_id: int, row: Any, today: date) -> Unreached:
    until = _unheard_until(db, organization_id, row.id, today)
    return Unreached("away_unit", f"unit:{row.id}", row.name, row.name, until=until)


def _unheard_until(db: Session, organization_id: int, unit_id: int, today: date) -> date | None:
    """The day before somebody hears again, as far as absences tell."""
    for day in turns(db, organization_id, today):
        if is_heard(db, unit_id, away_on(db, organization_id, day)):
            return day - DAY
    return None
