"""The database: instants, migrations, durability, and which of its errors pass by themselves, on both engines."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlmodel import Session, select

from storage import outbox
from storage.chats import take
from storage.store import HEAD, Store, StoreFault, is_away, is_clash, migrations
from storage.tables import NEXT_TICK, Account, Obligation, Outgoing, Seen
from tests.fakes import HANOI, lay, local
from tests.postgres import scratch_database

NEW_YORK_WINTER = timezone(-timedelta(hours=5))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database with its tables and nothing in them."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated"), tmp_path / "empty.db")
        store = Store(f"sqlite:///{tmp_path / 'empty.db'}")
        yield store
        store.close()
        return
    store = request.getfixturevalue("shared")
    yield store
    with store.writing() as db:
        for name in ("seen", "account", "alembic_version"):
            db.connection().exec_driver_sql(f"DELETE FROM {name}")
        db.connection().exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{HEAD}')")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    store = Store(f"sqlite:///{path}")
    store.prepare()
    store.close()
    return path


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    with scratch_database() as url:
        store = Store(url)
        store.prepare()
        yield store
        store.close()


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2025, 9, 15, 8, 0, tzinfo=HANOI),
        datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 30, tzinfo=HANOI),
        datetime(2025, 11, 2, 1, 30, tzinfo=NEW_YORK_WINTER),
    ],
)
def test_a_stored_instant_comes_back_equal_and_aware(empty: Store, instant: datetime) -> None:
    with empty.writing() as db:
        take(db, "browser", "1", instant)
        db.add(Seen(channel="browser", message_key="2", at=instant))
    with empty.reading() as db:
        found = [row.at for row in db.exec(select(Seen))]
        earlier = db.exec(select(Seen).where(Seen.at < instant + timedelta(microseconds=1))).all()
    assert found == [instant, instant]
    assert {moment.utcoffset() for moment in found} == {timedelta(0)}
    assert len(earlier) == 2


@pytest.mark.parametrize(
    "write",
    [
        lambda db, at: take(db, "browser", "1", at),
        lambda db, at: db.add(Seen(channel="browser", message_key="1", at=at)),
    ],
)
def test_a_naive_instant_is_refused(empty: Store, write: Callable[[Session, datetime], object]) -> None:
    naive = local(15).replace(tzinfo=None)
    with pytest.raises((StatementError, ValueError)), empty.writing() as db:
        write(db, naive)


def test_the_migrations_make_the_tables_of_the_models(empty: Store) -> None:
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Account.metadata) == []


def test_this_program_works_with_the_newest_migration(empty: Store) -> None:
    with empty.engine.connect() as connection:
        scripts = ScriptDirectory.from_config(migrations(connection))
    assert scripts.get_heads() == [HEAD]
    assert empty.revision() == HEAD


def test_preparing_twice_is_once(empty: Store) -> None:
    with empty.writing() as db:
        take(db, "browser", "1", local(15))
    empty.prepare()
    with empty.reading() as db:
        assert len(db.exec(select(Seen)).all()) == 1


def test_a_database_of_a_newer_version_is_refused(empty: Store) -> None:
    with empty.writing() as db:
        db.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreFault) as fault:
        empty.prepare()
    assert (fault.value.code, fault.value.facts) == ("store_newer", {"found": "9999", "known": HEAD})


def test_an_empty_database_has_no_revision(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'new.db'}")
    assert store.revision() is None
    store.close()


def test_sqlite_is_durable_on_every_connection(store: Store) -> None:
    with store.writing() as one, store.reading() as two:
        for db in (one, two):
            found = [
                db.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
            assert found == ["wal", 2, 1]


def test_a_row_cannot_point_to_nothing(empty: Store) -> None:
    with pytest.raises(IntegrityError), empty.writing() as db:
        db.add(Account(channel="browser", chat_id="x", member_id=4711))


def test_a_transaction_is_all_or_nothing(empty: Store) -> None:
    def half(store: Store) -> None:
        with store.writing() as db:
            take(db, "browser", "1", local(15))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half(empty)
    with empty.reading() as db:
        take(db, "browser", "2", local(15))  # a reading keeps nothing
    with empty.reading() as db:
        assert db.exec(select(Seen)).all() == []


def test_a_reading_sees_one_moment(empty: Store) -> None:
    with empty.reading() as db:
        assert len(db.exec(select(Seen)).all()) == 0
        with empty.writing() as other:
            take(other, "browser", "1", local(15))
        assert len(db.exec(select(Seen)).all()) == 0


def test_a_second_writer_is_told_at_once_and_may_try_again(store: Store) -> None:
    with store.writing() as db:
        take(db, "browser", "1", local(15))
        with pytest.raises(OperationalError) as busy, store.writing() as other:
            take(other, "browser", "2", local(15))
    assert is_away(busy.value)
    with store.writing() as db:
        assert take(db, "browser", "2", local(15))


def test_one_program_runs_on_a_file_at_a_time(store: Store) -> None:
    store.hold()
    second = Store(store.engine.url.render_as_string())
    with pytest.raises(StoreFault) as fault:
        second.hold()
    assert fault.value.code == "store_in_use"
    with second.writing() as db:  # the command line may go on
        take(db, "browser", "1", local(15))
    store.close()
    second.hold()
    second.close()


def test_a_full_disk_passes(store: Store) -> None:
    body = {"text": "x" * 1_000_000}
    with pytest.raises(OperationalError) as full, store.writing() as db:
        fill(db, body)
    assert getattr(full.value.orig, "sqlite_errorname", "") == "SQLITE_FULL"
    assert is_away(full.value)


def fill(db: Session, body: dict[str, str]) -> None:
    """Write more than the database may hold."""
    db.connection().exec_driver_sql("PRAGMA max_page_count=1")
    outbox.put(db, account_id=1, kind="text", body=body, created_at=local(15))


def test_a_missing_folder_may_come_back(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'gone' / 'dondoc.db'}")
    with pytest.raises(OperationalError) as missing:
        store.revision()
    assert is_away(missing.value)
    store.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SQLITE_BUSY", True),
        ("SQLITE_BUSY_SNAPSHOT", True),
        ("SQLITE_LOCKED", True),
        ("SQLITE_FULL", True),
        ("SQLITE_IOERR", True),
        ("SQLITE_IOERR_FSYNC", True),
        ("SQLITE_CANTOPEN", True),
        ("SQLITE_ERROR", False),
        ("SQLITE_CORRUPT", False),
        ("SQLITE_NOTADB", False),
        ("SQLITE_READONLY", True),
        ("SQLITE_CONSTRAINT_UNIQUE", False),
        ("SQLITE_CONSTRAINT_FOREIGNKEY", False),
    ],
)
def test_which_sqlite_errors_pass_by_themselves(name: str, expected: bool) -> None:
    cause = sqlite3.OperationalError("…")
    cause.sqlite_errorname = name
    assert is_away(OperationalError("UPDATE", None, cause)) is expected


class Refusal(Exception):
    """What psycopg raises, as far as it counts."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [
        ("08006", True),  # connection failure
        ("40001", True),  # serialization failure
        ("40P01", True),  # deadlock
        ("53300", True),  # too many connections
        ("53100", True),  # disk full
        ("55P03", True),  # lock not available
        ("57P01", True),  # admin shutdown
        ("57P03", True),  # cannot connect now
        ("57014", True),  # statement time-out
        ("25006", True),  # read-only: a standby
        ("58030", True),  # I/O error
        ("28P01", True),  # the password is being changed
        (None, True),  # no answer at all
        ("23505", False),  # unique violation
        ("23503", False),
        ("42P01", False),  # undefined table
        ("22001", False),
    ],
)
def test_which_postgres_errors_pass_by_themselves(sqlstate: str | None, expected: bool) -> None:
    assert is_away(OperationalError("UPDATE", None, Refusal(sqlstate))) is expected


