"""A plan file is read whole, or refused with the line of everything wrong in it."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.burden import burden, questions_for, reporting_units
from plans.calendar import shipped_calendar
from plans.export import export
from plans.file import Fault, PlanFaults, read_plan
from plans.model import PeriodKind, PlanFile

SHIPPED = Path(__file__).parents[1] / "plans" / "phu-tan-2025.yaml"
SAMPLE = """\
organization:
  code: xa-mau
  name: UBND xã Mẫu
  superior: UBND tỉnh
  coordinator: VHXH
plan:
  code: xa-mau-2025
  title: Kế hoạch năm 2025
  year: 2025
  effective_from: {on: 2025-08-11}
units:
  - {code: VHXH, name: Phòng Văn hóa – Xã hội, short: VH-XH}
  - {code: KT, name: Phòng Kinh tế, short: KT}
  - {code: TTDV, name: Trung tâm dịch vụ, short: TTDV, reports: null}
  - {code: DD, name: Chi nhánh đất đai, short: ĐĐ, kind: requested}
periods:
  - kind: Q3
    label: quý III năm 2025
    data_from: 2025-06-15
    data_to: 2025-09-14
    province_due: 2025-09-20
    compile_days: 2
    lock: 2025-09-25
tasks:
  - code: 2.1
    title: Vấn đề phát hiện qua kiểm tra
    lead: [VHXH, DD]
    implement: all
    coordinate: all
    deadlines:
      - {kind: year, text: năm 2025}
      - {kind: date, text: ngày 30 tháng 11, on: 2025-11-30}
      - {kind: days_after_event, text: trong 30 ngày, days: 30}
    indicators:
      - code: rate
        label: Tỷ lệ xử lý
        questions:
          - {code: found, label: Số vấn đề phát hiện, unit: vấn đề}
          - {code: handled, label: Số vấn đề đã xử lý, unit: vấn đề, part_of: found}
          - {code: money, label: Số tiền, unit: triệu đồng, type: money, by: each, asked: [Q3]}
        formula: handled / found
        target: {op: =, value: 100, unit: "%"}
  - code: 2.10
    title: Hài lòng
    lead: [KT]
    indicators:
      - code: rate
        label: Tỷ lệ hài lòng
        questions:
          - {code: satisfied, label: Tỷ lệ, unit: "%", type: pct, asked: [Y]}
        formula: satisfied - last_year
        target: {op: ">", value: baseline, baseline: last_year, unit: "%"}
    baselines:
      - {code: last_year, label: Tỷ lệ năm 2024, year: 2024, unit: "%", value: 82.5}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


def read(folder: Path, content: str | bytes) -> PlanFile:
    path = folder / "plan.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_plan(path)


def faults(folder: Path, content: str | bytes) -> list[Fault]:
    with pytest.raises(PlanFaults) as refused:
        read(folder, content)
    assert refused.value.path == folder / "plan.yaml"
    return refused.value.faults


def changed(*changes: tuple[str, str]) -> str:
    content = SAMPLE
    for old, new in changes:
        assert old in content
        content = content.replace(old, new, 1)
    return content


def marked_lines(content: str) -> list[int]:
    return [number for number, line in enumerate(content.splitlines(), 1) if "# !" in line]


@pytest.fixture(scope="module")
def plan(folder: Path) -> PlanFile:
    return read(folder, SAMPLE)


def test_a_sound_plan_is_read_as_it_is_written(plan: PlanFile) -> None:
    first, second = plan.tasks
    assert (first.code, second.code) == ("2.1", "2.10")
    assert plan.plan.effective_from.on == date(2025, 8, 11)
    assert first.indicators[0].target
    assert first.indicators[0].target.op == "="
    assert second.baselines[0].value == Decimal("82.5")
    assert [unit.reports for unit in plan.units] == [True, True, None, True]


def test_the_shipped_plan_is_sound() -> None:
    assert len(read_plan(SHIPPED).tasks) == 19


