"""The database: how it is opened, and what a transaction is."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, create_engine

IN_MEMORY = "sqlite://"
HEAD = "0003"
"""The revision this program works with; a test holds it equal to the newest migration."""

_PREPARING = 1883
"""The lock by which processes that start at the same time on an empty PostgreSQL take turns."""
_AWAY_SQLITE = tuple(
    f"SQLITE_{name}" for name in ("BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "READONLY", "PROTOCOL")
)
"""READONLY: the disk was mounted anew after a fault."""
_OF_THE_PLACE_SQLITE = tuple(f"SQLITE_{name}" for name in ("BUSY", "LOCKED", "FULL", "READONLY"))
_AWAY_POSTGRES = ("08", "25006", "25P03", "28", "40", "53", "55P03", "57", "58")
"""SQLSTATE: connection, standby, time-out in a transaction, refused log-in (a password being changed), rollback
(deadlock), resources, lock, shutdown and time-out, the server's system."""


class StoreFault(Exception):
    """The database cannot be used. `code` names the sentence in messages/cli.j2."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class Store:
    """An open database. Transactions begin at once for writing, so that two writers never deadlock."""

    def __init__(self, url: str) -> None:
        self.engine = _open(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self.commit_took = 0.0
        """Seconds the last commit took; tells a slow disk."""
        self._held: sqlite3.Connection | None = None
        self._reader = self.engine
        if not self.is_sqlite:
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def beginning(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[Connection]:
        """A connection in a transaction, which the caller ends; left alone, it is rolled back.

        On SQLite it begins in so many words: an event that does it would cost every statement more than the words.
        """
        engine = self.engine if begin == "BEGIN IMMEDIATE" else self._reader
        with engine.connect() as link:
            link.begin()
            if self.is_sqlite:
                link.exec_driver_sql(begin)
            yield link

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back when anything is raised."""
        with self.beginning() as link, _session(link) as session:
            yield session
            if session.in_transaction():
                session.commit()
            began = time.perf_counter()
            link.commit()
            self.commit_took = time.perf_counter() - began

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A snapshot; nothing of it is kept."""
        with self.beginning("BEGIN") as link, _session(link) as session:
            yield session

    def revision(self) -> str | None:
        """The migration the database stands at; None for an empty one."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return str(found) if found else None

    def prepare(self) -> None:
        """Bring the tables to this program's version, one process at a time. Raises StoreFault("store_newer")."""
        found = self.revision()
        if found == HEAD:
            return
        if found is not None and found > HEAD:
            raise StoreFault("store_newer", found=found, known=HEAD)
        from alembic import command  # heavy, and needed only when something changes

        with self.beginning() as connection:
            if not self.is_sqlite:  # there the transaction itself lets nobody else in
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_PREPARING})")
            command.upgrade(migrations(connection), HEAD)  # nothing is done when another process was faster
            connection.commit()

    def hold(self) -> None:
        """Be the one program that runs on this SQLite file, until it ends. Raises StoreFault("store_in_use").

        Another file is locked by SQLite itself, as it can on every system; the lock ends with the process.
        """
        if not self.is_sqlite or not self.engine.url.database:
            return
        self._held = sqlite3.connect(f"{self.engine.url.database}-running", timeout=0, isolation_level=None)
        try:
            self._held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._held.close()
            raise StoreFault("store_in_use") from error

    def checkpoint(self) -> None:
        """Move what was committed from SQLite's log into its file, while others read and write. May take long."""
        with self.engine.connect() as link:
            link.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        if self._held is not None:
            self._held.close()
        self.engine.dispose()


def _session(link: Connection) -> Session:
    """A session on a transaction that is not its own; statements of the hot path use the connection itself."""
    info = {"connection": link, "driver": link.connection.dbapi_connection}
    return Session(link, expire_on_commit=False, info=info, join_transaction_mode="rollback_only")


def migrations(connection: Connection) -> Any:
    """Alembic's configuration, bound to an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def is_away(error: BaseException) -> bool:
    """True when the database is away or busy, and the same work may succeed later."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return str(name).startswith(_AWAY_SQLITE)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_AWAY_POSTGRES)
    return isinstance(error, OperationalError)


def is_of_the_place(error: BaseException) -> bool:
    """True when the disk is full or the database held by another: whatever the work, and though smaller ones
    succeed beside it."""
    orig = getattr(error, "orig", None)
    name, state = getattr(orig, "sqlite_errorname", None) or "", getattr(orig, "sqlstate", None) or ""
    return str(name).startswith(_OF_THE_PLACE_SQLITE) or str(state).startswith("53")


def is_clash(error: BaseException) -> bool:
    """True when a unique key was taken: the same work, done again, finds the row of who was faster."""
    return isinstance(error, IntegrityError) and getattr(error.orig, "sqlstate", None) == "23505"


def _open(url: str) -> Engine:
    # What people wrote stays out of tracebacks.
    ways: dict[str, Any] = {"hide_parameters": True, "json_serializer": _json}
    if not url.startswith("sqlite"):
        shared = url.replace("postgresql://", "postgresql+psycopg://", 1)
        return create_engine(shared, pool_pre_ping=True, connect_args=_PATIENCE, **ways)
    if url == IN_MEMORY:
        ways["poolclass"] = StaticPool  # another connection would be another database
    engine = create_engine(url, connect_args={"timeout": 0, "check_same_thread": False}, **ways)
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


_PATIENCE: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "tcp_user_timeout": 30_000,
    "options": "-c lock_timeout=10s -c random_page_cost=1.1",
}
"""A server that vanished, or a lock of another process that stopped, is given up after so long and tried anew.
A row is looked up, also where there are many to look up: read whole, a table costs by what exists."""
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "wal_autocheckpoint=20000",
)
"""A commit would do a checkpoint by itself, and hold everybody for it: the running program does them beside."""
_json = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
