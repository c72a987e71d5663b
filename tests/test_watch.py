"""Watching over the program: failures are told once, a clock that jumps loses nothing and repeats nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from bot.transactions import Transactions
from scheduler.tick import Ticker
from scheduler.watch import keep_surveys, to_survey, watch
from storage.absences import add_absence
from storage.alerts import open_alert
from storage.chats import set_reachable
from storage.store import Store
from storage.tables import Alert, Organization, Reminder
from tests.commune import Commune
from tests.fakes import account, lay, local
from tests.test_digest import file, owe, run_of

UNITS = ("VHXH", "KT", "TTPVHCC", "VP")


@pytest.fixture
def commune(commune: Commune) -> Commune:
    """No demo, whose clock may be moved; nobody owes anything soon."""
    with commune.store.writing() as db:
        db.exec(select(Organization)).one().is_demo = False
    for unit in UNITS:
        file(commune, unit)
    return commune


def looks(db: Session, now: datetime) -> None:
    """A beat, and the look at who is there."""
    watch(db, now)
    keep_surveys(db, to_survey(db, now), now)


def beats(commune: Commune, *moments: datetime) -> list[str]:
    """Ticks as the program makes them; who heard something, in the end."""
    came: list[str] = []
    for moment in moments:
        commune.clock.moment = moment
        with commune.store.writing() as db:
            looks(db, moment)
        came += commune.ticks()
    return sorted(came)


def outages(commune: Commune) -> list[tuple[str, str, str]]:
    with commune.store.reading() as db:
        rows = db.exec(select(Alert).where(Alert.kind == "outage").order_by(col(Alert.id))).all()
        return [(row.facts["what"], row.facts["from"][8:16], row.facts["to"][8:16]) for row in rows]


@pytest.mark.parametrize(
    ("stopped", "went_on", "is_told"),
    [
        (local(15, 9, 0), local(15, 9, 30), False),
        (local(15, 9, 0), local(15, 9, 31), True),
        (local(15, 16, 59), local(16, 7, 30), True),
        (local(15, 17, 0), local(16, 7, 30), False),
        (local(19, 17, 0), local(22, 7, 30), False),
        (local(19, 17, 0), local(22, 7, 31), True),
        (local(1, 9, 0), local(2, 20, 0), False),
        (local(15, 18, 0), local(18, 6, 0), True),
    ],
)
def test_a_time_without_ticks_is_told_where_it_touched_office_hours(
    commune: Commune, stopped: datetime, went_on: datetime, is_told: bool
) -> None:
    beats(commune, stopped, went_on)
    assert bool(outages(commune)) is is_told


def test_it_is_told_to_the_coordinator_once_when_service_returns(commune: Commune) -> None:
    assert beats(commune, local(15, 9, 0)) == []
    assert beats(commune, local(15, 11, 0)) == ["lan"]
    heard = "Chương trình không chạy từ 15/9 lúc 09:00 đến 15/9 lúc 11:00; việc đến hạn trong lúc đó đã gộp"
    assert heard in commune.person("lan").last
    assert beats(commune, *(local(15, 11) + timedelta(minutes=20 * n) for n in range(1, 60))) == []
    assert beats(commune, local(17, 7, 30)) == ["lan"]  # another time, longer than half an hour


def test_all_failures_that_were_not_told_yet_are_told_together(commune: Commune) -> None:
    with commune.store.writing() as db:
        open_alert(db, 1, "outage", "one", told("delivery", 15), local(15, 12))
        open_alert(db, 1, "outage", "two", told("ticks", 16), local(16, 12))
    assert beats(commune, local(17, 9)) == ["lan"]
    text = commune.person("lan").last
    assert "Chương trình không gửi được tin từ 15/9 lúc 09:00" in text
    assert "Chương trình không chạy từ 16/9 lúc 09:00" in text


def told(what: str, day: int) -> dict[str, str]:
    return {"what": what, "from": local(day, 9, 0).isoformat(), "to": local(day, 11, 0).isoformat()}


def test_an_old_failure_is_no_news(commune: Commune) -> None:
    with commune.store.writing() as db:
        set_reachable(db, commune.account_id("lan"), False)
    beats(commune, local(8, 9, 0), local(8, 11, 0))
    with commune.store.writing() as db:
        set_reachable(db, commune.account_id("lan"), True)
    with commune.store.writing() as db:
        looks(db, local(16, 9))
    ended = [(what, start) for what, start, _ in outages(commune)]
    assert ended[0] == ("ticks", "08T02:00")
    with commune.store.reading() as db:
        first = db.exec(select(Alert).where(Alert.kind == "outage").order_by(col(Alert.id))).first()
        assert first is not None
        assert first.ended_at == local(16, 9)


def test_messages_that_waited_long_are_told_once_they_are_delivered(commune: Commune) -> None:
    now = local(15, 9, 0)
    lay(commune.store, now, "mai", "Một tin.")
    for minute in range(0, 60, 5):
        with commune.store.writing() as db:
            looks(db, now + timedelta(minutes=minute))
    assert outages(commune) == []
    commune.clock.moment = local(15, 10, 0)
    commune.deliver()
    assert beats(commune, local(15, 10, 0)) == ["lan"]
    assert outages(commune) == [("delivery", "15T02:00", "15T03:00")]
    assert "Chương trình không gửi được tin từ 15/9 lúc 09:00 đến 15/9 lúc 10:00" in commune.person("lan").last
    assert beats(commune, local(15, 10, 10), local(15, 10, 20)) == []


def test_in_a_demo_the_clock_is_moved_by_hand_and_nothing_is_told(commune: Commune) -> None:
    with commune.store.writing() as db:
        db.exec(select(Organization)).one().is_demo = True
    beats(commune, local(15, 9, 0), local(16, 9, 0))
    assert outages(commune) == []


async def test_a_clock_that_jumps_ahead_and_back_loses_nothing_and_repeats_nothing(store: Store) -> None:
    commune = Commune(store, local(8, 9))
    ticker = _ticker(commune)
    heard: dict[str, list[str]] = {}
    days = run_of(date(2025, 9, 5), 20)
    for number, day in enumerate(days):
        if number == 5:  # for a night it is September next year, when nobody is asked any more
            commune.clock.moment = local(14, 9, month=9, year=2026)
            await ticker.tick()
            commune.deliver()
        commune.clock.moment = local(day.day, 9, month=day.month)
        await ticker.tick()
        for chat_id, bubbles in commune.deliver().items():
            assert len(bubbles) == 1
            heard.setdefault(chat_id, []).append(f"{day.day}/{day.month}")
    assert heard["mai"] == ["8/9", "12/9", "16/9", "17/9", "18/9"]
    assert heard["hung"] == ["18/9", "22/9"]
    assert heard["lan"] == ["22/9"]


async def test_a_clock_some_months_ahead_tells_the_rungs_of_that_day_and_later_those_of_theirs(
    store: Store,
) -> None:
    commune = Commune(store, local(15, 9))
    ticker = _ticker(commune)
    heard = []
    for moment in (local(16, 9), local(24, 9, month=11), local(17, 9), local(18, 9), local(22, 9)):
        commune.clock.moment = moment
        await ticker.tick()
        if "hung" in commune.deliver():
            heard.append(f"{moment:%d/%m}")
    assert heard == ["24/11", "18/09", "22/09"]
    with store.reading() as db:
        told = [
            (r.member_id, r.obligation_id, r.kind, r.rung, r.due_on)
            for r in db.exec(select(Reminder))
            if r.sent_at
        ]
        assert len(told) == len(set(told))


def test_a_failure_in_a_wrong_future_is_not_told(commune: Commune) -> None:
    with commune.store.writing() as db:
        for moment in (local(15, 9, 0), local(24, 9, month=11), local(15, 9, 1)):
            looks(db, moment)
    with commune.store.reading() as db:
        assert all(row.ended_at for row in db.exec(select(Alert).where(Alert.kind == "outage")))


def test_back_from_an_absence_without_any_event_what_was_missed_is_heard(commune: Commune) -> None:
    owe(commune, "VHXH")
    members = [account(commune.store, chat_id).member_id or 0 for chat_id in ("mai", "hung")]
    with commune.store.writing() as db:
        for member_id in members:
            add_absence(db, 1, member_id, date(2025, 9, 12), date(2025, 9, 14), None)
    for day in (8, 9, 10, 11):
        beats(commune, local(day, 9))
    assert {"mai", "hung"} & set(beats(commune, local(12, 9))) == set()
    assert "mai" in beats(commune, local(15, 9))
    assert "hạn thứ Tư, 17/9 (còn 2 ngày làm việc)" in commune.person("mai").last


async def test_what_is_found_of_the_people_in_the_morning_stands_in_that_mornings_digest(store: Store) -> None:
    commune = Commune(store, local(19, 9))
    ticker = _ticker(commune)
    await ticker.tick()
    commune.deliver()
    with store.writing() as db:
        set_reachable(db, commune.account_id("mai"), False)
    commune.clock.moment = local(22, 7, 30)
    await ticker.tick()
    heard = commune.deliver()
    assert "việc quá hạn" in heard["lan"][0].text
    assert "Chưa liên hệ được qua chương trình:\n• Lê Ngọc Mai" in heard["lan"][0].text
    commune.clock.moment += timedelta(seconds=30)
    await ticker.tick()
    assert commune.deliver() == {}


def _ticker(commune: Commune) -> Ticker:
    transactions = Transactions(commune.store)
    return Ticker(transactions.write, transactions.read, commune.clock.now, lambda: None)