PERIODS = SAMPLE[SAMPLE.index("periods:") : SAMPLE.index("tasks:")]
ONE_FAULT: list[tuple[str, str, str, dict[str, Any]]] = [
    # the shape
    ("    label: quý III năm 2025\n", "", "missing_field", {"field": "label"}),
    ("  year: 2025", "  year: 2025\n  yaer: 2025  # !", "unknown_field", {"field": "yaer", "given": "2025"}),
    ("tasks:", "decimals: 2  # !\ntasks:", "unknown_field", {"field": "decimals"}),
    ("tasks:", "[a, b]: 2  # !\ntasks:", "unknown_field", {"field": "?"}),
    ("  year: 2025", "  year:   # !", "not_whole", {"field": "year"}),
    ("compile_days: 2\n", "compile_days: 2.5  # !\n", "not_whole", {"given": "2.5"}),
    (
        "year: 2025",
        "year: 1925  # !",
        "out_of_range",
        {"field": "year", "given": "1925", "least": 2000, "most": None},
    ),
    ("kind: Q3", "kind: Q2  # !", "not_one_of", {"given": "Q2", "allowed": ["Q1", "H1", "Q3", "Y"]}),
    ("code: 2.1\n", "code: mục 2.1  # !\n", "bad_code", {"field": "code", "given": "mục 2.1"}),
    ("title: Hài lòng", 'title: ""  # !', "empty_text", {"field": "title"}),
    ("title: Hài lòng", "title:   # !", "not_text", {"field": "title"}),
    ("lock: 2025-09-25", "lock: 2025-02-30  # !", "not_a_date", {"field": "lock", "given": "2025-02-30"}),
    ("on: 2025-11-30}", "on: 30/11/2025}  # !", "not_a_date", {"field": "on", "given": "30/11/2025"}),
    ("value: 100, unit", 'value: một trăm, unit: "%"}  # !\n    #', "not_a_number", {"field": "value"}),
    ("reports: null}", "reports: maybe}  # !", "not_yes_no", {"field": "reports", "given": "maybe"}),
    ("implement: all", "implement: everyone  # !", "not_a_list", {"field": "implement", "given": "everyone"}),
    ("{on: 2025-08-11}", "2025-08-11  # !", "not_a_section", {"field": "effective_from"}),
    ("  year: 2025", "  year: 2025\n  title: Bản cũ  # !", "repeated_key", {"field": "title"}),
    ("value: 82.5}", "value: nan}  # !", "wrong_value", {"field": "value", "given": "nan"}),
    # the sense
    (PERIODS, "periods: []  # !\n", "no_periods", {}),
    ("code: TTDV,", "code: VHXH,  # !\n    ", "duplicate_code", {"kind": "unit", "name": "VHXH"}),
    ("code: 2.10", "code: 2.1  # !", "duplicate_code", {"kind": "task", "name": "2.1"}),
    (
        "code: money,",
        "code: found,  # !\n            ",
        "duplicate_code",
        {"kind": "question", "name": "found"},
    ),
    (
        "    baselines:\n",
        "    baselines:\n      - {code: satisfied, label: x, year: 2024, unit: x}  # !\n",
        "duplicate_code",
        {"kind": "baseline", "name": "satisfied"},
    ),
    ("code: money,", "code: so-tien,  # !\n            ", "bad_name", {"kind": "question", "name": "so-tien"}),
    ("code: money,", "code: max,  # !\n            ", "bad_name", {"kind": "question", "name": "max"}),
    ("unit: triệu đồng,", "unit: công trình,  # !\n            ", "bad_money_unit", {"given": "công trình"}),
    ("coordinator: VHXH", "coordinator: VP  # !", "unknown_unit", {"field": "coordinator", "name": "VP"}),
    ("[VHXH, DD]", "[VHXH, VP]  # !", "unknown_unit", {"field": "lead", "name": "VP"}),
    ("implement: all", "implement: [KT, VP]  # !", "unknown_unit", {"field": "implement", "name": "VP"}),
    ("coordinate: all", "coordinate: [VP]  # !", "unknown_unit", {"field": "coordinate", "name": "VP"}),
    ("[VHXH, DD]", "[VHXH, VHXH]  # !", "repeated_unit", {"field": "lead", "name": "VHXH"}),
    ("lead: [KT]", "lead: []", "nobody_asked", {"name": "satisfied"}),
    ("handled / found", "handled / foud  # !", "unknown_name", {"name": "foud", "formula": "handled / foud"}),
    ("handled / found", "handled / (found  # !", "bad_formula", {"formula": "handled / (found"}),
    ("handled / found", "handled ** 2  # !", "bad_formula", {"formula": "handled ** 2"}),
    ("        formula: handled / found\n", "", "target_without_formula", {"name": "rate"}),
    ("part_of: found}", "part_of: lost}  # !", "unknown_question", {"name": "lost"}),
    ("part_of: found}", "part_of: money}  # !", "part_before_whole", {"name": "money"}),
    ("part_of: found}", "part_of: handled}  # !", "part_before_whole", {"name": "handled"}),
    ("baseline: last_year,", "baseline: past,  # !\n         ", "unknown_baseline", {"name": "past"}),
    (", baseline: last_year", "", "target_without_baseline", {"name": "rate"}),
    (", on: 2025-11-30", "", "deadline_without_day", {}),
    (", days: 30", "", "deadline_without_days", {}),
    (
        "- {kind: year, text: năm 2025}",
        "- {kind: year, text: năm 2025,\n         case: {label: A, event: B, fields: [{code: a, label: A}]}}  # !",
        "case_without_event",
        {"given": "year"},
    ),
    (
        "days: 30}",
        "days: 30, case: {label: A, event: B,\n"
        "         fields: [{code: a, label: A},\n         {code: a, label: B}]}}  # !",
        "duplicate_code",
        {"kind": "field", "name": "a"},
    ),
    (
        "days: 30}",
        "days: 30,\n        case: {label: A, event: B, fields: []}}  # !",
        "empty_list",
        {"field": "fields"},
    ),
    ("days: 30}", "days: 30,\n        case: {label: A, fields: [{code: a, label: A}]}}  # !", "missing_field", {}),
    ("days: 30}", "days: 0}  # !", "out_of_range", {"field": "days", "given": 0, "least": 1}),
    (
        "data_from: 2025-06-15",
        "data_from: 2025-12-15  # !",
        "reversed_window",
        {"data_to": date(2025, 9, 14)},
    ),
    (
        "data_to: 2025-09-14",
        "data_to: 2026-09-14  # !",
        "window_outside_year",
        {"data_to": date(2026, 9, 14)},
    ),
    (
        "province_due: 2025-09-20",
        "province_due: 2025-09-16  # !",
        "due_before_data_end",
        {"data_to": date(2025, 9, 14), "unit_due": date(2025, 9, 12)},
    ),
    (
        "lock: 2025-09-25",
        "lock: 2025-09-19  # !",
        "dates_out_of_order",
        {"earlier": "province_due", "first": date(2025, 9, 20), "later": "lock", "then": date(2025, 9, 19)},
    ),
    (
        "periods:\n",
        "ladder:\n  rungs:\n    - {days: 1, who: [staff]}\n    - {days: 1, who: [head, staff]}  # !\nperiods:\n",
        "two_a_day",
        {"role": "staff", "days": 1},
    ),
    (
        "periods:\n",
        "ladder:\n  rungs:\n    - {days: 0, who: [staff, coordinator]}  # !\nperiods:\n",
        "heard_too_early",
        {"role": "coordinator", "days": 0},
    ),
    (
        "periods:\n",
        "ladder:\n  weekly: {days: 3, who: [leader, head]}  # !\nperiods:\n",
        "two_a_day_weekly",
        {"role": "head"},
    ),
]


