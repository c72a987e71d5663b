"""The shipped plan says what the commune's plan says, and asks no more than it must."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from plans.burden import burden, works_of
from plans.file import read_plan
from plans.indicators import judge, names_in
from plans.model import PeriodKind, Work

HERE = Path(__file__).parent
PLAN = read_plan(HERE.parent / "plans" / "phu-tan-2025.yaml")
SEED: dict[str, Any] = yaml.safe_load((HERE / "data" / "seed_facts.yaml").read_text(encoding="utf-8"))
TASKS = {task.code: task for task in PLAN.tasks}
SAID: list[dict[str, Any]] = SEED["tasks"]

by_task = pytest.mark.parametrize("said", SAID, ids=[said["code"] for said in SAID])


def folded(text: str) -> str:
    return " ".join(text.split())


def named(name: str) -> str:
    """The code of a unit as the plan's text names it: any capitals, with or without "xã"."""
    codes = {unit.name.casefold(): unit.code for unit in PLAN.units}
    return codes[name.casefold().removesuffix(" (ttpvhcc)").removesuffix(" xã")]


def texts_of(work: Work) -> str:
    return folded(" ".join((work.objective or "", *work.solutions)))


def test_the_plan_has_its_nineteen_tasks_in_order() -> None:
    assert [task.code for task in PLAN.tasks] == [said["code"] for said in SAID]
    assert len(PLAN.tasks) == 19


def test_the_plan_has_its_full_title_and_no_invented_number_or_date() -> None:
    assert PLAN.plan.title.casefold() == SEED["plan_title"].casefold()
    assert (PLAN.plan.number, PLAN.plan.signed_on) == (None, None)
    assert PLAN.plan.effective_from.on == date(2025, 8, 11)
    assert PLAN.plan.effective_from.provisional


@pytest.mark.parametrize("document", SEED["documents"])
def test_every_cited_document_is_named_in_the_basis(document: str) -> None:
    assert any(document in text for text in PLAN.plan.basis)


@by_task
def test_a_task_keeps_the_words_of_the_plan(said: dict[str, Any]) -> None:
    task = TASKS[said["code"]]
    assert task.title == said["title"]
    assert folded(task.objective or "") == said["objective"]
    assert [folded(solution) for solution in task.solutions] == said["solutions"]


@by_task
def test_a_task_has_the_units_of_the_plan(said: dict[str, Any]) -> None:
    task = TASKS[said["code"]]
    assert list(task.lead) == [named(name) for name in said["lead"]]
    assert said["others"] == "các phòng, đơn vị"
    assert task.implement == "all"
    assert task.coordinate == ("all" if "phối hợp" in said["others_as"] else ())


def test_each_unit_leads_as_many_tasks_as_the_plan_gives_it() -> None:
    assert Counter(unit for task in PLAN.tasks for unit in task.lead) == SEED["leads_per_unit"]
    assert SEED["leads_per_unit"] == {"TTPVHCC": 8, "KT": 5, "VHXH": 4, "VP": 2, "VPDKDD": 1}


@by_task
def test_a_task_has_the_deadline_words_of_the_plan(said: dict[str, Any]) -> None:
    assert "/".join(deadline.text for deadline in TASKS[said["code"]].deadlines) == said["deadline"]


def test_only_three_tasks_have_another_deadline_than_the_year() -> None:
    kinds = {code: tuple((d.kind, d.days) for d in task.deadlines) for code, task in TASKS.items()}
    assert {code: kind for code, kind in kinds.items() if kind != (("year", None),)} == {
        "2.2": (("days_after_event", 30),),
        "2.3": (("year", None), ("after_event", None)),
        "2.4": (("continuous", None),),
    }


TARGET_OF_WORDS = {
    "100%": "= 100 %",
    "hoàn thành xử lý trong 30 ngày": "= 100 %",
    "Tối thiểu 98%": ">= 98 %",
    "từ 10% trở lên": ">= 10 %",
    "từ 80% trở lên": ">= 80 %",
    "từ 50% trở lên": ">= 50 %",
    "không có": "= 0 người",
    "không để xảy ra": "= 0 vụ",
    "có thêm": "> baseline đơn vị",
    "nâng cao": "> baseline %",
    "tăng hơn": "> baseline %",
}


@by_task
def test_a_task_has_the_targets_of_the_plan(said: dict[str, Any]) -> None:
    targets = [indicator.target for indicator in TASKS[said["code"]].indicators]
    shown = [f"{target.op} {target.value} {target.unit}" for target in targets if target]
    assert shown == [TARGET_OF_WORDS[words] for words in said["target_words"]]


def test_each_general_responsibility_is_with_its_unit_in_the_words_of_the_plan() -> None:
    ours = [(work.code, list(work.lead), list(work.solutions)) for work in PLAN.responsibilities]
    assert ours == [(said["code"], [named(said["lead"])], said["text"]) for said in SEED["responsibilities"]]


