"""Days to come and days that have passed, as people type them."""

from __future__ import annotations

import re
from datetime import date, timedelta

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
_WRITTEN = re.compile(r"(\d{1,2})(?:(?:\s*[/.\- ]\s*| thang )(\d{1,2})(?:(?:\s*[/.\- ]\s*| nam )(\d{4}|\d{2}))?)?")
_POLITE = re.compile(r"(?: (?:a|nhe|nha))+$")
_IN_A_WEEK = re.compile(r"(.+?)(?: tuan (nay|sau|toi|truoc|roi|qua)| (?:vua )?(?:roi|qua))?")
_WEEKS = {"nay": 0, "sau": 7, "toi": 7, "truoc": -7, "roi": -7, "qua": -7}
A_LEAP_YEAR = 2024


def read_day(text: str, today: date, is_past: bool = False) -> date | None:
    """The day meant: "20/9", "20/9/2025", "ngày 20", "mai", "thứ sáu", "thứ sáu tuần sau"; None when it is none.

    Without a year it is the next such day, or one that has just passed (the caller says that it has); a weekday
    alone is the next one after today. With `is_past` it is the last such day ("hôm kia", "thứ sáu tuần trước"), or
    one soon to come, and the last such weekday before today.
    """
    folded = _plain(text)
    if folded in _NAMED:
        return today + timedelta(days=_NAMED[folded])
    if (weekday := _IN_A_WEEK.fullmatch(folded)) and weekday[1] in _WEEKDAYS:
        is_last = is_past or folded != weekday[1]
        return _weekday(today, _WEEKDAYS[weekday[1]], weekday[2], is_last)
    if (written := _written(folded)) is None:
        return None
    return _last(today, *written) if is_past else _next(today, *written)


def no_such_day(text: str, today: date, is_past: bool = False) -> tuple[int, int, int | None] | None:
    """(day, month, year) that was typed and that no calendar has: 31/4, 5/13, 29/2/2025; None for anything else.

    The year is only given for 29 February: the one typed, else that of the next such day, with `is_past` this one.
    """
    day, month, year = _written(_plain(text)) or (1, 1, None)
    if month is None:
        return None
    is_next = not is_past and (month, day) < (today.month, today.day)
    year = year or today.year + is_next
    try:
        date(A_LEAP_YEAR, month, day)
        date(year, month, day)
    except ValueError:
        return day, month, year if (day, month) == (29, 2) else None
    return None


def _plain(text: str) -> str:
    return _POLITE.sub("", fold(text)).removeprefix("den ").strip()


def _written(folded: str) -> tuple[int, int | None, int | None] | None:
    """Day, month and year as they are written; the later ones may be missing."""
    found = _WRITTEN.fullmatch(folded.removeprefix("ngay ").strip())
    if found is None:
        return None
    month, year = (int(part) if part else None for part in found.groups()[1:])
    return int(found[1]), month, year + 2000 if year is not None and year < 100 else year


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