@pytest.mark.parametrize(("old", "new", "code", "facts"), ONE_FAULT)
def test_a_fault_is_named_with_its_line(
    folder: Path, old: str, new: str, code: str, facts: dict[str, Any]
) -> None:
    content = changed((old, new))
    (fault,) = faults(folder, content)
    assert fault.code == code
    assert facts.items() <= fault.facts.items()
    assert [fault.line] == (marked_lines(content) or [fault.line])


@pytest.mark.parametrize(
    ("removed", "line"),
    [
        ("    label: quý III năm 2025\n", "  - kind: Q3"),
        ("  superior: UBND tỉnh\n", "organization:"),
        (", baseline: last_year", '        target: {op: ">"'),
        (", on: 2025-11-30", "      - {kind: date"),
    ],
)
def test_what_is_missing_is_named_where_it_belongs(folder: Path, removed: str, line: str) -> None:
    content = changed((removed, ""))
    (fault,) = faults(folder, content)
    assert content.splitlines()[fault.line - 1].startswith(line)


def test_every_fault_is_found_at_once_and_none_that_follows_from_another(folder: Path) -> None:
    content = changed(
        ("superior: UBND tỉnh", "superior:   # !"),
        ("year: 2025\n", "year: MMXXV  # !\n"),
        ("code: KT, name: Phòng Kinh tế, short: KT}", "code: KT, name: Phòng Kinh tế, short: ''}  # !"),
        ("data_from: 2025-06-15", "data_from: 2025-12-15  # !"),
        ("title: Vấn đề phát hiện qua kiểm tra", "title:   # !"),
        ("lead: [VHXH, DD]", "lead: [VHXH, VP]  # !"),
        ("on: 2025-11-30}", "on: 2025-11-31}  # !"),
        (
            "code: found, label: Số vấn đề phát hiện, unit: vấn đề}",
            "code: found, label: '', unit: x, mode: C}  # !",
        ),
        ("value: 100,", "value: hết,  # !\n         "),
        ("baseline: last_year,", "baseline: past,  # !\n         "),
    )
    assert [fault.line for fault in faults(folder, content)] == marked_lines(content)


