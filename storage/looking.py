"""What a tick looks at: obligations whose day to look has come, who may have to hear of them, what they heard.

The cost is that of what is due: an obligation that concerns nobody today is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal_column, or_, select, union_all, update
from sqlmodel import Session

from plans.calendar import Calendar, report_day
from plans.model import FOR_THE_COMMUNE, Ladder
from storage.absences import away_on
from storage.owed import Owed
from storage.snoozes import newest
from storage.statement import Statement, among
from storage.tables import (
    DONE,
    OPEN,
    Account,
    CaseFile,
    Conversation,
    Membership,
    Obligation,
    Period,
    Plan,
    Reminder,
    Snooze,
    Task,
    Unit,
)
from storage.tables.core import table

obligation, task, unit, plan, period = (table(one) for one in (Obligation, Task, Unit, Plan, Period))
case_file, reminder, snooze = table(CaseFile), table(Reminder), table(Snooze)
membership, account, conversation = (table(one) for one in (Membership, Account, Conversation))
_nearer = obligation.alias()


@dataclass(frozen=True, slots=True)
class Looked:
    """An obligation as a tick sees it. `due_on` is the extended day where there is one."""

    id: int
    plan_id: int
    unit_id: int
    unit_kind: str
    state: str
    due_on: date
    promised_on: date | None
    alive_at: datetime
    rungs_from: date | None
    wakes: int
    is_case: bool
    has_nearer: bool
    """The same unit owes something on the same task before it."""

    @property
    def asked_on(self) -> date:
        """The day it is asked for: the promised one where part of it was promised."""
        return self.promised_on or self.due_on

    @property
    def is_owed(self) -> bool:
        return self.state in OPEN or (self.state in DONE and self.promised_on is not None)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A role of a person, and who reads what is meant for it: they themselves, or who stands in for them."""

    member_id: int
    unit_id: int | None
    """None: hears of the whole commune."""
    role: str
    reader_id: int
    account_id: int
    """The chat the reader used last."""
    is_for_staff: bool = False
    """A head who hears as staff do, for no staff of the unit can be reached."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the obligations of one plan. After `ends_on` its reports are asked of nobody."""

    ladder: Ladder
    year: int
    ends_on: date | None
    is_archived: bool


class Told(NamedTuple):
    """A line that was delivered."""

    kind: str
    rung: int
    counted_from: date
    sent_at: datetime


def _is_looked_at() -> ColumnElement[bool]:
    return and_(
        obligation.c.organization_id == bindparam("organization_id"), obligation.c.look_on <= bindparam("today")
    )


_anything = Statement(select(obligation.c.id).where(_is_looked_at()).limit(1))
_looked = Statement(
    select(
        obligation.c.id,
        task.c.plan_id,
        obligation.c.unit_id,
        unit.c.kind,
        obligation.c.state,
        func.coalesce(obligation.c.extended_to, obligation.c.due_on),
        obligation.c.promised_on,
        func.coalesce(obligation.c.alive_at, plan.c.loaded_at),
        obligation.c.rungs_from,
        obligation.c.wakes,
        case_file.c.id.is_not(None).label("is_case"),
        select(literal_column("1"))
        .where(
            _nearer.c.task_id == obligation.c.task_id,
            _nearer.c.unit_id == obligation.c.unit_id,
            _nearer.c.due_on < obligation.c.due_on,
            or_(among(_nearer.c.state, OPEN), among(_nearer.c.state, DONE) & _nearer.c.promised_on.is_not(None)),
        )
        .exists()
        .label("has_nearer"),
    )
    .join(task, task.c.id == obligation.c.task_id)
    .join(unit, unit.c.id == obligation.c.unit_id)
    .join(plan, plan.c.id == task.c.plan_id)
    .outerjoin(case_file, case_file.c.obligation_id == obligation.c.id)
    .where(_is_looked_at())
)


def _newest_chat(of_member: ColumnElement[int]) -> Select[tuple[int]]:
    """The chat this person wrote in last, of those that are open to the bot."""
    return (
        select(account.c.id)
        .join(conversation, conversation.c.account_id == account.c.id)
        .where(account.c.is_reachable, account.c.member_id == of_member)
        .order_by(conversation.c.heard_at.desc().nulls_last(), account.c.id.desc())
        .limit(1)
    )


