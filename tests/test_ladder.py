"""The ladder: who hears of what is owed, on which working day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.calendar import Calendar, report_day, shipped_calendar
from plans.model import Ladder, Repeat, Rung, Weekly
from scheduler.ladder import Steps

CALENDAR = shipped_calendar()
DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))
ROLES = ("staff", "head", "coordinator", "leader")
LADDERS = st.builds(
    Ladder,
    rungs=st.lists(st.integers(-15, 15), min_size=1, max_size=6, unique=True).map(
        lambda days: tuple(Rung(days=number, who=("staff",)) for number in sorted(days))
    ),
    repeat=st.none() | st.builds(Repeat, every=st.integers(1, 7), who=st.just(("staff",))),
    weekly=st.none() | st.builds(Weekly, days=st.integers(1, 9), who=st.just(("leader",))),
)
CALENDARS = st.builds(Calendar, days_off=st.frozensets(DAYS, max_size=60))


def rung(due: date, today: date, role: str = "staff") -> int | None:
    found = Steps(Ladder(), today, CALENDAR).reached(role, report_day(due, CALENDAR))
    return found.days if found else None


@pytest.mark.parametrize(
    ("due", "days"),
    [
        # an ordinary fortnight
        (
            date(2025, 9, 17),
            {-7: (9, 8), -3: (9, 12), -1: (9, 16), 0: (9, 17), 1: (9, 18), 6: (9, 25), 9: (9, 30)},
        ),
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


def heard_in_september(role: str) -> list[int | None]:
    return [rung(date(2025, 9, 17), date(2025, 9, day), role) for day in (17, 18, 19, 22, 24, 25, 29, 30)]


def test_the_head_hears_after_the_unit_then_the_coordinator_then_the_leader() -> None:
    assert heard_in_september("head") == [None, 1, 1, 3, 3, 6, 6, 9]
    assert heard_in_september("coordinator") == [None, None, None, 3, 3, 6, 6, 9]
    assert heard_in_september("leader") == [None, None, None, None, None, None, 8, 8]  # of the week's first day


def test_the_leader_hears_on_the_first_working_day_of_a_week() -> None:
    due = date(2025, 8, 20)
    assert rung(due, date(2025, 8, 29), "leader") is None  # the fifth working day after it was on Wednesday
    assert rung(due, date(2025, 9, 3), "leader") == 8  # Monday and Tuesday are off


@given(ladder=LADDERS, calendar=CALENDARS, due=DAYS, today=DAYS)
def test_after_any_downtime_only_the_newest_rung_is_left(
    ladder: Ladder, calendar: Calendar, due: date, today: date
) -> None:
    effective = report_day(due, calendar)
    found = Steps(ladder, today, calendar).reached("staff", effective)
    days = [one.days for one in ladder.rungs]
    if ladder.repeat is not None:
        days += range(max(days) + ladder.repeat.every, 600, ladder.repeat.every)
    reached = [number for number in days if calendar.shift(effective, number) <= today]
    assert (found.days if found else None) == max(reached, default=None)
    if found is not None:
        assert found.on == calendar.shift(effective, found.days)


@given(ladder=LADDERS, calendar=CALENDARS, due=DAYS, today=DAYS)
def test_no_rung_comes_before_the_next_look(ladder: Ladder, calendar: Calendar, due: date, today: date) -> None:
    effective = report_day(due, calendar)
    now = Steps(ladder, today, calendar)
    next_on = now.next_on(effective) or today + timedelta(days=40)
    assert next_on > today
    day = today + timedelta(days=1)
    while day < min(next_on, today + timedelta(days=40)):
        then = Steps(ladder, day, calendar)
        for role in ("staff", "leader"):
            was = now.reached(role, effective)
            assert then.reached(role, effective) == was
        day += timedelta(days=1)


@given(due=DAYS)
def test_it_goes_on_until_it_is_done(due: date) -> None:
    far = Steps(Ladder(), due + timedelta(days=400), CALENDAR)
    assert far.next_on(report_day(due, CALENDAR)) is not None
