"""Statements of the hot path: built with SQLAlchemy Core, compiled once, run on the driver itself.

A message needs a dozen statements. SQLAlchemy adds some 60 µs to each, several times what SQLite needs for it;
this adds about 5 and keeps what counts: the types of the tables, the names of the rows, the errors.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Insert, bindparam, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import CompilerElement
from sqlalchemy.sql.schema import Table
from sqlmodel import Session

from storage.tables.core import connection

Facts = Mapping[str, Any]
Process = Callable[[Any], Any]
_ALL: list[Statement] = []


class Statement:
    """One statement, built at import; its parameters come as keywords, its rows as named tuples.

    `built` is the same for both engines, or a mapping by dialect. It must not hold IN: use `among`. Raises
    what SQLAlchemy would: DBAPIError and its kinds.
    """

    def __init__(self, built: CompilerElement | Mapping[str, CompilerElement]) -> None:
        self._built = built
        self._compiled: dict[str, _Compiled] = {}
        _ALL.append(self)

    def all(self, db: Session, **facts: Any) -> list[Any]:
        """Every row."""
        compiled = self._for(db)
        return [compiled.read(row) for row in compiled.run(db, facts).fetchall()]

    def first(self, db: Session, **facts: Any) -> Any:
        """The first row, or None."""
        compiled = self._for(db)
        row = compiled.run(db, facts).fetchone()
        return compiled.read(row) if row is not None else None

    def change(self, db: Session, **facts: Any) -> int:
        """Run it; returns how many rows it changed."""
        return int(self._for(db).run(db, facts).rowcount)

    def change_each(self, db: Session, facts: Sequence[Facts]) -> None:
        """Run it once for each set of parameters."""
        self._for(db).run_each(db, facts)

    def _for(self, db: Session) -> _Compiled:
        return self.compiled(connection(db).dialect)

    def compiled(self, dialect: Dialect) -> _Compiled:
        """As this engine wants it; compiled at its first use."""
        found = self._compiled.get(dialect.name)
        if found is None:
            built = self._built[dialect.name] if isinstance(self._built, Mapping) else self._built
            found = self._compiled[dialect.name] = _compiled(built, dialect)
        return found


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as one driver wants it."""

    sql: str
    dialect: Dialect
    is_positional: bool
    constants: Facts
    """Values that stand in the statement itself."""
    parameters: tuple[tuple[str, Process | None], ...]
    """(name, what makes a value the driver's), in the driver's order."""
    readers: tuple[tuple[int, Process], ...]
    named: Callable[[Sequence[Any]], Any]

    def run(self, db: Session, facts: Facts) -> Any:
        return self._through(partial(db.info["driver"].execute, self.sql, self._values(facts)))

    def run_each(self, db: Session, facts: Sequence[Facts]) -> None:
        many = [self._values(one) for one in facts]
        self._through(partial(db.info["driver"].cursor().executemany, self.sql, many))

    def read(self, row: Sequence[Any]) -> Any:
        if not self.readers:
            return self.named(row)
        values = list(row)
        for position, reader in self.readers:
            values[position] = reader(values[position])
        return self.named(values)

    def _values(self, facts: Facts) -> Any:
        """As the driver wants them; KeyError for one that is missing."""
        given = {**self.constants, **facts}
        values = [given[name] if bind is None else bind(given[name]) for name, bind in self.parameters]
        return values if self.is_positional else dict(zip(self.names, values, strict=True))

    @property
    def names(self) -> Iterator[str]:
        return (name for name, _ in self.parameters)

    def _through(self, call: Callable[[], Any]) -> Any:
        """Errors of the driver become SQLAlchemy's, without the parameters: they hold what people wrote."""
        driver: Any = self.dialect.loaded_dbapi
        try:
            return call()
        except driver.Error as error:
            raise DBAPIError.instance(
                self.sql,
                None,
                error,
                driver.Error,
                hide_parameters=True,
                connection_invalidated=self.dialect.is_disconnect(error, None, None),
                dialect=self.dialect,
            ) from error


def compile_all(dialect: Dialect) -> None:
    """Every statement at once, before there is somebody who would wait for it."""
    for statement in _ALL:
        statement.compiled(dialect)


def _compiled(built: Any, dialect: Dialect) -> _Compiled:
    compiled = built.compile(dialect=dialect)
    known = compiled.construct_params(_check=False)
    names = compiled.positiontup if compiled.positional else list(known)
    columns = list(getattr(built, "exported_columns", ()))
    readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    named: Any = namedtuple  # its names are only known here
    row = named("row", [column.name for column in columns], rename=True)
    return _Compiled(
        compiled.string,
        dialect,
        compiled.positional,
        {name: known[name] for name in names if name not in compiled.binds or not compiled.binds[name].required},
        tuple((name, _binder(compiled, name, dialect)) for name in names),
        tuple((position, reader) for position, reader in enumerate(readers) if reader is not None),
        partial(tuple.__new__, row),  # what _make does, without its check of the length
    )


def _binder(compiled: Any, name: str, dialect: Dialect) -> Process | None:
    if name not in compiled.binds:
        return None
    binder: Process | None = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
    return binder


def among(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """True for one of these values. (SQLAlchemy writes out an IN only when it runs.)"""
    return or_(*(column == value for value in values))


def adding(table: Table, *names: str) -> Insert:
    """INSERT of these columns, each a parameter of its own name."""
    return table.insert().values({name: bindparam(name, type_=table.c[name].type) for name in names})


def adding_new(table: Table, *names: str) -> dict[str, Any]:
    """The same, by dialect; where a unique key is taken, nothing happens."""
    values = {name: bindparam(name, type_=table.c[name].type) for name in names}
    return {
        "sqlite": sqlite.insert(table).values(values).on_conflict_do_nothing(),
        "postgresql": postgresql.insert(table).values(values).on_conflict_do_nothing(),
    }
