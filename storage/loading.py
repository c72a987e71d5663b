"""Laying a plan file out as rows: units, tasks, periods and the obligations that follow from assignments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar

from sqlmodel import Session, SQLModel, col, select

from plans import model
from plans.burden import questions_for
from plans.calendar import Calendar, period_code, unit_due
from storage.owed import BEFORE_EFFECTIVE
from storage.tables import (
    Assignment,
    Baseline,
    CalendarDay,
    Indicator,
    Obligation,
    Organization,
    Period,
    Plan,
    Task,
    Unit,
)

Row = TypeVar("Row", bound=SQLModel)


def load_plan(db: Session, file: model.PlanFile, calendar: Calendar, timezone: str, now: datetime) -> Organization:
    """Write the plan's rows; loading it again updates them and keeps what was reported."""
    org = file.organization
    organization = _upsert(
        db,
        Organization,
        {"code": org.code},
        name=org.name,
        superior=org.superior,
        through=org.through,
        coordinator_code=org.coordinator,
        timezone=timezone,
    )
    mine = {"organization_id": organization.id}
    units = {
        unit.code: _id(
            _upsert(
                db,
                Unit,
                mine | {"code": unit.code},
                name=unit.name,
                short=unit.short,
                kind=unit.kind,
                reports=unit.reports,
            )
        )
        for unit in file.units
    }
    plan = _upsert(
        db,
        Plan,
        mine | {"code": file.plan.code},
        title=file.plan.title,
        year=file.plan.year,
        effective_from=file.plan.effective_from.on,
        file=file.model_dump(mode="json"),
        loaded_at=now,
    )
    periods = _load_periods(db, file, plan, calendar)
    works = [*file.responsibilities, *file.tasks, *file.duties]
    kinds = ["responsibility"] * len(file.responsibilities) + ["task"] * len(file.tasks)
    kinds += ["duty"] * len(file.duties)
    for ordinal, (work, kind) in enumerate(zip(works, kinds, strict=True)):
        task = _load_task(db, plan, work, kind, ordinal, units)
        _load_obligations(db, file, work, task, units, periods)
    db.flush()
    return organization


def load_calendar(db: Session, organization_id: int, days: list[tuple[date, bool, str, bool]]) -> None:
    """Write calendar days (day, is working, name, is official) that are not there yet; edited ones stay."""
    known = {row.day for row in calendar_rows(db, organization_id)}
    for day, is_working, name, is_official in days:
        if day not in known:
            db.add(
                CalendarDay(
                    organization_id=organization_id,
                    day=day,
                    is_working=is_working,
                    name=name,
                    is_official=is_official,
                )
            )
    db.flush()


def calendar_rows(db: Session, organization_id: int) -> list[CalendarDay]:
    """The commune's days off and make-up working days."""
    return list(db.exec(select(CalendarDay).where(CalendarDay.organization_id == organization_id)))


def calendar_of(db: Session, organization_id: int) -> Calendar:
    """The commune's working calendar."""
    rows = calendar_rows(db, organization_id)
    return Calendar(
        days_off=frozenset(row.day for row in rows if not row.is_working),
        working_saturdays=frozenset(row.day for row in rows if row.is_working),
    )


def _load_periods(db: Session, file: model.PlanFile, plan: Plan, calendar: Calendar) -> list[Period]:
    year_from = min(period.data_from for period in file.periods)
    return [
        _upsert(
            db,
            Period,
            {
                "organization_id": plan.organization_id,
                "plan_id": plan.id,
                "code": period_code(file.plan.year, period.kind),
            },
            kind=period.kind,
            label=period.label,
            data_from=period.data_from,
            data_to=period.data_to,
            year_from=year_from,
            unit_due=unit_due(period, calendar),
            province_due=period.province_due,
            lock=period.lock,
        )
        for period in file.periods
    ]


def _load_task(db: Session, plan: Plan, work: model.Work, kind: str, ordinal: int, units: dict[str, int]) -> Task:
    mine = {"organization_id": plan.organization_id}
    task = _upsert(
        db,
        Task,
        mine | {"plan_id": plan.id, "code": work.code},
        ordinal=ordinal,
        kind=kind,
        title=work.title,
        objective=work.objective,
        deadlines=[deadline.model_dump(mode="json") for deadline in work.deadlines],
    )
    for old in db.exec(select(Assignment).where(Assignment.task_id == task.id)):
        db.delete(old)
    for old_indicator in db.exec(select(Indicator).where(Indicator.task_id == task.id)):
        db.delete(old_indicator)
    db.flush()
    for part, codes in (("lead", work.lead), ("implement", work.implement), ("coordinate", work.coordinate)):
        for code in units if codes == "all" else codes:
            db.add(Assignment(**mine, task_id=_id(task), unit_id=units[code], part=part))
    for position, indicator in enumerate(work.indicators):
        db.add(
            Indicator(
                **mine,
                task_id=_id(task),
                code=indicator.code,
                ordinal=position,
                file=indicator.model_dump(mode="json"),
            )
        )
    for baseline in work.baselines:
        _load_baseline(db, task, baseline)
    return task


def _load_baseline(db: Session, task: Task, baseline: model.Baseline) -> None:
    """A constant the coordinator has filled in is kept when the file still leaves it open."""
    key = {"organization_id": task.organization_id, "task_id": task.id, "code": baseline.code}
    values: dict[str, Any] = {"label": baseline.label, "year": baseline.year, "unit": baseline.unit}
    if baseline.value is not None:
        values["value"] = str(baseline.value)
    _upsert(db, Baseline, key, **values)


def _load_obligations(
    db: Session,
    file: model.PlanFile,
    work: model.Work,
    task: Task,
    units: dict[str, int],
    periods: list[Period],
) -> None:
    known = db.exec(select(Obligation).where(Obligation.task_id == task.id)).all()
    rows = {(row.unit_id, row.period_id): row for row in known}
    for code, unit_id in units.items():
        for planned, period in zip(file.periods, periods, strict=True):
            found = rows.pop((unit_id, period.id), None)
            if not questions_for(file, work, code, planned.kind):
                continue
            if found is None:
                db.add(_obligation(file, task, unit_id, period))
            elif found.extended_to is None:
                found.due_on = period.unit_due


def _obligation(file: model.PlanFile, task: Task, unit_id: int, period: Period) -> Obligation:
    """What ended before the plan took effect is not owed, but can be entered as past figures."""
    is_past = period.data_to < file.plan.effective_from.on
    assert task.id is not None
    return Obligation(
        organization_id=task.organization_id,
        task_id=task.id,
        unit_id=unit_id,
        period_id=period.id,
        due_on=period.unit_due,
        state="not_owed" if is_past else "not_started",
        reason=BEFORE_EFFECTIVE if is_past else None,
    )


def _upsert(db: Session, model: type[Row], key: dict[str, Any], **values: Any) -> Row:
    row = db.exec(select(model).filter_by(**key)).first()
    if row is None:
        row = model(**key, **values)
        db.add(row)
    else:
        for name, value in values.items():
            setattr(row, name, value)
    db.flush()
    return row


def _id(row: Unit | Task) -> int:
    assert row.id is not None
    return row.id


def loaded_plan(db: Session) -> model.PlanFile | None:
    """The plan in force: the newest that is not archived."""
    rows = select(Plan).where(col(Plan.is_archived).is_(False)).order_by(col(Plan.year).desc())
    row = db.exec(rows).first()
    return model.PlanFile.model_validate(row.file) if row else None
