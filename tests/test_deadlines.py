"""Due days that change, promised days, absences, a whole year of play: who hears what, and nobody twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import Session, col, select

from bot.transactions import Transactions
from plans.model import Ladder, Rung
from scheduler.digest import due_now, write_digests
from scheduler.tick import Ticker
from storage.absences import add_absence, end_absence
from storage.calendar import calendar_of, set_days
from storage.chats import set_reachable
from storage.looking import keep_looks
from storage.reports import submit
from storage.snoozes import put_off
from storage.store import Store
from storage.tables import NEXT_TICK, Absence, Membership, Obligation, Organization, Plan, Reminder, Unit
from storage.waking import move_due, wake
from tests.commune import Commune
from tests.fakes import account, local
from tests.people import obligation_id, set_state
from tests.test_digest import (
    days_heard,
    deliver_at,
    file,
    give_role,
    heard_on,
    plan,
    run_of,
    ticks_at,
)

UNITS = ("VHXH", "KT", "TTPVHCC", "VP")


@pytest.fixture
def one(commune: Commune) -> int:
    """All the commune owes soon: 2.1 of VHXH, due on Wednesday 17/9; nothing has been silent for long."""
    for unit in UNITS:
        file(commune, unit)
    with commune.store.writing() as db:
        for row in db.exec(select(Obligation)):
            row.alive_at = local(1)
    found = obligation_id(commune, "VHXH", "2.1")
    set_state(commune, found, "not_started")
    return found


def change(commune: Commune, one: int, how: Callable[[Obligation], object]) -> None:
    with commune.store.writing() as db:
        how(db.get_one(Obligation, one))
        wake(db, [one])


def told(commune: Commune, chat_id: str = "mai") -> list[tuple[int, str]]:
    """(rung, day it counts from) of what was delivered to somebody, in order."""
    member_id = account(commune.store, chat_id).member_id
    with commune.store.reading() as db:
        rows = db.exec(select(Reminder).where(Reminder.member_id == member_id).order_by(col(Reminder.id)))
        return [
            (row.rung, f"{row.due_on.day}/{row.due_on.month}") for row in rows if row.sent_at and row.kind == "due"
        ]


def test_moved_later_what_is_ahead_is_planned_anew_and_what_was_sent_stays(commune: Commune, one: int) -> None:
    assert days_heard(commune, "mai", run_of(date(2025, 9, 8), 5)) == ["8/9", "12/9"]
    change(commune, one, lambda owed: move_due(owed, date(2025, 9, 24), date(2025, 9, 15)))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 15), 12)) == ["15/9", "19/9", "23/9", "24/9", "25/9"]
    assert told(commune) == [
        *((-7, "17/9"), (-3, "17/9")),
        *((-7, "24/9"), (-3, "24/9"), (-1, "24/9"), (0, "24/9"), (1, "24/9")),
    ]


def test_rungs_that_would_have_been_before_the_move_are_not_sent(commune: Commune, one: int) -> None:
    assert days_heard(commune, "mai", run_of(date(2025, 9, 16), 1)) == ["16/9"]
    change(commune, one, lambda owed: move_due(owed, date(2025, 9, 24), date(2025, 9, 17)))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 17), 9)) == ["19/9", "23/9", "24/9", "25/9"]


def test_when_it_was_late_and_is_moved_later_nobody_hears_that_it_is_late(commune: Commune, one: int) -> None:
    assert {"mai", "hung"} == set(ticks_at(commune, local(18, 9)))
    change(commune, one, lambda owed: move_due(owed, date(2025, 9, 26), date(2025, 9, 18)))
    assert heard_on(commune, run_of(date(2025, 9, 19), 10)) == {"mai": ["23/9", "25/9", "26/9"]}


def test_moved_earlier_the_newest_rung_alone_worded_for_now(commune: Commune, one: int) -> None:
    ticks_at(commune, local(8, 9))
    change(commune, one, lambda owed: move_due(owed, date(2025, 9, 9), date(2025, 9, 8)))
    assert ticks_at(commune, local(8, 10)) == []  # one a day
    assert ticks_at(commune, local(10, 9)) == ["hung", "mai"]
    assert "quá hạn 1 ngày lịch" in commune.person("mai").last
    assert told(commune) == [(-7, "17/9"), (1, "9/9")]


def test_a_moved_day_whose_rung_was_told_the_same_day_is_not_told_again(commune: Commune, one: int) -> None:
    ticks_at(commune, local(16, 9))
    change(commune, one, lambda owed: move_due(owed, date(2025, 9, 19), date(2025, 9, 16)))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 16), 5)) == ["18/9", "19/9"]


def test_a_day_off_announced_late_moves_what_is_planned(commune: Commune, one: int) -> None:
    assert days_heard(commune, "mai", run_of(date(2025, 9, 8), 5)) == ["8/9", "12/9"]
    with commune.store.writing() as db:
        set_days(db, 1, [date(2025, 9, 17)], False, "nghỉ bù", date(2025, 9, 15))
    with commune.store.reading() as db:
        assert db.get_one(Obligation, one).due_on == date(2025, 9, 16)  # two working days before the province's
    assert days_heard(commune, "mai", run_of(date(2025, 9, 15), 5)) == ["15/9", "16/9", "18/9"]
    assert [rung for rung, _ in told(commune)] == [-7, -3, -1, 0, 1]


def test_a_day_off_between_moves_the_rungs_of_a_day_that_stays(commune: Commune, one: int) -> None:
    change(commune, one, lambda owed: setattr(owed, "extended_to", date(2025, 9, 24)))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 12), 4)) == ["15/9"]
    with commune.store.writing() as db:
        set_days(db, 1, [date(2025, 9, 22)], False, "nghỉ bù", date(2025, 9, 16))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 16), 10)) == ["18/9", "23/9", "24/9", "25/9"]


def test_a_promised_figure_is_owed_until_it_is_in(commune: Commune, one: int) -> None:
    with commune.store.writing() as db:
        row = db.get_one(Obligation, one)
        row.state, row.promised_on = "submitted", date(2025, 9, 24)
    assert heard_on(commune, run_of(date(2025, 9, 15), 12)) == {"mai": ["24/9", "25/9"], "hung": ["25/9"]}
    assert "quá hẹn 1 ngày lịch</b> (hẹn 24/9):" in commune.person("hung").last
    assert "còn thiếu số" in commune.person("hung").last
    assert "lan" in heard_on(commune, [date(2025, 9, 29)])
    assert "quá hẹn 5 ngày lịch" in commune.person("lan").last
    set_state(commune, one, "submitted")
    change(commune, one, lambda owed: setattr(owed, "promised_on", None))
    assert "mai" not in heard_on(commune, [date(2025, 9, 30)])


def test_a_figure_promised_for_a_sunday_is_asked_for_on_monday(commune: Commune, one: int) -> None:
    with commune.store.writing() as db:
        row = db.get_one(Obligation, one)
        row.state, row.promised_on = "submitted", date(2025, 9, 21)
    assert heard_on(commune, run_of(date(2025, 9, 15), 9)) == {"mai": ["22/9", "23/9"], "hung": ["23/9"]}


def test_a_promise_in_a_correction_is_asked_for_too(commune: Commune, one: int) -> None:
    mai = account(commune.store, "mai").member_id or 0
    set_state(commune, one, "submitted")
    ticks_at(commune, local(15, 9))  # it is settled
    with commune.store.writing() as db:
        submit(db, one, {}, [], date(2025, 9, 24), mai, False, local(15, 10))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 16), 10)) == ["24/9", "25/9"]


@pytest.mark.parametrize("how", ["downtime", "every half hour"])
def test_over_several_rungs_only_the_newest_goes_out(commune: Commune, one: int, how: str) -> None:
    moments = [local(8, 9), local(22, 10)]
    if how == "every half hour":
        moments += [local(22, 10) + timedelta(minutes=30 * number) for number in range(1, 10)]
    came = [ticks_at(commune, moment) for moment in moments]
    assert came == [["mai"], ["hung", "lan", "mai"], *([[]] * (len(moments) - 2))]
    assert told(commune) == [(-7, "17/9"), (1, "17/9")]


def test_who_comes_back_after_the_last_step_of_a_short_ladder_hears_where_it_stands(
    commune: Commune, one: int
) -> None:
    with commune.store.writing() as db:
        short = Ladder(rungs=(Rung(days=0, who=("staff",)),), repeat=None, weekly=None, silence=None)
        db.exec(select(Plan)).one().ladder = short.model_dump(mode="json")
        set_reachable(db, commune.account_id("mai"), False)
    assert days_heard(commune, "hung", run_of(date(2025, 9, 15), 6)) == ["17/9"]  # in the place of staff
    mai = commune.person("mai")
    mai.says("/nhiemvu")
    assert days_heard(commune, "mai", run_of(date(2025, 9, 22), 4)) == ["22/9"]
    assert "quá hạn 5 ngày" in mai.last


async def test_two_processes_ticking_at_once_after_downtime_send_once(store: Store) -> None:
    commune = Commune(store, local(22, 10))
    transactions = [Transactions(store) for _ in range(2)]
    tickers = [Ticker(one.write, one.read, commune.clock.now, lambda: None) for one in transactions]
    await asyncio.gather(*(ticker.tick() for ticker in [*tickers, *tickers]))
    assert all(len(bubbles) == 1 for bubbles in commune.deliver().values())
    with store.reading() as db:
        lines = Counter(
            (row.member_id, row.obligation_id, row.kind, row.rung) for row in db.exec(select(Reminder))
        )
    assert set(lines.values()) == {1}


def away(commune: Commune, chat_id: str, first: int, last: int, stand_in: str | None) -> int:
    members = [account(commune.store, name).member_id if name else None for name in (chat_id, stand_in)]
    with commune.store.writing() as db:
        return add_absence(db, 1, members[0] or 0, date(2025, 9, first), date(2025, 9, last), members[1])


def test_reminders_move_to_who_stands_in_and_back_and_none_is_sent_again(commune: Commune, one: int) -> None:
    away(commune, "mai", 9, 16, "hung")
    assert heard_on(commune, run_of(date(2025, 9, 8), 11)) == {
        "mai": ["8/9", "17/9", "18/9"],
        "hung": ["12/9", "16/9", "18/9"],
    }
    assert [rung for rung, _ in told(commune)] == [-7, -3, -1, 0, 1]


def test_who_stands_in_for_who_stands_in(commune: Commune, one: int) -> None:
    give_role(commune, "yen", "VHXH", "observer")
    away(commune, "mai", 8, 12, "hung")
    away(commune, "hung", 10, 12, "yen")
    assert heard_on(commune, run_of(date(2025, 9, 8), 5)) == {"hung": ["8/9"], "yen": ["12/9"]}


def test_where_nobody_stands_in_the_head_hears_as_staff_do(commune: Commune, one: int) -> None:
    away(commune, "mai", 9, 15, None)
    assert heard_on(commune, run_of(date(2025, 9, 8), 9)) == {"mai": ["8/9", "16/9"], "hung": ["9/9", "12/9"]}


def test_where_others_of_the_unit_are_there_the_head_does_not(commune: Commune, one: int) -> None:
    give_role(commune, "yen", "VHXH", "staff")
    away(commune, "mai", 9, 15, None)
    assert heard_on(commune, run_of(date(2025, 9, 9), 5)) == {"yen": ["9/9", "12/9"]}


def test_an_absence_ended_early_gives_back_what_is_still_to_come(commune: Commune, one: int) -> None:
    absence = away(commune, "mai", 8, 19, "hung")
    assert heard_on(commune, run_of(date(2025, 9, 8), 5)) == {"hung": ["8/9", "12/9"]}
    with commune.store.writing() as db:
        end_absence(db, absence, date(2025, 9, 15))
    assert heard_on(commune, run_of(date(2025, 9, 15), 3)) == {"mai": ["16/9", "17/9"]}


def test_who_is_away_hears_nothing_also_of_what_waits_to_be_sent(commune: Commune, one: int) -> None:
    plan(commune, local(12, 7, 30))
    away(commune, "mai", 12, 12, "hung")
    assert deliver_at(commune, local(12, 7, 31)) == []
    assert ticks_at(commune, local(12, 8, 0)) == ["hung"]


def test_what_is_woken_while_a_tick_is_at_work_stays_awake(commune: Commune, one: int) -> None:
    now = local(9, 9)
    with commune.store.reading() as db:
        found = due_now(db, db.exec(select(Organization)).one(), now)
    with commune.store.writing() as db:
        write_digests(db, found.dues, now)
    change(commune, one, lambda owed: None)
    with commune.store.writing() as db:
        keep_looks(db, found.looks)
        assert db.get_one(Obligation, one).look_on == NEXT_TICK
        others = db.exec(select(Obligation).where(Obligation.look_on == NEXT_TICK)).all()
    assert [row.id for row in others] == [one]


def test_a_tick_with_nothing_due_asks_two_cheap_questions(commune: Commune) -> None:
    ticks_at(commune, local(9, 9))
    ticks_at(commune, local(9, 9, 1))
    said: list[str] = []
    event.listen(commune.store.engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    with commune.store.reading() as db:
        organization = db.exec(select(Organization)).one()
        said.clear()
        db.info["driver"].set_trace_callback(said.append)
        assert due_now(db, organization, local(9, 9, 2)).dues == []
        db.info["driver"].set_trace_callback(None)
    assert len([one for one in said if one.lstrip().startswith("SELECT")]) == 2, said


def test_over_a_year_of_any_play_nobody_hears_twice_a_day_nor_on_a_day_off(commune: Commune) -> None:
    dice = random.Random(2025)
    heard: Counter[tuple[str, date]] = Counter()
    with commune.store.writing() as db:
        for row in db.exec(select(Obligation).join(Unit, col(Unit.id) == Obligation.unit_id)):
            row.state = "not_started" if db.get_one(Unit, row.unit_id).code == "VP" else "not_owed"
        calendar = calendar_of(db, 1)
    for day in run_of(date(2025, 3, 1), 365):
        if dice.random() < 0.4:
            with commune.store.writing() as db:
                _life(db, dice, day)
        hours: tuple[int, ...] = dice.choice(((), (8,), (8,), (9,), (6, 9), (11, 16)))  # (): the program is down
        for hour in hours if day.weekday() < 5 or dice.random() < 0.2 else ():
            commune.clock.moment = local(day.day, hour, 0, day.month, day.year)
            for chat_id, bubbles in commune.ticks().items():
                heard[chat_id, day] += len(bubbles)
                assert calendar.is_working(day)
                assert hour >= 8
    assert set(heard.values()) == {1}
    weeks = Counter(day.isocalendar()[:2] for chat_id, day in heard if chat_id == "chutich")
    assert set(weeks.values()) == {1}
    assert len(weeks) > 10
    with commune.store.reading() as db:
        sent = [row for row in db.exec(select(Reminder)) if row.sent_at and row.kind in ("due", "promise", "late")]
    lines = Counter((row.member_id, row.kind, row.obligation_id, row.rung, row.due_on) for row in sent)
    assert len(lines) > 300
    assert set(lines.values()) == {1}


def _life(db: Session, dice: random.Random, day: date) -> None:
    """What may happen on a day: reports, promises, wishes, absences, chats closed and opened."""
    now = local(day.day, 7, 10, day.month, day.year)
    owed = select(Obligation).where(Obligation.state != "not_owed", Obligation.due_on < day + timedelta(days=20))
    rows = db.exec(owed.order_by(col(Obligation.id))).all()
    staff = db.exec(select(Membership).where(Membership.role == "staff")).all()
    for row in dice.sample(rows, min(len(rows), 3)):
        member_id = next((one.member_id for one in staff if one.unit_id == row.unit_id), None)
        match dice.randrange(8):
            case 0:
                row.state, row.promised_on = "submitted", None
            case 1:
                row.state, row.promised_on = "submitted", day + timedelta(days=dice.randrange(1, 20))
            case 2:
                row.state, row.promised_on = "returned", None
            case 3:
                move_due(row, row.due_on + timedelta(days=dice.randrange(-5, 12)), day)
            case 4 if member_id is not None:
                put_off(
                    db, 1, member_id, row.id or 0, _morning(day + timedelta(days=dice.randrange(1, 9))), True, now
                )
            case 5 if (
                member_id is not None
                and not db.exec(
                    select(Absence).where(Absence.member_id == member_id, Absence.to_on >= day)
                ).first()
            ):
                add_absence(db, 1, member_id, day, day + timedelta(days=dice.randrange(6)), None)
            case _:
                pass
        db.flush()
        wake(db, [row.id or 0])
    if dice.random() < 0.05:
        one = dice.randrange(1, 12)
        set_reachable(db, one, False)
        set_reachable(db, one, dice.random() < 0.9)


def _morning(day: date) -> datetime:
    return local(day.day, 7, 30, day.month, day.year)
