"""Backup and restore: one zip file, the same from SQLite and from PostgreSQL.

It holds `manifest.json` and one part per table, a JSON array per row. Tables, columns and revision are read from the
database and written down in the manifest, so that a backup of an older release can still be made and read: restore
lays out the tables of that revision, writes the rows, compares them, and brings them up to this release.
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import sqlalchemy as sa
from pydantic import AwareDatetime, BaseModel
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.store import HEAD, Store, migrations

Kind = Literal["json", "instant", "date", "time", "boolean", "integer", "text"]

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
ROWS_AT_ONCE: Final = 500
REVISIONS: Final = "alembic_version"

TYPES: Final[dict[Kind, sa.types.TypeEngine[Any]]] = {
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
_ENCODE: Final[dict[Kind, Callable[[Any], Any]]] = {
    "json": lambda text: [json.loads(text)],  # in a list, to tell the JSON value null from no value at all
    "instant": datetime.isoformat,
    "date": date.isoformat,
    "time": time.isoformat,
}
_DECODE: Final[dict[Kind, Callable[[Any], Any]]] = {
    "json": lambda boxed: sa.JSON.NULL if boxed[0] is None else boxed[0],
    "instant": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
}
_DAMAGE: Final = (BadZipFile, zlib.error, struct.error, EOFError, KeyError, RuntimeError, ValueError, OSError)
"""What reading a zip file with wrong bytes in it raises."""


class CareFault(Exception):
    """A backup or a restore that cannot be done. Block `care.fault_<code>` says why and what to do."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class Part(BaseModel):
    """One table: its columns in order, its primary key, and the sum of its lines."""

    table: str
    columns: dict[str, Kind]
    key: list[str]
    rows: int
    sha256: str


class Manifest(BaseModel):
    """What a backup holds. Its parts stand in foreign-key order."""

    format: int
    revision: str
    made_at: AwareDatetime
    engine: str
    parts: list[Part]


@dataclass(frozen=True)
class Summary:
    """What was written: rows by table."""

    file: Path
    made_at: datetime
    engine: str
    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def backup(url: str, target: Path, now: datetime) -> Summary:
    """Write all rows, as they stand at one instant, to `target`; the program may go on meanwhile.

    Raises CareFault; then there is no `target`.
    """
    if target.exists():
        raise CareFault("target_exists", file=target)
    if is_absent(url):
        raise CareFault("store_missing", place=place_of(url))
    with _opened(url) as store, _snapshot(store) as connection:
        found = sa.MetaData()
        found.reflect(connection)
        revision = _known_revision(connection, found)
        with _written_beside(target) as file, ZipFile(file, "w", ZIP_DEFLATED) as archive:
            parts = [_write_part(archive, connection, one) for one in _in_order(found)]
            manifest = Manifest(
                format=FORMAT, revision=revision, made_at=now, engine=store.engine.dialect.name, parts=parts
            )
            with archive.open(MANIFEST, "w") as out:
                out.write(manifest.model_dump_json(indent=1).encode())
    return _summary(target, manifest)


def restore(source: Path, url: str) -> Summary:
    """Write a backup into an empty place (no database, or one without rows), in one transaction.

    The file is checked whole before anything is written, the rows are compared afterwards. Raises CareFault; then
    the place is as it was.
    """
    with _archive(source) as archive:
        manifest = _checked(archive, source)
        _make_folder(url)
        with _opened(url) as store, store.writing() as session:
            connection = session.connection()
            _lay_out(connection, manifest.revision, place_of(url))
            for part in manifest.parts:
                _write_rows(connection, part, _rows(archive, part, source))
            for part in manifest.parts:
                _compare(connection, part)
            if not store.is_sqlite:
                _move_sequences(connection, manifest.parts)
            _upgrade(connection, HEAD)
    return _summary(source, manifest)


def check(source: Path) -> Manifest:
    """The manifest of a backup whose every part is whole. Raises CareFault."""
    with _archive(source) as archive:
        return _checked(archive, source)


def is_absent(url: str) -> bool:
    """True for an SQLite file that is not there; opening it would make it."""
    file = _sqlite_file(url)
    return file is not None and not file.exists()


def place_of(url: str) -> str:
    """Where a database stands, without user and password."""
    try:
        parts = sa.make_url(url)
    except ArgumentError:
        return "DATABASE_URL"
    if parts.get_backend_name() == "sqlite":
        return parts.database or ":memory:"
    host = (parts.host or "").rpartition("@")[2]  # an "@" in a password moves its end into the host
    return f"{host}:{parts.port}/{parts.database}" if parts.port else f"{host}/{parts.database}"


def _sqlite_file(url: str) -> Path | None:
    try:
        parts = sa.make_url(url)
    except ArgumentError:
        return None
    is_file = parts.get_backend_name() == "sqlite" and parts.database not in (None, "", ":memory:")
    return Path(parts.database or "") if is_file else None


def _make_folder(url: str) -> None:
    file = _sqlite_file(url)
    if file is not None:
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
    steady = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with store.engine.connect() as connection:
        yield connection.execution_options(stream_results=True, **({} if store.is_sqlite else steady))


def _known_revision(connection: sa.Connection, found: sa.MetaData) -> str:
    versions = found.tables.get(REVISIONS)
    revision = None if versions is None else connection.execute(sa.select(versions)).scalar()
    if revision is None:
        raise CareFault("store_empty")
    if str(revision) > HEAD:
        raise CareFault("store_newer", found=revision, known=HEAD)
    return str(revision)


