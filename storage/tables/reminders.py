"""What was reminded: the calendar, digests and their rungs."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel, UniqueConstraint


class CalendarDay(SQLModel, table=True):
    """A day off, or a Saturday worked to make up for one (`is_working`)."""

    __table_args__ = (UniqueConstraint("organization_id", "day"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    day: date
    is_working: bool = False
    name: str
    is_official: bool = True


class Digest(SQLModel, table=True):
    """The one unasked message of a person and local day; inserted first, so a second tick finds it taken."""

    __table_args__ = (UniqueConstraint("member_id", "day"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    member_id: int = Field(foreign_key="member.id")
    day: date
    sent_at: datetime | None = None


class Reminder(SQLModel, table=True):
    """One rung of one obligation for one person, in one digest. It counts only once `sent_at` is set."""

    __table_args__ = (UniqueConstraint("digest_id", "obligation_id", "rung"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    digest_id: int = Field(foreign_key="digest.id")
    member_id: int = Field(foreign_key="member.id", index=True)
    obligation_id: int = Field(foreign_key="obligation.id", index=True)
    rung: int
    due_on: date
    """The due day the rung was counted from."""
    sent_at: datetime | None = None


class Snooze(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    member_id: int = Field(foreign_key="member.id")
    obligation_id: int = Field(foreign_key="obligation.id")
    until_at: datetime


class Broadcast(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    member_id: int = Field(foreign_key="member.id")
    text: str
    recipients: int
    at: datetime
