"""Heartbeats, and what they and the outbox tell of the program; on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import Session, delete, select

from storage.service import TICK, Pulse, beat, clear, last_beat, pulse, since
from storage.store import Store
from storage.tables import Heartbeat, Outgoing, SetAside
from tests.fakes import lay, local
from tests.postgres import scratch_database
from tests.test_postgres import together

NOW = local(15, 14, 0)


@pytest.fixture(scope="module")
def server(prepared_server: str) -> Iterator[str]:
    """A PostgreSQL database with the example's people."""
    with scratch_database(prepared_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, prepared: Path, tmp_path: Path) -> Iterator[Store]:
    """A database of each engine, where nothing has been sent and nothing has beaten yet."""
    if request.param == "sqlite":
        shutil.copy(prepared, tmp_path / "commune.db")
        url = f"sqlite:///{tmp_path / 'commune.db'}"
    else:
        url = request.getfixturevalue("server")
    with closing(Store(url)) as opened:
        with opened.writing() as db:
            for table in (Outgoing, SetAside, Heartbeat):
                db.exec(delete(table))
        yield opened


def beats(store: Store, at: datetime, name: str = TICK) -> None:
    with store.writing() as db:
        beat(db, name, at)


def last(store: Store, name: str = TICK) -> datetime | None:
    with store.reading() as db:
        return last_beat(db, name)


def felt(store: Store, now: datetime = NOW) -> Pulse:
    with store.reading() as db:
        return pulse(db, now)


def fails(db: Session, at: datetime) -> None:
    db.add(SetAside(channel="x", chat_id="1", message_key="1", kind="text", at=at, traceback="…"))


def test_an_edition_holds_since_it_was_first_seen_and_never_since_a_wrong_future(store: Store) -> None:
    with store.writing() as db:
        assert since(db, "menu", "one", NOW) == NOW
        assert since(db, "menu", "one", NOW + timedelta(days=3)) == NOW
        assert since(db, "menu", "two", NOW + timedelta(days=9)) == NOW + timedelta(days=9)
        assert since(db, "menu", "two", NOW) == NOW  # the clock was ahead
        assert since(db, "menu", "one", NOW + timedelta(days=1)) == NOW + timedelta(days=1)


def test_the_last_beat_of_each_part_is_kept(store: Store) -> None:
    assert last(store) is None
    for minute in (0, 1, 2):
        beats(store, NOW + timedelta(minutes=minute))
    beats(store, NOW, "outbox")
    found = last(store)
    assert found == NOW + timedelta(minutes=2)
    assert found.tzinfo is UTC
    assert last(store, "outbox") == NOW
    with store.reading() as db:
        assert len(db.exec(select(Heartbeat)).all()) == 2


def test_a_part_that_is_cleared_has_never_beaten(store: Store) -> None:
    beats(store, NOW, "outbox")
    beats(store, NOW)
    with store.writing() as db:
        clear(db, "outbox")
        clear(db, "nobody")
    assert last(store, "outbox") is None
    assert last(store) == NOW


def test_machines_that_beat_at_once_do_no_harm(server: str) -> None:
    def beat_often(where: Store, ahead: int) -> None:
        for number in range(50):
            beats(where, NOW + timedelta(seconds=10 * number + ahead))

    with closing(Store(server)) as one, closing(Store(server)) as other:
        with one.writing() as db:
            clear(db, TICK)
        together(partial(beat_often, one, 0), partial(beat_often, other, 1), partial(beat_often, one, 2))
        assert last(one) in [NOW + timedelta(seconds=490 + ahead) for ahead in (0, 1, 2)]


def test_a_program_that_never_ran_does_not_tick(store: Store) -> None:
    assert felt(store) == Pulse(NOW, None, None, 0)
    assert felt(store).silence is None
    assert not felt(store).is_ticking
    assert felt(store).is_delivering


@pytest.mark.parametrize(
    ("ago", "is_ticking"),
    [
        (timedelta(0), True),
        (timedelta(minutes=5), True),
        (timedelta(minutes=5, seconds=1), False),
        (timedelta(days=3), False),
        (timedelta(minutes=-1), True),
        (timedelta(hours=-1), False),
    ],
)
def test_ticks_have_stopped_after_five_minutes(store: Store, ago: timedelta, is_ticking: bool) -> None:
    beats(store, NOW - ago)
    assert felt(store).silence == ago
    assert felt(store).is_ticking is is_ticking


@pytest.mark.parametrize(
    ("waits", "is_delivering"), [(timedelta(minutes=5), True), (timedelta(minutes=5, seconds=1), False)]
)
def test_a_message_that_waits_longer_than_five_minutes_is_not_delivered(
    store: Store, waits: timedelta, is_delivering: bool
) -> None:
    lay(store, NOW - waits, "mai", "one")
    lay(store, NOW, "tuan", "two")
    lay(store, NOW - timedelta(hours=9), "yen", "sent", state="sent")
    lay(store, NOW - timedelta(hours=9), "thao", "later", not_before=NOW + timedelta(hours=1))
    assert felt(store).waited == waits
    assert felt(store).is_delivering is is_delivering


def test_a_message_held_back_waits_since_it_may_go(store: Store) -> None:
    lay(store, NOW - timedelta(hours=12), "mai", "this morning", not_before=NOW - timedelta(minutes=1))
    assert felt(store).waited == timedelta(minutes=1)
    lay(store, NOW - timedelta(minutes=2), "mai", "any time", not_before=NOW - timedelta(hours=12))
    assert felt(store).waited == timedelta(minutes=2)


def test_failures_of_the_last_day_are_counted(store: Store) -> None:
    with store.writing() as db:
        for hours in (1, 23, 25):
            fails(db, NOW - timedelta(hours=hours))
    assert felt(store).set_aside == 2