def _in_order(found: sa.MetaData) -> list[sa.Table]:
    """Every table after those it refers to."""
    return [one for one in found.sorted_tables if one.name != REVISIONS]


def _kind(column: sa.Column[Any]) -> Kind:
    return next(kind for kind, declared in _DECLARED.items() if isinstance(column.type, declared))


def _write_part(archive: ZipFile, connection: sa.Connection, one: sa.Table) -> Part:
    columns = {column.name: _kind(column) for column in one.columns}
    key = [column.name for column in one.primary_key]
    part = Part(table=one.name, columns=columns, key=key, rows=0, sha256="")
    with archive.open(_name(part), "w", force_zip64=True) as out:
        return _counted(part, _stored_lines(connection, part), out.write)


def _counted(part: Part, lines: Iterator[bytes], keep: Callable[[bytes], object] = bool) -> Part:
    """The part with the number and sum of these lines."""
    rows, digest = 0, sha256()
    for line in lines:
        rows += 1
        digest.update(line)
        keep(line)
    return part.model_copy(update={"rows": rows, "sha256": digest.hexdigest()})


def _stored_lines(connection: sa.Connection, part: Part) -> Iterator[bytes]:
    """The rows of a table, the same bytes from either engine. Sorted by the key, so that a row which refers to an
    earlier one of its own table follows it."""
    one = _table(part)
    collation = "BINARY" if connection.dialect.name == "sqlite" else "C"
    order = [one.c[name].collate(collation) if part.columns[name] == "text" else one.c[name] for name in part.key]
    shown = [
        sa.cast(one.c[name], sa.String) if kind == "json" else one.c[name] for name, kind in part.columns.items()
    ]
    encode = [_ENCODE.get(kind) for kind in part.columns.values()]
    for row in connection.execute(sa.select(*shown).order_by(*order)).yield_per(ROWS_AT_ONCE):
        yield _line([_changed(value, way) for value, way in zip(row, encode, strict=True)])


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def _changed(value: Any, way: Callable[[Any], Any] | None) -> Any:
    return value if value is None or way is None else way(value)


def _table(part: Part) -> sa.TableClause:
    return sa.table(part.table, *(sa.column(name, TYPES[kind]) for name, kind in part.columns.items()))


def _name(part: Part) -> str:
    return f"{part.table}.jsonl"


@contextmanager
def _written_beside(target: Path) -> Iterator[IO[bytes]]:
    """A new file that only its owner may read; it takes the name `target` once it is whole and on the disk."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".dondoc-")
        made = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                raise CareFault("target_exists", file=target)
            made.rename(target)
        finally:
            made.unlink(missing_ok=True)
        _keep_name(target.parent)
    except OSError as error:
        raise CareFault("not_written", file=target, reason=error.strerror) from error


def _keep_name(folder: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _archive(source: Path) -> Iterator[ZipFile]:
    if not source.is_file():
        raise CareFault("no_file", file=source)
    try:
        archive = ZipFile(source)
    except _DAMAGE:
        raise CareFault("damaged", file=source) from None
    with archive:
        yield archive


def _checked(archive: ZipFile, source: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(archive.read(MANIFEST))
    except _DAMAGE:
        raise CareFault("damaged", file=source) from None
    if manifest.format > FORMAT or manifest.revision > HEAD:
        raise CareFault("newer", file=source, found=manifest.revision, known=HEAD)
    if any(_counted(part, _lines(archive, part, source)) != part for part in manifest.parts):
        raise CareFault("damaged", file=source)
    return manifest


def _lines(archive: ZipFile, part: Part, source: Path) -> Iterator[bytes]:
    try:
        with archive.open(_name(part)) as lines:
            yield from lines
    except _DAMAGE:
        raise CareFault("damaged", file=source) from None


def _rows(archive: ZipFile, part: Part, source: Path) -> Iterator[dict[str, Any]]:
    decode = [(name, _DECODE.get(kind)) for name, kind in part.columns.items()]
    for line in _lines(archive, part, source):
        yield {name: _changed(value, way) for (name, way), value in zip(decode, json.loads(line), strict=True)}


def _lay_out(connection: sa.Connection, revision: str, place: str) -> None:
    """Make the tables of `revision` where there are none. Raises CareFault for a place that is taken."""
    there = sa.inspect(connection).get_table_names()
    for name in there:
        if name != REVISIONS and connection.execute(sa.select(1).select_from(sa.table(name)).limit(1)).first():
            raise CareFault("place_taken", place=place)
    versions = sa.table(REVISIONS, sa.column("version_num"))
    found = connection.execute(sa.select(versions)).scalar() if REVISIONS in there else None
    if found not in (None, revision):
        raise CareFault("place_other", place=place, found=found, wanted=revision)
    _upgrade(connection, revision)


def _upgrade(connection: sa.Connection, revision: str) -> None:
    from alembic import command  # heavy, and needed only here

    command.upgrade(migrations(connection), revision)


def _write_rows(connection: sa.Connection, part: Part, rows: Iterator[dict[str, Any]]) -> None:
    insert = _table(part).insert()
    while some := list(islice(rows, ROWS_AT_ONCE)):
        try:
            connection.execute(insert, some)
        except DatabaseError as error:
            if error.connection_invalidated:
                raise
            raise CareFault("not_taken", table=part.table) from error


def _compare(connection: sa.Connection, part: Part) -> None:
    """What is read back must be what was backed up, to the byte."""
    if _counted(part, _stored_lines(connection, part)) != part:
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
