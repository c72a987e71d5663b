"""The tick: late, twice, on two machines, and what it leaves to the next one."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

import handlers
from bot.assemble import App
from bot.platform import Accept, StartFailed
from bot.transactions import Transactions
from scheduler.tick import AT_ONCE, Ticker
from storage.chats import take
from storage.store import Store
from storage.tables import Account, Conversation, Digest, Member, Membership, Seen, Unit
from tests.commune import StillClock
from tests.fakes import CHANNEL, FakePlatform, local, rows, until

MORNING = local(8, 7, 30)
"""Monday 8/9/2025: seven working days before the units' day."""


def ticker(store: Store, clock: StillClock, woken: list[int] | None = None) -> Ticker:
    transactions = Transactions(store)
    heard = woken if woken is not None else []
    return Ticker(transactions.write, transactions.read, clock.now, lambda: heard.append(len(rows(store))))


def digests(store: Store) -> int:
    with store.reading() as db:
        return len(db.exec(select(Digest)).all())


async def test_a_second_tick_does_nothing(store: Store) -> None:
    tick = ticker(store, StillClock(MORNING)).tick
    assert await tick() == 4
    assert await tick() == 0
    assert (digests(store), len(rows(store))) == (4, 4)


async def test_two_ticks_at_once_plan_everybody_once(store: Store) -> None:
    one, two = ticker(store, StillClock(MORNING)), ticker(store, StillClock(MORNING))
    counts = await asyncio.gather(one.tick(), two.tick(), one.tick())
    assert sum(counts) == len(rows(store)) == 4


async def test_after_a_restart_it_goes_on_where_it_was(store: Store) -> None:
    await ticker(store, StillClock(MORNING)).tick()
    assert await ticker(store, StillClock(MORNING + timedelta(minutes=1))).tick() == 0


async def test_many_people_are_planned_in_small_commits_and_delivery_woken_after_each(store: Store) -> None:
    with store.writing() as db:
        for number in range(2 * AT_ONCE):
            add_clerk(db, f"clerk-{number}")
    woken: list[int] = []
    assert await ticker(store, StillClock(MORNING), woken).tick() == 2 * AT_ONCE + 4
    assert woken == [AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 4]


async def test_a_tick_that_fails_is_made_up_for_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found = ticker(store, StillClock(MORNING))
    with monkeypatch.context() as patched:
        patched.setattr("scheduler.tick.due_now", None)
        assert await found.tick() == 0
    assert "action=tick_failed" in caplog.text
    assert await found.tick() == 4


async def test_keys_of_messages_are_forgotten_after_a_week(store: Store) -> None:
    with store.writing() as db:
        for days in (6, 8):
            take(db, CHANNEL, f"{days} days", MORNING - timedelta(days=days))
    await ticker(store, StillClock(MORNING)).tidy()
    assert keys(store) == ["6 days"]


def keys(store: Store) -> list[str]:
    with store.reading() as db:
        return [row.message_key for row in db.exec(select(Seen))]


async def test_it_wakes_by_itself_to_tick_and_to_tidy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.tick.EVERY", timedelta(milliseconds=5))
    monkeypatch.setattr("scheduler.tick.TIDY_EVERY", timedelta(milliseconds=5))
    with store.writing() as db:
        take(db, CHANNEL, "old", MORNING - timedelta(days=30))
    found = ticker(store, StillClock(MORNING))
    found.start()
    await until(lambda: digests(store) == 4 and not keys(store))
    found.stop()
    found.stop()


async def test_the_program_reminds_by_itself_and_ends_in_order(store: Store) -> None:
    platform = FakePlatform()
    app = App(store, [platform], StillClock(MORNING))
    running = asyncio.create_task(app.run())
    await until(lambda: len(platform.sent) == 4)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert {row.state for row in rows(store).values()} == {"sent"}
    assert all(message.text.startswith("<b>Nhắc việc") for message in platform.sent)


async def test_a_menu_counts_from_the_first_start_that_had_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = local(7, 6, 0), local(7, 6, 1), local(7, 6, 2)
    assert await menu_since(store, first) == first
    assert await menu_since(store, second) == first
    before = handlers.MENU
    monkeypatch.setattr("handlers.MENU", before[1:])
    assert await menu_since(store, second) == second
    monkeypatch.setattr("handlers.MENU", before)
    assert await menu_since(store, third) == third  # as before: those who wrote meanwhile have the other one


async def menu_since(store: Store, at: datetime) -> datetime | None:
    """Since when menus are what they are, for a program that starts then."""
    app = App(store, [FakePlatform()], StillClock(at))
    running = asyncio.create_task(app.run())
    await until(lambda: app.intake.menu_since is not None)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return app.intake.menu_since


async def test_the_program_does_not_go_on_without_one_of_its_parts(store: Store) -> None:
    class Ends(FakePlatform):
        async def listen(self, accept: Accept) -> None:
            raise StartFailed("telegram_token")

    with pytest.raises(StartFailed):
        await App(store, [Ends()], StillClock(local(7))).run()


def add_clerk(db: Session, chat_id: str) -> None:
    """One more person of Phòng Kinh tế."""
    unit = db.exec(select(Unit).where(col(Unit.code) == "KT")).one()
    member = Member(organization_id=unit.organization_id, name=chat_id, joined_at=MORNING)
    db.add(member)
    db.flush()
    assert member.id is not None
    mine: dict[str, Any] = {"organization_id": unit.organization_id, "member_id": member.id}
    account = Account(**mine, channel=CHANNEL, chat_id=chat_id)
    db.add_all([account, Membership(**mine, unit_id=unit.id, role="staff")])
    db.flush()
    assert account.id is not None
    db.add(Conversation(account_id=account.id))
