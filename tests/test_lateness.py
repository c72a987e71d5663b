"""What is late in the whole commune: the coordinator from the third working day, the leader once a week."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from storage.snoozes import put_off
from storage.tables import Obligation, Unit
from storage.waking import sign_of_life
from tests.commune import Commune
from tests.fakes import account, local
from tests.people import obligation_id, set_state
from tests.test_case import opened
from tests.test_digest import (
    days_heard,
    deliver_at,
    edit_day,
    file,
    give_role,
    heard_on,
    obligations,
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
    assert lan.last.splitlines()[1:] == [
        "Cả xã có <b>14 việc quá hạn</b> cần đôn đốc:",
        "• Phòng Kinh tế: 5 việc, lâu nhất quá hạn 10 ngày lịch",
        "• TTPVHCC: 5 việc, lâu nhất quá hạn 5 ngày lịch",
        "• Phòng VH-XH: 3 việc, lâu nhất quá hạn 5 ngày lịch",
        "• Văn phòng: 1 việc, quá hạn 5 ngày lịch",
    ]
    assert lan.labels == ["Ai chưa báo cáo", "Xem tổng hợp"]
    assert "Phòng Kinh tế – 2.8" in lan.taps("Ai chưa báo cáo")


def spread(commune: Commune) -> list[int]:
    """Let each of the 14 things late be of a unit of its own; their ids, the longest overdue first."""
    with commune.store.writing() as db:
        late = [row for code in ("VHXH", *OTHERS) for row in obligations(db, code) if row.state == "not_started"]
        for number, row in enumerate(late):
            name = f"Đơn vị {number}"
            unit = Unit(organization_id=1, code=f"D{number}", name=name, short=name, kind="internal")
            db.add(unit)
            db.flush()
            row.unit_id, row.due_on = unit.id or 0, date(2025, 9, 1) + timedelta(days=number)
        return [row.id or 0 for row in late]


def puts_off(commune: Commune, chat_id: str, one: int, day: int) -> None:
    member_id = account(commune.store, chat_id).member_id or 0
    with commune.store.writing() as db:
        put_off(db, 1, member_id, one, local(day, 7, 30), True, local(16, 9))


def test_of_many_units_the_worst_are_named_and_the_others_counted(commune: Commune) -> None:
    spread(commune)
    ticks_at(commune, local(22, 7, 30))
    _, head, *lines = commune.person("lan").last.splitlines()
    assert "14 việc quá hạn" in head
    assert lines[0] == "• Đơn vị 0: 1 việc, quá hạn 21 ngày lịch"
    assert lines[4:6] == ["• Đơn vị 4: 1 việc, quá hạn 17 ngày lịch", "và 9 đơn vị khác, 9 việc."]
    ticks_at(commune, local(29, 7, 30))
    _, head, *lines = commune.person("chutich").last.splitlines()
    assert len([head, *lines]) == 5
    assert lines[2:] == ["• Đơn vị 2: 1 việc, quá hạn 26 ngày lịch", "và 11 đơn vị khác, 11 việc."]


def test_the_coordinator_sees_what_was_put_off_past_its_day_and_the_leader_does_not(commune: Commune) -> None:
    for task, day in (("2.1", 26), ("2.8", 30)):
        puts_off(commune, "mai", obligation_id(commune, "VHXH", task), day)
    with commune.store.reading() as db:
        of_office = next(row.id or 0 for row in obligations(db, "VP") if row.state == "not_started")
    puts_off(commune, "yen", of_office, 24)
    ticks_at(commune, local(22, 7, 30))
    heard = commune.person("lan").last
    assert "• Phòng VH-XH: 3 việc, lâu nhất quá hạn 5 ngày lịch, 2 việc xin lùi nhắc đến 30/9" in heard
    assert "• Văn phòng: 1 việc, quá hạn 5 ngày lịch, xin lùi nhắc đến 24/9" in heard
    ticks_at(commune, local(29, 7, 30))
    assert "xin lùi" not in commune.person("chutich").last


def test_what_was_put_off_in_a_unit_not_named_is_counted(commune: Commune) -> None:
    newest = spread(commune)[-1]
    puts_off(commune, "mai", newest, 30)
    ticks_at(commune, local(22, 7, 30))
    assert "và 9 đơn vị khác, 9 việc, 1 việc xin lùi nhắc." in commune.person("lan").last


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
    assert leader.last.splitlines()[1:] == [
        "Tuần này cả xã có <b>14 việc quá hạn</b> từ một tuần làm việc trở lên:",
        "• Phòng Kinh tế: 5 việc, lâu nhất quá hạn 12 ngày lịch",
        "• TTPVHCC: 5 việc, lâu nhất quá hạn 12 ngày lịch",
        "• Phòng VH-XH: 3 việc, lâu nhất quá hạn 12 ngày lịch",
        "• Văn phòng: 1 việc, quá hạn 12 ngày lịch",
    ]
    assert leader.labels == ["Xem tổng hợp"]
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


def test_the_leader_hears_of_a_case_that_was_opened_late_with_the_next_week(commune: Commune) -> None:
    for unit in ("VHXH", *OTHERS):
        file(commune, unit)
    commune.clock.moment = local(15, 14)  # a Monday
    opened(commune, event="1/7")
    assert set(ticks_at(commune, local(16))) == {"yen", "son", "lan"}
    assert days_heard(commune, "chutich", run_of(date(2025, 9, 17), 10)) == ["22/9"]


def test_a_monday_that_was_missed_is_made_up_for_whatever_the_unit_does(commune: Commune) -> None:
    one = only(commune)
    heard_on(commune, run_of(date(2025, 9, 8), 20))
    with commune.store.writing() as db:  # Tuesday: the program was down on Monday
        row = db.get_one(Obligation, one)
        sign_of_life(db, row.task_id, row.unit_id, local(30, 7, 0))
    assert "chutich" in ticks_at(commune, local(30, 9))


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
    assert "• Phòng Kinh tế: 1 việc, quá hạn 5 ngày lịch" in commune.person("lan").last
