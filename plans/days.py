"""Days to come, as people type them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from plans.text import fold

JUST_PAST = timedelta(days=180)
"""A day and month this long ago is the one that has passed, not the next one."""

_NAMED = {"hom nay": 0, "nay": 0, "mai": 1, "ngay mai": 1, "mot": 2, "ngay mot": 2, "kia": 2, "ngay kia": 2}
_WEEKDAYS = {
    **{f"thu {name}": number for number, name in enumerate(("hai", "ba", "tu", "nam", "sau", "bay"))},
    **{f"thu {number + 2}": number for number in range(6)},
    **{f"t{number + 2}": number for number in range(6)},
    **{"chu nhat": 6, "cn": 6},
}
_WRITTEN = re.compile(r"(\d{1,2})(?:(?:\s*[/.\- ]\s*| thang )(\d{1,2})(?:(?:\s*[/.\- ]\s*| nam )(\d{4}|\d{2}))?)?")
_POLITE = re.compile(r"(?: (?:a|nhe|nha))+$")
_IN_A_WEEK = re.compile(r"(.+?)(?: tuan (nay|sau|toi))?")


def read_day(text: str, today: date) -> date | None:
    """The day meant: "20/9", "20/9/2025", "ngày 20", "mai", "thứ sáu", "thứ sáu tuần sau"; None when it is none.

    Without a year it is the next such day, or one that has just passed (the caller says that it has); a weekday
    alone is the next one after today.
    """
    folded = _POLITE.sub("", fold(text)).removeprefix("den ").strip()
    if folded in _NAMED:
        return today + timedelta(days=_NAMED[folded])
    if (weekday := _IN_A_WEEK.fullmatch(folded)) and weekday[1] in _WEEKDAYS:
        return _weekday(today, _WEEKDAYS[weekday[1]], weekday[2])
    found = _WRITTEN.fullmatch(folded.removeprefix("ngay ").strip())
    if found is None:
        return None
    day, month, year = (int(part) if part else None for part in found.groups())
    return _next(today, day or 0, month, year + 2000 if year and year < 100 else year)


def _weekday(today: date, number: int, week: str | None) -> date:
    if week is None:
        return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    monday = today - timedelta(days=today.weekday())
    return monday + timedelta(days=number + (0 if week == "nay" else 7))


def _next(today: date, day: int, month: int | None, year: int | None) -> date | None:
    months: list[tuple[int, int]] = [(year or today.year, month)] if month else []
    if not months:
        months = [(today.year, today.month), (today.year + today.month // 12, today.month % 12 + 1)]
    elif month and year is None:
        months.append((today.year + 1, month))
    earliest = today - JUST_PAST if month else today
    for in_year, in_month in months:
        try:
            found = date(in_year, in_month, day)
        except ValueError:
            continue
        if found >= earliest or year is not None:
            return found
    return None
