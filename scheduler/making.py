"""What is made at the moment of sending: digests, pictures, files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session


@dataclass(slots=True)
class Made:
    """The content of one message. `choices` are [token, label] pairs."""

    text: str = ""
    choices: list[list[str]] = field(default_factory=list)
    lettered: bool = False
    content: bytes | None = None
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: ask again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Maker:
    """`make(db, args, now)` gives the content, Later, or None when nothing is left to say; `sent` records that it
    was delivered. What it has to know of what was said, `make` notes in `args`."""

    make: Callable[[Session, dict[str, Any], datetime], Made | Later | None]
    sent: Callable[[Session, dict[str, Any], datetime], None] | None = None
    is_slow: bool = False
    """It takes long: made beside the event loop."""
