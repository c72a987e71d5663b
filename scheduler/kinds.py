"""What a kind of reminder is: who hears of what, and its section of the digest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from markupsafe import Markup
from sqlmodel import Session

from scheduler.morning import Morning, Rulebook
from storage.looking import Looked, Recipient
from storage.reminding import Line


@dataclass(frozen=True, slots=True)
class Reading:
    """One person's digest at the moment it is sent. `roles`: what they read, also in the place of others."""

    db: Session
    organization_id: int
    zone: str
    book: Rulebook
    now: datetime
    reader_id: int
    roles: list[Recipient]
    lines: list[Line]

    @property
    def today(self) -> date:
        return self.book.today

    @property
    def units(self) -> set[int]:
        """Units the reader hears of as one of their own."""
        return {one.unit_id for one in self.roles if one.unit_id is not None}

    def of_kind(self, *kinds: str) -> list[Line]:
        return [line for line in self.lines if line.kind in kinds]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the digest. `of` and `alerts`: what it still speaks of; `units`: whose, None for the commune's.
    `brief` is said instead of the text where others leave no room for it."""

    text: Markup
    choices: list[list[str]] = field(default_factory=list)
    of: frozenset[int] = frozenset()
    alerts: frozenset[int] = frozenset()
    units: frozenset[int | None] = frozenset()
    brief: Markup = field(default_factory=Markup)


FOR_ALL: frozenset[int | None] = frozenset({None})
"""The units of a section that speaks of the whole commune."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of reminder. A new one is a file with such a value, its sentences, and a line in __init__.py."""

    names: tuple[str, ...]
    """What its lines are called."""
    lines: Callable[[Morning], Iterator[tuple[Recipient, Line]]]
    """Who hears of what today and has not heard it yet."""
    next_on: Callable[[Morning, Looked], date | None]
    """The first day after today on which somebody may hear of this by itself; None when nobody will."""
    section: Callable[[Reading], Section | None]
    """What is said of it at the moment of sending; None when nothing is left to say."""


def never(_morning: Morning, _item: Looked) -> None:
    """For a kind that does not look at obligations by itself."""
