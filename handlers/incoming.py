"""What comes in: one message of one chat, whatever platform it came by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["text", "choice", "other", "gone", "back"]
"""`other` cannot be read (sticker, voice, file, forwarded post); `gone` and `back`: the person blocked or
unblocked the bot."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message, parsed by its platform file.

    `message_key` is unique within the channel and the same when the platform delivers it again. `text` holds what
    was typed, the choice's token when `kind` is "choice", or what arrived instead ("sticker") when it is "other".
    `on_message` is the platform's id of the message whose button was tapped. `sender_name` is how the platform
    calls the person, only used to propose a name when they join.
    """

    channel: str
    chat_id: str
    message_key: str
    kind: Kind
    text: str
    at: datetime
    on_message: str | None = None
    sender_name: str | None = None
    unread: str | None = None
    """The shape of what arrived, where its platform file could not read it: it is set aside. Then `chat_id` may be
    empty."""
