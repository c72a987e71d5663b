"""What is owed: obligations, seen with their task, unit and period."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select
from sqlmodel import Session

from plans.calendar import Calendar
from plans.model import Indicator as PlanIndicator
from plans.model import Question
from storage.calendar import calendar_of
from storage.statement import Statement, among
from storage.tables import (
    DONE,
    OPEN,
    Assignment,
    Baseline,
    CaseFile,
    Indicator,
    Obligation,
    Period,
    Plan,
    Task,
    Unit,
)
from storage.tables.core import connection, table

obligation, task, unit, period = table(Obligation), table(Task), table(Unit), table(Period)
assignment, baseline, indicator = table(Assignment), table(Baseline), table(Indicator)
plan, case_file = table(Plan), table(CaseFile)

BEFORE_EFFECTIVE = "before_effective"
"""Why a period that ended before the plan took effect is not owed."""
PREPARED_WITHIN = timedelta(days=14)
"""A period is reported from two weeks before its figures close."""


@dataclass(frozen=True, slots=True)
class ReportingPeriod:
    """A period of the plan, with its windows and days."""

    id: int
    code: str
    label: str
    data_from: date
    data_to: date
    unit_due: date
    province_due: date
    lock: date
    effective_from: date
    is_archived: bool

    def is_open(self, today: date) -> bool:
        """Owed, and its figures are closed or about to be."""
        return self.effective_from <= self.data_to <= today + PREPARED_WITHIN


@dataclass(frozen=True, slots=True)
class Owed:
    """One obligation, of a reporting period or of a case. `due_on` is the extended day where there is one.

    A case (`case` is its title) has no period; in the place of one stand the day of its event and its due day, the
    working day on which its limit ends by the calendar as it now stands.
    """

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
    period_id: int | None
    period_code: str
    period_kind: str
    period_label: str
    data_from: date
    data_to: date
    year_from: date
    lock: date
    reason: str | None
    plan_id: int = 0
    case: str | None = None

    @property
    def asked_on(self) -> date:
        """The day it is asked for: the promised one where part of it was promised."""
        return self.promised_on or self.due_on

    @property
    def is_case(self) -> bool:
        return self.case is not None

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
    func.coalesce(period.c.code, ""),
    func.coalesce(period.c.kind, ""),
    func.coalesce(period.c.label, ""),
    func.coalesce(period.c.data_from, case_file.c.event_on),
    func.coalesce(period.c.data_to, case_file.c.event_on),
    func.coalesce(period.c.year_from, case_file.c.event_on),
    func.coalesce(period.c.lock, obligation.c.due_on),
    obligation.c.reason,
    task.c.plan_id,
    case_file.c.title,
    obligation.c.extended_to,
)
seen = (
    select(*_columns)
    .join(task, task.c.id == obligation.c.task_id)
    .join(unit, unit.c.id == obligation.c.unit_id)
    .join(plan, plan.c.id == task.c.plan_id)
    .outerjoin(period, period.c.id == obligation.c.period_id)
    .outerjoin(case_file, case_file.c.obligation_id == obligation.c.id)
)


@dataclass(frozen=True, slots=True)
class ByUnits:
    """A statement for every unit, for one (`unit`, what most people have), and for several (`units`)."""

    every: Statement
    one: Statement
    several: Select[Any]

    @classmethod
    def of(cls, found: Select[Any]) -> ByUnits:
        unit_id = obligation.c.unit_id
        return cls(
            Statement(found),
            Statement(found.where(unit_id == bindparam("unit"))),
            found.where(unit_id.in_(bindparam("units", expanding=True))),
        )

    def all(self, db: Session, units: Collection[int] | None, **facts: Any) -> list[Owed]:
        """Those of `units`; None means every unit."""
        return [owed_in(row) for row in self.rows(db, units, **facts)]

    def rows(self, db: Session, units: Collection[int] | None, **facts: Any) -> list[Any]:
        """The same, with the columns that were added to those of `seen`."""
        if units is None:
            return self.every.all(db, **facts)
        if len(units) == 1:
            return self.one.all(db, unit=next(iter(units)), **facts)
        return list(connection(db).execute(self.several, facts | {"units": list(units)}))


_one = Statement(
    seen.where(obligation.c.id == bindparam("id"), obligation.c.organization_id == bindparam("organization_id"))
)
_until = ByUnits.of(
    seen.where(
        obligation.c.organization_id == bindparam("organization_id"),
        among(obligation.c.state, (*OPEN, *DONE)),
        obligation.c.due_on <= bindparam("until"),
        or_(plan.c.is_archived.is_(False), case_file.c.id.is_not(None)),
    ).order_by(obligation.c.due_on, unit.c.id, task.c.ordinal)
)
_promised = ByUnits.of(
    seen.where(
        obligation.c.organization_id == bindparam("organization_id"),
        obligation.c.promised_on <= bindparam("until"),
        obligation.c.due_on > bindparam("until"),
        or_(plan.c.is_archived.is_(False), case_file.c.id.is_not(None)),
    )
)
"""What was promised for an earlier day than it is due."""
_of_period = ByUnits.of(
    seen.where(obligation.c.period_id == bindparam("period_id"), obligation.c.state != "not_owed").order_by(
        unit.c.id, task.c.ordinal
    )
)
_past = ByUnits.of(
    seen.where(
        obligation.c.organization_id == bindparam("organization_id"),
        obligation.c.reason == BEFORE_EFFECTIVE,
        period.c.code == bindparam("code"),
    ).order_by(unit.c.id, task.c.ordinal)
)
_periods = Statement(
    select(
        period.c.id,
        period.c.code,
        period.c.label,
        period.c.data_from,
        period.c.data_to,
        period.c.unit_due,
        period.c.province_due,
        period.c.lock,
        plan.c.effective_from,
        plan.c.is_archived,
    )
    .join(plan, plan.c.id == period.c.plan_id)
    .where(period.c.organization_id == bindparam("organization_id"))
    .order_by(period.c.data_to)
)
_indicators = Statement(
    select(indicator.c.file).where(indicator.c.task_id == bindparam("task_id")).order_by(indicator.c.ordinal)
)
_baselines = Statement(select(baseline.c.code, baseline.c.value).where(baseline.c.task_id == bindparam("task_id")))
_task_named = Statement(
    select(task.c.id)
    .join(plan, plan.c.id == task.c.plan_id)
    .where(
        task.c.organization_id == bindparam("organization_id"),
        func.lower(task.c.code) == bindparam("code"),
        plan.c.is_archived.is_(False),
    )
)
_is_lead = Statement(
    select(assignment.c.id).where(
        assignment.c.task_id == bindparam("task_id"),
        assignment.c.unit_id == bindparam("unit_id"),
        assignment.c.part == "lead",
    )
)


def owed_in(row: Sequence[Any]) -> Owed:
    """The obligation in a row of `seen`."""
    *facts, extended_to = row[: len(_columns)]
    if extended_to is not None:
        facts[3] = extended_to
    return Owed(*facts)


def find_owed(db: Session, organization_id: int, obligation_id: int) -> Owed | None:
    """One obligation of this commune, or None."""
    row = _one.first(db, id=obligation_id, organization_id=organization_id)
    return _counted(db, organization_id, [owed_in(row)])[0] if row else None


def owed_until(db: Session, organization_id: int, units: Collection[int] | None, until: date) -> list[Owed]:
    """Obligations still owed and due or promised by `until`, most urgent first; `units` None means all."""
    facts = {"organization_id": organization_id, "until": until}
    found = [*_promised.all(db, units, **facts), *_until.all(db, units, **facts)]
    owed = _counted(db, organization_id, [item for item in found if item.is_owed])
    return sorted(owed, key=lambda item: item.asked_on)


def counted(item: Owed, calendar: Calendar) -> Owed:
    """As people read of it: a case's legal limit ends on the first working day on or after its due day, also where
    that became a day off only later (Civil Code 91/2015/QH13, article 148)."""
    return replace(item, due_on=calendar.first_working_on_or_after(item.due_on)) if item.is_case else item


def _counted(db: Session, organization_id: int, found: list[Owed]) -> list[Owed]:
    if not any(item.is_case for item in found):
        return found
    calendar = calendar_of(db, organization_id)
    return [counted(item, calendar) for item in found]


def of_period(db: Session, period_id: int, units: Collection[int] | None = None) -> list[Owed]:
    """Everything expected for a period, owed or done, in the plan's order."""
    return _of_period.all(db, units, period_id=period_id)