_for_the_commune = among(membership.c.role, FOR_THE_COMMUNE)
_role = select(
    membership.c.id,
    membership.c.member_id,
    membership.c.unit_id,
    membership.c.role,
    _newest_chat(membership.c.member_id).scalar_subquery().label("account_id"),
)
_roles = Statement(
    # A search for each: with an OR the databases may read every role there is.
    union_all(
        _role.where(
            membership.c.unit_id.in_(select(obligation.c.unit_id).where(_is_looked_at())), ~_for_the_commune
        ),
        *(
            _role.where(membership.c.organization_id == bindparam("organization_id"), membership.c.role == role)
            for role in FOR_THE_COMMUNE
        ),
    ).order_by("id")
)
_units_of = Statement(select(membership.c.unit_id).where(membership.c.member_id == bindparam("member_id")))
_roles_in = Statement(
    _role.where(membership.c.unit_id == bindparam("unit_id"), ~_for_the_commune).order_by(membership.c.id)
)
_commune_roles = Statement(_role.where(membership.c.member_id == bindparam("member_id"), _for_the_commune))
_chat_of = Statement(_newest_chat(bindparam("member_id")))
_rules = Statement(
    select(plan.c.id, plan.c.ladder, plan.c.year, func.max(period.c.lock), plan.c.is_archived)
    .outerjoin(period, period.c.plan_id == plan.c.id)
    .where(plan.c.organization_id == bindparam("organization_id"))
    .group_by(plan.c.id)
)
_told = Statement(
    select(
        reminder.c.member_id,
        reminder.c.obligation_id,
        reminder.c.kind,
        reminder.c.rung,
        reminder.c.due_on,
        reminder.c.sent_at,
    ).where(
        reminder.c.obligation_id.in_(select(obligation.c.id).where(_is_looked_at())),
        reminder.c.sent_at.is_not(None),
    )
)
_snoozed = Statement(
    select(snooze.c.member_id, snooze.c.obligation_id, snooze.c.until_at, snooze.c.at)
    .where(snooze.c.obligation_id.in_(select(obligation.c.id).where(_is_looked_at())))
    .order_by(snooze.c.id)
)
_keep_look = Statement(
    update(obligation)
    .where(obligation.c.id == bindparam("key"), obligation.c.wakes == bindparam("seen"))
    .values(look_on=bindparam("next_on"))
)


_alive = Statement(
    select(func.coalesce(obligation.c.alive_at, plan.c.loaded_at).label("at"))
    .join(task, task.c.id == obligation.c.task_id)
    .join(plan, plan.c.id == task.c.plan_id)
    .where(obligation.c.id == bindparam("id"))
)
_leaders_told = Statement(
    select(reminder.c.member_id)
    .join(membership, membership.c.member_id == reminder.c.member_id)
    .where(
        membership.c.organization_id == bindparam("organization_id"),
        membership.c.role == "leader",
        reminder.c.kind == "late",
        reminder.c.sent_at >= bindparam("since", type_=reminder.c.sent_at.type),
    )
)


def effective_on(item: Looked | Owed, calendar: Calendar) -> date:
    """The working day from which its rungs are counted: of a report the last one on or before its due day, of a
    case's legal limit the first one on or after (Civil Code 91/2015/QH13, article 148), as of a promised day."""
    if item.is_case or item.promised_on is not None:
        return calendar.first_working_on_or_after(item.asked_on)
    return report_day(item.asked_on, calendar)


def is_anything_due(db: Session, organization_id: int, today: date) -> bool:
    """True when some obligation is to be looked at."""
    return _anything.first(db, organization_id=organization_id, today=today) is not None


def looked_at(db: Session, organization_id: int, today: date) -> list[Looked]:
    """Obligations whose day to look has come, settled ones too."""
    return [Looked(*row) for row in _looked.all(db, organization_id=organization_id, today=today)]


def recipients(db: Session, organization_id: int, today: date) -> list[Recipient]:
    """Who may have to hear of what is looked at today, and can be reached; who hears of the whole commune, always.

    What is meant for somebody who is away is read by who stands in. A unit without staff that can be reached is
    heard for by its head.
    """
    roles = _roles.all(db, organization_id=organization_id, today=today)
    return _recipients(db, roles, away_on(db, organization_id, today))


