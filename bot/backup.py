"""Backup and restore, the same for SQLite and PostgreSQL: what is copied from one can be restored into the other.

Tables, columns and revision are read from the database itself and written down in the file. So an older database
can be copied before it is brought up, and restore takes an older backup: it lays out the tables of that revision,
writes the rows, compares them, and brings them up to this release.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlmodel.sql.sqltypes import UTCDateTime

from bot.backup_file import (
    FORMAT,
    CareFault,
    Kind,
    Manifest,
    Part,
    new_backup,
    read_backup,
    write_manifest,
    write_part,
)
from storage.store import HEAD, Store, is_away, migrations

ROWS_AT_ONCE: Final = 500
REVISIONS: Final = "alembic_version"

_TYPES: Final[dict[Kind, sa.types.TypeEngine[Any]]] = {
    "json": sa.JSON(none_as_null=True),
    "instant": UTCDateTime(),
    "date": sa.Date(),
    "time": sa.Time(),
    "boolean": sa.Boolean(),
    "integer": sa.Integer(),
    "text": sa.String(),
}
_DECLARED: Final[dict[Kind, type[sa.types.TypeEngine[Any]]]] = {
    "json": sa.JSON,
    "instant": sa.DateTime,
    "date": sa.Date,
    "time": sa.Time,
    "boolean": sa.Boolean,
    "integer": sa.Integer,
    "text": sa.String,
}


@dataclass(frozen=True)
class Summary:
    """What was copied: rows by table. `made_at` is when the backup was made, in this computer's zone."""

    file: Path
    made_at: datetime
    engine: str
    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def backup(url: str, target: Path, now: datetime) -> Summary:
    """Write all rows, as they stand at one instant, to `target`; the program may go on meanwhile.

    Raises CareFault; then there is no `target`, or the one there was is untouched.
    """
    if is_absent(url):
        raise CareFault("store_missing", place=place_of(url))
    with new_backup(target) as archive, _opened(url) as store, _snapshot(store) as connection:
        found = sa.MetaData()
        found.reflect(connection)
        revision = _known_revision(connection, found)
        parts = [
            write_part(archive, part, _stored_lines(connection, part))
            for part in (_part(one) for one in found.sorted_tables if one.name != REVISIONS)
        ]
        engine = store.engine.dialect.name
        manifest = Manifest(format=FORMAT, revision=revision, made_at=now.astimezone(), engine=engine, parts=parts)
        write_manifest(archive, manifest)
    return _summary(target, manifest)


def restore(source: Path, url: str) -> Summary:
    """Write a backup into an empty place (no database, or one without rows), in one transaction.

    The file is checked whole before anything is written, the rows are compared afterwards. Raises CareFault; then
    the place is as empty as it was.
    """
    with read_backup(source) as file:
        _make_folder(url)
        with _opened(url) as store, store.writing() as session:
            connection = session.connection()
            _lay_out(connection, file.manifest.revision, place_of(url))
            for part in file.manifest.parts:
                _write_rows(connection, part, file.rows(part))
            for part in file.manifest.parts:
                _compare(connection, part)
            if not store.is_sqlite:
                _move_sequences(connection, file.manifest.parts)
            _upgrade(connection, file.manifest.revision, HEAD)
    return _summary(source, file.manifest)


