"""Plain SQLAlchemy behind the SQLModel classes, for statements on the hot path."""

from sqlalchemy import Connection, Table
from sqlmodel import Session, SQLModel


def table(model: type[SQLModel]) -> Table:
    """The table of a model declared with table=True."""
    return model.metadata.tables[str(model.__tablename__)]


def connection(db: Session) -> Connection:
    """The connection that a Store's session stands on."""
    found: Connection = db.info["connection"]
    return found