def past_of(db: Session, organization_id: int, code: str, units: Collection[int] | None) -> list[Owed]:
    """What a period that ended before the plan took effect would have asked for; it can still be entered."""
    return _past.all(db, units, organization_id=organization_id, code=code)


def current_period(
    db: Session, organization_id: int, today: date, code: str | None = None
) -> ReportingPeriod | None:
    """The period being reported: the newest one that is open, else the first to come; or the one named `code`
    ("2025-Q3", or "Q3" for the newest such)."""
    periods = [ReportingPeriod(*row) for row in _periods.all(db, organization_id=organization_id)]
    if code is not None:
        named = [found for found in periods if code in (found.code, found.code.partition("-")[2])]
        return named[-1] if named else None
    periods = [found for found in periods if not found.is_archived]
    opened = [found for found in periods if found.is_open(today)]
    to_come = [found for found in periods if found.data_to >= found.effective_from]
    return opened[-1] if opened else next(iter(to_come), None)


def has_task(db: Session, organization_id: int, code: str) -> bool:
    """Whether the plan in use has a clause of this number, whoever reports it."""
    return _task_named.first(db, organization_id=organization_id, code=code.lower()) is not None


def questions_of(db: Session, owed: Owed, indicators: Sequence[PlanIndicator]) -> list[Question]:
    """What this unit is asked for this task and period, in the plan's order."""
    is_lead = _is_lead.first(db, task_id=owed.task_id, unit_id=owed.unit_id) is not None
    return [
        question
        for indicator in indicators
        for question in indicator.questions
        if owed.period_kind in question.asked and (is_lead or question.by == "each")
    ]


def indicators_of(db: Session, task_id: int) -> list[PlanIndicator]:
    """The task's indicators as the plan file gives them."""
    return [PlanIndicator.model_validate(row.file) for row in _indicators.all(db, task_id=task_id)]


def baselines_of(db: Session, task_id: int) -> dict[str, Decimal | None]:
    """The task's constants by code; None where nobody has filled one in."""
    rows = _baselines.all(db, task_id=task_id)
    return {row.code: Decimal(row.value) if row.value is not None else None for row in rows}
