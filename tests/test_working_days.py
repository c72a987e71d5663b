"""Working days are counted as offices count them, and deadlines follow from them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.calendar import (
    Calendar,
    earliest_province_day,
    legal_deadline,
    moved,
    period_code,
    report_day,
    shipped_calendar,
    shipped_days,
    unit_due,
)
from plans.model import Period

DAYS = st.dates(date(2025, 1, 1), date(2027, 12, 31))
STEPS = st.integers(-40, 40)
CALENDARS = st.builds(
    Calendar,
    st.frozensets(DAYS, max_size=40),
    st.frozensets(DAYS.filter(lambda day: day.weekday() == 5), max_size=10),
) | st.builds(shipped_calendar)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2025-01-24", True),  # the Friday before Tết
        ("2025-01-25", False),
        ("2025-02-03", True),
        ("2025-04-07", False),
        ("2025-04-26", True),  # a Saturday worked for 2/5
        ("2025-05-02", False),
        ("2025-05-05", True),
        ("2025-09-02", False),
        ("2025-11-24", True),  # a day off only from 2026
        ("2026-01-02", False),
        ("2026-01-10", True),
        ("2026-02-22", False),
        ("2026-04-27", False),
        ("2026-08-22", True),
        ("2026-08-31", False),
        ("2026-11-24", False),
        ("2027-05-03", False),
        ("2027-02-11", True),
    ],
)
def test_the_shipped_calendar_knows_holidays_and_make_up_saturdays(day: str, working: bool) -> None:
    assert shipped_calendar().is_working(date.fromisoformat(day)) is working


def test_only_2027_is_not_official_and_every_day_has_a_name() -> None:
    assert {row.day.year for row in shipped_days() if not row.official} == {2027}
    assert all(row.name for row in shipped_days())
    days = [row.day for row in shipped_days()]
    assert len(days) == len(set(days))


def test_make_up_days_are_saturdays() -> None:
    assert {row.day.weekday() for row in shipped_days() if row.working} == {5}


@given(CALENDARS, DAYS, STEPS)
def test_between_undoes_shift(calendar: Calendar, day: date, steps: int) -> None:
    assert calendar.working_days_between(day, calendar.shift(day, steps)) == steps


@given(CALENDARS, DAYS, STEPS.filter(bool))
def test_a_shift_lands_on_a_working_day_and_comes_back(calendar: Calendar, day: date, steps: int) -> None:
    landed = calendar.shift(day, steps)
    assert calendar.is_working(landed)
    assert (landed > day) is (steps > 0)
    if calendar.is_working(day):
        assert calendar.shift(landed, -steps) == day


@given(CALENDARS, DAYS, DAYS)
def test_between_has_the_sign_of_time_and_adds_up_over_working_days(
    calendar: Calendar, start: date, end: date
) -> None:
    steps = calendar.working_days_between(start, end)
    assert steps * (end - start).days >= 0
    if calendar.is_working(start) and calendar.is_working(end):
        assert calendar.working_days_between(end, start) == -steps
        assert calendar.shift(start, steps) == end


@given(CALENDARS, DAYS)
def test_the_nearest_working_day_skips_none(calendar: Calendar, day: date) -> None:
    before, after = calendar.last_working_on_or_before(day), calendar.first_working_on_or_after(day)
    assert calendar.is_working(before)
    assert calendar.is_working(after)
    assert before <= day <= after
    between = (before + timedelta(days=n) for n in range(1, (after - before).days))
    assert not any(calendar.is_working(skipped) for skipped in between)


@pytest.mark.parametrize(
    ("start", "days", "ends"),
    [
        ("2025-09-03", 30, "2025-10-03"),  # the first day is not counted
        ("2025-10-10", 30, "2025-11-10"),  # day 30 is Sunday 9/11
        ("2025-08-01", 30, "2025-09-03"),  # day 30 falls into the National Day break
        ("2025-03-27", 30, "2025-04-26"),  # a Saturday that is worked
        ("2026-10-25", 30, "2026-11-25"),  # 24/11, a day off since 2026
        ("2025-12-30", 1, "2025-12-31"),
    ],
)
def test_a_legal_limit_runs_to_the_end_of_the_next_working_day(start: str, days: int, ends: str) -> None:
    limit = legal_deadline(date.fromisoformat(start), days, shipped_calendar())
    assert limit == date.fromisoformat(ends)


@pytest.mark.parametrize(
    ("due", "sent"),
    [
        ("2026-12-20", "2026-12-18"),  # a Sunday
        ("2027-03-20", "2027-03-19"),  # a Saturday
        ("2027-09-20", "2027-09-20"),
        ("2025-02-01", "2025-01-24"),  # within Tết
    ],
)
def test_a_report_due_on_a_day_off_goes_out_before_it(due: str, sent: str) -> None:
    assert report_day(date.fromisoformat(due), shipped_calendar()) == date.fromisoformat(sent)


def period(**given: Any) -> Period:
    facts = {
        "kind": "Q3",
        "label": "quý III năm 2025",
        "data_from": "2025-06-15",
        "data_to": "2025-09-14",
        "province_due": "2025-09-20",
        "compile_days": 2,
        "lock": "2025-09-25",
    }
    return Period.model_validate(facts | given)


@pytest.mark.parametrize(
    ("given_", "due"),
    [
        ({}, "2025-09-17"),  # the 20th is a Saturday: from Friday the 19th two working days back
        ({"compile_days": 0}, "2025-09-19"),
        ({"province_due": "2025-09-22", "compile_days": 1}, "2025-09-19"),
        ({"unit_due": "2025-09-16"}, "2025-09-16"),
    ],
)
def test_the_units_day_is_counted_back_from_the_provinces(given_: dict[str, Any], due: str) -> None:
    assert unit_due(period(**given_), shipped_calendar()) == date.fromisoformat(due)


def test_a_period_is_named_by_year_and_kind() -> None:
    assert period_code(2025, "Q3") == "2025-Q3"


PERIODS = st.builds(
    lambda data_to, province, days, lock: period(
        data_from=data_to - timedelta(days=91),
        data_to=data_to,
        province_due=data_to + timedelta(days=province),
        compile_days=days,
        lock=data_to + timedelta(days=province + lock),
    ),
    DAYS,
    st.integers(20, 60),
    st.integers(0, 10),
    st.integers(0, 20),
)


@given(PERIODS, DAYS, CALENDARS)
def test_moving_the_provinces_day_and_back_restores_all_days(
    planned: Period, day: date, calendar: Calendar
) -> None:
    there = moved(planned, day)
    assert there.lock >= there.province_due == day
    assert moved(planned, planned.province_due) == planned
    assert unit_due(moved(planned, planned.province_due), calendar) == unit_due(planned, calendar)


@given(PERIODS, DAYS, CALENDARS)
def test_no_derived_day_lies_on_a_day_off(planned: Period, day: date, calendar: Calendar) -> None:
    due = unit_due(moved(planned, day), calendar)
    assert calendar.is_working(due)
    assert calendar.working_days_between(due, report_day(day, calendar)) == planned.compile_days


@given(PERIODS, CALENDARS)
def test_the_earliest_day_of_the_province_is_the_first_that_leaves_the_units_one(
    planned: Period, calendar: Calendar
) -> None:
    earliest = earliest_province_day(planned, calendar)
    before = calendar.shift(earliest, -1)
    assert unit_due(moved(planned, earliest), calendar) > planned.data_to
    assert unit_due(moved(planned, before), calendar) <= planned.data_to


def test_a_day_set_by_hand_holds_for_the_plans_own_day_of_the_province() -> None:
    by_hand = period(unit_due="2025-09-16")
    assert unit_due(moved(by_hand, by_hand.province_due), shipped_calendar()) == date(2025, 9, 16)
    later = moved(by_hand, date(2025, 9, 30))
    assert unit_due(later, shipped_calendar()) == date(2025, 9, 26)
    assert later.lock == date(2025, 10, 5)
    assert moved(by_hand, date(2025, 9, 22)).lock == by_hand.lock
