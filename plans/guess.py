"""A first guess of a year's days off, until they are announced."""

from __future__ import annotations

import re
from datetime import date

from plans.calendar import DAY
from plans.spans import NamedSpan
from plans.text import fold

NEW_YEAR = "tet nguyen dan"
"""How the days around the lunar new year are called as a whole."""
_IN_BRACKETS = re.compile(r" \(.*\)$")


def guessed(year: int) -> list[NamedSpan]:
    """The days off that follow from the law (Labour Code 2019, articles 111 and 112), in a row over weekends.

    What the government still decides (days of Tết, swapped days, Saturdays to work) has to be looked up.
    """
    import holidays  # a tenth of a second, for a command that is run once a year

    found = holidays.country_holidays("VN", years=year, language="vi")
    rows: list[tuple[date, date, list[str]]] = []
    for day, name in sorted((day, name) for day, name in found.items() if day.year == year):
        if rows and _touch(rows[-1][1], day):
            rows[-1] = (rows[-1][0], day, [*rows[-1][2], name])
        else:
            rows.append((day, day, [name]))
    return [NamedSpan(first, last, False, _called(names), False) for first, last, names in rows]


def _touch(last: date, day: date) -> bool:
    """Nothing but a weekend lies between."""
    between = (last + n * DAY for n in range(1, (day - last).days))
    return all(one.weekday() >= 5 for one in between)


def _called(names: list[str]) -> str:
    plain = list(dict.fromkeys(_IN_BRACKETS.sub("", name) for name in names))
    return next((name for name in plain if fold(name) == NEW_YEAR), " – ".join(plain))
