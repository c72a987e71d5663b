"""Laying a plan file out as rows: units, tasks, periods and the obligations that follow from assignments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import Session, SQLModel, col, select

from plans import model
from plans.burden import questions_for, works_of
from plans.calendar import Calendar, period_code, report_day, unit_due
from storage.calendar import calendar_of
from storage.owed import BEFORE_EFFECTIVE
from storage.tables import (
    DONE,
    Assignment,
    Baseline,
    CaseFile,
    Indicator,
    Obligation,
    Organization,
    Period,
    Plan,
    Task,
    Unit,
)
from storage.waking import move_due, wake_owed

DATED = "after_event"
"""Under which of a case's facts stand the plan's words for a day: the field of a case without words of its own."""
NOT_ASSIGNED = "not_assigned"
"""Why something is no longer owed: the plan, loaded again, asks it of nobody there."""
Row = TypeVar("Row", bound=SQLModel)


def load_plan(db: Session, file: model.PlanFile, calendar: Calendar, timezone: str, now: datetime) -> Organization:
    """Write the plan's rows; loading it again updates them and keeps what was reported.

    Days are counted by `calendar`, as far as the commune has not edited its own.
    """
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
    assert organization.id is not None
    units = _load_units(db, file, organization.id)
    plan = _upsert(
        db,
        Plan,
        {"organization_id": organization.id, "code": file.plan.code},
        title=file.plan.title,
        year=file.plan.year,
        effective_from=file.plan.effective_from.on,
        file=file.model_dump(mode="json"),
        ladder=file.ladder.model_dump(mode="json"),
        loaded_at=now,
        is_archived=False,
    )
    today = now.astimezone(ZoneInfo(timezone)).date()
    _load_works(db, file, plan, units, _edited(db, organization.id, calendar), today)
    _archive_past(db, plan, today)
    db.flush()
    wake_owed(db, organization.id)
    return organization


def _load_units(db: Session, file: model.PlanFile, organization_id: int) -> dict[str, int]:
    rows = {}
    for unit in file.units:
        key = {"organization_id": organization_id, "code": unit.code}
        facts = {"name": unit.name, "short": unit.short, "kind": unit.kind, "reports": unit.reports}
        rows[unit.code] = _id(_upsert(db, Unit, key, **facts))
    return rows


def _load_works(
    db: Session, file: model.PlanFile, plan: Plan, units: dict[str, int], calendar: Calendar, today: date
) -> None:
    periods = _load_periods(db, file, plan, calendar)
    everyone = [unit.code for unit in file.units if unit.kind == "internal" and unit.reports]
    kinds = ["responsibility"] * len(file.responsibilities) + ["task"] * len(file.tasks)
    kinds += ["duty"] * len(file.duties)
    for ordinal, (work, kind) in enumerate(zip(works_of(file), kinds, strict=True)):
        task = _load_task(db, plan, work, kind, ordinal, units, everyone)
        _load_obligations(db, file, work, task, units, periods, today)
        _load_dated(db, plan, work, task, [units[code] for code in work.lead], calendar, today)
    _let_go(db, plan, [work.code for work in works_of(file)])


def _archive_past(db: Session, loaded: Plan, today: date) -> None:
    """Other plans of the commune whose last period is locked are kept, and no longer asked for."""
    others = select(Plan).where(Plan.organization_id == loaded.organization_id, Plan.id != loaded.id)
    for plan in db.exec(others):
        locks = [period.lock for period in db.exec(select(Period).where(Period.plan_id == plan.id))]
        plan.is_archived = max(locks, default=today) < today


def _edited(db: Session, organization_id: int, calendar: Calendar) -> Calendar:
    """The commune's own calendar; a year it knows nothing of is as in `calendar`."""
    own = calendar_of(db, organization_id)
    years = {day.year for day in own.days_off | own.working_saturdays}
    known = [day for day in calendar.days_off | calendar.working_saturdays if day.year in years]
    return calendar.without(known).with_days(own.days_off, False).with_days(own.working_saturdays, True)


def _load_periods(db: Session, file: model.PlanFile, plan: Plan, calendar: Calendar) -> list[Period]:
    """The plan's periods; one whose days the coordinator has moved keeps them."""
    year_from = min(period.data_from for period in file.periods)
    edited = {period.code for period in _edited_of(db, plan)}
    periods = []
    for period in file.periods:
        code = period_code(file.plan.year, period.kind)
        days = {"unit_due": unit_due(period, calendar), "province_due": period.province_due, "lock": period.lock}
        periods.append(
            _upsert(
                db,
                Period,
                {"organization_id": plan.organization_id, "plan_id": plan.id, "code": code},
                kind=period.kind,
                label=period.label,
                data_from=period.data_from,
                data_to=period.data_to,
                year_from=year_from,
                **({} if code in edited else days),
            )
        )
    return periods


