"""The ladder: who hears of what is owed, how many working days from its due day. Days without effects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from plans.calendar import Calendar
from plans.model import Ladder, Tone

A_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Reached:
    """The newest rung of somebody: `days` working days from the effective day, on the day `on`."""

    days: int
    on: date
    say: Tone
    is_weekly: bool = False


@dataclass(slots=True)
class Steps:
    """A ladder on one day: what of it has been reached, and when the next step comes. Remembers what was asked,
    for most obligations are due on the same few days."""

    ladder: Ladder
    today: date
    calendar: Calendar
    _reached: dict[tuple[date, str], Reached | None] = field(default_factory=dict)
    _next: dict[date, date | None] = field(default_factory=dict)
    _counted: dict[date, int] = field(default_factory=dict)

    def reached(self, role: str, effective: date) -> Reached | None:
        """The newest rung of this role reached by today; older ones are past and never made up for."""
        key = (effective, role)
        if key not in self._reached:
            self._reached[key] = self._newest(role, effective)
        return self._reached[key]

    def next_on(self, effective: date) -> date | None:
        """The first day after today on which somebody hears of it by the ladder; None when nobody will."""
        if effective not in self._next:
            self._next[effective] = min(self._coming(effective), default=None)
        return self._next[effective]

    def passed(self, effective: date) -> int:
        """Working days from the effective day to today, negative before it."""
        if effective not in self._counted:
            today = self.calendar.last_working_on_or_before(self.today)
            self._counted[effective] = self.calendar.working_days_between(effective, today)
        return self._counted[effective]

    def _newest(self, role: str, effective: date) -> Reached | None:
        passed = self.passed(effective)
        found = [
            (rung.days, rung.say, False) for rung in self.ladder.rungs if role in rung.who and rung.days <= passed
        ]
        repeat = self.ladder.repeat
        if repeat is not None and role in repeat.who and passed >= self._last + repeat.every:
            found.append((passed - (passed - self._last) % repeat.every, repeat.say, False))
        weekly = self.ladder.weekly
        if weekly is not None and role in weekly.who:
            this_week = first_of_week(self.today, self.calendar)
            days = passed - self.calendar.working_days_between(this_week, self.today)
            if this_week <= self.today and days >= weekly.days:
                found.append((days, "late", True))
        if not found:
            return None
        days, say, is_weekly = max(found)
        return Reached(days, self._day(effective, days), say, is_weekly)

    def _coming(self, effective: date) -> Iterator[date]:
        passed = self.passed(effective)
        coming = sorted(rung.days for rung in self.ladder.rungs if rung.days > passed)[:1]
        repeat = self.ladder.repeat
        if repeat is not None:
            done = max(0, passed - self._last) // repeat.every
            coming.append(self._last + (done + 1) * repeat.every)
        yield from (self._day(effective, days) for days in coming)
        if self.ladder.weekly is not None:
            yield first_of_week(max(self.today + A_WEEK, effective), self.calendar)

    def _day(self, effective: date, days: int) -> date:
        """`days` working days from the effective day, counted from whichever of the two days is nearer."""
        passed = self.passed(effective)
        if abs(days) <= abs(days - passed):
            return self.calendar.shift(effective, days)
        return self.calendar.shift(self.calendar.last_working_on_or_before(self.today), days - passed)

    @property
    def _last(self) -> int:
        return max((rung.days for rung in self.ladder.rungs), default=0)


def first_of_week(day: date, calendar: Calendar) -> date:
    """The first working day of this week; one of the next week where this one has none."""
    return calendar.first_working_on_or_after(day - timedelta(days=day.weekday()))
