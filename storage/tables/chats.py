"""What is said and heard: conversations, the outbox, and the record of what was done."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import JSON, Field, Index, SQLModel

_waiting = text("state = 'waiting'")


class Conversation(SQLModel, table=True):
    """Which draft a chat has open, and what it was last offered. Locks the chat while answering."""

    account_id: int = Field(primary_key=True, foreign_key="account.id")
    draft_id: int | None = Field(default=None, foreign_key="draft.id")
    asked: str | None = None
    """Name of the question last shown here."""
    offered: list[list[str]] = Field(default_factory=list, sa_type=JSON)
    """[token, label] of the choices last shown, in their order."""
    is_lettered: bool = False
    """The question is for a figure: digits are never a choice."""
    shown_id: int | None = Field(default=None, foreign_key="outgoing.id")
    """The message that bears the buttons of the open question."""
    heard_at: datetime | None = None
    """When the person wrote last."""


class Outgoing(SQLModel, table=True):
    """The outbox. `body` is what to send; where `maker` is named, it is made at the moment of sending.

    States: waiting, sent, dropped (nothing left to say, expired, or recipient gone), refused.
    """

    __table_args__ = (
        Index("ix_outgoing_waiting", "priority", "id", sqlite_where=_waiting, postgresql_where=_waiting),
        Index("ix_outgoing_chat_sent", "account_id", "sent_at"),
        Index("ix_outgoing_chat_waiting", "account_id", sqlite_where=_waiting, postgresql_where=_waiting),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int | None = Field(default=None, foreign_key="organization.id")
    account_id: int = Field(foreign_key="account.id")
    kind: str
    priority: int = 0
    """0 a reply, 1 a reminder."""
    body: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    maker: str | None = None
    args: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    is_secret: bool = False
    """Holds a joining code or a name not yet given: wiped once sent."""
    target_id: int | None = Field(default=None, foreign_key="outgoing.id")
    """For an edit, the message it replaces; for a new message, the one whose buttons it takes away."""
    not_before: datetime | None = None
    expires_at: datetime | None = None
    created_at: datetime
    claimed_until: datetime | None = None
    attempts: int = 0
    state: str = "waiting"
    sent_at: datetime | None = None
    platform_id: str | None = None


class Seen(SQLModel, table=True):
    """Keys of messages taken, kept seven days, so that a redelivered one changes nothing."""

    channel: str = Field(primary_key=True)
    message_key: str = Field(primary_key=True)
    at: datetime = Field(index=True)


class SetAside(SQLModel, table=True):
    """A message whose handling failed, with the traceback, or one that could not be read, with its shape."""

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    chat_id: str
    message_key: str
    kind: str
    at: datetime
    traceback: str


class Audit(SQLModel, table=True):
    """Append-only: who did what to which row. Members by id, never by name."""

    id: int | None = Field(default=None, primary_key=True)
    organization_id: int | None = Field(default=None, foreign_key="organization.id")
    member_id: int | None = Field(default=None, foreign_key="member.id")
    action: str
    subject: str | None = None
    facts: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    at: datetime
