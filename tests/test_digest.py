"""The digest: who hears what on which day, in one message, worded for the moment it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from scheduler.tick import tick_once
from storage.chats import set_reachable
from storage.tables import (
    Account,
    CalendarDay,
    Conversation,
    Digest,
    Membership,
    Obligation,
    Organization,
    Period,
    Reminder,
    Unit,
)
from tests.commune import Commune, StillClock
from tests.fakes import CHANNEL, account, local

STAFF = ["mai", "thao", "tuan", "yen"]
"""Of the units that still owe reports of quarter III; due on Wednesday 17/9/2025."""
HEADS = ["dung", "hung", "khoa", "son"]


def ticks_at(commune: Commune, moment: datetime) -> list[str]:
    """Who hears something then."""
    commune.clock.moment = moment
    came = commune.ticks()
    assert all(len(bubbles) == 1 for bubbles in came.values())
    return sorted(came)


def heard_on(commune: Commune, days: Iterable[date], hours: Iterable[int] = (9,)) -> dict[str, list[str]]:
    """The days on which each person gets a digest, with ticks at these hours of each day."""
    heard: dict[str, list[str]] = {}
    for day in days:
        for hour in hours:
            for chat_id in ticks_at(commune, local(day.day, hour, 0, day.month, day.year)):
                heard.setdefault(chat_id, []).append(f"{day.day}/{day.month}")
    return heard


def days_heard(commune: Commune, chat_id: str, days: Iterable[date]) -> list[str]:
    return heard_on(commune, days).get(chat_id, [])


def run_of(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def plan(commune: Commune, moment: datetime) -> None:
    """A tick whose digests are not sent yet."""
    commune.clock.moment = moment
    with commune.store.writing() as db:
        tick_once(db, moment)


def deliver_at(commune: Commune, moment: datetime) -> list[str]:
    commune.clock.moment = moment
    return sorted(commune.deliver())


def obligations(db: Session, unit: str, period: str = "2025-Q3") -> list[Obligation]:
    found = (
        select(Obligation)
        .join(Unit, col(Unit.id) == Obligation.unit_id)
        .join(Period, col(Period.id) == Obligation.period_id)
        .where(Unit.code == unit, Period.code == period)
    )
    return list(db.exec(found))


def owe(commune: Commune, unit: str, **values: object) -> None:
    """Let a unit owe its whole report of the quarter again, with other facts."""
    with commune.store.writing() as db:
        for row in obligations(db, unit):
            row.state = "not_started"
            for name, value in values.items():
                setattr(row, name, value)


def file(commune: Commune, unit: str, promised_on: date | None = None) -> None:
    with commune.store.writing() as db:
        for row in obligations(db, unit):
            row.state, row.promised_on = "submitted", promised_on


def give_role(commune: Commune, chat_id: str, unit: str, role: str) -> None:
    with commune.store.writing() as db:
        unit_id = db.exec(select(Unit.id).where(Unit.code == unit)).one()
        held = account(commune.store, chat_id)
        member = {"organization_id": held.organization_id, "member_id": held.member_id}
        db.add(Membership.model_validate(member | {"unit_id": unit_id, "role": role}))


def edit_day(commune: Commune, day: date, is_working: bool) -> None:
    with commune.store.writing() as db:
        organization_id = db.exec(select(Organization.id)).one()
        assert organization_id is not None
        db.add(CalendarDay(organization_id=organization_id, day=day, is_working=is_working, name="sửa tay"))


def test_everybody_who_owes_hears_once_a_day(commune: Commune) -> None:
    assert ticks_at(commune, local(8, 7, 30)) == STAFF
    assert ticks_at(commune, local(8, 7, 31)) == []
    assert ticks_at(commune, local(8, 16, 0)) == []


def test_rungs_of_a_quarter(commune: Commune) -> None:
    owe(commune, "VPDKDD")
    before = ["8/9", "12/9", "16/9", "17/9"]
    assert heard_on(commune, run_of(date(2025, 9, 5), 20), hours=(8, 15)) == {
        **{chat_id: [*before, "18/9"] for chat_id in STAFF},
        "thao": ["5/9", *before, "18/9"],  # nothing was heard since June of what is reported twice a year
        **{chat_id: ["18/9", "22/9"] for chat_id in HEADS},  # once it is late
        "lan": ["22/9"],
        "phuc": before,  # an outside body is asked, and never chased
    }


@pytest.mark.parametrize(
    ("due_on", "days"),
    [
        (date(2025, 9, 5), ["25/8", "29/8", "4/9", "5/9", "8/9"]),  # 30/8 to 2/9 are off
        (date(2025, 9, 21), ["10/9", "16/9", "18/9", "19/9", "22/9"]),  # a Sunday: the Friday before counts
    ],
)
def test_rungs_over_a_holiday_and_a_weekend(commune: Commune, due_on: date, days: list[str]) -> None:
    owe(commune, "VHXH", due_on=due_on)
    assert days_heard(commune, "mai", run_of(due_on - timedelta(days=12), 17)) == days


def test_a_saturday_worked_instead_is_a_day_like_others(commune: Commune) -> None:
    edit_day(commune, date(2025, 9, 13), is_working=True)
    assert days_heard(commune, "mai", run_of(date(2025, 9, 9), 6)) == ["9/9", "13/9"]


def test_an_extended_day_has_its_own_rungs(commune: Commune) -> None:
    owe(commune, "VHXH", extended_to=date(2025, 9, 24))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 15), 12)) == ["15/9", "19/9", "23/9", "24/9", "25/9"]


@pytest.mark.parametrize(
    ("moment", "heard"),
    [
        (local(8, 7, 29), []),
        (local(8, 9, 0), STAFF),
        (local(8, 16, 59), STAFF),
        (local(8, 17, 0), []),
        (local(13, 9, 0), []),
        (local(14, 9, 0), []),
        (local(2, 9, 0), []),
    ],
)
def test_only_in_office_hours_of_working_days(commune: Commune, moment: datetime, heard: list[str]) -> None:
    owe(commune, "VHXH", due_on=date(2025, 9, 17))
    assert ticks_at(commune, moment) == heard


def test_after_days_of_downtime_one_message_worded_for_now(commune: Commune) -> None:
    ticks_at(commune, local(12, 7, 30))
    assert ticks_at(commune, local(17, 10, 0)) == STAFF
    assert "hạn hôm nay" in commune.person("mai").last
    assert ticks_at(commune, local(19, 10, 0)) == sorted(STAFF + HEADS)
    assert "quá hạn 2 ngày lịch" in commune.person("mai").last


def test_an_old_plan_nags_nobody(commune: Commune) -> None:
    owe(commune, "VPDKDD")
    assert ticks_at(commune, local(8, 10, 0, year=2026)) == []


def test_what_was_missed_is_made_up_for_even_when_the_period_is_locked(commune: Commune) -> None:
    assert ticks_at(commune, local(22, 10, 0)) == sorted([*STAFF, *HEADS, "lan"])
    assert "quá hạn 5 ngày lịch" in commune.person("mai").last
    assert ticks_at(commune, local(23, 10, 0)) == []


def test_an_outside_body_is_not_asked_late_after_downtime(commune: Commune) -> None:
    owe(commune, "VPDKDD")
    assert "phuc" not in ticks_at(commune, local(18, 10, 0))


def test_what_was_filed_before_it_is_sent_is_not_asked_for(commune: Commune) -> None:
    plan(commune, local(8, 7, 30))
    file(commune, "VHXH")
    assert deliver_at(commune, local(8, 7, 31)) == ["thao", "tuan", "yen"]
    states = {row.account_id: row.state for row in commune.outbox()}
    assert states[commune.account_id("mai")] == "dropped"


def test_what_was_filed_in_part_leaves_the_rest(commune: Commune) -> None:
    plan(commune, local(8, 7, 30))
    with commune.store.writing() as db:
        first, *rest = [row for row in obligations(db, "VHXH") if row.state == "not_started"]
        for row in rest:
            row.state = "submitted"
    deliver_at(commune, local(8, 7, 31))
    phone = commune.person("mai")
    assert phone.tokens == [f"/report {first.id}", f"/snooze {first.id}"]


def test_a_digest_that_expired_is_planned_anew_on_the_next_working_day(commune: Commune) -> None:
    plan(commune, local(12, 16, 59))
    assert deliver_at(commune, local(12, 17, 0)) == []
    assert {row.state for row in commune.outbox()} == {"dropped"}
    assert ticks_at(commune, local(15, 7, 30)) == STAFF


def test_a_rung_counts_only_once_it_was_delivered_and_then_for_good(commune: Commune) -> None:
    plan(commune, local(8, 7, 30))
    with commune.store.reading() as db:
        assert {row.sent_at for row in db.exec(select(Reminder))} == {None}
    deliver_at(commune, local(8, 7, 40))
    with commune.store.reading() as db:
        assert {row.sent_at for row in db.exec(select(Reminder))} == {local(8, 7, 40)}
        assert {row.sent_at for row in db.exec(select(Digest))} == {local(8, 7, 40)}
    assert ticks_at(commune, local(9, 7, 30)) == []


def test_who_cannot_be_reached_gets_none(commune: Commune) -> None:
    with commune.store.writing() as db:
        set_reachable(db, commune.account_id("mai"), False)
    assert ticks_at(commune, local(8, 7, 30)) == ["hung", "lan", "thao", "tuan", "yen"]
    assert "Phòng Văn hóa – Xã hội chuẩn bị 3 báo cáo" in commune.person("hung").last  # the head, in their place
    assert "Lê Ngọc Mai (Phòng Văn hóa – Xã hội): không nhận được tin" in commune.person("lan").last
    with commune.store.writing() as db:
        set_reachable(db, commune.account_id("mai"), True)
    assert ticks_at(commune, local(8, 9, 0)) == ["mai"]


def test_it_goes_to_the_chat_used_last(commune: Commune) -> None:
    member_id = account(commune.store, "mai").member_id
    for chat_id, heard_at in (("mai-old", local(1)), ("mai-new", local(5)), ("mai-never", None)):
        with commune.store.writing() as db:
            new = Account(organization_id=1, member_id=member_id, channel=CHANNEL, chat_id=chat_id)
            db.add(new)
            db.flush()
            assert new.id is not None
            db.add(Conversation(account_id=new.id, heard_at=heard_at))
    assert ticks_at(commune, local(8, 7, 30)) == ["mai-new", "thao", "tuan", "yen"]


def test_nobody_is_interrupted_while_writing(commune: Commune) -> None:
    commune.clock.moment = local(8, 7, 25)
    commune.person("mai").says("/tasks")
    assert ticks_at(commune, local(8, 7, 30)) == ["thao", "tuan", "yen"]
    assert deliver_at(commune, local(8, 7, 44)) == []
    assert deliver_at(commune, local(8, 7, 45)) == ["mai"]


def test_but_nobody_is_waited_for_longer_than_an_hour(commune: Commune) -> None:
    commune.clock.moment = local(8, 7, 25)
    commune.person("mai").says("/tasks")
    ticks_at(commune, local(8, 7, 30))
    for minute in range(35, 90, 5):
        commune.clock.moment = local(8, 7, 30) + timedelta(minutes=minute - 30)
        assert "Nhắc việc" not in commune.person("mai").says("/tasks")
    assert deliver_at(commune, local(8, 8, 30)) == ["mai"]
    assert "Nhắc việc" in commune.person("mai").last


def test_several_units_of_a_person_make_one_digest(commune: Commune) -> None:
    give_role(commune, "mai", "KT", "staff")
    ticks_at(commune, local(8, 7, 30))
    text = commune.person("mai").last
    assert "KT" in text or "Kinh tế" in text


def test_a_head_elsewhere_hears_of_that_unit_only_once_it_is_late(commune: Commune) -> None:
    give_role(commune, "mai", "KT", "head")
    with commune.store.reading() as db:
        theirs = {f"/report {row.id}" for row in obligations(db, "KT")}
    ticks_at(commune, local(17, 7, 30))
    assert not theirs & set(commune.person("mai").tokens)
    file(commune, "VHXH")
    ticks_at(commune, local(18, 7, 30))
    assert theirs & set(commune.person("mai").tokens)


def test_a_promised_figure_is_asked_for_on_its_day(commune: Commune) -> None:
    file(commune, "VHXH", promised_on=date(2025, 9, 24))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 15), 14)) == ["24/9", "25/9"]


def test_the_head_hears_of_a_promise_not_kept(commune: Commune) -> None:
    file(commune, "VHXH", promised_on=date(2025, 9, 24))
    assert days_heard(commune, "hung", run_of(date(2025, 9, 15), 14)) == ["25/9"]


def test_its_buttons_open_the_reports(commune: Commune) -> None:
    ticks_at(commune, local(15, 7, 30))
    phone = commune.person("mai")
    with commune.store.reading() as db:
        mine = {f"/report {row.id}" for row in obligations(db, "VHXH")}
    assert mine & set(phone.tokens)
    assert phone.taps(phone.labels[0])
    assert commune.outbox()[-1].kind in ("text", "edit")


def test_another_commune_is_not_reminded_of_ours(commune: Commune) -> None:
    with commune.store.writing() as db:
        db.add(
            Organization(code="khac", name="xã khác", superior="-", coordinator_code="-", timezone="Asia/Tokyo")
        )
    assert ticks_at(commune, local(8, 7, 30)) == STAFF


def test_the_commune_s_own_clock_counts(commune: Commune) -> None:
    with commune.store.writing() as db:
        db.exec(select(Organization)).one().timezone = "Asia/Tokyo"  # two hours ahead
    assert ticks_at(commune, local(8, 5, 29)) == []
    assert ticks_at(commune, local(8, 5, 30)) == STAFF
    assert isinstance(commune.clock, StillClock)


def test_a_digest_that_interrupts_names_the_report_left_open(commune: Commune) -> None:
    commune.clock.moment = local(16, 7, 0)
    mai = commune.person("mai")
    mai.says("/baocao 2.13")
    ticks_at(commune, local(16, 7, 30))
    assert 'Mục 2.13 đang làm dở, gõ "tiếp" để làm tiếp.' in mai.last
    assert "1/2. Số dịch vụ" in mai.says("tiếp")
