"""The commune's working calendar."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session, select

from plans.calendar import Calendar
from storage.tables import CalendarDay


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
