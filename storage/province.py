"""The day a period's report goes to the province: moving it moves the units' day, and the lock where it must."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from plans.calendar import Calendar, earliest_province_day, moved, report_day, unit_due
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
    """The province's day cannot be this one; `earliest` is the first that can."""

    def __init__(self, code: str, earliest: date, period: Period) -> None:
        super().__init__(code)
        self.code = code
        self.facts = {"earliest": earliest, "label": period.label, "data_to": period.data_to}


def shift_of(db: Session, organization_id: int, period_id: int, day: date, today: date) -> Shift | None:
    """What moving the province's day to `day` would move; None when the period is locked or gone.

    Raises BadShift: "past", or "before_data" where the units would have no day after the data have closed.
    """
    calendar = calendar_of(db, organization_id)
    for period, planned in unlocked(db, organization_id, today):
        if period.id == period_id:
            earliest = max(earliest_province_day(planned, calendar), today)
            new = moved(planned, day)
            units = unit_due(new, calendar)
            if day < today or units <= period.data_to:
                raise BadShift("past" if day < today else "before_data", earliest, period)
            return _shift(db, period, day, units, new.lock, calendar)
    return None


def move_province(db: Session, organization_id: int, period_id: int, day: date, today: date) -> Shift | None:
    """Move it, with the reports still to come; returns what moved. Loading the plan again keeps these days."""
    shift = shift_of(db, organization_id, period_id, day, today)
    if shift is None:
        return None
    period = db.get_one(Period, period_id)
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
