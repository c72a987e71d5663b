"""What was reminded: the calendar, digests and their rungs."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import JSON, Field, Index, SQLModel, UniqueConstraint

_open = text("ended_at IS NULL")
_of_an_alert = text("alert_id IS NOT NULL")


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

    __table_args__ = (UniqueConstraint("member_id", "day"), Index("ix_digest_day", "organization_id", "day"))
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    member_id: int = Field(foreign_key="member.id")
    day: date
    sent_at: datetime | None = None


class Reminder(SQLModel, table=True):
    """One line of a digest: why it is sent. It counts only once `sent_at` is set.

    `kind` names the kind of reminder (scheduler/__init__.py). For a rung of the ladder: `rung` working days from
    `due_on`. `member_id` is who it is meant for; the digest may be the one of their stand-in.
    """

    __table_args__ = (
        UniqueConstraint("digest_id", "member_id", "kind", "obligation_id", "rung"),
        Index(
            "ix_reminder_alert_id",
            "alert_id",
            sqlite_where=_of_an_alert,
            postgresql_where=_of_an_alert,
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    digest_id: int = Field(foreign_key="digest.id", index=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    kind: str = "due"
    obligation_id: int | None = Field(default=None, foreign_key="obligation.id", index=True)
    alert_id: int | None = Field(default=None, foreign_key="alert.id")
    rung: int
    due_on: date
    """The day the rung was counted from."""
    sent_at: datetime | None = None


class Alert(SQLModel, table=True):
    """Something about the people or the program that the coordinators are told once, until it ends.

    `kind` and `subject` say what it is ("blocked", a member's id); the same one is open only once at a time.
    """

    __table_args__ = (
        Index(
            "ux_alert_open",
            "organization_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=_open,
            postgresql_where=_open,
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    kind: str
    subject: str
    facts: dict[str, Any] = Field(sa_type=JSON)
    since: datetime
    ended_at: datetime | None = None


class Heartbeat(SQLModel, table=True):
    """When a part of the program was last at work ("tick"), or since when it is not ("outbox") or is as it is
    ("menu 1a2b3c4d")."""

    name: str = Field(primary_key=True)
    at: datetime


class Snooze(SQLModel, table=True):
    """A person asked not to hear of an obligation before `until_at`; the newest one counts.

    One that is over when it is made (`until_at` is `at`) takes back the one before.
    """

    __table_args__ = (Index("ix_snooze_obligation", "obligation_id", "member_id"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    member_id: int = Field(foreign_key="member.id")
    obligation_id: int = Field(foreign_key="obligation.id")
    until_at: datetime
    is_past_due: bool = False
    """It ends after the due day: the coordinator sees it."""
    at: datetime


class Broadcast(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    member_id: int = Field(foreign_key="member.id")
    text: str
    recipients: int
    at: datetime