NO_PLAN: list[tuple[str | bytes, int, str]] = [
    ("", 0, "empty_file"),
    ("# chưa có gì\n", 0, "empty_file"),
    ("- một\n- hai\n", 1, "not_a_plan"),
    ("plan:\n  code: [a\nunits: []\n", 3, "bad_yaml"),
    ("plan:\n\tcode: a\n", 2, "bad_yaml"),
    ("plan: a\n---\nplan: b\n", 2, "bad_yaml"),
    ("target: {op: >=}\n", 1, "bad_yaml"),
    ("plan:\n  code: \x07\n", 2, "bad_character"),
    ("plan:\n  title: Kế hoạch\n".encode("utf-16"), 1, "not_utf8"),
    (b"plan:\n  title: K\xea\n", 2, "not_utf8"),
    ("plan: &plan [*plan]\n", 0, "too_deep"),
    ("[" * 1000, 0, "too_deep"),
]


@pytest.mark.parametrize(("content", "line", "code"), NO_PLAN)
def test_what_is_no_plan_at_all_is_refused(folder: Path, content: str | bytes, line: int, code: str) -> None:
    (fault,) = faults(folder, content)
    assert (fault.line, fault.code) == (line, code)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path, code in [(tmp_path / "none.yaml", "missing_file"), (tmp_path, "a_folder")]:
        with pytest.raises(PlanFaults) as refused:
            read_plan(path)
        assert [fault.code for fault in refused.value.faults] == [code]


def test_windows_marks_at_the_start_and_line_ends_do_no_harm(folder: Path, plan: PlanFile) -> None:
    assert read(folder, b"\xef\xbb\xbf" + SAMPLE.replace("\n", "\r\n").encode()) == plan


WORDS = re.findall(r"[^\s{}\[\],]+", SAMPLE)


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from([*WORDS, "", "null", "[]", "- x"])), max_size=4))
def test_however_a_plan_is_mangled_it_is_read_or_refused(folder: Path, changes: list[tuple[str, str]]) -> None:
    content = SAMPLE
    for old, new in changes:
        content = content.replace(old, new, 1)
    found: list[Fault] = []
    try:
        read(folder, content)
    except PlanFaults as refused:
        found = refused.faults
    assert all(0 <= fault.line <= len(content.splitlines()) for fault in found)


@pytest.mark.parametrize(
    ("unit", "kind", "codes"),
    [
        ("VHXH", "Q3", ["found", "handled", "money"]),
        ("VHXH", "Y", ["found", "handled"]),
        ("DD", "Q3", ["found", "handled", "money"]),
        ("KT", "Q3", ["money"]),
        ("KT", "Y", []),
        ("TTDV", "Q3", []),
    ],
)
def test_a_lead_answers_all_and_the_others_what_each_unit_reports(
    plan: PlanFile, unit: str, kind: PeriodKind, codes: list[str]
) -> None:
    assert [question.code for question in questions_for(plan, plan.tasks[0], unit, kind)] == codes


def test_the_burden_counts_what_each_unit_is_asked_in_each_period(plan: PlanFile) -> None:
    assert burden(plan) == {"VHXH": {"Q3": 3}, "KT": {"Q3": 1}, "TTDV": {"Q3": 0}, "DD": {"Q3": 3}}
    assert reporting_units(plan, plan.tasks[0]) == ["VHXH", "KT", "DD"]
    assert reporting_units(plan, plan.tasks[1]) == []


def test_the_export_has_the_promised_form(plan: PlanFile) -> None:
    shown = export(plan, shipped_calendar())
    assert json.loads(json.dumps(shown)) == shown
    assert list(shown) == ["plan", "units", "periods", "tasks", "responsibilities", "duties", "gaps"]
    assert shown["plan"]["effective_from"]["on"] == "2025-08-11"
    assert shown["units"][3] == {"code": "DD", "name": "Chi nhánh đất đai", "kind": "requested"}
    assert shown["periods"] == [
        {
            "code": "2025-Q3",
            "from": "2025-06-15",
            "to": "2025-09-14",
            "unit_due": "2025-09-17",
            "province_due": "2025-09-20",
            "lock": "2025-09-25",
        }
    ]


def test_an_exported_task_has_its_leads_deadlines_questions_and_targets(plan: PlanFile) -> None:
    first, second = export(plan, shipped_calendar())["tasks"]
    assert (first["lead"], first["implement"], first["coordinate"]) == (["VHXH", "DD"], "all", ["KT"])
    assert first["deadlines"] == [
        {"kind": "year"},
        {"kind": "date", "on": "2025-11-30"},
        {"kind": "days_after_event", "days": 30},
    ]
    assert first["indicators"][0]["target"] == {"op": "=", "value": 100, "unit": "%"}
    question = {"code": "satisfied", "label": "Tỷ lệ", "unit": "%", "type": "pct", "mode": "C", "by": "lead"}
    assert second["indicators"][0]["questions"] == [question]
    assert second["indicators"][0]["target"] == {"op": ">", "value": "baseline", "unit": "%"}
    assert second["baselines"][0]["value"] == 82.5
