"""The intake: a message is taken for good, once, whatever fails."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import select

from bot.intake import Intake
from bot.transactions import Transactions
from handlers.desk import Desk
from handlers.incoming import Incoming, Kind
from handlers.router import hear
from messages import say
from storage.store import Store
from storage.tables import Outgoing, SetAside
from tests.commune import StillClock
from tests.fakes import CHANNEL, account, local, rows, settle, until

NOW = local(15, 14, 0)
Hear = Callable[[Desk], None]


def says(chat_id: str, text: str, key: str | None = None, kind: Kind = "text") -> Incoming:
    return Incoming(CHANNEL, chat_id, key or f"{chat_id} {text}", kind, text, NOW)


def busy(name: str = "SQLITE_BUSY") -> OperationalError:
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorname = name
    return OperationalError("UPDATE", None, cause)


@pytest.fixture
def intake(store: Store) -> Intake:
    return Intake(Transactions(store), StillClock(NOW), lambda: None)


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Callable[[Hear], None]:
    """Puts a handler in front of the real one; it fails by raising."""
    monkeypatch.setattr("bot.transactions.PAUSES", (0.001,))

    def put(first: Hear) -> None:
        def both(desk: Desk) -> None:
            first(desk)
            hear(desk)

        monkeypatch.setattr("bot.intake.hear", both)

    return put


@pytest.fixture
def writer(store: Store) -> sqlite3.Connection:
    """Another process that may hold the database."""
    assert store.engine.url.database is not None
    return sqlite3.connect(Path(store.engine.url.database), isolation_level=None)


def answers(store: Store, chat_id: str) -> list[str]:
    with store.reading() as db:
        found = select(Outgoing).where(Outgoing.account_id == account(store, chat_id).id).order_by("id")
        return [(row.body or {})["text"] for row in db.exec(found)]


def set_aside(store: Store) -> list[SetAside]:
    with store.reading() as db:
        return list(db.exec(select(SetAside)))


async def test_a_message_delivered_twice_is_answered_once(store: Store, intake: Intake) -> None:
    for _ in range(2):
        await intake.accept(says("mai", "/tasks"))
    again = Intake(Transactions(store), StillClock(NOW), lambda: None)
    await asyncio.gather(*[again.accept(says("mai", "/tasks")) for _ in range(3)])
    assert len(answers(store, "mai")) == 1


async def test_the_same_key_of_another_platform_is_another_message(store: Store, intake: Intake) -> None:
    await intake.accept(says("mai", "/tasks", key="1"))
    await intake.accept(Incoming("telegram", "5", "1", "text", "/start", NOW))
    assert len(rows(store)) == 2


async def test_it_wakes_delivery_before_the_commit_and_after_it(store: Store) -> None:
    seen: list[int] = []
    intake = Intake(Transactions(store), StillClock(NOW), lambda: seen.append(len(rows(store))))
    await intake.accept(says("mai", "/tasks"))
    assert seen == [0, 1]


async def test_while_another_process_writes_it_waits_and_acknowledges_nothing(
    store: Store, intake: Intake, writer: sqlite3.Connection
) -> None:
    writer.execute("BEGIN IMMEDIATE")
    accepting = [asyncio.create_task(intake.accept(says(chat, "/tasks"))) for chat in ("mai", "tuan")]
    await asyncio.sleep(0.03)
    assert not any(task.done() for task in accepting)
    assert len(rows(store)) == 0
    writer.execute("ROLLBACK")
    await asyncio.gather(*accepting)
    assert len(answers(store, "mai")) == len(answers(store, "tuan")) == 1
    assert set_aside(store) == []
    writer.close()


async def test_a_cancel_passes_and_the_message_may_be_delivered_again(
    store: Store, intake: Intake, writer: sqlite3.Connection
) -> None:
    writer.execute("BEGIN IMMEDIATE")
    accepting = asyncio.create_task(intake.accept(says("mai", "/tasks")))
    await settle()
    accepting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await accepting
    writer.execute("ROLLBACK")
    await Intake(Transactions(store), StillClock(NOW), lambda: None).accept(says("mai", "/tasks"))
    await until(lambda: len(answers(store, "mai")) == 1)
    writer.close()


async def test_a_handler_that_fails_is_apologized_for_and_set_aside(
    store: Store, intake: Intake, handler: Callable[[Hear], None]
) -> None:
    def fails(desk: Desk) -> None:
        if desk.incoming.text == "boom":
            desk.note("half done")
            raise ZeroDivisionError("division by zero")

    handler(fails)
    await intake.accept(says("mai", "boom"))
    await intake.accept(says("mai", "boom"))  # the platform delivers it again
    await intake.accept(says("mai", "/tasks"))
    [row] = set_aside(store)
    assert (row.chat_id, row.message_key, row.kind) == ("mai", "mai boom", "text")
    assert "ZeroDivisionError" in row.traceback
    assert len(answers(store, "mai")) == 2


async def test_a_failing_message_takes_nobody_with_it(
    store: Store, intake: Intake, handler: Callable[[Hear], None]
) -> None:
    def fails(desk: Desk) -> None:
        if desk.incoming.text == "boom":
            raise ZeroDivisionError

    handler(fails)

    async def writes(chat: str) -> None:
        for text in ("/tasks", "boom", "/help"):
            await intake.accept(says(chat, text))

    chats = ("mai", "tuan", "thao", "yen")
    await asyncio.gather(*map(writes, chats))
    assert len(set_aside(store)) == len(chats)
    for chat in chats:
        first, second, third = answers(store, chat)
        assert second == say("talk.failed")
        assert second not in (first, third)


async def test_what_fails_five_times_while_others_succeed_is_set_aside(
    store: Store, intake: Intake, handler: Callable[[Hear], None]
) -> None:
    tried = 0

    def fails(desk: Desk) -> None:
        nonlocal tried
        if desk.incoming.text == "too much":
            tried += 1
            raise busy("SQLITE_IOERR_READ")

    handler(fails)
    poison = asyncio.create_task(intake.accept(says("mai", "too much")))
    await until(lambda: tried > 20)  # alone, it may be the database that is away
    assert set_aside(store) == []
    await intake.accept(says("tuan", "/tasks"))
    await poison
    assert [row.message_key for row in set_aside(store)] == ["mai too much"]
    assert len(answers(store, "mai")) == len(answers(store, "tuan")) == 1


async def test_while_everybody_fails_nobody_is_set_aside(
    store: Store, intake: Intake, handler: Callable[[Hear], None]
) -> None:
    tried = 0

    def fails(_desk: Desk) -> None:
        nonlocal tried
        tried += 1
        if tried < 60:
            raise busy()

    handler(fails)
    await asyncio.gather(*[intake.accept(says(chat, "/tasks")) for chat in ("mai", "tuan", "thao")])
    assert set_aside(store) == []
    assert all(len(answers(store, chat)) == 1 for chat in ("mai", "tuan", "thao"))


@pytest.mark.parametrize(("chat_id", "answered"), [("mai", 1), ("", 0)])
async def test_what_cannot_be_read_is_set_aside_and_answered_where_its_chat_is_known(
    store: Store, intake: Intake, chat_id: str, answered: int
) -> None:
    for _ in range(2):
        await intake.accept(Incoming(CHANNEL, chat_id, "1", "other", "unparsable", NOW, unread='{"odd": 1}'))
    assert [(row.chat_id, row.traceback) for row in set_aside(store)] == [(chat_id, '{"odd": 1}')]
    assert len(rows(store)) == answered


async def test_what_cannot_even_be_set_aside_is_not_acknowledged(
    store: Store, intake: Intake, handler: Callable[[Hear], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise DBAPIError("UPDATE", None, ValueError("malformed"))

    handler(breaks)
    monkeypatch.setattr(Intake, "_apologize", breaks)
    with pytest.raises(DBAPIError):
        await intake.accept(says("mai", "/tasks"))
    monkeypatch.undo()
    await intake.accept(says("mai", "/tasks"))
    assert len(answers(store, "mai")) == 1


async def test_who_blocks_the_bot_is_unreachable_until_they_come_back(store: Store, intake: Intake) -> None:
    await intake.accept(says("mai", "", key="1", kind="gone"))
    assert not account(store, "mai").is_reachable
    await intake.accept(says("mai", "", key="2", kind="back"))
    assert account(store, "mai").is_reachable
    assert answers(store, "mai") == []


async def test_nothing_people_wrote_is_in_a_traceback(
    store: Store, intake: Intake, handler: Callable[[Hear], None]
) -> None:
    def fails(desk: Desk) -> None:
        desk.db.connection().exec_driver_sql("SELECT nothing FROM nowhere WHERE x = ?", (desk.incoming.text,))

    handler(fails)
    await intake.accept(says("mai", "0912345678"))
    assert "0912345678" not in set_aside(store)[0].traceback
