"""What is woken while a tick is at work stays awake, whoever of the two comes first to the row."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlmodel import Session, col, select, text

from scheduler.digest import Found, due_now, write_digests
from storage.looking import keep_looks
from storage.store import Store
from storage.tables import NEXT_TICK, Obligation, Organization
from storage.waking import move_due, wake, wake_row
from tests.fakes import local
from tests.postgres import scratch_database

NOW = local(9, 9)


@pytest.fixture
def server(prepared_server: str) -> Iterator[Store]:
    with scratch_database(prepared_server) as url:
        opened = Store(url)
        yield opened
        opened.close()


@pytest.fixture(params=["store", "server"])
def either(request: pytest.FixtureRequest) -> Store:
    """The commune on each engine."""
    found: Store = request.getfixturevalue(request.param)
    return found


def moved(row: Obligation) -> None:
    move_due(row, date(2025, 12, 30), NOW.date())


WAYS = pytest.mark.parametrize("change", [wake_row, moved])
"""By which code that holds the row wakes it."""


def the_row(db: Session) -> Obligation:
    """The last thing that anybody owes: nobody hears of it on this day."""
    return db.exec(select(Obligation).order_by(col(Obligation.due_on).desc(), col(Obligation.id)).limit(1)).one()


def look(store: Store) -> Found:
    """A tick reads."""
    with store.reading() as db:
        return due_now(db, db.exec(select(Organization)).one(), NOW)


def write(store: Store, found: Found) -> None:
    """The same tick writes what it found."""
    with store.writing() as db:
        write_digests(db, found.dues, NOW)
        keep_looks(db, found.looks)


def awake(store: Store) -> list[int | None]:
    with store.reading() as db:
        return list(db.exec(select(Obligation.id).where(Obligation.look_on == NEXT_TICK)))


@WAYS
def test_what_is_changed_but_not_committed_when_a_tick_reads_stays_awake(
    either: Store, change: Callable[[Obligation], None]
) -> None:
    with either.writing() as db:
        row = the_row(db)
        change(row)
        db.flush()
        found = look(either)
    write(either, found)
    assert awake(either) == [row.id]


@WAYS
def test_what_a_tick_put_to_sleep_since_it_was_read_is_woken(
    server: Store, change: Callable[[Obligation], None]
) -> None:
    with server.writing() as db:
        row = the_row(db)
        write(server, look(server))
        assert awake(server) == []
        change(row)
    assert awake(server) == [row.id]


@WAYS
def test_two_changes_at_once_count_as_two(server: Store, change: Callable[[Obligation], None]) -> None:
    with server.writing() as db:
        row = the_row(db)
        with server.writing() as other:
            wake(other, [row.id or 0])
        found = look(server)
        change(row)
    write(server, found)
    assert awake(server) == [row.id]


@WAYS
def test_a_change_that_a_tick_has_to_wait_for_stays_awake(
    server: Store, change: Callable[[Obligation], None]
) -> None:
    found = look(server)
    with server.writing() as db:
        row = the_row(db)
        change(row)
        db.flush()
        tick = threading.Thread(target=write, args=(server, found))
        tick.start()
        while not is_waiting(server):
            assert tick.is_alive()
    tick.join(10)
    assert awake(server) == [row.id]


def is_waiting(store: Store) -> bool:
    """One transaction waits for another."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    with store.reading() as db:
        found = db.connection().execute(text(f"{waiting} AND cardinality(pg_blocking_pids(pid)) > 0"))
        return bool(found.scalar())
