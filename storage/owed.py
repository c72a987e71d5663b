"""What is owed: obligations, seen with their task, unit and period."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, col
from sqlmodel import select as choose

from plans.model import Indicator as PlanIndicator
from plans.model import Question
from storage.tables import Assignment, Baseline, Indicator, Obligation, Period, Task, Unit
from storage.tables.core import connection, table

obligation, task, unit, period = table(Obligation), table(Task), table(Unit), table(Period)

BEFORE_EFFECTIVE = "before_effective"
"""Why a period that ended before the plan took effect is not owed."""
OPEN = ("not_started", "draft", "returned")
DONE = ("submitted", "accepted", "sent_up")


@dataclass(frozen=True, slots=True)
class Owed:
    """One obligation of a reporting period. `due_on` is the extended day where there is one."""

    id: int
    organization_id: int
    state: str
    due_on: date
    promised_on: date | None
    task_id: int
    task_code: str
    title: str
    unit_id: int
    unit_name: str
    unit_short: str
    unit_kind: str
    period_id: int
    period_code: str
    period_kind: str
    period_label: str
    data_from: date
    data_to: date
    year_from: date

    @property
    def is_done(self) -> bool:
        """Filed with every figure; a promised figure keeps it owed."""
        return self.state in DONE and self.promised_on is None

    @property
    def is_owed(self) -> bool:
        return self.state in OPEN or (self.state in DONE and self.promised_on is not None)


_columns = (
    obligation.c.id,
    obligation.c.organization_id,
    obligation.c.state,
    obligation.c.due_on,
    obligation.c.promised_on,
    task.c.id,
    task.c.code,
    task.c.title,
    unit.c.id,
    unit.c.name,
    unit.c.short,
    unit.c.kind,
    period.c.id,
    period.c.code,
    period.c.kind,
    period.c.label,
    period.c.data_from,
    period.c.data_to,
    period.c.year_from,
    obligation.c.extended_to,
)


def _seen() -> Select[Any]:
    return (
        select(*_columns)
        .join(task, task.c.id == obligation.c.task_id)
        .join(unit, unit.c.id == obligation.c.unit_id)
        .join(period, period.c.id == obligation.c.period_id)
    )


def _owed(row: Any) -> Owed:
    *facts, extended_to = row
    if extended_to is not None:
        facts[3] = extended_to
    return Owed(*facts)


def find_owed(db: Session, organization_id: int, obligation_id: int) -> Owed | None:
    """One obligation of this commune, or None."""
    wanted = _seen().where(obligation.c.id == obligation_id, obligation.c.organization_id == organization_id)
    row = connection(db).execute(wanted).first()
    return _owed(row) if row else None


def owed_until(db: Session, organization_id: int, units: Collection[int] | None, until: date) -> list[Owed]:
    """Obligations still owed and due by `until`, most urgent first; `units` None means all."""
    wanted = (
        _seen()
        .where(
            obligation.c.organization_id == organization_id,
            obligation.c.state.in_((*OPEN, *DONE)),
            obligation.c.due_on <= until,
        )
        .order_by(obligation.c.due_on, unit.c.id, task.c.ordinal)
    )
    if units is not None:
        wanted = wanted.where(obligation.c.unit_id.in_(list(units)))
    return [item for row in connection(db).execute(wanted) if (item := _owed(row)).is_owed]


def of_period(db: Session, period_id: int, units: Collection[int] | None = None) -> list[Owed]:
    """Everything expected for a period, owed or done, in the plan's order."""
    wanted = (
        _seen()
        .where(obligation.c.period_id == period_id, obligation.c.state != "not_owed")
        .order_by(unit.c.id, task.c.ordinal)
    )
    if units is not None:
        wanted = wanted.where(obligation.c.unit_id.in_(list(units)))
    return [_owed(row) for row in connection(db).execute(wanted)]


def past_of(db: Session, organization_id: int, code: str, units: Collection[int] | None) -> list[Owed]:
    """What a period that ended before the plan took effect would have asked for; it can still be entered."""
    wanted = (
        _seen()
        .where(
            obligation.c.organization_id == organization_id,
            obligation.c.reason == BEFORE_EFFECTIVE,
            period.c.code == code,
        )
        .order_by(unit.c.id, task.c.ordinal)
    )
    if units is not None:
        wanted = wanted.where(obligation.c.unit_id.in_(list(units)))
    return [_owed(row) for row in connection(db).execute(wanted)]


def current_period(db: Session, organization_id: int, today: date, code: str | None = None) -> Period | None:
    """The period being reported: the first not yet locked, else the last one; or the one named `code`."""
    query = choose(Period).where(Period.organization_id == organization_id).order_by(period.c.data_to)
    periods = db.exec(query).all()
    if code is not None:
        return next((found for found in periods if found.code == code), None)
    return next((found for found in periods if found.lock >= today), periods[-1] if periods else None)


def questions_of(db: Session, owed: Owed) -> list[Question]:
    """What this unit is asked for this task and period, in the plan's order."""
    return [
        question
        for indicator in indicators_of(db, owed.task_id)
        for question in indicator.questions
        if owed.period_kind in question.asked
        and (question.by == "each" or owed.unit_id in leads_of(db, owed.task_id))
    ]


def indicators_of(db: Session, task_id: int) -> list[PlanIndicator]:
    """The task's indicators as the plan file gives them."""
    rows = db.exec(choose(Indicator).where(Indicator.task_id == task_id).order_by(col(Indicator.ordinal)))
    return [PlanIndicator.model_validate(row.file) for row in rows]


def baselines_of(db: Session, task_id: int) -> dict[str, Decimal | None]:
    """The task's constants by code; None where nobody has filled one in."""
    rows = db.exec(choose(Baseline).where(Baseline.task_id == task_id))
    return {row.code: Decimal(row.value) if row.value is not None else None for row in rows}


def leads_of(db: Session, task_id: int) -> set[int]:
    """Units that lead the task."""
    rows = db.exec(choose(Assignment).where(Assignment.task_id == task_id, Assignment.part == "lead"))
    return {row.unit_id for row in rows}
