"""Plain SQLAlchemy behind the SQLModel classes, for statements on the hot path."""

from sqlalchemy import Connection, Table
from sqlmodel import Session, SQLModel


def table(model: type[SQLModel]) -> Table:
    """The table of a model declared with table=True."""
    return model.metadata.tables[str(model.__tablename__)]


def connection(db: Session) -> Connection:
    """The session's connection; asked of the session once a transaction, which is not free."""
    found: Connection | None = db.info.get("connection")
    if found is None:
        found = db.info["connection"] = db.connection()
    return found
