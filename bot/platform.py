"""The seam between the program and a chat platform: what a platform can do, is given, and may answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

from handlers.incoming import Incoming

Accept = Callable[[Incoming], Awaitable[None]]
"""Takes one message for good: when it returns, all its effects and replies are committed. While the database is
away it waits. When it raises, nothing was kept: the message must not be acknowledged, and is handed over again."""

MessageKind = Literal["text", "edit", "strip", "picture", "document", "menu"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A tap on offer. `token` comes back in Incoming.text; it has at most 64 bytes."""

    token: str
    label: str


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to send to one chat.

    text      new message; `text` is HTML with <b> and <i> only, escaped
    edit      replace message `target`, its text and its choices
    strip     take the choices away from message `target`, its text stays
    picture   `content` is a PNG, `text` its caption
    document  `content` and `file_name`, `text` its caption
    menu      `commands` are this chat's commands: (name without slash, description)
    `lettered`: where choices are a typed list, they bear letters (a, b, c) and not digits.
    """

    kind: MessageKind
    chat_id: str
    text: str = ""
    choices: tuple[Choice, ...] = ()
    lettered: bool = False
    target: str | None = None
    content: bytes | None = None
    file_name: str | None = None
    commands: tuple[tuple[str, str], ...] = ()
    plain: bool = False
    """Second try after Refused: without markup."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages a second a platform bears; 0 = no limit. A private chat bears a burst of `chat_burst`."""

    overall: float
    chat: float
    chat_burst: int
    group_per_minute: int


class SendFailed(Exception):
    """A message was not taken. `reason` is short, English and free of tokens and of what people wrote."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RecipientGone(SendFailed):
    """Never write there again: blocked, deleted, chat not found."""


class Moved(SendFailed):
    """The chat goes on under another id (a Telegram group that became a supergroup)."""

    def __init__(self, chat_id: str) -> None:
        super().__init__("moved")
        self.chat_id = chat_id


class TryLater(SendFailed):
    """Throttled (`after` is the pause asked for, for the whole bot) or unreachable (`after` is None)."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Refused(SendFailed):
    """This message will never be taken as it is."""


class StartFailed(Exception):
    """The platform cannot be used at all (wrong token). `code` names the sentence in messages/cli.j2."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Platform(Protocol):
    """One chat platform. A new one is one file with such a class and one line in bot/__init__.py."""

    channel: str
    limits: Limits

    async def start(self) -> str | None:
        """Check the token; returns the pattern of a joining link ("https://…?start={code}") or None.

        Waits and tries again while the server cannot be reached, saying so in one line; raises StartFailed when
        the platform refuses the token.
        """

    async def listen(self, accept: Accept) -> None:
        """Hand every incoming message to `accept`, each chat in order, until cancelled.

        Raises StartFailed when the platform refuses the token. Survives everything else and says it in one line.
        """

    async def send(self, message: Message) -> str | None:
        """Send one message now; returns the platform's id of it (None for strip and menu). Raises SendFailed."""

    async def close(self) -> None:
        """Let go of connections."""