def read_by(db: Session, organization_id: int, reader_id: int, today: date) -> list[Recipient]:
    """What this person reads today: their own roles, and those of whom they stand in for."""
    away = away_on(db, organization_id, today)
    meant_for = [reader_id, *(member_id for member_id, stand_in in away.items() if stand_in == reader_id)]
    units = {
        unit_id for member_id in meant_for for (unit_id,) in _units_of.all(db, member_id=member_id) if unit_id
    }
    roles = [row for unit_id in units for row in _roles_in.all(db, unit_id=unit_id)]
    roles += [row for member_id in meant_for for row in _commune_roles.all(db, member_id=member_id)]
    return [one for one in _recipients(db, roles, away) if one.reader_id == reader_id]


def is_heard(db: Session, unit_id: int, away: Mapping[int, int | None]) -> bool:
    """True when what the unit's staff or its head are to hear is read by somebody, with these away."""
    found = _recipients(db, _roles_in.all(db, unit_id=unit_id), away)
    return any(one.role in ("staff", "head") for one in found)


def _recipients(db: Session, roles: Sequence[Any], away: Mapping[int, int | None]) -> list[Recipient]:
    chats = _chats_of_stand_ins(db, roles, away)
    found = []
    for _, member_id, unit_id, role, account_id in roles:
        reader = away.get(member_id, member_id)
        chat = account_id if reader == member_id else chats.get(reader)
        if reader is not None and chat is not None:
            found.append(Recipient(member_id, None if role in FOR_THE_COMMUNE else unit_id, role, reader, chat))
    return found + _in_their_place(found)


def _chats_of_stand_ins(
    db: Session, roles: Sequence[Any], away: Mapping[int, int | None]
) -> dict[int | None, int]:
    """The newest chat of everybody who stands in for one of these, where there is any."""
    stand_ins = {away[row.member_id] for row in roles if row.member_id in away} - {None}
    chats = {member_id: _chat_of.first(db, member_id=member_id) for member_id in stand_ins}
    return {member_id: row.id for member_id, row in chats.items() if row is not None}


def _in_their_place(found: list[Recipient]) -> list[Recipient]:
    """Heads of units whose staff are all away or out of reach: they hear as staff do."""
    with_staff = {one.unit_id for one in found if one.role == "staff"}
    return [
        Recipient(one.member_id, one.unit_id, "staff", one.reader_id, one.account_id, is_for_staff=True)
        for one in found
        if one.role == "head" and one.unit_id not in with_staff
    ]


def rules_of(db: Session, organization_id: int) -> dict[int, Rules]:
    """What holds for each plan of the commune, by its id."""
    rows = _rules.all(db, organization_id=organization_id)
    return {
        row[0]: Rules(Ladder.model_validate(row.ladder or {}), row.year, row[3], row.is_archived) for row in rows
    }


def told_of(db: Session, organization_id: int, today: date) -> dict[tuple[int, int], list[Told]]:
    """What was delivered about the obligations looked at, by (person it was meant for, obligation)."""
    told: dict[tuple[int, int], list[Told]] = {}
    for row in _told.all(db, organization_id=organization_id, today=today):
        told.setdefault(row[:2], []).append(Told._make(row[2:]))
    return told


def snoozed(db: Session, organization_id: int, today: date) -> dict[tuple[int, int], datetime]:
    """Until when somebody does not want to hear of something, by (person, obligation)."""
    return newest(_snoozed.all(db, organization_id=organization_id, today=today))


def alive_at(db: Session, obligation_id: int) -> datetime:
    """The last sign of life of it, or since when it is known."""
    at: datetime = _alive.first(db, id=obligation_id).at
    return at


def leaders_told(db: Session, organization_id: int, since: datetime) -> set[int]:
    """Leaders who heard of what is late since then."""
    return {row.member_id for row in _leaders_told.all(db, organization_id=organization_id, since=since)}


def keep_looks(db: Session, looks: Iterable[tuple[Looked, date | None]]) -> None:
    """The day on which to look at each again; None: it is settled. What was woken meanwhile stays so."""
    facts = [{"key": item.id, "seen": item.wakes, "next_on": next_on} for item, next_on in looks]
    _keep_look.change_each(db, facts)
