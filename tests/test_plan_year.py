"""A plan loaded for another year: what follows the year moves, what is quoted stays and is listed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.calendar import shipped_calendar, unit_due
from plans.file import read_plan
from plans.model import PlanFile
from plans.year import Renewal, for_year, in_force_from

SHIPPED = Path(__file__).parents[1] / "plans" / "phu-tan-2025.yaml"
YEARS = st.integers(2000, 2100)


def period(**given: Any) -> dict[str, Any]:
    return {
        "kind": "Q1",
        "label": "quý I năm 2025 (15/12/2024–14/3/2025)",
        "data_from": "2024-12-15",
        "data_to": "2025-03-14",
        "province_due": "2025-03-20",
        "compile_days": 2,
        "unit_due": "2025-03-17",
        "lock": "2025-03-31",
    } | given


TASK: dict[str, Any] = {
    "code": "2.9",
    "title": "Giải ngân năm 2025",
    "objective": "Giải ngân 100% vốn.",
    "solutions": ["Theo Nghị định 118/2025/NĐ-CP.", "Theo Nghị quyết số 19."],
    "note": "Kế hoạch năm 2025 không có số này.",
    "deadlines": [{"kind": "date", "text": "ngày 29/02", "on": "2025-11-30"}],
    "indicators": [
        {
            "code": "rate",
            "label": "Tăng so với năm 2024, không kể năm 2021",
            "questions": [{"code": "now", "label": "Vốn năm 2025 theo Kế hoạch 30/5/2025", "unit": "đồng"}],
        }
    ],
    "baselines": [
        {"code": "fixed", "label": "Số năm 2021", "year": 2021, "unit": "đơn vị", "value": 20},
        {"code": "before", "label": "Tỷ lệ năm 2024", "year": 2024, "unit": "%", "value": 82},
        {"code": "start", "label": "Số đầu năm 2025", "year": 2025, "unit": "đơn vị", "value": 3},
    ],
}


def plan_of(year: int = 2025, code: str = "mau-2025", periods: list[dict[str, Any]] | None = None) -> PlanFile:
    return PlanFile.model_validate(
        {
            "organization": {"code": "mau", "name": "Mẫu", "superior": "Tỉnh", "coordinator": "VHXH"},
            "plan": {
                "code": code,
                "title": "Kế hoạch năm 2025",
                "number": "12/KH-UBND",
                "signed_on": "2025-08-20",
                "year": year,
                "effective_from": {"on": "2025-08-11", "note": "ngày ký"},
                "basis": ["Kế hoạch số 41/KH-UBND", "Nghị quyết số 19"],
            },
            "units": [{"code": "VHXH", "name": "Phòng", "short": "VH-XH"}],
            "periods": periods or [period()],
            "tasks": [TASK],
            "gaps": [
                {"field": "number", "question": "Số kế hoạch?", "answer": "12/KH-UBND"},
                {"field": "reports", "question": "Có báo cáo không?"},
            ],
        }
    )


def test_windows_due_days_locks_and_labels_move() -> None:
    (moved,) = for_year(plan_of(), 2027)[0].periods
    assert moved.label == "quý I năm 2027 (15/12/2026–14/3/2027)"
    assert (moved.data_from, moved.data_to) == (date(2026, 12, 15), date(2027, 3, 14))
    assert (moved.province_due, moved.unit_due) == (date(2027, 3, 20), date(2027, 3, 17))
    assert moved.lock == date(2027, 3, 31)


def test_the_new_plan_has_its_own_code_and_awaits_its_number() -> None:
    plan = for_year(plan_of(), 2026)[0].plan
    assert (plan.code, plan.year, plan.number, plan.signed_on) == ("mau-2026", 2026, None, None)
    assert plan.title == "Kế hoạch năm 2025"


@pytest.mark.parametrize(
    ("code", "moved"), [("mau", "mau-2026"), ("2025.mau", "2026.mau"), ("x" * 40, "x" * 35 + "-2026")]
)
def test_the_code_names_the_new_year(code: str, moved: str) -> None:
    assert for_year(plan_of(code=code), 2026)[0].plan.code == moved


def test_the_new_plan_counts_provisionally_from_its_first_window() -> None:
    effective = for_year(plan_of(), 2026)[0].plan.effective_from
    assert (effective.on, effective.provisional, effective.note) == (date(2025, 12, 15), True, None)


def test_constants_of_the_year_and_the_year_before_move_and_are_emptied() -> None:
    fixed, before, start = for_year(plan_of(), 2026)[0].tasks[0].baselines
    assert (fixed.label, fixed.year, fixed.value) == ("Số năm 2021", 2021, Decimal(20))
    assert (before.label, before.year, before.value) == ("Tỷ lệ năm 2025", 2025, None)
    assert (start.label, start.year, start.value) == ("Số đầu năm 2026", 2026, None)


def test_labels_move_but_not_the_documents_named_in_them() -> None:
    (indicator,) = for_year(plan_of(), 2026)[0].tasks[0].indicators
    assert indicator.label == "Tăng so với năm 2025, không kể năm 2021"
    assert indicator.questions[0].label == "Vốn năm 2026 theo Kế hoạch 30/5/2025"


def test_deadline_days_move_and_quoted_text_stays_and_is_listed() -> None:
    moved, renewals = for_year(plan_of(), 2026)
    (task,) = moved.tasks
    assert task.deadlines[0].on == date(2026, 11, 30)
    assert (task.title, task.solutions) == (TASK["title"], tuple(TASK["solutions"]))
    assert renewals == [
        Renewal("mau-2026", "Kế hoạch năm 2025"),
        Renewal("2.9", "Giải ngân năm 2025"),
        Renewal("2.9", "Kế hoạch năm 2025 không có số này."),
        Renewal("2.9", "Theo Nghị định 118/2025/NĐ-CP."),
        Renewal("mau-2026", "Kế hoạch số 41/KH-UBND"),
        Renewal("mau-2026", "Nghị quyết số 19"),
        Renewal("mau-2026", "Số kế hoạch? 12/KH-UBND"),
    ]


@pytest.mark.parametrize(
    ("year", "data_to", "to_year", "moved"),
    [
        (2024, "2024-02-29", 2025, "2025-02-28"),
        (2025, "2025-02-28", 2028, "2028-02-29"),
        (2024, "2024-02-28", 2025, "2025-02-28"),
        (2024, "2024-02-29", 2028, "2028-02-29"),
        (2025, "2025-12-31", 2026, "2026-12-31"),
    ],
)
def test_a_window_to_the_end_of_february_keeps_ending_there(
    year: int, data_to: str, to_year: int, moved: str
) -> None:
    plan = plan_of(year, periods=[period(data_to=data_to)])
    assert for_year(plan, to_year)[0].periods[0].data_to == date.fromisoformat(moved)


def test_a_due_day_on_29_february_becomes_the_28th() -> None:
    plan = plan_of(2024, periods=[period(province_due="2024-02-29")])
    assert for_year(plan, 2025)[0].periods[0].province_due == date(2025, 2, 28)


def test_its_own_year_leaves_a_plan_as_it_is() -> None:
    plan = plan_of()
    assert for_year(plan, 2025) == (plan, [])


@pytest.mark.parametrize("year", [1999, 2101, 0, -1])
def test_years_no_plan_has_are_refused(year: int) -> None:
    with pytest.raises(ValueError, match=str(year)):
        for_year(plan_of(), year)


@pytest.fixture(scope="module")
def shipped() -> PlanFile:
    return read_plan(SHIPPED)


@given(YEARS)
def test_the_shipped_plan_moved_is_a_valid_plan_and_comes_back(shipped: PlanFile, year: int) -> None:
    moved, _ = for_year(shipped, year)
    assert PlanFile.model_validate(moved.model_dump()) == moved
    assert for_year(moved, 2025)[0].periods == shipped.periods


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_the_units_of_the_shipped_plan_report_after_the_window_and_before_the_province(
    shipped: PlanFile, year: int
) -> None:
    for moved in for_year(shipped, year)[0].periods:
        assert moved.data_to < unit_due(moved, shipped_calendar()) < moved.province_due <= moved.lock


def test_a_plan_loaded_within_its_year_owes_nothing_that_ended_before() -> None:
    moved = for_year(plan_of(), 2026)[0]
    assert in_force_from(moved, date(2026, 5, 4)).plan.effective_from.on == date(2026, 5, 4)
    assert in_force_from(moved, date(2025, 12, 1)) == moved
