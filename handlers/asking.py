"""Words and days that people type, in any conversation: what they may be, and a second look where it is needed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from handlers.talk import Misunderstood, Talk
from plans.calendar import Calendar
from plans.days import BadDay, read_day
from plans.spans import read_span
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
    is_since: bool = False,
    working_in: Calendar | None = None,
) -> Callable[[str], str]:
    """A reader of a day from `earliest` to `latest`; the ISO date comes back. Where that is today, a past day is
    asked for.

    `is_since`: something begins on `earliest`. With `working_in` a day off is refused, with the next working day.
    """
    is_past = latest <= today

    def read(text: str) -> str:
        try:
            day = read_day(text, today, is_past)
        except BadDay as bad:
            raise _misunderstood(bad, today, is_past) from None
        if not earliest <= day <= latest:
            limits = {"earliest": earliest, "latest": latest, "today": today, "is_since": is_since}
            raise Misunderstood("asking.day_outside", day=day, **limits)
        if working_in is not None and not working_in.is_working(day):
            following = working_in.first_working_on_or_after(day)
            raise Misunderstood("asking.day_off", day=day, following=following, latest=latest, today=today)
        return day.isoformat()

    return read


def still(talk: Talk, name: str, read: Callable[[str], str]) -> date:
    """The day kept as `name`; asked anew where it has passed, or become a day off, since it was typed."""
    day = str(talk.draft.answers[name]["value"])
    try:
        read(day)
    except Misunderstood as error:
        talk.note(error.block, **error.facts)
        talk.forget(name)
    return date.fromisoformat(day)


def a_span(today: date) -> Callable[[str], str]:
    """A reader of a day or a range of days to come; `plans.spans.stored_span` reads what comes back."""

    def read(text: str) -> str:
        try:
            return str(read_span(text, today))
        except BadDay as bad:
            raise _misunderstood(bad, today, is_past=False) from None

    return read


def _misunderstood(bad: BadDay, today: date, is_past: bool) -> Misunderstood:
    return Misunderstood(f"asking.{bad.code}", today=today, is_past=is_past, **bad.facts)
