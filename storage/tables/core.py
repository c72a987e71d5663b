"""Plain SQLAlchemy tables behind the SQLModel classes, for statements on the hot path."""

from sqlalchemy import Table
from sqlmodel import SQLModel


def table(model: type[SQLModel]) -> Table:
    """The table of a model declared with table=True."""
    return model.metadata.tables[str(model.__tablename__)]
