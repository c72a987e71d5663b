"""Days and ranges of days: as people type them, as the calendar may take them, as lists show them."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from plans.calendar import DAY, Calendar, NamedDay
from plans.days import read_day
from plans.text import fold

AT_MOST = 30
"""Days of one range: the longest Tết has had ten."""

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_WRITTEN = re.compile(
    r"(?:ngay )?(\d{1,2})(?:(?: ?[/.\-] ?| thang )(\d{1,2})(?:(?: ?[/.\-] ?| nam )(\d{4}|\d{2}))?)?"
)
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


class BadSpan(Exception):
    """What was typed is no day or range; `code` says why, `facts` what is possible."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def read_span(text: str, today: date) -> Span:
    """The days meant: "14/2", "14/2-22/2", "14-22/2", "14/2 đến 22/2/2026", or what `plans.days` reads.

    A year named once holds for both ends. Raises BadSpan: not_a_day, no_such_day, reversed, too_long.
    """
    span = _read(text, today)
    if span.length > AT_MOST:
        raise BadSpan("too_long", span=span)
    return span


def read_one_day(text: str, today: date) -> date:
    """The one day meant. Raises BadSpan, as `read_span`, and for a range."""
    span = _read(text, today)
    if span.first != span.last:
        raise BadSpan("not_a_day", typed=text[:30])
    return span.first


def stored_span(text: str) -> Span:
    """A span as `str` wrote it."""
    first, _, last = text.partition("..")
    return Span(date.fromisoformat(first), date.fromisoformat(last))


def _read(text: str, today: date) -> Span:
    folded = fold(text).removeprefix("tu ")
    between = _WORD_BETWEEN.fullmatch(folded) or _DASH_BETWEEN.fullmatch(folded)
    if between is None or _ISO.fullmatch(folded):
        day = _day(folded, today)
        return Span(day, day)
    first, last = _ends(between[1].removeprefix("ngay "), between[2].removeprefix("ngay "), today)
    if last < first:
        raise BadSpan("reversed", first=first, last=last)
    return Span(first, last)


def _day(folded: str, today: date) -> date:
    if iso := _ISO.fullmatch(folded):
        return _made(int(iso[1]), int(iso[2]), int(iso[3]))
    found = read_day(folded, today)
    written = _WRITTEN.fullmatch(folded)
    if found is None and written and written[2]:
        month = int(written[2])
        is_over = (month, int(written[1])) < (today.month, today.day)
        return _made(_year(written[3]) or today.year + is_over, month, int(written[1]))
    if found is None:
        raise BadSpan("not_a_day", typed=folded[:30])
    return found


def _ends(start: str, end: str, today: date) -> tuple[date, date]:
    """Each end says what the other leaves out: the month, the year."""
    a, b = _WRITTEN.fullmatch(start), _WRITTEN.fullmatch(end)
    if a is None or b is None:
        return _day(start, today), _day(end, today)
    if not a[2] and not b[2]:
        raise BadSpan("not_a_day", typed=f"{start}-{end}"[:30])
    day, month, last_day, last_month = int(a[1]), int(a[2] or 0), int(b[1]), int(b[2] or 0)
    month = month or (last_month if day <= last_day else last_month - 1 or 12)
    last_month = last_month or (month if day <= last_day else month % 12 + 1)
    is_over = (last_month, last_day) < (month, day)
    if a[3] or not b[3]:
        first = _day("/".join(filter(None, (str(day), str(month), a[3]))), today)
        return first, _made(_year(b[3]) or first.year + is_over, last_month, last_day)
    last = _made(_year(b[3]) or 0, last_month, last_day)
    return _made(last.year - is_over, month, day), last


def _year(text: str | None) -> int | None:
    return None if text is None else int(text) + 2000 * (len(text) == 2)


def _made(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        most = monthrange(year, month)[1] if 1 <= month <= 12 and 1 <= year <= 9999 else None
        raise BadSpan("no_such_day", year=year, month=month, day=day, most=most) from None


def refusal(span: Span, is_working: bool, calendar: Calendar, today: date) -> tuple[str, date] | None:
    """Why these days cannot be made days off (or worked instead), and the day it is about; None when they can."""
    if span.first < today:
        return "past", span.first
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
