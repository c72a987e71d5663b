"""Words and days that people type, in any conversation: what they may be, and a second look where it is needed."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from handlers.talk import Misunderstood, Talk
from plans.days import A_LEAP_YEAR, no_such_day, read_day
from plans.text import fold

AT_MOST = 200
PERSONAL = re.compile(r"(?<!\d)(?:\d{9,12}|0\d{2,3}[ .]\d{3}[ .]\d{3,4})(?!\d)")
"""What looks like a citizen's ID or a telephone number."""


def ask_words(
    talk: Talk, name: str, block: str, /, *, choices: Sequence[str] = (), **facts: Any
) -> str | dict[str, str]:
    """A few words, asked with `block`; one of `choices` comes back as {"kind": code}.

    What looks like a citizen's number is asked about before it is kept.
    """
    words: str | dict[str, str] = talk.ask(name, a_few_words, block, choices=choices, **facts)
    if not isinstance(words, str) or not PERSONAL.search(words):
        return words
    if talk.choose(f"{name}:sure", ["retype", "keep"], "asking.personal") == "retype":
        talk.forget(name)
    return words


def a_few_words(text: str) -> str:
    """At most 200 characters in one line, with something in them."""
    words = " ".join(unicodedata.normalize("NFC", text).split())
    if not fold(words):
        raise Misunderstood("asking.empty", most=AT_MOST)
    if len(words) > AT_MOST:
        raise Misunderstood("asking.too_long", length=len(words), most=AT_MOST)
    return words


def a_day(
    today: date,
    earliest: date = date.min,
    latest: date = date.max,
    /,
    *,
    is_past: bool,
    after_event: bool = False,
) -> Callable[[str], str]:
    """A reader of a day, where two others are given between them; the ISO date comes back.

    `after_event`: `earliest` is the day of the event, otherwise a year ago.
    """

    def read(text: str) -> str:
        found = read_day(text, today, is_past)
        if found is None:
            raise _no_day(text, today, is_past)
        if not earliest <= found <= latest:
            limits = {"earliest": earliest, "latest": latest, "today": today, "after_event": after_event}
            raise Misunderstood("asking.day_outside", day=found, **limits)
        return found.isoformat()

    return read


def _no_day(text: str, today: date, is_past: bool) -> Misunderstood:
    """What is wrong with it: no calendar has that day, or it is none at all."""
    missing = no_such_day(text, today, is_past)
    if missing is None:
        return Misunderstood("asking.not_a_day", is_past=is_past, today=today)
    day, month, year = missing
    most = monthrange(year or A_LEAP_YEAR, month)[1] if 1 <= month <= 12 else None
    return Misunderstood("asking.no_such_day", day=day, month=month, year=year, most=most)