def is_absent(url: str) -> bool:
    """True for an SQLite file that is not there; opening it would make it."""
    file = sqlite_file(url)
    return file is not None and not file.exists()


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database; None for any other."""
    try:
        parts = sa.make_url(url)
    except ArgumentError:
        return None
    return Path(parts.database) if parts.get_backend_name() == "sqlite" and parts.database else None


def place_of(url: str) -> str:
    """Where a database stands, without user and password."""
    try:
        parts = sa.make_url(url)
    except ArgumentError:
        return "DATABASE_URL"
    host = (parts.host or "").rpartition("@")[2]  # an "@" in a password moves the rest of it into the host
    port = f":{parts.port}" if parts.port else ""
    return f"{host}{port}/{parts.database}" if host else parts.database or ""


def _make_folder(url: str) -> None:
    file = sqlite_file(url)
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise CareFault("store_away", place=place_of(url)) from None


@contextmanager
def _opened(url: str) -> Iterator[Store]:
    try:
        store = Store(url)
    except (ArgumentError, NoSuchModuleError):
        raise CareFault("store_away", place=place_of(url)) from None
    try:
        yield store
    except DBAPIError as error:
        raise CareFault("store_away", place=place_of(url)) from error
    finally:
        store.close()


@contextmanager
def _snapshot(store: Store) -> Iterator[sa.Connection]:
    """A connection that sees the database as it stands at its first look, whatever is committed later."""
    with store.beginning("BEGIN") as connection:
        yield connection


def _known_revision(connection: sa.Connection, found: sa.MetaData) -> str:
    versions = found.tables.get(REVISIONS)
    revision = None if versions is None else connection.execute(sa.select(versions)).scalar()
    if revision is None:
        raise CareFault("store_empty")
    if revision > HEAD:
        raise CareFault("store_newer", found=revision, known=HEAD)
    return str(revision)


def _part(one: sa.Table) -> Part:
    columns = {column.name: _kind(column) for column in one.columns}
    return Part(table=one.name, columns=columns, key=[column.name for column in one.primary_key])


def _kind(column: sa.Column[Any]) -> Kind:
    for kind, declared in _DECLARED.items():
        if isinstance(column.type, declared):
            return kind
    raise CareFault("foreign_table", table=column.table.name)


def _stored_lines(connection: sa.Connection, part: Part) -> Iterator[bytes]:
    """The rows of a table: the same bytes from either engine.

    They are sorted by the key, so that a row which refers to an earlier one of its own table follows it.
    """
    one = _table(part)
    collation = "BINARY" if connection.dialect.name == "sqlite" else "C"
    keys = [one.c[name].collate(collation) if part.columns[name] == "text" else one.c[name] for name in part.key]
    shown = [sa.cast(column, sa.String) if isinstance(column.type, sa.JSON) else column for column in one.columns]
    wanted = sa.select(*shown).order_by(*keys).execution_options(yield_per=ROWS_AT_ONCE)
    return map(part.line, connection.execute(wanted))


def _table(part: Part) -> sa.TableClause:
    return sa.table(part.table, *(sa.column(name, _TYPES[kind]) for name, kind in part.columns.items()))


def _lay_out(connection: sa.Connection, revision: str, place: str) -> None:
    """Make the tables of `revision` where there are none. Raises CareFault for a place that is taken."""
    there = sa.inspect(connection).get_table_names()
    for name in there:
        if name != REVISIONS and connection.execute(sa.select(1).select_from(sa.table(name)).limit(1)).first():
            raise CareFault("place_taken", place=place)
    versions = sa.table(REVISIONS, sa.column("version_num"))
    found = connection.execute(sa.select(versions)).scalar() if REVISIONS in there else None
    if found not in (None, revision):
        raise CareFault("place_other", place=place)
    _upgrade(connection, found, revision)


def _upgrade(connection: sa.Connection, found: str | None, wanted: str) -> None:
    if found != wanted:
        from alembic import command  # heavy, and needed only here

        command.upgrade(migrations(connection), wanted)


def _write_rows(connection: sa.Connection, part: Part, rows: Iterator[dict[str, Any]]) -> None:
    insert = _table(part).insert()
    while some := list(islice(rows, ROWS_AT_ONCE)):
        try:
            connection.execute(insert, some)
        except DBAPIError as error:
            if is_away(error):
                raise
            raise CareFault("not_taken", table=part.table) from error


def _compare(connection: sa.Connection, part: Part) -> None:
    """What is read back must be what was copied, to the byte."""
    if part.counted(_stored_lines(connection, part)) != part:
        raise CareFault("not_same", table=part.table)


def _move_sequences(connection: sa.Connection, parts: list[Part]) -> None:
    """PostgreSQL: the next row gets the number after the last one."""
    for part in parts:
        if part.key == ["id"]:
            sequence = sa.func.pg_get_serial_sequence(f'"{part.table}"', "id")
            newest = sa.select(sa.func.max(_table(part).c.id)).scalar_subquery()
            connection.execute(sa.select(sa.func.setval(sequence, newest)))


def _summary(file: Path, manifest: Manifest) -> Summary:
    rows = {part.table: part.rows for part in manifest.parts}
    return Summary(file, manifest.made_at, manifest.engine, rows)
