"""Days to come and days that have passed, as people type them."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from plans.text import fold

JUST_PAST = timedelta(days=180)
"""Where a day to come is asked, a day and month this long ago is the one that has passed, not the next one."""
SOON = timedelta(days=60)
"""Where a past day is asked, a day and month this soon is the one to come, not the last one."""

_NAMED = {
    **{"hom nay": 0, "nay": 0, "mai": 1, "ngay mai": 1, "mot": 2, "ngay mot": 2, "kia": 2, "ngay kia": 2},
    **{"hom qua": -1, "qua": -1, "hom kia": -2},
}
_WEEKDAYS = {
    **{f"thu {name}": number for number, name in enumerate(("hai", "ba", "tu", "nam", "sau", "bay"))},
    **{f"thu {number + 2}": number for number in range(6)},
    **{f"t{number + 2}": number for number in range(6)},
    **{"chu nhat": 6, "cn": 6},
}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_WRITTEN = re.compile(r"(\d{1,2})(?:(?:\s*[/.\- ]\s*| thang )(\d{1,2})(?:(?:\s*[/.\- ]\s*| nam )(\d{4}|\d{2}))?)?")
_POLITE = re.compile(r"(?: (?:a|nhe|nha))+$")
_IN_A_WEEK = re.compile(r"(.+?)(?: tuan (nay|sau|toi|truoc|roi|qua)| (?:vua )?(?:roi|qua))?")
_WEEKS = {"nay": 0, "sau": 7, "toi": 7, "truoc": -7, "roi": -7, "qua": -7}
_A_LEAP_YEAR = 2024


class BadDay(Exception):
    """What was typed is no day or range of days; `code` says why, `facts` what is possible."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def read_day(text: str, today: date, is_past: bool = False) -> date:
    """The day meant: "20/9", "20/9/25", "2025-09-20", "ngày 20", "mai", "thứ sáu", "thứ sáu tuần sau".

    Without a year it is the next such day, or one that has just passed (the caller says that it has); a weekday
    alone is the next one after today. With `is_past` it is the last such day ("hôm kia", "thứ sáu tuần trước"), or
    one soon to come, and the last such weekday before today. Raises BadDay: not_a_day, no_such_day.
    """
    folded = _POLITE.sub("", fold(text)).removeprefix("den ").strip()
    if folded in _NAMED:
        return today + timedelta(days=_NAMED[folded])
    if (weekday := _IN_A_WEEK.fullmatch(folded)) and weekday[1] in _WEEKDAYS:
        is_last = is_past or folded != weekday[1]
        return _weekday(today, _WEEKDAYS[weekday[1]], weekday[2], is_last)
    if (parts := written(folded)) is None:
        raise BadDay("not_a_day")
    day, month, year = parts
    found = _last(today, day, month, year) if is_past else _next(today, day, month, year)
    if found is None:
        is_next = not is_past and (month or 0, day) < (today.month, today.day)
        raise missing(day, month, year or today.year + is_next)
    return found


def written(folded: str) -> tuple[int, int | None, int | None] | None:
    """Day, month and year as they are written; the later ones may be missing."""
    if iso := _ISO.fullmatch(folded):
        return int(iso[3]), int(iso[2]), int(iso[1])
    found = _WRITTEN.fullmatch(folded.removeprefix("ngay ").strip())
    if found is None:
        return None
    month, year = (int(part) if part else None for part in found.groups()[1:])
    return int(found[1]), month, year + 2000 if year is not None and year < 100 else year


def missing(day: int, month: int | None, year: int) -> BadDay:
    """Why there is no such day: no calendar has it, that of `year` has no 29 February, or none was named."""
    if month is None:
        return BadDay("not_a_day")
    if (day, month) == (29, 2):
        return BadDay("no_such_day", day=day, month=month, year=year, most=28)
    most = monthrange(_A_LEAP_YEAR, month)[1] if 1 <= month <= 12 else None
    return BadDay("no_such_day", day=day, month=month, year=None, most=most)


def _weekday(today: date, number: int, week: str | None, is_last: bool) -> date:
    monday = today - timedelta(days=today.weekday())
    if week is not None:
        return monday + timedelta(days=number + _WEEKS[week])
    if is_last:
        return today - timedelta(days=(today.weekday() - number - 1) % 7 + 1)
    return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)


def _last(today: date, day: int, month: int | None, year: int | None) -> date | None:
    months = [(year or today.year + n, month) for n in (1, 0, -1)] if month else []
    if not month:
        months = [(today.year, today.month), (today.year - (today.month == 1), (today.month - 2) % 12 + 1)]
    latest = today + SOON if month else today
    for in_year, in_month in months:
        try:
            found = date(in_year, in_month, day)
        except ValueError:
            continue
        if year is not None or today - timedelta(days=366) <= found <= latest:
            return found
    return None


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
