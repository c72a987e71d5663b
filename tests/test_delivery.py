"""Delivery: what becomes of a message when the platform takes it, refuses it, is away, or we are killed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from bot import assemble, transactions
from bot.clock import MovedClock
from bot.delivery import IN_FLIGHT, LEASE, REMINDERS_IN_FLIGHT, RENEW, Delivery
from bot.intake import Intake
from bot.platform import Moved, RecipientGone, Refused, TryLater
from bot.transactions import Transactions
from handlers.incoming import Incoming
from scheduler.making import Later, Made, Maker
from storage import outbox
from storage.chats import open_chat
from storage.store import Store
from tests.commune import StillClock
from tests.fakes import CHANNEL, FakePlatform, Held, account, delivering, lay, local, rows, settle, until

NOW = local(15, 14, 0)
REMINDER = outbox.REMINDER


@pytest.fixture(autouse=True)
def short_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.delivery.DRAIN", 0.05)


@pytest.fixture
def clock() -> StillClock:
    return StillClock(NOW)


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform()


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[datetime]]:
    """Gives a maker called "test" that makes what it is told; returns the times it heard of a delivery."""

    def given(made: Any) -> list[datetime]:
        told: list[datetime] = []

        def make(_db: Session, _args: dict[str, Any], now: datetime) -> Made | Later | None:
            found: Made | Later | None = made(now) if callable(made) else made
            return found

        def sent(_db: Session, _args: dict[str, Any], now: datetime) -> None:
            told.append(now)

        monkeypatch.setitem(assemble.MAKERS, "test", Maker(make, sent))
        return told

    return given


def states(store: Store) -> list[str]:
    return [row.state for row in rows(store).values()]


async def recorded(store: Store, *expected: str) -> None:
    await until(lambda: states(store) == list(expected))


async def test_messages_go_out_in_order_and_are_recorded(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    for text in ("one", "two", "three"):
        lay(store, NOW, "mai", text)
    async with delivering(store, platform, clock):
        await recorded(store, "sent", "sent", "sent")
    assert platform.texts == ["one", "two", "three"]
    assert [row.platform_id for row in rows(store).values()] == ["p1", "p2", "p3"]
    assert {row.sent_at for row in rows(store).values()} == {NOW}


async def test_it_is_woken_at_commit(store: Store, platform: FakePlatform, clock: StillClock) -> None:
    async with delivering(store, platform, clock) as delivery:
        await settle()
        intake = Intake(Transactions(store), clock, delivery.wake)
        await intake.accept(says("mai"))
        await until(lambda: len(platform.sent) == 1)  # long before LOOK_AGAIN


async def test_an_answer_is_claimed_in_the_commit_that_writes_it(
    store: Store, platform: FakePlatform, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "HELD", 60.0)
    async with delivering(store, platform, clock) as delivery:
        await settle()
        commits = 0
        writing = store.writing

        def counted() -> Any:
            nonlocal commits
            commits += 1
            return writing()

        monkeypatch.setattr(store, "writing", counted)
        intake = Intake(delivery._transactions, clock, delivery.wake)
        await asyncio.gather(*[intake.accept(says(chat)) for chat in ("mai", "tuan", "thao")])
        assert len(platform.tried) + len(delivery._tasks) >= 3
        assert commits == 1


async def test_a_row_laid_down_by_another_process_is_found_at_the_next_look(
    store: Store, platform: FakePlatform, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.LOOK_AGAIN", 0.01)
    async with delivering(store, platform, clock):
        await settle()
        lay(store, NOW, "mai", "from the command line")
        await recorded(store, "sent")


async def test_a_recipient_who_is_gone_is_not_written_to_again(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    platform.fails("mai", RecipientGone("bot was blocked"))
    for text in ("one", "two"):
        lay(store, NOW, "mai", text)
    lay(store, NOW, "tuan", "other")
    async with delivering(store, platform, clock):
        await recorded(store, "dropped", "dropped", "sent")
    assert not account(store, "mai").is_reachable
    assert len(platform.tried) == 2


async def test_a_chat_that_moved_is_followed(store: Store, platform: FakePlatform, clock: StillClock) -> None:
    platform.fails("mai", Moved("-100200"))
    for text in ("one", "two"):
        lay(store, NOW, "mai", text)
    async with delivering(store, platform, clock):
        await recorded(store, "sent", "sent")
    assert [(message.chat_id, message.text) for message in platform.sent] == [
        ("-100200", "one"),
        ("-100200", "two"),
    ]


async def test_a_chat_that_moved_to_a_known_one_does_not_stop_the_rest(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    platform.fails("mai", Moved("tuan"))
    lay(store, NOW, "mai", "one")
    lay(store, NOW, "thao", "other")
    async with delivering(store, platform, clock):
        await recorded(store, "sent", "sent")
    assert sorted(message.chat_id for message in platform.sent) == ["thao", "tuan"]


async def test_a_429_stops_everybody_for_as_long_as_was_asked(store: Store, platform: FakePlatform) -> None:
    loop = asyncio.get_running_loop()
    platform.fails("mai", TryLater("429", timedelta(milliseconds=60)))
    lay(store, NOW, "mai", "one")
    async with delivering(store, platform, MovedClock.at(NOW)) as delivery:
        await until(lambda: len(platform.tried) == 1)
        throttled_at = loop.time()
        lay(store, NOW, "tuan", "other")
        delivery.wake()
        await until(lambda: len(platform.sent) == 2)
        gone_at = loop.time()
        await recorded(store, "sent", "sent")
    assert gone_at - throttled_at >= 0.05
    assert [row.attempts for row in rows(store).values()] == [1, 1]


async def test_a_429_for_old_buttons_stops_everybody_too(store: Store, platform: FakePlatform) -> None:
    platform.fails("strip", TryLater("429", timedelta(milliseconds=40)))
    shown = lay(store, NOW, "mai", "Câu 1")
    async with delivering(store, platform, MovedClock.at(NOW)) as delivery:
        await recorded(store, "sent")
        lay(store, NOW, "mai", "Câu 2", target_id=shown)
        delivery.wake()
        await until(lambda: platform.tried[-1].kind == "strip")
        lay(store, NOW, "tuan", "other")
        delivery.wake()
        await settle()
        assert platform.texts == ["Câu 1", "Câu 2"]
        await recorded(store, "sent", "sent", "sent")


async def test_an_unreachable_network_is_tried_again_ever_more_slowly(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    waits = [1, 2, 4, 8, 16, 32, 60, 60]
    platform.fails("mai", *[TryLater("ConnectError")] * len(waits))
    lay(store, NOW, "mai", "one")
    async with delivering(store, platform, clock) as delivery:
        for tried, seconds in enumerate(waits, start=1):
            await until(partial(has_tried, platform, tried))
            clock.moment += timedelta(seconds=seconds - 0.5)
            delivery.wake()
            await settle()
            assert len(platform.tried) == tried
            clock.moment += timedelta(seconds=0.5)
            delivery.wake()
        await recorded(store, "sent")


@pytest.mark.parametrize("failure", [TryLater("ConnectError"), TryLater("429", timedelta(seconds=5))])
async def test_a_reply_nobody_can_be_given_for_a_day_is_dropped(
    store: Store, platform: FakePlatform, clock: StillClock, failure: TryLater
) -> None:
    platform.fails("mai", failure)
    lay(store, NOW - timedelta(hours=25), "mai", "yesterday's answer")
    async with delivering(store, platform, clock):
        await recorded(store, "dropped")


async def test_what_waited_over_a_weekend_for_office_hours_is_not_too_old(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    platform.fails("mai", TryLater("429", timedelta(0)))
    lay(store, NOW - timedelta(hours=60), "mai", "a colleague stands in", not_before=NOW)
    async with delivering(store, platform, clock):
        await recorded(store, "sent")


async def test_what_is_refused_goes_once_more_as_plain_text(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    platform.fails("mai", Refused("can't parse entities"))
    lay(store, NOW, "mai", "<b>one</b>")
    async with delivering(store, platform, clock):
        await recorded(store, "sent")
    assert [message.plain for message in platform.tried] == [False, True]


async def test_what_is_refused_twice_is_set_aside_and_the_chat_goes_on(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    platform.fails("mai", Refused("bad"), Refused("bad"))
    lay(store, NOW, "mai", "one")
    lay(store, NOW, "mai", "two")
    async with delivering(store, platform, clock):
        await recorded(store, "refused", "sent")
    assert platform.texts == ["two"]


async def test_a_refused_edit_becomes_a_new_message(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    shown = lay(store, NOW, "mai", "Câu 1")
    async with delivering(store, platform, clock) as delivery:
        await recorded(store, "sent")
        lay(store, NOW, "mai", "Câu 2", kind="edit", target_id=shown)
        platform.fails("mai", Refused("message can't be edited"))
        delivery.wake()
        await recorded(store, "sent", "sent")
    assert [(message.kind, message.target) for message in platform.tried[1:]] == [("edit", "p1"), ("text", None)]


async def test_a_message_that_took_the_place_of_an_edit_is_edited_next_time(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    shown = lay(store, NOW, "mai", "Câu 1")
    lay(store, NOW, "mai", "Câu 2", kind="edit", target_id=shown)
    platform.fails("mai", None, Refused("message can't be edited"))
    async with delivering(store, platform, clock) as delivery:
        await recorded(store, "sent", "sent")
        lay(store, NOW, "mai", "Câu 3", kind="edit", target_id=shown)
        delivery.wake()
        await recorded(store, "sent", "sent", "sent")
    assert [(message.kind, message.target) for message in platform.sent] == [
        ("text", None),
        ("text", None),
        ("edit", "p2"),
    ]


async def test_an_edit_replaces_the_message_it_points_to(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    shown = lay(store, NOW, "mai", "Câu 1")
    lay(store, NOW, "mai", "Câu 2", kind="edit", target_id=shown)
    async with delivering(store, platform, clock):
        await recorded(store, "sent", "sent")
    assert [(message.kind, message.target) for message in platform.sent] == [("text", None), ("edit", "p1")]


@pytest.mark.parametrize(
    "failure", [None, Refused("message is too old"), RecipientGone("blocked"), TryLater("reset")]
)
async def test_old_buttons_end_and_their_failing_harms_nothing(
    store: Store, platform: FakePlatform, clock: StillClock, failure: Any
) -> None:
    platform.fails("strip", failure)
    shown = lay(store, NOW, "mai", "Câu 1")
    lay(store, NOW, "mai", "Câu 2", target_id=shown)
    async with delivering(store, platform, clock):
        await recorded(store, "sent", "sent")
        await until(lambda: len(platform.tried) == 3)
    assert [(message.kind, message.target) for message in platform.tried][2] == ("strip", "p1")
    assert account(store, "mai").is_reachable


async def test_a_failing_maker_is_set_aside_and_the_chat_goes_on(
    store: Store, platform: FakePlatform, clock: StillClock, maker: Callable[[Any], list[datetime]]
) -> None:
    def fails(_now: datetime) -> Made:
        raise ZeroDivisionError

    maker(fails)
    lay(store, NOW, "mai", "", maker="test", args={})
    lay(store, NOW, "mai", "two", maker="unknown to this version", args={})
    lay(store, NOW, "mai", "three")
    async with delivering(store, platform, clock):
        await recorded(store, "refused", "refused", "sent")


async def test_what_is_made_when_sent_tells_its_maker_once_delivered(
    store: Store, platform: FakePlatform, clock: StillClock, maker: Callable[[Any], list[datetime]]
) -> None:
    told = maker(lambda now: Made(f"{now:%H:%M}"))
    platform.fails("mai", Refused("bad"), Refused("bad"))
    for chat in ("mai", "tuan"):
        lay(store, NOW, chat, "", maker="test", args={}, body=None)
    async with delivering(store, platform, clock):
        await recorded(store, "refused", "sent")
    assert platform.texts == ["07:00"]
    assert told == [NOW]


@pytest.mark.parametrize("expires_at", [None, NOW])
async def test_nothing_left_to_say_and_too_late_to_say_it_are_dropped(
    store: Store,
    platform: FakePlatform,
    clock: StillClock,
    maker: Callable[[Any], list[datetime]],
    expires_at: datetime | None,
) -> None:
    told = maker(Made("text") if expires_at else None)
    lay(store, NOW, "mai", "", priority=REMINDER, maker="test", args={}, expires_at=expires_at)
    async with delivering(store, platform, clock):
        await recorded(store, "dropped")
    assert (platform.tried, told) == ([], [])


async def test_later_postpones_and_the_chat_goes_on(
    store: Store, platform: FakePlatform, clock: StillClock, maker: Callable[[Any], list[datetime]]
) -> None:
    at = NOW + timedelta(minutes=15)
    maker(lambda now: Later(at) if now < at else Made("Nhắc việc"))
    digest = lay(store, NOW, "mai", "", priority=REMINDER, maker="test", args={}, body=None)
    async with delivering(store, platform, clock) as delivery:
        await until(lambda: rows(store)[digest].not_before == at)
        lay(store, NOW, "mai", "Đã ghi")
        delivery.wake()
        await recorded(store, "waiting", "sent")
        clock.moment = at
        delivery.wake()
        await recorded(store, "sent", "sent")
    assert platform.texts == ["Đã ghi", "Nhắc việc"]


async def test_a_channel_that_is_switched_off_keeps_its_messages(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    platform.channel = "telegram"
    row_id = lay(store, NOW, "mai", "one")
    async with delivering(store, platform, clock):
        await until(lambda: rows(store)[row_id].claimed_until == NOW + timedelta(minutes=10))
    assert states(store) == ["waiting"]


async def test_a_channel_that_stays_off_for_a_day_loses_its_replies(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    platform.channel = "telegram"
    lay(store, NOW - timedelta(hours=25), "mai", "one")
    async with delivering(store, platform, clock):
        await recorded(store, "dropped")


async def test_killed_in_flight_nothing_is_lost_and_only_that_is_repeated(
    store: Store, platform: FakePlatform, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.fails("tuan", Held())
    for chat, text in (("mai", "one"), ("mai", "two"), ("tuan", "in flight"), ("tuan", "behind")):
        lay(store, NOW, chat, text)
    async with killed(store, platform, clock, monkeypatch):
        await recorded(store, "sent", "sent", "waiting", "waiting")
    fresh = FakePlatform()
    async with delivering(store, fresh, clock):
        await recorded(store, "sent", "sent", "sent", "sent")
    assert platform.texts == ["one", "two"]
    assert fresh.texts == ["in flight", "behind"]


async def test_killed_between_sending_and_recording_it_is_sent_again(store: Store, clock: StillClock) -> None:
    lay(store, NOW, "mai", "one")
    with store.writing() as db:
        outbox.claim(db, outbox.REPLY, NOW, LEASE, 10)  # sent by a process that died before it could say so
    fresh = FakePlatform()
    async with delivering(store, fresh, clock):
        await recorded(store, "sent")
    assert fresh.texts == ["one"]


async def test_shutdown_lets_what_is_under_way_finish_and_records_it(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    held = Held()
    platform.fails("mai", held)
    lay(store, NOW, "mai", "one")
    async with delivering(store, platform, clock):
        await until(lambda: has_tried(platform, 1))
        asyncio.get_running_loop().call_later(0.01, held.let_go.set)
    assert states(store) == ["sent"]


async def test_it_stops_even_when_it_is_woken_in_the_same_moment(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    async with asyncio.timeout(2), delivering(store, platform, clock) as delivery:
        await settle()
        delivery.wake()


async def test_shutdown_gives_back_what_could_not_be_sent(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    platform.fails("mai", Held())
    row_id = lay(store, NOW, "mai", "one")
    async with delivering(store, platform, clock):
        await until(lambda: len(platform.tried) == 1)
    found = rows(store)[row_id]
    assert (found.state, found.claimed_until, found.attempts) == ("waiting", None, 0)


async def test_rows_waiting_for_their_turn_stay_ours_however_long_it_takes(
    store: Store, platform: FakePlatform, clock: StillClock
) -> None:
    platform.fails("mai", Held())
    row_id = lay(store, NOW, "mai", "one")
    async with delivering(store, platform, clock) as delivery:
        await until(lambda: len(platform.tried) == 1)
        for _ in range(6):
            clock.moment += RENEW
            delivery.wake()
            await until(lambda: rows(store)[row_id].claimed_until == clock.moment + LEASE)
    assert len(platform.tried) == 1


async def test_rows_in_flight_are_not_sent_again_after_the_database_was_away(
    store: Store, platform: FakePlatform, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.fails("mai", Held())
    lay(store, NOW, "mai", "one")
    async with delivering(store, platform, clock) as delivery:
        await until(lambda: len(platform.tried) == 1)
        with monkeypatch.context() as away, closing(sqlite3.connect(str(store.engine.url.database))) as other:
            away.setattr(transactions, "PAUSES", (0.001,))
            other.execute("BEGIN IMMEDIATE")
            delivery.wake()
            await asyncio.sleep(0.02)
            clock.moment += 2 * LEASE
            other.rollback()
            await until(lambda: all(row.claimed_until == clock.moment + LEASE for row in rows(store).values()))
    assert len(platform.tried) == 1


async def test_an_unreachable_platform_is_said_once_and_so_is_its_return(
    store: Store, platform: FakePlatform, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", "dondoc.delivery")
    for chat in strangers(store, 9):
        platform.fails(chat, TryLater("NetworkError: reset"))
        lay(store, NOW, chat, "Đã ghi")
    async with delivering(store, platform, clock) as delivery:
        await until(lambda: len(platform.tried) == 9)
        await settle()
        clock.moment += timedelta(minutes=1)
        delivery.wake()
        await until(lambda: len(platform.sent) == 9)
    began, ended = caplog.messages
    assert began == "action=unreachable channel=browser reason=NetworkError: reset; messages wait"
    assert ended == "action=reachable channel=browser"


async def test_reminders_leave_room_for_replies(store: Store, platform: FakePlatform, clock: StillClock) -> None:
    chats = strangers(store, 80)
    for chat in chats:
        platform.fails(chat, Held())
        lay(store, NOW, chat, "Nhắc việc", priority=REMINDER)
    lay(store, NOW, "mai", "Đã ghi")
    async with delivering(store, platform, clock) as delivery:
        await until(lambda: len(platform.tried) == REMINDERS_IN_FLIGHT + 1)
        await settle()
        assert platform.texts == ["Đã ghi"]
        assert len(delivery._tasks) == REMINDERS_IN_FLIGHT


async def test_replies_in_flight_have_a_limit(store: Store, platform: FakePlatform, clock: StillClock) -> None:
    for chat in strangers(store, 80):
        platform.fails(chat, Held())
        lay(store, NOW, chat, "Đã ghi")
    async with delivering(store, platform, clock):
        await until(lambda: len(platform.tried) == IN_FLIGHT)
        await settle()
        assert len(platform.tried) == IN_FLIGHT


async def test_it_sleeps_while_nothing_more_may_go_in_flight(
    store: Store, platform: FakePlatform, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for chat in strangers(store, 20):
        platform.fails(chat, Held())
        lay(store, NOW, chat, "Nhắc việc", priority=REMINDER)
    async with delivering(store, platform, clock) as delivery:
        await until(lambda: len(platform.tried) == REMINDERS_IN_FLIGHT)
        turns = 0
        turn = delivery._turn

        async def counted() -> Any:
            nonlocal turns
            turns += 1
            return await turn()

        monkeypatch.setattr(delivery, "_turn", counted)
        for _ in range(200):
            await asyncio.sleep(0)
        assert turns <= 1


async def test_it_waits_while_the_database_is_away(
    store: Store, platform: FakePlatform, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "PAUSES", (0.001,))
    working, fails = Transactions._run, 10

    async def flaky(self: Transactions, how: Any, work: Any) -> Any:
        nonlocal fails
        fails -= 1
        if fails % 2 == 1:
            raise away()
        return await working(self, how, work)

    monkeypatch.setattr(Transactions, "_run", flaky)
    lay(store, NOW, "mai", "one")
    async with delivering(store, platform, clock):
        await recorded(store, "sent")
    assert platform.texts == ["one"]


def says(chat_id: str) -> Incoming:
    return Incoming(CHANNEL, chat_id, f"{chat_id} help", "text", "/help", NOW)


def has_tried(platform: FakePlatform, times: int) -> bool:
    return len(platform.tried) == times


def away() -> OperationalError:
    return OperationalError("SELECT 1", None, ConnectionError("closed"), connection_invalidated=True)


@asynccontextmanager
async def killed(
    store: Store, platform: FakePlatform, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Delivery]:
    """A delivery that ends as by SIGKILL: nothing is finished or recorded any more."""

    async def nothing(_delivery: Delivery) -> None:
        pass

    with monkeypatch.context() as patched:
        patched.setattr(Delivery, "_drain", nothing)
        async with delivering(store, platform, clock) as delivery:
            yield delivery
        await end(*delivery._tasks)


async def end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def strangers(store: Store, count: int) -> list[str]:
    """Chats of people who have not joined."""
    with store.writing() as db:
        for number in range(count):
            open_chat(db, CHANNEL, f"stranger-{number}")
    return [f"stranger-{number}" for number in range(count)]