def edited_periods(db: Session, organization: Organization, file: model.PlanFile) -> list[Period]:
    """Periods of the loaded plan whose days the coordinator has moved: they were kept."""
    known = select(Plan).where(Plan.organization_id == organization.id, Plan.code == file.plan.code)
    return _edited_of(db, db.exec(known).one())


def _edited_of(db: Session, plan: Plan) -> list[Period]:
    rows = select(Period).where(Period.plan_id == plan.id, col(Period.is_edited).is_(True))
    return list(db.exec(rows.order_by(col(Period.data_to))))


def _load_task(
    db: Session, plan: Plan, work: model.Work, kind: str, ordinal: int, units: dict[str, int], everyone: list[str]
) -> Task:
    """`everyone`: the units "all" stands for, the inner ones that report."""
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
        for code in everyone if codes == "all" else codes:
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
    today: date,
) -> None:
    mine: dict[str, Any] = {"organization_id": task.organization_id, "task_id": task.id}
    of_periods = select(Obligation).where(Obligation.task_id == task.id, col(Obligation.period_id).is_not(None))
    known = db.exec(of_periods).all()  # cases go on whatever the plan says now
    rows = {(row.unit_id, row.period_id): row for row in known}
    for code, unit_id in units.items():
        for planned, period in zip(file.periods, periods, strict=True):
            found = rows.pop((unit_id, period.id), None)
            is_asked = bool(questions_for(file, work, code, planned.kind))
            if found is None and is_asked:
                found = Obligation(**mine, unit_id=unit_id, period_id=period.id, due_on=period.unit_due)
                db.add(found)
            if found is None:
                continue
            if found.extended_to is None and found.state not in DONE:
                move_due(found, period.unit_due, today)
            is_past = period.data_to < file.plan.effective_from.on
            _settle(found, NOT_ASSIGNED if not is_asked else BEFORE_EFFECTIVE if is_past else None)
    for left in rows.values():
        _settle(left, NOT_ASSIGNED)


def _load_dated(
    db: Session,
    plan: Plan,
    work: model.Work,
    task: Task,
    leads: list[int],
    calendar: Calendar,
    today: date,
) -> None:
    """What has to be done by a day of its own: each lead owes it like a case that the plan opened."""
    dated = [(one.on, one.text) for one in work.deadlines if one.on is not None and one.on >= plan.effective_from]
    for unit_id in leads:
        known = _dated_of(db, task, unit_id)
        for on, words in dated:
            due_on = report_day(on, calendar)
            if known:
                row, file = known.pop(0)
                file.title, file.facts = work.title, {DATED: words}
                _settle(row, None)
                move_due(row, due_on if row.state not in DONE else row.due_on, today)
                continue
            mine: dict[str, Any] = {"organization_id": task.organization_id}
            row = Obligation(**mine, task_id=_id(task), unit_id=unit_id, due_on=due_on)
            db.add(row)
            db.flush()
            db.add(
                CaseFile(
                    **mine,
                    obligation_id=row.id or 0,
                    title=work.title,
                    facts={DATED: words},
                    event_on=plan.effective_from,
                    opened_at=plan.loaded_at,
                )
            )
        for row, _ in known:
            _settle(row, NOT_ASSIGNED)


def _dated_of(db: Session, task: Task, unit_id: int) -> list[tuple[Obligation, CaseFile]]:
    """What the plan itself opened for a unit, the first first."""
    rows = (
        select(Obligation, CaseFile)
        .join(CaseFile, col(CaseFile.obligation_id) == Obligation.id)
        .where(Obligation.task_id == task.id, Obligation.unit_id == unit_id, col(CaseFile.opened_by).is_(None))
        .order_by(col(Obligation.id))
    )
    return list(db.exec(rows).all())


def _settle(row: Obligation, reason: str | None) -> None:
    """Let it be owed, or not for `reason`; what was reported or decided by hand stays as it is.

    What ended before the plan took effect is not owed, but can be entered as past figures.
    """
    if reason is not None and row.state in ("not_started", "draft"):
        row.state, row.reason = "not_owed", reason
    elif row.state == "not_owed" and row.reason in (NOT_ASSIGNED, BEFORE_EFFECTIVE):
        owed = "submitted" if row.submitted_at else "not_started"
        row.state, row.reason = ("not_owed" if reason else owed), reason


def _let_go(db: Session, plan: Plan, codes: list[str]) -> None:
    """Nothing is owed on what the plan no longer holds, save the cases open on it."""
    tasks = select(Task.id).where(Task.plan_id == plan.id, col(Task.code).not_in(codes))
    of_periods = col(Obligation.period_id).is_not(None)
    for row in db.exec(select(Obligation).where(col(Obligation.task_id).in_(tasks), of_periods)):
        _settle(row, NOT_ASSIGNED)


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
