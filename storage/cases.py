"""Cases: an event (a proposal, a decision) that started the clock of one obligation of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session
from sqlmodel import select as choose

from plans.calendar import Calendar
from plans.model import Deadline
from storage.calendar import calendar_of
from storage.owed import ByUnits, Owed, assignment, case_file, counted, obligation, owed_in, plan, seen, task, unit
from storage.statement import Statement, among
from storage.tables import DONE, OPEN, CaseFile, Obligation
from storage.tables.core import connection
from storage.waking import move_due, sign_of_life, wake_row


class NotThere(Exception):
    """The case is no longer in a state where this can be done: a colleague was faster."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case, with what it is about and how it goes."""

    owed: Owed
    facts: dict[str, str]
    event_on: date
    progress: str | None
    progress_at: datetime | None
    closed_on: date | None
    outcome: str | None
    opened_by: int | None

    @property
    def is_of_plan(self) -> bool:
        """Opened by the plan itself, for a day it names; there was no event."""
        return self.opened_by is None

    @property
    def is_open(self) -> bool:
        return self.owed.state in OPEN

    @property
    def is_closed(self) -> bool:
        return self.owed.state in DONE

    @property
    def days_late(self) -> int:
        """Days that closing came after the limit; 0 when it was in time."""
        return max(0, (self.closed_on - self.owed.due_on).days) if self.closed_on else 0


@dataclass(frozen=True, slots=True)
class EventTask:
    """A task with a deadline that runs from an event, and the units whose case it may be: leads first, then those
    that carry it out."""

    id: int
    code: str
    title: str
    deadline: Deadline
    units: dict[int, str]


_about = (
    case_file.c.facts,
    case_file.c.event_on,
    case_file.c.progress,
    case_file.c.progress_at,
    case_file.c.closed_on,
    case_file.c.outcome,
    case_file.c.opened_by,
)
_cases = seen.add_columns(*_about).where(
    case_file.c.id.is_not(None), obligation.c.organization_id == bindparam("organization_id")
)
_one = Statement(_cases.where(obligation.c.id == bindparam("id")))
_opened = ByUnits.of(
    _cases.where(among(obligation.c.state, OPEN)).order_by(obligation.c.due_on, unit.c.id, obligation.c.id)
)
_closed = ByUnits.of(
    _cases.where(among(obligation.c.state, DONE)).order_by(case_file.c.closed_on.desc(), obligation.c.id.desc())
)


def find_case(db: Session, organization_id: int, obligation_id: int) -> Case | None:
    """One case of this commune, or None."""
    row = _one.first(db, id=obligation_id, organization_id=organization_id)
    return _case(row, calendar_of(db, organization_id)) if row else None


def cases_of(
    db: Session, organization_id: int, units: Collection[int] | None, is_closed: bool = False
) -> list[Case]:
    """Open cases, most urgent first, or closed ones, the newest first; `units` None means all."""
    found = _closed if is_closed else _opened
    calendar = calendar_of(db, organization_id)
    return [_case(row, calendar) for row in found.rows(db, units, organization_id=organization_id)]


def _case(row: Sequence[Any], calendar: Calendar) -> Case:
    return Case(counted(owed_in(row), calendar), *row[-len(_about) :])


def event_tasks(db: Session, organization_id: int, units: Collection[int] | None) -> list[EventTask]:
    """Deadlines of the plan in force on which one of `units` (None: any) can open a case."""
    rows = connection(db).execute(
        select(task.c.id, task.c.code, task.c.title, task.c.deadlines, task.c.plan_id)
        .join(plan, plan.c.id == task.c.plan_id)
        .where(task.c.organization_id == organization_id, plan.c.is_archived.is_(False))
        .order_by(plan.c.year.desc(), task.c.ordinal)
    )
    found = []
    newest: int | None = None
    for row in rows:
        newest = newest or row.plan_id
        events = [event for event in _after_event(row.deadlines) if row.plan_id == newest]
        theirs = _units(db, row.id, units) if events else {}
        found += [EventTask(row.id, row.code, row.title, event, theirs) for event in events if theirs]
    return found


