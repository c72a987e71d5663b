"""Transactions: what comes together commits together, and what fails harms nobody else."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from bot import transactions
from bot.transactions import GaveUp, Transactions
from storage.store import Store
from storage.tables import SetAside
from tests.fakes import local, until

Work = Callable[[Session], None]


def adds(key: str) -> Work:
    """A work that leaves a trace."""
    return lambda db: db.add(
        SetAside(channel="x", chat_id="1", message_key=key, kind="text", at=local(15), traceback="")
    )


def fails(key: str, error: Exception) -> Work:
    """A work that fails after having written."""

    def work(db: Session) -> None:
        adds(key)(db)
        db.flush()
        raise error

    return work


def away(name: str = "SQLITE_BUSY") -> OperationalError:
    cause = sqlite3.OperationalError("it did not work")
    cause.sqlite_errorname = name
    return OperationalError("UPDATE", None, cause)


def traces(store: Store) -> list[str]:
    with store.reading() as db:
        return [row.message_key for row in db.exec(select(SetAside).order_by("id"))]


@pytest.fixture
def writing(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Transactions]:
    monkeypatch.setattr(transactions, "PAUSES", (0.001,))
    monkeypatch.setattr(transactions, "HELD", 60.0)
    made = Transactions(store)
    yield made
    made.close()


@pytest.fixture
def commits(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each transaction that is begun."""
    begun: list[int] = []
    original = store.writing

    def counted() -> AbstractContextManager[Session]:
        begun.append(1)
        return original()

    monkeypatch.setattr(store, "writing", counted)
    return begun


async def test_works_that_come_together_commit_together_and_in_order(
    store: Store, writing: Transactions, commits: list[int]
) -> None:
    keys = [str(number) for number in range(30)]
    await asyncio.gather(*[writing.write(adds(key)) for key in keys])
    assert traces(store) == keys
    assert len(commits) == 1


async def test_each_gets_its_own_result(writing: Transactions) -> None:
    works: list[Callable[[Session], int]] = [lambda db: 1, lambda db: 2, lambda db: 3]
    assert await asyncio.gather(*[writing.write(work) for work in works]) == [1, 2, 3]


async def test_one_that_fails_takes_nobody_with_it(store: Store, writing: Transactions) -> None:
    works = [adds("1"), fails("2", ZeroDivisionError()), adds("3")]
    results = await asyncio.gather(*[writing.write(work) for work in works], return_exceptions=True)
    assert [type(result) for result in results] == [type(None), ZeroDivisionError, type(None)]
    assert traces(store) == ["1", "3"]


async def test_a_long_work_does_not_hold_the_loop_for_the_others_too(
    store: Store, writing: Transactions, commits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "HELD", 0.0)
    await asyncio.gather(*[writing.write(adds(key)) for key in "123"])
    assert traces(store) == ["1", "2", "3"]
    assert len(commits) == 3


async def test_while_the_database_is_away_all_wait(store: Store, writing: Transactions) -> None:
    failures = iter([away()] * 20)

    def work(db: Session) -> None:
        adds("1")(db)
        if error := next(failures, None):
            raise error

    await asyncio.gather(writing.write(work), writing.write(adds("2")))
    assert sorted(traces(store)) == ["1", "2"]


async def test_a_caller_may_give_up_once_others_succeed(store: Store, writing: Transactions) -> None:
    tried = 0

    def counts(tries: int, others_succeed: bool) -> bool:
        nonlocal tried
        tried = tries
        return tries < 3 or not others_succeed

    poison = asyncio.create_task(writing.write(fails("poison", away("SQLITE_IOERR_READ")), bears=counts))
    await until(lambda: tried > 10)  # alone, it may be the database that is away
    await writing.write(adds("other"))
    with pytest.raises(GaveUp):
        await poison
    assert traces(store) == ["other"]


async def test_a_full_disk_is_no_work_s_fault_though_smaller_ones_succeed(
    store: Store, writing: Transactions
) -> None:
    failures = iter([away("SQLITE_FULL")] * 4)

    def work(db: Session) -> None:
        if error := next(failures, None):
            raise error
        adds("large")(db)

    large = asyncio.create_task(writing.write(work, bears=lambda tries, others: tries < 3 or not others))
    for name in ("1", "2", "3"):
        await writing.write(adds(name))
        await asyncio.sleep(0.01)
    await large
    assert sorted(traces(store)) == ["1", "2", "3", "large"]


async def test_a_cancelled_work_is_not_begun(store: Store, writing: Transactions) -> None:
    dropped = asyncio.create_task(writing.write(adds("dropped")))
    kept = asyncio.create_task(writing.write(adds("kept")))
    await asyncio.sleep(0)
    dropped.cancel()
    await asyncio.gather(dropped, kept, return_exceptions=True)
    assert traces(store) == ["kept"]


async def test_a_long_reading_leaves_the_loop_free_and_waits_for_the_database(writing: Transactions) -> None:
    failures, let_go = iter([away()] * 3), threading.Event()

    def work(_db: Session) -> bool:
        if error := next(failures, None):
            raise error
        return let_go.wait(timeout=5)

    reading = asyncio.create_task(writing.read_beside(work))
    await writing.write(adds("1"))
    let_go.set()
    assert await reading


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SQLITE_FULL", "the disk is full (SQLITE_FULL)"),
        ("SQLITE_BUSY_SNAPSHOT", "another program holds the database (SQLITE_BUSY_SNAPSHOT)"),
        ("SQLITE_IOERR_WRITE", "the disk does not do what it is told (SQLITE_IOERR_WRITE)"),
        ("SQLITE_PROTOCOL", "the database cannot be reached (SQLITE_PROTOCOL)"),
    ],
)
async def test_what_keeps_the_database_away_is_said_once_and_so_is_its_end(
    writing: Transactions, caplog: pytest.LogCaptureFixture, name: str, words: str
) -> None:
    caplog.set_level("WARNING", "dondoc.database")
    failures = iter([away(name)] * 9)

    def work(_db: Session) -> None:
        if error := next(failures, None):
            raise error

    await writing.write(work)
    await writing.write(lambda _db: None)
    began, ended = caplog.messages
    assert began.startswith(f"action=database_away reason={words};")
    assert ended == "action=database_back seconds=0"


async def test_a_moment_of_another_program_is_not_worth_a_word(
    writing: Transactions, caplog: pytest.LogCaptureFixture
) -> None:
    failures = iter([away()] * 3)

    def work(_db: Session) -> None:
        if error := next(failures, None):
            raise error

    await writing.write(work)
    assert caplog.messages == []
