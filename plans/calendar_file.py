"""Reads a calendar file, laid out like `calendar-vn.yaml`: its days come out, or every fault with its line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, RootModel
from yaml.nodes import Node

from plans.calendar import NamedDay
from plans.file import Fault, line_of, read_checked, shaped
from plans.model import Strict, Text
from plans.spans import AT_MOST, NamedSpan, Span

Kind = Literal["days_off", "working_saturdays"]


class Row(Strict):
    """A day, or the days from one to another, with their name."""

    day: date | None = None
    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")
    name: Text

    @property
    def span(self) -> Span | None:
        """None where neither a day nor both ends are given, or too much is."""
        match self.day, self.first, self.last:
            case (date() as day, None, None):
                return Span(day, day)
            case (None, date() as first, date() as last):
                return Span(first, last)
        return None


class Year(Strict):
    official: bool
    days_off: tuple[Row, ...] = ()
    working_saturdays: tuple[Row, ...] = ()


class CalendarFile(RootModel[dict[str, Year]]):
    """Years, and what they hold."""


def read_calendar(path: Path) -> list[NamedDay]:
    """The days of the file one by one. Raises PlanFaults with every fault in it."""
    file = read_checked(path, CalendarFile, _sense_faults)
    return [
        NamedDay(day, kind == "working_saturdays", row.name, year.official)
        for _, year, kind, _, row in _rows(file)
        if row.span
        for day in row.span.days
    ]


def _rows(file: CalendarFile) -> Iterator[tuple[str, Year, Kind, int, Row]]:
    kinds: tuple[Kind, ...] = ("days_off", "working_saturdays")
    for name, year in file.root.items():
        for kind in kinds:
            rows: tuple[Row, ...] = getattr(year, kind)
            yield from ((name, year, kind, position, row) for position, row in enumerate(rows))


def _sense_faults(root: Node) -> Iterator[Fault]:
    """Days outside their year, entered twice and the like; nothing while the shape is wrong."""
    file = shaped(CalendarFile, root)
    if file is None:
        return
    for name, year in file.root.items():
        if not (name.isdecimal() and 2000 <= int(name) <= 2100):
            yield Fault(line_of(root, (name,)), "not_a_year", {"given": name})
        elif not year.days_off:
            yield Fault(line_of(root, (name,)), "no_days_off", {"year": name})
    seen: set[date] = set()
    for name, _, kind, position, row in _rows(file):
        line = line_of(root, (name, kind, position))
        code, day = _wrong(name, kind, row, seen)
        if code:
            yield Fault(line, code, {"day": day, "year": name})
        seen |= set(row.span.days if row.span and not code else ())


def _wrong(year: str, kind: Kind, row: Row, seen: set[date]) -> tuple[str | None, date | None]:
    span = row.span
    if span is None:
        return "day_or_range", None
    if span.last < span.first:
        return "reversed", span.first
    if span.length > AT_MOST:
        return "too_long", span.first
    for day in span.days:
        if str(day.year) != year:
            return "outside_year", day
        if day in seen:
            return "day_twice", day
        if kind == "working_saturdays" and day.weekday() < 5:
            return "worked_anyway", day
    return None, None


def written(year: int, spans: Iterable[NamedSpan]) -> str:
    """The year as the file has it, not official."""
    lines = [f"{year}:", "  official: false", "  days_off:"]
    for span in spans:
        day = f"day: {span.first}" if span.first == span.last else f"from: {span.first}, to: {span.last}"
        lines.append(f"    - {{{day}, name: {span.name}}}")
    return "\n".join([*lines, "  working_saturdays: []"])
