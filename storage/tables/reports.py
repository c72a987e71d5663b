"""What was answered: drafts, submissions and what goes with them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import JSON, Field, Index, SQLModel, UniqueConstraint

_open_report = text("closed_at IS NULL AND obligation_id IS NOT NULL")
_open_personal = text("closed_at IS NULL AND obligation_id IS NULL")


class Draft(SQLModel, table=True):
    """A conversation's answers so far: one per obligation (shared by the unit), otherwise one per account."""

    __table_args__ = (
        Index(
            "ux_draft_obligation",
            "obligation_id",
            unique=True,
            sqlite_where=_open_report,
            postgresql_where=_open_report,
        ),
        Index(
            "ux_draft_account",
            "account_id",
            "flow",
            unique=True,
            sqlite_where=_open_personal,
            postgresql_where=_open_personal,
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int | None = Field(default=None, foreign_key="organization.id")
    flow: str
    obligation_id: int | None = Field(default=None, foreign_key="obligation.id")
    account_id: int | None = Field(default=None, foreign_key="account.id")
    args: dict[str, Any] = Field(sa_type=JSON)
    answers: dict[str, Any] = Field(sa_type=JSON)
    version: int = 0
    updated_at: datetime
    closed_at: datetime | None = None


class Submission(SQLModel, table=True):
    """A version of an obligation's values; earlier ones stay."""

    __table_args__ = (UniqueConstraint("obligation_id", "version"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    obligation_id: int = Field(foreign_key="obligation.id")
    version: int
    answers: dict[str, Any] = Field(sa_type=JSON)
    questions: list[dict[str, Any]] = Field(sa_type=JSON)
    """As they were asked, so that a later wording never changes what was answered."""
    member_id: int = Field(foreign_key="member.id")
    on_behalf: bool = False
    at: datetime


class StoredFile(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    name: str
    sha256: str
    size: int
    at: datetime


class Evidence(SQLModel, table=True):
    """A document that proves a figure, by its number or as a file."""

    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    obligation_id: int = Field(foreign_key="obligation.id", index=True)
    number: str | None = None
    issued_on: date | None = None
    file_id: int | None = Field(default=None, foreign_key="storedfile.id")
    member_id: int = Field(foreign_key="member.id")
    at: datetime


class Difficulty(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    unit_id: int = Field(foreign_key="unit.id")
    obligation_id: int | None = Field(default=None, foreign_key="obligation.id")
    text: str
    state: str
    reply: str | None = None
    member_id: int = Field(foreign_key="member.id")
    at: datetime


class Extension(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    obligation_id: int = Field(foreign_key="obligation.id", index=True)
    until: date
    reason: str
    state: str
    asked_by: int = Field(foreign_key="member.id")
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    at: datetime


class Absence(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    member_id: int = Field(foreign_key="member.id", index=True)
    from_on: date
    to_on: date
    stand_in: int | None = Field(default=None, foreign_key="member.id")
