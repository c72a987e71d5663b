"""The desk: what a conversation is given for one message, and where its replies are laid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlmodel import Session

from handlers.access import Denied
from handlers.incoming import Incoming
from messages import plain, say
from storage.chats import Chat, OpenDraft, Person, keep_draft

Row = TypeVar("Row")


@dataclass(slots=True)
class Reply:
    """One message to send back. `choices` are (token, label) pairs; `made_by` names a maker (pictures, files)."""

    text: Markup
    choices: list[list[str]] = field(default_factory=list)
    is_lettered: bool = False
    kind: str = "text"
    made_by: str | None = None
    args: dict[str, Any] | None = None
    is_secret: bool = False
    replaces: bool = False
    """Stands in the place of the message whose button was tapped, where the platform can do that."""
    is_aside: bool = False
    """Said beside the open question, which stays the one that is asked, with its buttons."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something for another person, caused by the one who writes and labelled with their name."""

    member_id: int
    text: Markup


@dataclass(slots=True)
class Desk:
    """One incoming message at work. Everything done through it commits together, or not at all."""

    db: Session
    chat: Chat
    incoming: Incoming
    now: datetime
    replies: list[Reply] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    audited: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def person(self) -> Person:
        """Who writes. Raises Denied for a chat that belongs to nobody."""
        if self.chat.person is None:
            raise Denied
        return self.chat.person

    @property
    def today(self) -> date:
        """The commune's local day."""
        return self.now.astimezone(ZoneInfo(self.chat.zone)).date()

    def reply(self, block: str, choices: list[list[str]] | None = None, /, **facts: Any) -> None:
        """Answer with a sentence and buttons that stand on their own (each token is a command)."""
        self.show(Reply(say(block, **facts), choices or []))
        self.chat.asked = None

    def show(self, reply: Reply) -> None:
        """Lay down a reply; its choices are what may be typed next."""
        self.replies.append(reply)
        self.chat.offered = reply.choices
        self.chat.is_lettered = reply.is_lettered

    def tell(self, member_id: int, block: str, /, **facts: Any) -> None:
        """Let another member know, in office hours; the sentence names who caused it (`by`)."""
        if member_id != self.person.member_id:
            self.told.append(Told(member_id, say(block, by=self.person.name, **facts)))

    def put_away(self, draft: OpenDraft) -> None:
        """Close the talk about a draft here; its answers are kept and its old buttons end."""
        draft.version += 1
        if draft.is_closed and draft.obligation_id is None:  # a name, a choice of role: of no use any more
            draft.args, draft.answers, draft.has_new_args = {}, {}, True
        keep_draft(self.db, draft, self.now)
        self.chat.draft = None
        self.chat.asked = None

    def note(self, action: str, subject: str | None = None) -> None:
        """A line for the audit, written with the rest."""
        self.audited.append((action, subject))


def page_of(rows: Sequence[Row], page: int, size: int) -> tuple[Sequence[Row], int]:
    """The rows of a page (from 0), and how many come after it. The first page where a list has become shorter than
    an old button knew."""
    start = page * size if page * size < len(rows) else 0
    return rows[start : start + size], max(0, len(rows) - start - size)


def button(command: str, block: str, /, **facts: Any) -> list[str]:
    """A choice that stands on its own: the command it stands for, and its label."""
    return [command, plain(block, **facts)]
