"""Working days, and the days that follow from them: when a unit reports, when a legal limit ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from plans.model import Period, PeriodKind

SHIPPED = Path(__file__).with_name("calendar-vn.yaml")
DAY = timedelta(days=1)
AHEAD = timedelta(days=2 * 366)
"""So far ahead a day can be set: the calendar of a later year is not known, and a day further on is a slip."""


@dataclass(frozen=True)
class Calendar:
    """Saturdays and Sundays are off, and `days_off`; `working_saturdays` make up for a swapped day."""

    days_off: frozenset[date] = frozenset()
    working_saturdays: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        """A day off stays off, even where it is also entered as a day to make up."""
        return day not in self.days_off and (day.weekday() < 5 or day in self.working_saturdays)

    def last_working_on_or_before(self, day: date) -> date:
        return self._nearest(day, -DAY)

    def first_working_on_or_after(self, day: date) -> date:
        return self._nearest(day, DAY)

    def shift(self, day: date, working_days: int) -> date:
        """The working day that many working days after `day` (before it when negative); 0 is `day` itself."""
        step = DAY if working_days > 0 else -DAY
        for _ in range(abs(working_days)):
            day = self._nearest(day + step, step)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """The steps from `start` to `end`: working days after `start`, negative when `end` lies before it.

        Undoes `shift`: working_days_between(day, shift(day, n)) == n, also from a day off.
        """
        step = 1 if end > start else -1
        days = (start + step * n * DAY for n in range(1, abs((end - start).days) + 1))
        return step * sum(map(self.is_working, days))

    def with_days(self, days: Iterable[date], is_working: bool) -> Calendar:
        """The calendar with these days off, or worked instead, whatever they were before."""
        days = frozenset(days)
        if is_working:
            return Calendar(self.days_off - days, self.working_saturdays | days)
        return Calendar(self.days_off | days, self.working_saturdays - days)

    def without(self, days: Iterable[date]) -> Calendar:
        """The calendar with these days as the week has them."""
        days = frozenset(days)
        return Calendar(self.days_off - days, self.working_saturdays - days)

    def _nearest(self, day: date, step: timedelta) -> date:
        while not self.is_working(day):
            day += step
        return day


@dataclass(frozen=True)
class NamedDay:
    """One row of the calendar table: a day off, or a weekend day worked instead."""

    day: date
    working: bool
    name: str
    official: bool
    """False where the year's days are worked out from the law and not yet announced."""


@cache
def shipped_days() -> tuple[NamedDay, ...]:
    """The days of `calendar-vn.yaml` one by one, in order: what the calendar table begins with."""
    years: dict[int, dict[str, Any]] = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    return tuple(
        NamedDay(day, working, row["name"], year["official"])
        for year in years.values()
        for working, rows in ((False, year["days_off"]), (True, year["working_saturdays"]))
        for row in rows
        for day in _days(row)
    )


@cache
def shipped_calendar() -> Calendar:
    """The working calendar of Vietnamese state bodies as this release knows it."""
    return Calendar(
        frozenset(row.day for row in shipped_days() if not row.working),
        frozenset(row.day for row in shipped_days() if row.working),
    )


def legal_deadline(start: date, days: int, calendar: Calendar) -> date:
    """The last day of a limit of `days` calendar days from the event on `start`.

    The first day is not counted (Civil Code 91/2015/QH13, article 147); a limit ending on a weekend or
    holiday runs to the end of the next working day (article 148).
    """
    return calendar.first_working_on_or_after(start + days * DAY)


def report_day(due: date, calendar: Calendar) -> date:
    """The day a report due on `due` has to go out: reports are sent earlier, never later."""
    return calendar.last_working_on_or_before(due)


def office_time(now: datetime, office_from: time, office_to: time, calendar: Calendar) -> datetime:
    """`now` (local) if that is in office hours of a working day, else when the next ones begin."""
    opens = datetime.combine(now.date(), office_from, now.tzinfo)
    if calendar.is_working(now.date()) and now.time() < office_to:
        return max(now, opens)
    following = calendar.first_working_on_or_after(now.date() + DAY)
    return datetime.combine(following, office_from, now.tzinfo)


def unit_due(period: Period, calendar: Calendar) -> date:
    """The day the units report: set by hand, or the province's day less the coordinator's working days."""
    return period.unit_due or calendar.shift(report_day(period.province_due, calendar), -period.compile_days)


def moved(period: Period, province_due: date) -> Period:
    """The planned period with another day of the province: the units' day is derived from it again, and a lock
    that would come before it moves by as much. Moved back to the plan's own day, it is the plan's own again."""
    if province_due == period.province_due:
        return period
    is_overtaken = period.lock < province_due
    lock = period.lock + (province_due - period.province_due) if is_overtaken else period.lock
    return period.model_copy(update={"province_due": province_due, "unit_due": None, "lock": lock})


def earliest_province_day(period: Period, calendar: Calendar) -> date:
    """The first day of the province that leaves the units a day after the period's data have closed."""
    return calendar.shift(calendar.first_working_on_or_after(period.data_to + DAY), period.compile_days)


def period_code(plan_year: int, kind: PeriodKind) -> str:
    """ "2025-Q3"."""
    return f"{plan_year}-{kind}"


def _days(row: dict[str, Any]) -> Iterator[date]:
    first: date = row.get("day") or row["from"]
    last: date = row.get("to", first)
    return (first + n * DAY for n in range((last - first).days + 1))
