"""What the browser chat shows: its people, its chats, and the bubbles in them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

from bot.platform import Choice

KEPT = 200

Event = tuple[str, object, str | None]
"""Name, what JSON carries, and the id a page comes back with."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be. `commands` stand behind the "/" button until a menu message brings others."""

    chat_id: str
    name: str
    role: str
    role_label: str
    unit: str
    commands: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Earlier:
    """A message the bot sent to a chat before this start; `text` as in Message."""

    platform_id: str
    text: str
    choices: tuple[Choice, ...]
    at: datetime


class DemoClock(Protocol):
    """The clock of the trial: it can be moved on, never back."""

    def now(self) -> datetime:
        """The instant it is in the trial, aware UTC."""

    async def move_to(self, at: datetime) -> None:
        """Let it become `at`; returns when everything due until then has been laid out."""

    def choices(self) -> Sequence[tuple[str, datetime]]:
        """The moves on offer: "tomorrow" and "next_rung", each with the instant it leads to."""


@dataclass(frozen=True, slots=True)
class File:
    """Something to look at or to fetch; its id cannot be guessed."""

    id: str
    kind: Literal["picture", "document"]
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message on the page. `changed` is the count of changes in its chat when it came or changed last."""

    id: str
    at: datetime
    text: str
    is_own: bool = False
    choices: tuple[Choice, ...] = ()
    file: File | None = None
    changed: int = 0


@dataclass(slots=True, eq=False)
class Chat:
    """What one person sees, and the pages that look at it now."""

    bubbles: deque[Bubble] = field(default_factory=deque)
    commands: tuple[tuple[str, str], ...] | None = None
    unread: int = 0
    changes: int = 0
    forgotten: int = 0
    streams: set[asyncio.Queue[Event | None]] = field(default_factory=set)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    working: asyncio.TimerHandle | None = None

    def find(self, bubble_id: str | None) -> Bubble | None:
        """The bubble of that id, None when there is none or it is too long ago."""
        return next((bubble for bubble in self.bubbles if bubble.id == bubble_id), None)

    def put(self, bubble: Bubble) -> Bubble:
        """Add the bubble, or put it in the place of the one with its id."""
        self.changes += 1
        bubble = replace(bubble, changed=self.changes)
        old = self.find(bubble.id)
        if old is not None:
            self.bubbles[self.bubbles.index(old)] = bubble
            return bubble
        self.bubbles.append(bubble)
        while len(self.bubbles) > KEPT:
            self.forgotten = max(self.forgotten, self.bubbles.popleft().changed)
        return bubble

    def tell(self, name: str, data: object, event_id: str | None = None) -> None:
        """Send an event to every page that looks at this chat."""
        for stream in self.streams:
            stream.put_nowait((name, data, event_id))
