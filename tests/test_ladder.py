"""The ladder: who hears of a report, on which working day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.calendar import report_day, shipped_calendar
from scheduler.ladder import QUARTERLY, newest_rung

CALENDAR = shipped_calendar()
DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))


def rung(due: date, today: date, role: str = "staff", is_requested: bool = False) -> int | None:
    found = newest_rung(due, today, role, is_requested, CALENDAR)
    return found.days if found else None


@pytest.mark.parametrize(
    ("due", "days"),
    [
        # an ordinary fortnight
        (date(2025, 9, 17), {-7: (9, 8), -3: (9, 12), -1: (9, 16), 0: (9, 17), 1: (9, 18)}),
        # over Independence Day: 30/8 to 2/9 are off
        (date(2025, 9, 5), {-7: (8, 25), -3: (8, 29), -1: (9, 4), 0: (9, 5), 1: (9, 8)}),
        # due on a Sunday: counted from the Friday before
        (date(2025, 9, 21), {-7: (9, 10), -3: (9, 16), -1: (9, 18), 0: (9, 19), 1: (9, 22)}),
        # Saturday 26/4 is worked for Friday 2/5; 30/4 to 4/5 are off
        (date(2025, 5, 5), {-7: (4, 22), -3: (4, 26), -1: (4, 29), 0: (5, 5), 1: (5, 6)}),
    ],
)
def test_rungs_are_counted_in_working_days(due: date, days: dict[int, tuple[int, int]]) -> None:
    for expected, (month, day) in days.items():
        on = date(2025, month, day)
        assert rung(due, on) == expected
        assert rung(due, on - timedelta(days=1)) != expected


def test_nobody_hears_before_the_first_rung() -> None:
    assert rung(date(2025, 9, 17), date(2025, 9, 7)) is None


@pytest.mark.parametrize("role", ["coordinator", "leader", "observer"])
def test_only_the_unit_hears(role: str) -> None:
    assert rung(date(2025, 9, 17), date(2025, 10, 17), role) is None


def test_the_head_hears_on_the_day_after() -> None:
    heard = [rung(date(2025, 9, 17), date(2025, 9, day), "head") for day in range(8, 19)]
    assert heard == [None] * 10 + [1]


def test_an_outside_body_hears_nothing_after_its_day() -> None:
    due = date(2025, 9, 17)
    assert rung(due, due, is_requested=True) == 0
    assert rung(due, due + timedelta(days=1), is_requested=True) is None
    assert rung(due, due + timedelta(days=30), "head", is_requested=True) is None


@given(due=DAYS, today=DAYS)
def test_after_any_downtime_only_the_newest_rung_is_left(due: date, today: date) -> None:
    found = rung(due, today)
    days = {one.days: CALENDAR.shift(report_day(due, CALENDAR), one.days) for one in QUARTERLY}
    reached = [number for number, day in days.items() if day <= today]
    assert found == max(reached, default=None)


@given(due=DAYS)
def test_the_last_rung_never_ends_for_the_unit_itself(due: date) -> None:
    assert rung(due, due + timedelta(days=400)) == QUARTERLY[-1].days