def test_a_lost_connection_passes() -> None:
    assert is_away(DBAPIError("SELECT 1", None, Refusal("XX000"), connection_invalidated=True))


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("x"), sqlite3.OperationalError("locked"), TimeoutError()]
)
def test_what_is_no_error_of_the_database_does_not_pass(error: Exception) -> None:
    assert not is_away(error)


def test_a_clash_is_when_somebody_was_faster(store: Store) -> None:
    assert is_clash(IntegrityError("INSERT", None, Refusal("23505")))
    assert not is_clash(IntegrityError("INSERT", None, Refusal("23503")))
    with pytest.raises(IntegrityError) as error, store.writing() as db:
        db.add(Account(channel="browser", chat_id="mai"))
    assert not is_clash(error.value)  # on SQLite nobody can be faster: it is a fault of ours


def test_what_people_wrote_is_in_no_error(empty: Store) -> None:
    with pytest.raises(DBAPIError) as error, empty.reading() as db:
        db.connection().execute(text("SELECT nothing FROM nowhere WHERE x = :said"), {"said": "0912345678"})
    assert "0912345678" not in str(error.value)


def test_the_outbox_keeps_instants_too(store: Store) -> None:
    row_id = lay(store, local(15), "mai", "x", not_before=local(16).astimezone(HANOI))
    with store.reading() as db:
        assert db.get_one(Outgoing, row_id).not_before == local(16)


def test_a_database_in_use_is_brought_up_with_its_rows(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'old.db'}")
    with store.beginning() as connection:
        command.upgrade(migrations(connection), "0002")
        for statement in (
            "INSERT INTO organization VALUES (1,'a','A','s',NULL,'c','Asia/Ho_Chi_Minh','07:30:00','17:00:00',"
            "NULL,0)",
            "INSERT INTO unit VALUES (1,1,'KT','KT','KT','internal',1)",
            "INSERT INTO plan VALUES (1,1,'p','P',2025,'2025-01-01','{}','2025-01-01 00:00:00',0)",
            "INSERT INTO task VALUES (1,1,1,0,'task','2.9','T',NULL,'[]')",
            "INSERT INTO period VALUES (1,1,1,'2025-Q3','Q3','q','2025-06-15','2025-09-14','2024-12-15',"
            "'2025-09-17','2025-09-19','2025-09-20')",
            "INSERT INTO obligation VALUES (1,1,1,1,1,'not_started','2025-09-17',NULL,NULL,NULL,NULL,NULL)",
            "INSERT INTO member VALUES (1,1,'An',NULL,'2025-01-01 00:00:00')",
            "INSERT INTO digest VALUES (1,1,1,'2025-09-08',NULL)",
            "INSERT INTO reminder VALUES (1,1,1,1,1,-7,'2025-09-17',NULL)",
        ):
            connection.exec_driver_sql(statement)
        connection.commit()
    store.prepare()
    with store.reading() as db:
        (row,) = db.exec(select(Obligation)).all()
        assert (row.state, row.look_on, row.wakes) == ("not_started", NEXT_TICK, 0)
    store.close()
