"""The ladder of a report: who hears of it, how many working days from its due day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from plans.calendar import Calendar, report_day


@dataclass(frozen=True, slots=True)
class Rung:
    """`days` working days from the effective due day (before it when negative), `roles` hear of it."""

    days: int
    roles: frozenset[str]


_STAFF = frozenset({"staff"})
QUARTERLY = (
    Rung(-7, _STAFF),
    Rung(-3, _STAFF),
    Rung(-1, _STAFF),
    Rung(0, _STAFF),
    Rung(1, _STAFF | {"head"}),
)
EARLIEST = min(rung.days for rung in QUARTERLY)


def newest_rung(due_on: date, today: date, role: str, is_requested: bool, calendar: Calendar) -> Rung | None:
    """The latest rung reached by `today` that this role hears of; older ones are past and never made up for.

    An outside body that is only requested hears nothing after its day.
    """
    effective = report_day(due_on, calendar)
    if is_requested and today > effective:
        return None
    reached = [rung for rung in QUARTERLY if role in rung.roles and calendar.shift(effective, rung.days) <= today]
    return reached[-1] if reached else None