def test_no_sentence_of_the_plans_organising_part_is_lost() -> None:
    assert [texts_of(duty) for duty in PLAN.duties] == SEED["duties"]


@pytest.mark.parametrize(
    ("kind", "data_from", "data_to", "province_due", "lock"),
    [
        ("Q1", date(2024, 12, 15), date(2025, 3, 14), date(2025, 3, 19), date(2025, 3, 20)),
        ("H1", date(2024, 12, 15), date(2025, 6, 14), date(2025, 6, 19), date(2025, 6, 20)),
        ("Q3", date(2025, 6, 15), date(2025, 9, 14), date(2025, 9, 19), date(2025, 9, 20)),
        ("Y", date(2024, 12, 15), date(2025, 12, 14), date(2025, 12, 19), date(2025, 12, 20)),
    ],
)
def test_periods_follow_decree_09_and_end_at_the_ministrys_day(
    kind: PeriodKind, data_from: date, data_to: date, province_due: date, lock: date
) -> None:
    period = next(period for period in PLAN.periods if period.kind == kind)
    assert (period.data_from, period.data_to) == (data_from, data_to)
    assert (period.province_due, period.lock) == (province_due, lock)


@pytest.mark.parametrize(
    ("unit", "questions"),
    [
        ("VHXH", (9, 9, 9, 10)),
        ("KT", (10, 10, 10, 11)),
        ("TTPVHCC", (9, 16, 12, 22)),
        ("VP", (6, 6, 6, 9)),
        ("TTDVTH", (0, 0, 0, 0)),
        ("VPDKDD", (2, 2, 2, 2)),
        ("MTTQ", (0, 0, 0, 0)),
    ],
)
def test_no_unit_is_asked_much_more_than_a_dozen_questions_save_by_eleven_targets_at_the_years_end(
    unit: str, questions: tuple[int, ...]
) -> None:
    asked = burden(PLAN)[unit]
    assert tuple(asked[kind] for kind in ("Q1", "H1", "Q3", "Y")) == questions


@pytest.mark.parametrize("work", works_of(PLAN), ids=lambda work: work.code)
def test_a_formula_uses_known_names_and_no_question_is_asked_for_nothing(work: Work) -> None:
    questions = {q.code for indicator in work.indicators for q in indicator.questions}
    used = {name for indicator in work.indicators for name in names_in(indicator.formula or "0")}
    assert questions <= used
    assert used <= questions | {baseline.code for baseline in work.baselines}


@pytest.mark.parametrize("work", works_of(PLAN), ids=lambda work: work.code)
def test_an_indicator_never_lacks_a_figure_in_a_period_that_asks_for_another(work: Work) -> None:
    asked = {q.code: q.asked for indicator in work.indicators for q in indicator.questions}
    for indicator in work.indicators:
        together = {asked[name] for name in names_in(indicator.formula or "0") if name in asked}
        assert len(together) == 1


@pytest.mark.parametrize("work", works_of(PLAN), ids=lambda work: work.code)
def test_every_figure_is_asked_at_the_years_end_when_its_target_is_judged(work: Work) -> None:
    assert all("Y" in question.asked for indicator in work.indicators for question in indicator.questions)


def test_publication_is_met_only_where_no_channel_lacks_a_procedure() -> None:
    (indicator,) = TASKS["2.3"].indicators
    assert [q.asked for q in indicator.questions] == [("Q1", "H1", "Q3", "Y")] * 2
    for missing, kind in ((0, "met"), (1, "missed")):
        figures = {"due": Decimal(310), "missing": Decimal(missing)}
        assert judge(indicator, figures, {}).kind == kind


def test_satisfaction_is_asked_once_a_year() -> None:
    asked = {q.asked for code in ("3.1", "3.2") for i in TASKS[code].indicators for q in i.questions}
    assert asked == {("Y",)}


def test_outside_bodies_are_only_requested() -> None:
    assert [unit.code for unit in PLAN.units if unit.kind == "requested"] == ["VPDKDD", "MTTQ"]


def blanks() -> Iterator[str]:
    """Places of the plan left empty, as the list of gaps names them."""
    yield from (f"plan.{field}" for field in ("number", "signed_on") if getattr(PLAN.plan, field) is None)
    yield from (f"units[{unit.code}].reports" for unit in PLAN.units if unit.reports is None)
    for task in PLAN.tasks:
        blank = (b.code for b in task.baselines if b.value is None)
        yield from (f"tasks[{task.code}].baselines[{code}].value" for code in blank)
        for i, deadline in enumerate(task.deadlines):
            if deadline.kind == "after_event" and deadline.days is None:
                yield f"tasks[{task.code}].deadlines[{i}].days"


def test_what_the_plan_leaves_blank_is_asked_of_the_coordinator() -> None:
    assert set(blanks()) <= {gap.field for gap in PLAN.gaps}
    assert len(list(blanks())) == 9
