"""Reporting periods as people name them."""

from __future__ import annotations

import pytest

from plans.periods import read_period


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2025-Q3", "2025-Q3"),
        ("2025-h1", "2025-H1"),
        ("q1", "Q1"),
        ("Quý I", "Q1"),
        ("quý III", "Q3"),
        ("QUY 3", "Q3"),
        ("quý 3/2025", "2025-Q3"),
        ("quý III năm 2025", "2025-Q3"),
        ("6 tháng", "H1"),
        ("6 tháng đầu năm 2025", "2025-H1"),
        ("quý II", "H1"),
        ("Q4", "Y"),
        ("năm 2025", "2025-Y"),
        ("cả năm", "Y"),
    ],
)
def test_a_period_is_read_as_it_is_meant(typed: str, code: str) -> None:
    assert read_period(typed) == code


@pytest.mark.parametrize("typed", ["", "2.9", "quý", "quý 5", "9 tháng", "2025", "25", "unit"])
def test_what_names_no_period_is_not_guessed(typed: str) -> None:
    assert read_period(typed) is None
