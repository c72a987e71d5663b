"""Days as people type them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.days import read_day

MONDAY = date(2025, 9, 15)
DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("20/9", date(2025, 9, 20)),
        ("20/9/2025", date(2025, 9, 20)),
        ("20-09-2025", date(2025, 9, 20)),
        ("20.9", date(2025, 9, 20)),
        ("20 9", date(2025, 9, 20)),
        ("ngày 20", date(2025, 9, 20)),
        ("Ngày 20/9", date(2025, 9, 20)),
        ("20", date(2025, 9, 20)),
        ("10", date(2025, 10, 10)),
        ("31", date(2025, 10, 31)),
        ("5/1", date(2026, 1, 5)),
        ("10/9", date(2025, 9, 10)),  # just past: the caller says so
        ("10/9/2024", date(2024, 9, 10)),
        ("20/9 nhé", date(2025, 9, 20)),
        ("20/9/25", date(2025, 9, 20)),
        ("ngày 20 tháng 9", date(2025, 9, 20)),
        ("20 tháng 9 năm 2025 ạ", date(2025, 9, 20)),
        ("hôm nay", MONDAY),
        ("mai", date(2025, 9, 16)),
        ("Ngày mai", date(2025, 9, 16)),
        ("mốt", date(2025, 9, 17)),
        ("thứ sáu", date(2025, 9, 19)),
        ("THU 6", date(2025, 9, 19)),
        ("t6", date(2025, 9, 19)),
        ("đến thứ sáu", date(2025, 9, 19)),
        ("thứ hai", date(2025, 9, 22)),
        ("chủ nhật", date(2025, 9, 21)),
        ("thứ sáu tuần này", date(2025, 9, 19)),
        ("thứ sáu tuần sau", date(2025, 9, 26)),
        ("thứ tư tuần tới", date(2025, 9, 24)),
    ],
)
def test_a_day_is_read_as_it_is_meant(typed: str, meant: date) -> None:
    assert read_day(typed, MONDAY) == meant


@pytest.mark.parametrize(
    "typed", ["", "tuần sau", "sớm", "29/2/2025", "32/1", "0", "9/2025", "thứ chín", "20/9 hoặc 21/9"]
)
def test_what_names_no_day_is_not_guessed(typed: str) -> None:
    assert read_day(typed, MONDAY) is None


@given(DAYS, DAYS)
def test_a_day_in_full_is_that_day(today: date, day: date) -> None:
    assert read_day(f"{day.day}/{day.month}/{day.year}", today) == day


@given(DAYS, st.sampled_from(["thứ hai", "thứ ba", "thứ tư", "thứ năm", "thứ sáu", "thứ bảy", "chủ nhật"]))
def test_a_weekday_alone_is_within_the_week_to_come(today: date, name: str) -> None:
    day = read_day(name, today)
    assert day is not None
    assert timedelta(days=1) <= day - today <= timedelta(days=7)
