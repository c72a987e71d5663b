"""Silence: work of the whole year of which nothing was heard for weeks is asked about, not too often."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import col, select

from storage.chats import set_reachable
from storage.reports import submit
from storage.tables import Obligation, Period, Reminder, Task, Unit
from storage.waking import sign_of_life
from tests.commune import Commune
from tests.fakes import account, local
from tests.people import obligation_id, set_state
from tests.test_digest import days_heard, deliver_at, edit_day, plan, run_of, ticks_at

FAR = date(2025, 12, 31)


def quiet(commune: Commune, alive_at: datetime, due_on: date = FAR, unit: str = "VHXH", **facts: object) -> int:
    """Let the commune owe a single thing, of the whole year, with its last sign of life at this instant."""
    with commune.store.writing() as db:
        for row in db.exec(select(Obligation)):
            row.state = "submitted"
        year = db.exec(
            select(Obligation)
            .join(Unit, col(Unit.id) == Obligation.unit_id)
            .join(Period, col(Period.id) == Obligation.period_id)
            .where(Unit.code == unit, Period.code == "2025-Y")
            .order_by(col(Obligation.id))
        ).first()
        assert year is not None
        year.state, year.due_on, year.alive_at = "not_started", due_on, alive_at
        for name, value in facts.items():
            setattr(year, name, value)
        return year.id or 0


def asked(commune: Commune) -> list[str]:
    """The days on which somebody was asked, and after how many weeks."""
    with commune.store.reading() as db:
        rows = db.exec(select(Reminder).where(Reminder.kind == "silent").order_by(col(Reminder.id))).all()
        return [f"{row.due_on.day}/{row.due_on.month}: {row.rung}" for row in rows if row.sent_at]


def test_after_six_weeks_on_the_first_working_day_of_a_month(commune: Commune) -> None:
    quiet(commune, local(1, month=4))
    heard = days_heard(commune, "mai", run_of(date(2025, 4, 2), 150))
    assert heard == ["2/6", "1/7", "1/8"]
    assert asked(commune) == ["2/6: 8", "1/7: 13", "1/8: 17"]
    assert "Lâu chưa có tin về 1 nhiệm vụ trong năm:" in commune.person("mai").last
    assert "17 tuần (hạn 31/12)" in commune.person("mai").last


@pytest.mark.parametrize(("alive", "is_asked"), [(date(2025, 4, 21), True), (date(2025, 4, 22), False)])
def test_a_day_less_than_six_weeks_is_not_long(commune: Commune, alive: date, is_asked: bool) -> None:
    quiet(commune, local(alive.day, 9, month=alive.month))
    assert bool(days_heard(commune, "mai", run_of(date(2025, 6, 2), 7))) is is_asked


def test_twice_a_month_and_sooner_in_the_last_quarter(commune: Commune) -> None:
    quiet(commune, local(11), due_on=date(2026, 2, 27))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 12), 105)) == [
        "16/10",
        "3/11",
        "17/11",
        "1/12",
        "16/12",
    ]


def test_nothing_is_asked_when_the_due_day_is_within_four_weeks(commune: Commune) -> None:
    quiet(commune, local(1, month=4), due_on=date(2025, 8, 29))
    assert days_heard(commune, "mai", run_of(date(2025, 7, 1), 45)) == ["1/7"]
    assert asked(commune) == ["1/7: 13"]
    assert "20/8" in days_heard(commune, "mai", run_of(date(2025, 8, 15), 7))  # the ladder comes


def test_any_sign_of_life_resets_it(commune: Commune) -> None:
    one = quiet(commune, local(1, month=4))
    assert days_heard(commune, "mai", run_of(date(2025, 5, 30), 10)) == ["2/6"]
    with commune.store.writing() as db:
        owed = db.get_one(Obligation, one)
        sign_of_life(db, owed.task_id, owed.unit_id, local(3, month=6))
    assert days_heard(commune, "mai", run_of(date(2025, 6, 9), 60)) == ["1/8"]
    assert asked(commune)[-1] == "1/8: 8"


def test_an_answer_to_one_question_is_a_sign_of_life(commune: Commune) -> None:
    one = quiet(commune, local(1, month=4))
    commune.clock.moment = local(2, 9, month=6)
    commune.ticks()
    mai = commune.person("mai")
    assert mai.tokens == [f"/report {one}"]
    mai.taps(mai.labels[0])
    before = life(commune, one)
    commune.clock.moment = local(2, 10, month=6)
    mai.says("5")
    assert (before, life(commune, one)) == (local(1, month=4), local(2, 10, month=6))


def test_a_report_of_a_quarter_is_a_sign_of_life_for_the_year(commune: Commune) -> None:
    one = quiet(commune, local(1, month=4))
    with commune.store.writing() as db:
        year = db.get_one(Obligation, one)
        same = select(Obligation).where(Obligation.task_id == year.task_id, Obligation.unit_id == year.unit_id)
        quarter = next(row.id for row in db.exec(same) if row.id != one)
        mai = account(commune.store, "mai").member_id or 0
        submit(db, quarter or 0, {}, [], None, mai, False, local(20, month=5))
    assert days_heard(commune, "mai", run_of(date(2025, 6, 1), 40)) == ["1/7"]
    assert asked(commune) == ["1/7: 6"]


def life(commune: Commune, one: int) -> datetime | None:
    with commune.store.reading() as db:
        return db.get_one(Obligation, one).alive_at


def test_a_draft_left_lying_is_asked_about_again(commune: Commune) -> None:
    quiet(commune, local(1, month=4), state="draft")
    assert days_heard(commune, "mai", run_of(date(2025, 6, 1), 30)) == ["2/6"]
    assert "Lâu chưa có tin" in commune.person("mai").last


def test_a_word_a_second_before_it_is_sent_stops_it(commune: Commune) -> None:
    one = quiet(commune, local(1, month=4))
    plan(commune, local(2, 7, 30, month=6))
    with commune.store.writing() as db:
        owed = db.get_one(Obligation, one)
        sign_of_life(db, owed.task_id, owed.unit_id, local(2, 7, 31, month=6))
    assert deliver_at(commune, local(2, 7, 32, month=6)) == []


def test_a_first_day_missed_is_made_up_for_within_a_week_and_not_later(commune: Commune) -> None:
    quiet(commune, local(1, month=4))
    assert days_heard(commune, "mai", run_of(date(2025, 6, 5), 20)) == ["5/6"]
    assert days_heard(commune, "mai", run_of(date(2025, 7, 8), 20)) == []
    assert asked(commune) == ["2/6: 8"]


def test_it_is_asked_once_even_when_the_calendar_moves_the_day(commune: Commune) -> None:
    quiet(commune, local(1, month=4))
    assert ticks_at(commune, local(2, 9, month=6)) == ["mai"]
    edit_day(commune, date(2025, 6, 2), is_working=False)
    assert days_heard(commune, "mai", run_of(date(2025, 6, 3), 20)) == []


def test_an_outside_body_is_never_asked_about_silence(commune: Commune) -> None:
    quiet(commune, local(1, month=4), unit="VPDKDD")
    assert days_heard(commune, "phuc", run_of(date(2025, 6, 1), 40)) == []


def test_what_is_promised_has_its_own_day(commune: Commune) -> None:
    quiet(commune, local(1, month=4), state="submitted", promised_on=date(2025, 11, 5))
    assert days_heard(commune, "mai", run_of(date(2025, 6, 1), 40)) == []


def test_only_the_nearest_of_a_task_is_asked_about(commune: Commune) -> None:
    one = quiet(commune, local(1, month=4))
    with commune.store.writing() as db:
        year = db.get_one(Obligation, one)
        same = select(Obligation).where(Obligation.task_id == year.task_id, Obligation.unit_id == year.unit_id)
        nearer = next(row for row in db.exec(same) if row.id != one)
        nearer.state, nearer.due_on, nearer.alive_at = "not_started", date(2025, 10, 15), local(1, month=4)
        task = db.get_one(Task, year.task_id).code
    assert days_heard(commune, "mai", run_of(date(2025, 6, 1), 20)) == ["2/6"]
    assert asked(commune) == ["2/6: 8"]
    assert commune.person("mai").tokens == [f"/report {nearer.id}"]
    assert task in commune.person("mai").last


def test_what_stood_behind_a_promised_figure_is_asked_about_weeks_after_that_came(commune: Commune) -> None:
    quiet(commune, local(1), unit="TTPVHCC")  # 2.3 of the year
    nearer = obligation_id(commune, "TTPVHCC", "2.3")
    set_state(commune, nearer, "not_started")
    commune.clock.moment = local(9, 9)
    thao = commune.person("thao")
    thao.plays((f"/report {nearer}", "1/2. "), ("b", "Ngày nào"), ("30/9", "?"), ("gửi", "hẹn ngày 30/9"))
    assert days_heard(commune, "thao", run_of(date(2025, 9, 10), 23)) == ["30/9", "1/10"]  # only the promise
    commune.clock.moment = local(3, 8, month=10)
    thao.plays((f"/report {nearer}", "?"), ("120", "2/2. "), ("0", "Gửi báo cáo này?"))
    assert "thao" not in ticks_at(commune, local(3, 9, month=10))
    assert "Đã gửi mục 2.3" in thao.says("gửi")
    assert days_heard(commune, "thao", run_of(date(2025, 10, 4), 70)) == ["3/11", "17/11", "1/12"]
    assert "Lâu chưa có tin về 1 nhiệm vụ trong năm:" in thao.last


def test_the_head_is_asked_where_no_staff_can_be(commune: Commune) -> None:
    quiet(commune, local(1, month=4))
    with commune.store.writing() as db:
        set_reachable(db, commune.account_id("mai"), False)
    assert "hung" in ticks_at(commune, local(2, 9, month=6))
    assert ticks_at(commune, local(2, 9, month=6) + timedelta(hours=1)) == []
