"""A copy of the whole database in memory, on which can be tried what would happen."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlmodel import Session, SQLModel

from storage.store import IN_MEMORY, Store
from storage.tables import Audit, Seen, SetAside
from storage.tables.core import connection, table

LEFT_OUT = {table(Audit).name, table(Seen).name, table(SetAside).name}
"""What no reminder hangs on, and what may be long."""


def copy_of(db: Session) -> Store:
    """The rows as they stand at one instant; nobody who writes is kept waiting. The caller closes it.

    Of SQLite what is committed: from a connection that writes itself, its copying would never end.
    """
    copy = Store(IN_MEMORY)
    source = connection(db)
    with copy.engine.connect() as target:
        if source.dialect.name == "sqlite":
            with source.engine.connect() as beside:
                beside.connection.dbapi_connection.backup(target.connection.dbapi_connection)  # type: ignore[union-attr]
        else:
            SQLModel.metadata.create_all(target)
            _copy_rows(source, target)
            target.commit()
    return copy


def _copy_rows(source: Connection, target: Connection) -> None:
    target.exec_driver_sql("PRAGMA foreign_keys=OFF")  # tables point at each other
    for one in SQLModel.metadata.sorted_tables:
        rows = [] if one.name in LEFT_OUT else source.execute(one.select()).mappings().all()
        if rows:
            target.execute(one.insert(), [dict(row) for row in rows])
