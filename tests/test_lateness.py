"""What is late in the whole commune: the coordinator from the third working day, the leader once a week."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pytest

from storage.tables import Obligation
from tests.commune import Commune
from tests.fakes import local
from tests.people import obligation_id, set_state
from tests.test_digest import (
    days_heard,
    deliver_at,
    edit_day,
    file,
    give_role,
    heard_on,
    owe,
    plan,
    run_of,
    ticks_at,
)

OTHERS = ("KT", "TTPVHCC", "VP")


def only(commune: Commune, unit: str = "VHXH", task: str = "2.1") -> int:
    """Let the commune owe just this one report of quarter III, due on Wednesday 17/9."""
    for code in ("VHXH", *OTHERS):
        file(commune, code)
    one = obligation_id(commune, unit, task)
    set_state(commune, one, "not_started")
    return one


def test_the_ladder_to_its_end_and_every_third_working_day_until_it_is_done(commune: Commune) -> None:
    only(commune)
    heard = heard_on(commune, run_of(date(2025, 9, 8), 30))
    assert {chat_id: heard[chat_id] for chat_id in ("mai", "hung", "lan", "chutich")} == {
        "mai": ["8/9", "12/9", "16/9", "17/9", "18/9", "25/9", "30/9", "1/10", "3/10"],  # 1/10: silence
        "hung": ["18/9", "22/9", "25/9", "30/9", "3/10"],
        "lan": ["22/9", "25/9", "30/9", "3/10"],
        "chutich": ["29/9", "6/10"],
    }
    file(commune, "VHXH")
    assert {"hung", "lan", "chutich"} & set(heard_on(commune, run_of(date(2025, 10, 8), 10))) == set()


def test_the_coordinator_hears_of_the_whole_commune_in_one_message(commune: Commune) -> None:
    for task, due_on in (("2.8", date(2025, 9, 12)), ("2.9", date(2025, 9, 15))):
        with commune.store.writing() as db:
            db.get_one(Obligation, obligation_id(commune, "KT", task)).due_on = due_on
    ticks_at(commune, local(22, 7, 30))
    lan = commune.person("lan")
    first, *items = [line for line in lan.last.splitlines() if "quá hạn" in line]
    assert "14 việc quá hạn</b> cần đôn đốc, lâu nhất:" in first
    assert [line.rpartition(":")[2] for line in items] == [f" quá hạn {days} ngày" for days in (10, 7, 5, 5, 5)]
    assert "và 9 việc khác." in lan.last
    assert lan.labels[0] == "Báo cáo 2.8 · Phòng Kinh tế"
    assert lan.labels[-1] == "Ai chưa báo cáo"
    assert "Phòng Kinh tế – 2.8" in lan.taps("Ai chưa báo cáo")


def test_what_is_late_is_counted_at_the_moment_of_reading(commune: Commune) -> None:
    ticks_at(commune, local(22, 7, 30))
    assert "14 việc quá hạn" in commune.person("lan").last
    file(commune, "KT")
    ticks_at(commune, local(25, 7, 30))
    assert "việc quá hạn" in commune.person("lan").last
    assert "Phòng Kinh tế" not in commune.person("lan").last


def test_the_leader_reads_the_worst_first_with_a_button_to_the_summary(commune: Commune) -> None:
    assert "chutich" in ticks_at(commune, local(29, 7, 30))
    leader = commune.person("chutich")
    assert "Tuần này cả xã có <b>14 việc quá hạn</b> từ một tuần làm việc trở lên, lâu nhất:" in leader.last
    assert leader.labels == ["Xem tổng hợp"]
    assert "và 9 việc khác." in leader.last
    assert "Xong 8/22 báo cáo" in leader.taps("Xem tổng hợp")


@pytest.mark.parametrize(
    ("days_off", "down", "heard"),
    [
        ((), (), ["29/9", "6/10"]),
        ((date(2025, 9, 29),), (), ["30/9", "6/10"]),
        ((), (date(2025, 9, 29), date(2025, 9, 30)), ["1/10", "6/10"]),
        (tuple(run_of(date(2025, 9, 29), 5)), (), ["6/10"]),
    ],
)
def test_the_leader_hears_on_the_first_working_day_of_a_week(
    commune: Commune, days_off: Iterable[date], down: tuple[date, ...], heard: list[str]
) -> None:
    for day in days_off:
        edit_day(commune, day, is_working=False)
    only(commune)
    days = [day for day in run_of(date(2025, 9, 22), 19) if day not in down]
    assert days_heard(commune, "chutich", days) == heard


def test_a_week_of_less_than_five_working_days_late_is_no_news_to_the_leader(commune: Commune) -> None:
    one = only(commune)
    with commune.store.writing() as db:
        db.get_one(Obligation, one).due_on = date(2025, 9, 23)
    assert days_heard(commune, "chutich", run_of(date(2025, 9, 22), 19)) == ["6/10"]


def test_the_leader_hears_once_a_week_whatever_becomes_late_within_it(commune: Commune) -> None:
    only(commune)
    assert days_heard(commune, "chutich", run_of(date(2025, 9, 26), 5)) == ["29/9"]
    for row in ("2.9", "2.8"):  # given back in the middle of the week
        again = obligation_id(commune, "KT", row)
        with commune.store.writing() as db:
            owed = db.get_one(Obligation, again)
            owed.state, owed.look_on = "returned", date(1970, 1, 1)
    heard = heard_on(commune, run_of(date(2025, 10, 1), 6))
    assert "lan" in heard
    assert heard["chutich"] == ["6/10"]


def test_a_coordinator_who_is_also_staff_gets_one_message_with_both(commune: Commune) -> None:
    give_role(commune, "lan", "KT", "staff")
    assert "lan" in ticks_at(commune, local(22, 7, 30))
    text = commune.person("lan").last
    assert text.index("Phòng Kinh tế còn") < text.index("Cả xã có <b>14 việc quá hạn</b>")
    assert len(commune.person("lan").tokens) == len(set(commune.person("lan").tokens)) <= 8
    assert ticks_at(commune, local(22, 8, 0)) == []


def test_a_leader_who_is_also_head_hears_the_unit_s_days_and_the_week_s(commune: Commune) -> None:
    give_role(commune, "chutich", "VHXH", "head")
    only(commune)
    assert days_heard(commune, "chutich", run_of(date(2025, 9, 17), 15)) == [
        "18/9",
        "22/9",
        "25/9",
        "29/9",
        "30/9",
    ]


def test_a_second_coordinator_hears_the_same(commune: Commune) -> None:
    give_role(commune, "mattran", "VHXH", "coordinator")
    assert {"lan", "mattran"} < set(ticks_at(commune, local(22, 7, 30)))
    assert commune.person("mattran").last == commune.person("lan").last


def test_an_outside_body_is_never_late(commune: Commune) -> None:
    for unit in ("VHXH", *OTHERS):
        file(commune, unit)
    owe(commune, "VPDKDD")
    assert set(heard_on(commune, run_of(date(2025, 9, 18), 12))) & {"lan", "chutich", "phuc"} == set()


def test_an_observer_hears_nothing_unasked(commune: Commune) -> None:
    owe(commune, "VPDKDD")
    assert "mattran" not in heard_on(commune, run_of(date(2025, 9, 5), 30))


def test_the_line_of_what_was_filed_a_second_before_is_left_out(commune: Commune) -> None:
    one = only(commune)
    other = obligation_id(commune, "KT", "2.9")
    set_state(commune, other, "not_started")
    plan(commune, local(22, 7, 30))
    set_state(commune, one, "submitted")
    assert "lan" in deliver_at(commune, local(22, 7, 31))
    assert "1 việc quá hạn" in commune.person("lan").last
    assert commune.person("lan").tokens[0] == f"/report {other}"
