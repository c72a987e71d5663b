"""Ranges of days are read as offices write them, and shown as ranges."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.calendar import Calendar, NamedDay, shipped_calendar, shipped_days
from plans.days import BadDay
from plans.spans import Span, in_a_row, read_span, refusal, stored_span

TODAY = date(2025, 9, 15)
DAYS = st.dates(date(2025, 9, 15), date(2030, 12, 31))
LENGTHS = st.integers(1, 29)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("14/2", "2026-02-14", "2026-02-14"),
        ("14-2", "2026-02-14", "2026-02-14"),
        ("14/2-22/2", "2026-02-14", "2026-02-22"),
        ("14/2 – 22/2", "2026-02-14", "2026-02-22"),
        ("14-22/2", "2026-02-14", "2026-02-22"),
        ("14.2 - 22.2", "2026-02-14", "2026-02-22"),
        ("14/2 đến 22/2/2026", "2026-02-14", "2026-02-22"),
        ("14/2/2026 ĐẾN 22/2", "2026-02-14", "2026-02-22"),
        ("Từ ngày 14/2 đến hết ngày 22/2 ạ", "2026-02-14", "2026-02-22"),
        ("14 tháng 2 đến 22 tháng 2 năm 2027", "2027-02-14", "2027-02-22"),
        ("14/2 tới 22", "2026-02-14", "2026-02-22"),
        ("28-3/3", "2026-02-28", "2026-03-03"),
        ("1-5/10", "2025-10-01", "2025-10-05"),
        ("30/12-2/1", "2025-12-30", "2026-01-02"),
        ("30/12 đến 2/1/2027", "2026-12-30", "2027-01-02"),
        ("29/2/2028", "2028-02-29", "2028-02-29"),
        ("2026-02-14", "2026-02-14", "2026-02-14"),
        ("2026-02-14..2026-02-22", "2026-02-14", "2026-02-22"),
        ("mai", "2025-09-16", "2025-09-16"),
        ("thứ sáu", "2025-09-19", "2025-09-19"),
    ],
)
def test_days_and_ranges_are_read_as_they_are_typed(typed: str, first: str, last: str) -> None:
    assert read_span(typed, TODAY) == Span(day(first), day(last))


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("31/2", "no_such_day"),
        ("29/2", "no_such_day"),
        ("29/2/2026", "no_such_day"),
        ("31/4 đến 3/5", "no_such_day"),
        ("10/13", "no_such_day"),
        ("2026-02-30", "no_such_day"),
        ("22/2/2026 đến 14/2/2026", "days_reversed"),
        ("Tết", "not_a_day"),
        ("5 đến 7", "not_a_day"),
        ("1/10-31/10", "too_many_days"),
        ("14/2/2026 đến 14/2/9926", "too_many_days"),
        ("", "not_a_day"),
        ("-", "not_a_day"),
    ],
)
def test_what_is_no_day_is_told_apart(typed: str, code: str) -> None:
    with pytest.raises(BadDay) as bad:
        read_span(typed, TODAY)
    assert bad.value.code == code


def test_a_day_that_does_not_exist_comes_with_the_days_there_are() -> None:
    with pytest.raises(BadDay) as bad:
        read_span("29/2", TODAY)
    assert bad.value.facts == {"day": 29, "month": 2, "year": 2026, "most": 28}


def test_a_range_holds_both_its_ends_and_nothing_beside() -> None:
    span = Span(day("2026-02-14"), day("2026-02-22"))
    assert (span.length, day("2026-02-14") in span, day("2026-02-22") in span) == (9, True, True)
    assert day("2026-02-13") not in span
    assert day("2026-02-23") not in span


@given(DAYS, LENGTHS)
def test_what_is_written_in_full_is_read_as_it_was_meant(first: date, length: int) -> None:
    span = Span(first, first + timedelta(days=length))
    a, b = (f"{one.day}/{one.month}/{one.year}" for one in (span.first, span.last))
    assert read_span(f"{a}-{b}", TODAY) == read_span(f"từ {a} đến {b}", TODAY) == span
    assert stored_span(str(span)) == read_span(str(span), TODAY) == span


@given(st.text(max_size=30) | st.text("0123456789/-. đến", max_size=20))
def test_whatever_is_typed_is_a_span_in_order_or_a_fault(typed: str) -> None:
    try:
        span = read_span(typed, TODAY)
    except BadDay:
        return
    assert span.first <= span.last


@pytest.mark.parametrize(
    ("typed", "is_working", "code"),
    [
        ("14/9", False, "past"),
        ("15/9", False, None),
        ("20/9", False, "already_off"),  # a Saturday
        ("19/9-22/9", False, None),
        ("20/9", True, None),
        ("19/9-20/9", True, "already_working"),
        ("22/9", True, "already_working"),
        ("1/10-30/10", False, None),
        ("1/1", True, None),  # a day off may be worked
        ("1/1", False, "already_off"),
        ("20/9/2027", False, "far"),
        ("31/12/9999", True, "far"),
    ],
)
def test_what_cannot_be_entered_is_refused(typed: str, is_working: bool, code: str | None) -> None:
    refused = refusal(read_span(typed, TODAY), is_working, shipped_calendar(), TODAY)
    assert (refused and refused[0]) == code


def test_days_that_follow_one_another_are_shown_as_ranges() -> None:
    rows = [day for day in shipped_days() if day.day.year == 2026]
    shown = [(one.first, one.last) for one in in_a_row(reversed(rows))]
    assert (day("2026-02-14"), day("2026-02-22")) in shown
    assert (day("2026-01-10"), day("2026-01-10")) in shown
    assert len(shown) == 8


@given(st.frozensets(DAYS, max_size=30), st.sampled_from(["a", "b"]))
def test_ranges_hold_every_day_once(days: frozenset[date], name: str) -> None:
    spans = in_a_row(NamedDay(one, False, name, True) for one in days)
    listed = [one for span in spans for one in Span(span.first, span.last).days]
    assert listed == sorted(days)


@given(st.frozensets(DAYS, max_size=9), st.frozensets(DAYS, max_size=9), DAYS, st.booleans())
def test_what_is_set_holds_and_can_be_taken_back(
    off: frozenset[date], worked: frozenset[date], one: date, is_working: bool
) -> None:
    calendar = Calendar(off - worked, worked - off)
    assert calendar.with_days([one], is_working).is_working(one) is is_working
    if one not in off | worked:
        assert calendar.with_days([one], is_working).without([one]) == calendar
