"""The commune's working calendar, and what follows from a change of it: the days of periods not yet locked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import bindparam, select
from sqlmodel import Session, col
from sqlmodel import select as choose

from plans import model
from plans.calendar import Calendar, NamedDay, moved, unit_due
from storage.statement import Statement
from storage.tables import DONE, OPEN, CalendarDay, Obligation, Period, Plan
from storage.tables.core import table
from storage.waking import move_due, wake_all

calendar_day = table(CalendarDay)
_days = Statement(
    select(calendar_day.c.day, calendar_day.c.is_working).where(
        calendar_day.c.organization_id == bindparam("organization_id")
    )
)


@dataclass(frozen=True, slots=True)
class Moved:
    """The day a period's units report, before and after; `open_reports` still to come move along."""

    period_id: int
    label: str
    data_to: date
    old: date
    new: date
    open_reports: int

    def is_too_soon(self, today: date) -> bool:
        """True where reports still to come would be due by today, or before their data have closed."""
        return self.open_reports > 0 and self.new <= max(today, self.data_to)


def load_calendar(db: Session, organization_id: int, days: list[tuple[date, bool, str, bool]]) -> None:
    """Write the days (day, is working, name, is official) of years that have none yet; what was edited or removed
    stays so."""
    known = {row.day.year for row in calendar_rows(db, organization_id)}
    _add(db, organization_id, [NamedDay(*day) for day in days if day[0].year not in known])


def calendar_rows(db: Session, organization_id: int) -> list[CalendarDay]:
    """The commune's days off and make-up working days."""
    return list(db.exec(choose(CalendarDay).where(CalendarDay.organization_id == organization_id)))


def calendar_of(db: Session, organization_id: int) -> Calendar:
    """The commune's working calendar."""
    rows = _days.all(db, organization_id=organization_id)
    return Calendar(
        days_off=frozenset(row.day for row in rows if not row.is_working),
        working_saturdays=frozenset(row.day for row in rows if row.is_working),
    )


def named_days(db: Session, organization_id: int) -> list[NamedDay]:
    """The calendar's rows as `plans` knows them, in order of time."""
    rows = sorted(calendar_rows(db, organization_id), key=lambda row: row.day)
    return [NamedDay(row.day, row.is_working, row.name, row.is_official) for row in rows]


def set_days(
    db: Session, organization_id: int, days: Collection[date], is_working: bool, name: str, today: date
) -> list[Moved]:
    """Let these be days off, or worked instead; returns what moved."""
    _drop(db, organization_id, days)
    _add(db, organization_id, [NamedDay(day, is_working, name, True) for day in days])
    return rederive(db, organization_id, today)


def remove_days(db: Session, organization_id: int, days: Collection[date], today: date) -> list[Moved]:
    """Let these be as the week has them again; returns what moved."""
    _drop(db, organization_id, days)
    return rederive(db, organization_id, today)


def mark_official(db: Session, organization_id: int, year: int) -> None:
    """The days of a year, expected so far, have been announced as they stand."""
    for row in calendar_rows(db, organization_id):
        row.is_official = row.is_official or row.day.year == year
    db.flush()


def replace_years(db: Session, organization_id: int, days: list[NamedDay], today: date) -> list[Moved]:
    """Let each year that occurs among `days` have these days and no others; returns what moved."""
    years = {day.day.year for day in days}
    known = [row.day for row in calendar_rows(db, organization_id)]
    _drop(db, organization_id, [day for day in known if day.year in years])
    _add(db, organization_id, days)
    return rederive(db, organization_id, today)


def moves(db: Session, organization_id: int, calendar: Calendar, today: date) -> list[Moved]:
    """What another calendar would move: the units' day follows from the province's less the working days the
    coordinator needs. A day set by hand in the plan stays, and so does a period that is locked."""
    found = []
    for period, planned in unlocked(db, organization_id, today):
        new = unit_due(moved(planned, period.province_due), calendar)
        if new != period.unit_due:
            known = (period.id or 0, period.label, period.data_to, period.unit_due)
            found.append(Moved(*known, new, len(open_of(db, period))))
    return found


def rederive(db: Session, organization_id: int, today: date) -> list[Moved]:
    """Move what follows from the calendar as it now stands, days and the reports due on them; returns what moved.
    What was reminded of stays so."""
    found = moves(db, organization_id, calendar_of(db, organization_id), today)
    for one in found:
        move_units(db, db.get_one(Period, one.period_id), one.new, today)
    db.flush()
    wake_all(db, organization_id)
    return found


def unlocked(db: Session, organization_id: int, today: date) -> Iterator[tuple[Period, model.Period]]:
    """Periods of plans in force that are not locked, each with the period of the plan file."""
    rows = db.exec(
        choose(Period, Plan)
        .join(Plan, col(Plan.id) == Period.plan_id)
        .where(Period.organization_id == organization_id, col(Plan.is_archived).is_(False), Period.lock >= today)
        .order_by(col(Period.data_to))
    ).all()
    for period, plan in rows:
        planned = next((one for one in plan.file["periods"] if one["kind"] == period.kind), None)
        if planned is not None:
            yield period, model.Period.model_validate(planned)


def open_of(db: Session, period: Period) -> list[Obligation]:
    """Reports of a period still to come whose day was not extended."""
    return [row for row in _movable(db, period) if row.state in OPEN]


def move_units(db: Session, period: Period, due_on: date, today: date) -> None:
    """Give the period's units another day; an extended report keeps its own, a filed one that it was judged by."""
    period.unit_due = due_on
    for row in _movable(db, period):
        move_due(row, due_on, today)


def _movable(db: Session, period: Period) -> list[Obligation]:
    rows = choose(Obligation).where(Obligation.period_id == period.id, col(Obligation.extended_to).is_(None))
    return [row for row in db.exec(rows) if row.state not in DONE]


def _drop(db: Session, organization_id: int, days: Collection[date]) -> None:
    for row in calendar_rows(db, organization_id):
        if row.day in days:
            db.delete(row)
    db.flush()


def _add(db: Session, organization_id: int, days: list[NamedDay]) -> None:
    for day in days:
        db.add(
            CalendarDay(
                organization_id=organization_id,
                day=day.day,
                is_working=day.working,
                name=day.name,
                is_official=day.official,
            )
        )
    db.flush()
