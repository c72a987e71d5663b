"""Days and ranges of days: as people type them, as the calendar may take them, as lists show them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from plans.calendar import AHEAD, DAY, Calendar, NamedDay
from plans.days import BadDay, missing, read_day, written
from plans.text import fold

AT_MOST = 30
"""Days of one range: the longest Tết has had ten."""

_WORD_BETWEEN = re.compile(r"(.+?) ?(?:\.\.| den het | den | toi ) ?(.+)")
_DASH_BETWEEN = re.compile(r"([^-]+?) ?- ?([^-]*[/.][^-]*|[^-]* thang [^-]*)")
"""A dash is a range only where what follows it is a day and month: "14-2" is the 14th of February."""


@dataclass(frozen=True, slots=True)
class Span:
    """A day, or the days from one to another, both counted."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return [self.first + n * DAY for n in range(self.length)]

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


@dataclass(frozen=True, slots=True)
class NamedSpan:
    """Days of the calendar in a row that are called alike."""

    first: date
    last: date
    working: bool
    name: str
    official: bool


def read_span(text: str, today: date) -> Span:
    """The days meant: "14/2", "14/2-22/2", "14-22/2", "14/2 đến 22/2/2026", or what `plans.days` reads.

    A year named once holds for both ends. Raises BadDay, also days_reversed, too_many_days.
    """
    folded = fold(text).removeprefix("tu ")
    between = _WORD_BETWEEN.fullmatch(folded) or _DASH_BETWEEN.fullmatch(folded)
    if between is None:
        day = read_day(folded, today)
        return Span(day, day)
    first, last = _ends(between[1].removeprefix("ngay "), between[2].removeprefix("ngay "), today)
    if last < first:
        raise BadDay("days_reversed", first=first, last=last)
    span = Span(first, last)
    if span.length > AT_MOST:
        raise BadDay("too_many_days", span=span)
    return span


def stored_span(text: str) -> Span:
    """A span as `str` wrote it."""
    first, _, last = text.partition("..")
    return Span(date.fromisoformat(first), date.fromisoformat(last))


def _ends(start: str, end: str, today: date) -> tuple[date, date]:
    """Each end says what the other leaves out: the month, the year."""
    a, b = written(start), written(end)
    if a is None or b is None:
        return read_day(start, today), read_day(end, today)
    (day, month, year), (last_day, last_month, last_year) = ((one[0], one[1] or 0, one[2]) for one in (a, b))
    if not month and not last_month:
        raise BadDay("not_a_day")
    month = month or (last_month if day <= last_day else last_month - 1 or 12)
    last_month = last_month or (month if day <= last_day else month % 12 + 1)
    is_over = (last_month, last_day) < (month, day)
    if year or not last_year:
        first = _made(year, month, day) if year else read_day(f"{day}/{month}", today)
        return first, _made(last_year or first.year + is_over, last_month, last_day)
    last = _made(last_year, last_month, last_day)
    return _made(last.year - is_over, month, day), last


def _made(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise missing(day, month, year) from None


def refusal(span: Span, is_working: bool, calendar: Calendar, today: date) -> tuple[str, date] | None:
    """Why these days cannot be made days off (or worked instead), and the day it is about; None when they can."""
    if span.first < today:
        return "past", span.first
    if span.last > today + AHEAD:
        return "far", span.last
    working = [day for day in span.days if calendar.is_working(day)]
    if is_working and working:
        return "already_working", working[0]
    return None if is_working or working else ("already_off", span.first)


def in_a_row(days: Iterable[NamedDay]) -> list[NamedSpan]:
    """The days as ranges, in order of time: days that follow one another and are called alike."""
    found: list[NamedSpan] = []
    for day in sorted(days, key=lambda day: day.day):
        alike = (day.working, day.name, day.official)
        last = found[-1] if found else None
        if last and last.last + DAY == day.day and (last.working, last.name, last.official) == alike:
            found[-1] = NamedSpan(last.first, day.day, *alike)
        else:
            found.append(NamedSpan(day.day, day.day, *alike))
    return found
