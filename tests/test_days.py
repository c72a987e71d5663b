"""Days as people type them."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.days import BadDay, read_day

MONDAY = date(2025, 9, 15)
DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def fault(typed: str, today: date = MONDAY, is_past: bool = False) -> tuple[object, ...]:
    """Why it is no day: the code, and the day, month and year that no calendar has."""
    with pytest.raises(BadDay) as bad:
        read_day(typed, today, is_past)
    return bad.value.code, *(bad.value.facts.get(part) for part in ("day", "month", "year"))


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
        ("2025-09-20", date(2025, 9, 20)),
        (unicodedata.normalize("NFD", "thứ sáu"), date(2025, 9, 19)),
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
        ("hôm qua", date(2025, 9, 14)),
        ("thứ sáu tuần trước", date(2025, 9, 12)),
    ],
)
def test_a_day_is_read_as_it_is_meant(typed: str, meant: date) -> None:
    assert read_day(typed, MONDAY) == meant


@pytest.mark.parametrize(
    "typed", ["", "tuần sau", "sớm", "32", "0", "9/2025", "thứ chín", "20/9 hoặc 21/9", "2025-9"]
)
def test_what_names_no_day_is_not_guessed(typed: str) -> None:
    assert fault(typed)[0] == "not_a_day"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("3/9", date(2025, 9, 3)),
        ("3/9/2025", date(2025, 9, 3)),
        ("ngày 3 tháng 9 năm 2025 ạ", date(2025, 9, 3)),
        ("3/9/25", date(2025, 9, 3)),
        ("3", date(2025, 9, 3)),
        ("ngày 15", MONDAY),
        ("20", date(2025, 8, 20)),
        ("31", date(2025, 8, 31)),
        ("15/9", MONDAY),
        ("20/9", date(2025, 9, 20)),  # soon to come: the caller says so
        ("5/1", date(2025, 1, 5)),
        ("20/3", date(2025, 3, 20)),
        ("1/4", date(2025, 4, 1)),
        ("25/12", date(2024, 12, 25)),
        ("14/11", date(2025, 11, 14)),
        ("5/11/2024", date(2024, 11, 5)),
        ("3/9/2023", date(2023, 9, 3)),
        ("hôm nay", MONDAY),
        ("HÔM QUA", date(2025, 9, 14)),
        ("hom kia", date(2025, 9, 13)),
        ("mai", date(2025, 9, 16)),
        ("thứ sáu", date(2025, 9, 12)),
        ("thứ hai", date(2025, 9, 8)),
        ("chủ nhật vừa rồi", date(2025, 9, 14)),
        ("thứ sáu tuần trước", date(2025, 9, 12)),
        ("thứ hai tuần rồi", date(2025, 9, 8)),
        ("t6 tuần trước", date(2025, 9, 12)),
        ("thứ hai tuần này", MONDAY),
        ("thứ sáu tuần này", date(2025, 9, 19)),
    ],
)
def test_a_day_that_has_passed_is_read_as_it_is_meant(typed: str, meant: date) -> None:
    assert read_day(typed, MONDAY, is_past=True) == meant


@pytest.mark.parametrize("typed", ["", "tuần trước", "lâu rồi", "0", "qua loa"])
def test_what_names_no_past_day_is_not_guessed(typed: str) -> None:
    assert fault(typed, is_past=True)[0] == "not_a_day"


def test_a_day_and_month_of_last_year_is_found_early_in_this_one() -> None:
    assert read_day("20/12", date(2026, 1, 5), is_past=True) == date(2025, 12, 20)
    assert read_day("20", date(2026, 1, 5), is_past=True) == date(2025, 12, 20)
    assert read_day("29/2", date(2025, 1, 5), is_past=True) == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("typed", "missing"),
    [
        ("29/2/2025", (29, 2, 2025)),
        ("29/2/25", (29, 2, 2025)),
        ("29/2", (29, 2, 2026)),
        ("29 tháng 2 năm 2100", (29, 2, 2100)),
        ("31/4", (31, 4, None)),
        ("31/4/2025", (31, 4, None)),
        ("2025-04-31", (31, 4, None)),
        ("32/1", (32, 1, None)),
        ("5/13", (5, 13, None)),
        ("0/5", (0, 5, None)),
    ],
)
def test_a_day_that_no_calendar_has_is_known(typed: str, missing: tuple[int, int, int | None]) -> None:
    assert fault(typed) == ("no_such_day", *missing)


def test_a_29th_of_february_without_a_year_is_of_the_year_it_would_be() -> None:
    assert fault("29/2", is_past=True) == ("no_such_day", 29, 2, 2025)
    assert fault("29/2", date(2025, 1, 10)) == ("no_such_day", 29, 2, 2025)
    assert read_day("29/2", date(2027, 12, 1)) == date(2028, 2, 29)


@given(DAYS, st.sampled_from(["thứ hai", "thứ ba", "thứ tư", "thứ năm", "thứ sáu", "thứ bảy", "chủ nhật"]))
def test_a_past_weekday_alone_is_within_the_week_before(today: date, name: str) -> None:
    day = read_day(name, today, is_past=True)
    assert day is not None
    assert timedelta(days=1) <= today - day <= timedelta(days=7)


@given(DAYS, st.integers(0, 300))
def test_a_day_and_month_without_a_year_is_the_last_such_day(today: date, days: int) -> None:
    day = today - timedelta(days=days)
    assert read_day(f"{day.day}/{day.month}", today, is_past=True) == day


@given(DAYS, DAYS)
def test_a_day_in_full_is_that_day(today: date, day: date) -> None:
    assert read_day(f"{day.day}/{day.month}/{day.year}", today) == day


@given(DAYS, st.sampled_from(["thứ hai", "thứ ba", "thứ tư", "thứ năm", "thứ sáu", "thứ bảy", "chủ nhật"]))
def test_a_weekday_alone_is_within_the_week_to_come(today: date, name: str) -> None:
    day = read_day(name, today)
    assert day is not None
    assert timedelta(days=1) <= day - today <= timedelta(days=7)