def event_deadlines_of(db: Session, task_id: int) -> list[Deadline]:
    """The task's deadlines that run from an event, as the plan has them now."""
    deadlines = connection(db).execute(select(task.c.deadlines).where(task.c.id == task_id)).scalar_one()
    return _after_event(deadlines)


def _after_event(deadlines: list[dict[str, Any]]) -> list[Deadline]:
    """Those of a stored task that run from an event."""
    known = [Deadline.model_validate(deadline) for deadline in deadlines]
    return [deadline for deadline in known if deadline.is_event]


def _units(db: Session, task_id: int, units: Collection[int] | None) -> dict[int, str]:
    rows = connection(db).execute(
        select(unit.c.id, unit.c.name)
        .join(assignment, assignment.c.unit_id == unit.c.id)
        .where(assignment.c.task_id == task_id, assignment.c.part.in_(["lead", "implement"]))
        .order_by(assignment.c.part.desc(), unit.c.id)  # lead, implement
    )
    return {row.id: row.name for row in rows if units is None or row.id in units}


def open_case(
    db: Session,
    organization_id: int,
    task_id: int,
    unit_id: int,
    title: str,
    facts: dict[str, str],
    event_on: date,
    due_on: date,
    member_id: int,
    now: datetime,
) -> int:
    """Start the clock; returns the id of the obligation."""
    owed = Obligation(organization_id=organization_id, task_id=task_id, unit_id=unit_id, due_on=due_on)
    db.add(owed)
    db.flush()
    assert owed.id is not None
    db.add(
        CaseFile(
            organization_id=organization_id,
            obligation_id=owed.id,
            title=title,
            facts=facts,
            event_on=event_on,
            opened_by=member_id,
            opened_at=now,
        )
    )
    db.flush()
    sign_of_life(db, task_id, unit_id, now)
    return owed.id


def tell_progress(db: Session, obligation_id: int, progress: str, now: datetime) -> None:
    """How it goes, in a few words. Raises NotThere."""
    owed, file = _rows(db, obligation_id, OPEN)
    file.progress, file.progress_at = progress, now
    _keep(db, owed, now)


def correct_fact(db: Session, obligation_id: int, code: str, value: str, is_title: bool, now: datetime) -> None:
    """Write another fact in the place of the one called `code`. Raises NotThere."""
    owed, file = _rows(db, obligation_id, OPEN)
    file.facts = file.facts | {code: value}
    if is_title:
        file.title = value
    _keep(db, owed, now)


def move_case(
    db: Session, obligation_id: int, event_on: date, due_on: date | None, today: date, now: datetime
) -> None:
    """Another day of the event, and the due day that follows from it (None: it stays). Raises NotThere."""
    owed, file = _rows(db, obligation_id, OPEN)
    file.event_on = event_on
    if due_on is not None:
        move_due(owed, due_on, today)
    _keep(db, owed, now)


def close_case(
    db: Session, obligation_id: int, closed_on: date, outcome: str | None, member_id: int, now: datetime
) -> None:
    """It was done on that day. Raises NotThere."""
    owed, file = _rows(db, obligation_id, OPEN)
    owed.state, owed.submitted_at = "submitted", now
    file.closed_on, file.closed_by, file.outcome = closed_on, member_id, outcome
    wake_row(owed)
    _keep(db, owed, now)


def reopen_case(db: Session, obligation_id: int, now: datetime) -> None:
    """It was closed by mistake: the clock goes on as before. Raises NotThere."""
    owed, file = _rows(db, obligation_id, ("submitted", "accepted"))
    owed.state, owed.submitted_at = "not_started", None
    file.closed_on, file.closed_by, file.outcome = None, None, None
    wake_row(owed)
    _keep(db, owed, now)


def _rows(db: Session, obligation_id: int, states: Collection[str]) -> tuple[Obligation, CaseFile]:
    """The case's rows, locked."""
    owed = db.get_one(Obligation, obligation_id, with_for_update=True)
    if owed.state not in states:
        raise NotThere
    return owed, db.exec(choose(CaseFile).where(CaseFile.obligation_id == obligation_id)).one()


def _keep(db: Session, owed: Obligation, now: datetime) -> None:
    db.flush()
    sign_of_life(db, owed.task_id, owed.unit_id, now)
