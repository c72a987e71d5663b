"""The day a period's report goes to the province: moving it moves the units' day, and the lock where it must."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from plans import model
from plans.calendar import AHEAD, Calendar, earliest_province_day, moved, report_day, unit_due
from storage.calendar import calendar_of, move_units, open_of, unlocked
from storage.tables import Period


@dataclass(frozen=True, slots=True)
class Shift:
    """The days of a period before and after another day of the province."""

    period_id: int
    code: str
    label: str
    old_province: date
    province: date
    sent_on: date
    """The working day it has to go out on: the province's day, or the one before where that is a day off."""
    old_units: date
    units: date
    old_lock: date
    lock: date
    open_reports: int


class BadShift(Exception):
    """The province's day cannot be this one; `facts` say which is the first that can."""

    def __init__(self, code: str, day: date, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = {"day": day} | facts


def shift_of(db: Session, organization_id: int, code: str, day: date, today: date) -> Shift:
    """What moving the province's day of a period to `day` would move.

    Raises BadShift: "locked" (or no such period), "past", "far", "before_data" where the units would have no day
    after the period's data have closed, "same".
    """
    calendar = calendar_of(db, organization_id)
    found = unlocked_period(db, organization_id, code, today)
    if found is None:
        raise BadShift("locked", day)
    period, planned = found
    earliest = calendar.first_working_on_or_after(max(earliest_province_day(planned, calendar), today))
    facts: dict[str, Any] = {"earliest": earliest, "label": period.label, "data_to": period.data_to}
    if day < today:
        raise BadShift("past", day, **facts)
    if day > today + AHEAD:
        raise BadShift("far", day, latest=today + AHEAD, **facts)
    new = moved(planned, day)
    units = unit_due(new, calendar)
    if units <= period.data_to:
        raise BadShift("before_data", day, **facts)
    if day == period.province_due:
        raise BadShift("same", day, **facts)
    return _shift(db, period, day, units, new.lock, calendar)


def unlocked_period(
    db: Session, organization_id: int, code: str, today: date
) -> tuple[Period, model.Period] | None:
    """The period called `code` ("2025-Q3"), with the plan file's; None when it is locked or there is none."""
    return next((one for one in unlocked(db, organization_id, today) if one[0].code == code), None)


def move_province(db: Session, organization_id: int, code: str, day: date, today: date) -> Shift:
    """Move it, with the reports still to come; returns what moved. Loading the plan again keeps these days."""
    shift = shift_of(db, organization_id, code, day, today)
    period = db.get_one(Period, shift.period_id)
    period.province_due, period.lock, period.is_edited = shift.province, shift.lock, True
    move_units(db, period, shift.units, today)
    db.flush()
    return shift


def _shift(db: Session, period: Period, day: date, units: date, lock: date, calendar: Calendar) -> Shift:
    return Shift(
        period.id or 0,
        period.code,
        period.label,
        period.province_due,
        day,
        report_day(day, calendar),
        period.unit_due,
        units,
        period.lock,
        lock,
        len(open_of(db, period)),
    )
