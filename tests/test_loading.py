"""Loading a plan: periods and obligations follow from it; loading again keeps what was reported and edited."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import Session, SQLModel, col, select

from bot.assemble import PLAN
from plans.burden import questions_for, works_of
from plans.calendar import shipped_calendar, shipped_days
from plans.file import read_plan
from plans.model import Deadline, PlanFile, Rung
from plans.year import for_year
from storage.calendar import load_calendar
from storage.loading import load_plan
from storage.owed import current_period, owed_until
from storage.store import Store
from storage.tables import Baseline, CalendarDay, Obligation, Organization, Period, Plan, Task, Unit
from tests.commune import Commune
from tests.fakes import local
from tests.test_digest import STAFF, ticks_at

NOW = local(15)
Key = tuple[str, str, str]
"""(task, unit, period) by their codes"""


@pytest.fixture(scope="module")
def plan() -> PlanFile:
    return read_plan(PLAN)


def load(store: Store, plan: PlanFile) -> None:
    with store.writing() as db:
        organization = load_plan(db, plan, shipped_calendar(), "Asia/Ho_Chi_Minh", NOW)
        assert organization.id is not None
        days = [(day.day, day.working, day.name, day.official) for day in shipped_days()]
        load_calendar(db, organization.id, days)


def everything(store: Store) -> dict[str, list[Any]]:
    """Every row of every table, but the ids of rows that are laid anew and when the plan was loaded."""
    anew = ("assignment.id", "indicator.id", "plan.loaded_at", "obligation.wakes")
    with store.reading() as db:
        return {
            name: sorted(
                repr([value for column, value in row._mapping.items() if f"{name}.{column}" not in anew])
                for row in db.connection().execute(table.select())
            )
            for name, table in SQLModel.metadata.tables.items()
        }


def obligations(db: Session) -> dict[Key, Obligation]:
    found = (
        select(Task.code, Unit.code, Period.code, Obligation)
        .join(Task, col(Task.id) == Obligation.task_id)
        .join(Unit, col(Unit.id) == Obligation.unit_id)
        .join(Period, col(Period.id) == Obligation.period_id)
    )
    return {(task, unit, period): row for task, unit, period, row in db.exec(found)}


def states(store: Store) -> dict[Key, tuple[str, str | None]]:
    with store.reading() as db:
        return {key: (row.state, row.reason) for key, row in obligations(db).items()}


def change(store: Store, key: Key, **values: object) -> None:
    with store.writing() as db:
        row = obligations(db)[key]
        for name, value in values.items():
            setattr(row, name, value)


def without_lead(plan: PlanFile, task: str, unit: str) -> PlanFile:
    """The plan with a unit taken from a task."""
    tasks = tuple(
        work.model_copy(update={"lead": tuple(code for code in work.lead if code != unit)})
        if work.code == task
        else work
        for work in plan.tasks
    )
    return plan.model_copy(update={"tasks": tasks})


def effective(plan: PlanFile, on: date) -> PlanFile:
    head = plan.plan.model_copy(update={"effective_from": plan.plan.effective_from.model_copy(update={"on": on})})
    return plan.model_copy(update={"plan": head})


def test_loading_again_changes_nothing(store: Store, plan: PlanFile) -> None:
    before = everything(store)
    load(store, plan)
    load(store, plan)
    assert everything(store) == before


def test_what_is_expected_follows_from_the_assignments(store: Store, plan: PlanFile) -> None:
    expected = {
        (work.code, unit.code, f"2025-{period.kind}")
        for work in works_of(plan)
        for unit in plan.units
        for period in plan.periods
        if questions_for(plan, work, unit.code, period.kind)
    }
    assert set(states(store)) == expected


def test_what_ended_before_the_plan_took_effect_is_not_owed(store: Store) -> None:
    by_period: dict[str, set[tuple[str, str | None]]] = {}
    for (_, _, period), state in states(store).items():
        by_period.setdefault(period, set()).add(state)
    assert by_period["2025-Q1"] == by_period["2025-H1"] == {("not_owed", "before_effective")}
    assert by_period["2025-Y"] == {("not_started", None)}
    assert by_period["2025-Q3"] == {("not_started", None), ("submitted", None)}


def test_when_its_real_date_is_known_what_is_owed_follows(store: Store, plan: PlanFile) -> None:
    before = states(store)
    load(store, effective(plan, date(2025, 6, 1)))
    moved = states(store)
    assert {state for (_, _, period), state in moved.items() if period == "2025-H1"} == {
        ("not_started", None),
        ("submitted", None),  # entered as past figures
    }
    assert moved["2.7", "VHXH", "2025-Q3"] == ("submitted", None)
    load(store, plan)
    kept = {key for key in before if moved[key][0] == "submitted" and before[key][0] == "not_owed"}
    after = states(store)
    assert {key for key in before if after[key] != before[key]} == kept


def test_a_unit_taken_from_a_task_owes_it_no_more(store: Store, plan: PlanFile) -> None:
    key = ("2.13", "VHXH", "2025-Y")
    load(store, without_lead(plan, "2.13", "VHXH"))
    assert states(store)[key] == ("not_owed", "not_assigned")
    load(store, plan)
    assert states(store)[key] == ("not_started", None)


def test_what_it_had_reported_stays(store: Store, plan: PlanFile) -> None:
    load(store, without_lead(plan, "2.7", "VHXH"))
    assert states(store)["2.7", "VHXH", "2025-Q3"] == ("submitted", None)


def test_a_task_that_left_the_plan_is_owed_no_more(store: Store, plan: PlanFile) -> None:
    left = plan.model_copy(update={"tasks": tuple(work for work in plan.tasks if work.code != "2.9")})
    load(store, left)
    found = {key: state for key, state in states(store).items() if key[0] == "2.9"}
    assert {state for (_, _, period), state in found.items() if period in ("2025-Q3", "2025-Y")} == {
        ("not_owed", "not_assigned")
    }
    load(store, plan)
    assert states(store)["2.9", "KT", "2025-Y"] == ("not_started", None)


def test_what_the_coordinator_decided_stays(store: Store, plan: PlanFile) -> None:
    key = ("2.9", "KT", "2025-Y")
    change(store, key, state="not_owed", reason="giao đơn vị khác")
    load(store, plan)
    assert states(store)[key] == ("not_owed", "giao đơn vị khác")


def test_a_day_off_given_by_hand_moves_the_day_units_report(store: Store, plan: PlanFile) -> None:
    edit_day(store, date(2025, 9, 18), is_working=False)
    change(store, ("2.9", "KT", "2025-Q3"), extended_to=date(2025, 9, 25))
    load(store, plan)
    with store.reading() as db:
        period = db.exec(select(Period).where(Period.code == "2025-Q3")).one()
        found = obligations(db)
    assert period.unit_due == date(2025, 9, 16)
    assert found["2.11", "KT", "2025-Q3"].due_on == date(2025, 9, 16)
    assert found["2.9", "KT", "2025-Q3"].extended_to == date(2025, 9, 25)
    assert found["2.11", "KT", "2025-Y"].due_on == date(2025, 12, 17)


def test_a_day_edited_by_hand_stays_as_it_was_edited(store: Store, plan: PlanFile) -> None:
    edit_day(store, date(2025, 9, 2), is_working=True)
    load(store, plan)
    with store.reading() as db:
        row = db.exec(select(CalendarDay).where(CalendarDay.day == date(2025, 9, 2))).one()
    assert (row.is_working, row.name) == (True, "sửa tay")


def test_a_constant_filled_in_by_hand_stays(store: Store, plan: PlanFile) -> None:
    with store.writing() as db:
        row = db.exec(select(Baseline).where(col(Baseline.value).is_(None))).first()
        assert row is not None
        row.value, row_id = "123.5", row.id
    load(store, plan)
    with store.reading() as db:
        assert db.get_one(Baseline, row_id).value == "123.5"


def edit_day(store: Store, day: date, is_working: bool) -> None:
    with store.writing() as db:
        row = db.exec(select(CalendarDay).where(CalendarDay.day == day)).first()
        if row is None:
            organization_id = db.exec(select(Organization.id)).one()
            assert organization_id is not None
            row = CalendarDay(organization_id=organization_id, day=day, name="")
        row.is_working, row.name = is_working, "sửa tay"
        db.add(row)


def test_next_years_plan_puts_the_old_one_away(store: Store, plan: PlanFile) -> None:
    moved, _ = for_year(plan, 2026)
    later = datetime(2026, 2, 2, 1, 0, tzinfo=UTC)
    with store.writing() as db:
        organization = load_plan(db, moved, shipped_calendar(), "Asia/Ho_Chi_Minh", later)
        assert organization.id is not None
        assert all(item.period_code.startswith("2026") for item in owed_until(db, organization.id, None, date.max))
        period = current_period(db, organization.id, later.date())
    assert period is not None
    assert period.code == "2026-Q1"


def test_a_day_that_the_plan_names_is_owed_by_each_lead_and_done_like_a_case(
    commune: Commune, plan: PlanFile
) -> None:
    work = next(task for task in plan.tasks if task.code == "2.9")
    dated = Deadline(kind="date", text="trước ngày 30 tháng 11", on=date(2025, 11, 30))  # a Sunday
    tasks = tuple(
        task.model_copy(update={"deadlines": (*task.deadlines, dated)}) if task is work else task
        for task in plan.tasks
    )
    for _ in range(2):  # loaded again it is the same
        load(commune.store, plan.model_copy(update={"tasks": tasks}))
    commune.clock.moment = datetime(2025, 11, 28, 1, 0, tzinfo=UTC)
    commune.ticks()
    tuan = commune.person("tuan")
    assert f"• 2.9 {work.title[:20]}" in tuan.last
    assert "Thực hiện giải ngân" in tuan.says("/vuviec")
    card = tuan.taps(next(label for label in tuan.labels if "2.9" in label))
    assert "<b>Hạn hôm nay</b>" in card
    assert "Thời hạn kế hoạch ghi: trước ngày 30 tháng 11" in card
    assert "Ngày phát sinh" not in card
    assert "Đã xong" in tuan.labels
    tuan.taps("Cập nhật")
    assert tuan.labels == ["Ghi diễn biến", "Ngày phải xong", "Dừng"]
    tuan.says("/huy")
    load(commune.store, plan)
    assert "giải ngân" not in tuan.says("/vuviec")


def test_another_day_for_what_the_plan_names_is_asked_for_also_where_it_counts_days_too(
    commune: Commune, plan: PlanFile
) -> None:
    dated = Deadline(kind="date", text="xong trước 30/10/2025", on=date(2025, 10, 30))
    tasks = tuple(
        task.model_copy(update={"deadlines": (*task.deadlines, dated)}) if task.code == "2.2" else task
        for task in plan.tasks
    )
    load(commune.store, plan.model_copy(update={"tasks": tasks}))
    yen = commune.person("yen")
    yen.says("/vuviec")
    yen.taps(next(label for label in yen.labels if "2.2" in label))
    yen.plays(("[Cập nhật]", "?"), ("[Ngày phải xong]", "Đang ghi: <b>30/10/2025</b>"))
    assert "30/10/2025 → <b>thứ Sáu, 31/10/2025</b>" in yen.says("31/10")


def test_a_plan_loaded_with_another_ladder_reminds_the_same_day(commune: Commune, plan: PlanFile) -> None:
    assert ticks_at(commune, local(8, 9)) == STAFF
    assert ticks_at(commune, local(9, 9)) == []
    sooner = Rung(days=-6, who=("staff",))
    ladder = plan.ladder.model_copy(update={"rungs": (*plan.ladder.rungs, sooner)})
    load(commune.store, plan.model_copy(update={"ladder": ladder}))
    assert ticks_at(commune, local(9, 10)) == STAFF
    load(commune.store, plan)
    assert ticks_at(commune, local(9, 11)) == ticks_at(commune, local(10, 9)) == []


def test_a_plan_taken_out_of_the_archive_reminds_the_same_day(commune: Commune, plan: PlanFile) -> None:
    with commune.store.writing() as db:
        db.exec(select(Plan)).one().is_archived = True
    assert ticks_at(commune, local(8, 9)) == []
    load(commune.store, plan)
    assert ticks_at(commune, local(8, 10)) == STAFF


def test_what_a_plan_loaded_again_gives_back_is_reminded_of_the_same_day(commune: Commune, plan: PlanFile) -> None:
    load(commune.store, plan.model_copy(update={"tasks": (), "duties": (), "responsibilities": ()}))
    assert ticks_at(commune, local(8, 9)) == []
    load(commune.store, plan)
    assert ticks_at(commune, local(8, 10)) == STAFF
