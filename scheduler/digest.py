"""The digest: the one unasked message a person gets on a working day, with a section of each kind of reminder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlmodel import Session

from messages import say
from scheduler import KINDS
from scheduler.kinds import Reading, Section
from scheduler.making import Later, Made, Maker
from scheduler.morning import Morning, Rulebook, morning_of
from storage import outbox
from storage.looking import Looked, read_by
from storage.reminding import (
    Addressed,
    Line,
    addressed,
    is_writing,
    lines_of,
    record_digest,
    take_digest,
    with_digest,
)
from storage.reports import name_of
from storage.tables import UNTIL_WOKEN, Organization, Unit

QUIET = timedelta(minutes=15)
WAITS_AT_MOST = timedelta(minutes=60)
CHOICES_AT_MOST = 8
LETTERS, ROOM = 30, 26
"""About as many letters in a line, and lines of a message with its buttons, as a phone shows at once."""
A_ROW, SHORT = 2, 14
"""Lines that a row of buttons takes; labels of at most so many letters stand two in a row."""
A_DAY = timedelta(days=1)


@dataclass(slots=True)
class Due:
    """A person who is to hear something today, and why."""

    organization_id: int
    reader_id: int
    account_id: int
    day: date
    expires_at: datetime
    lines: dict[Line, None] = field(default_factory=dict)
    """Each once, in order."""


@dataclass(slots=True)
class Found:
    """What a look at one commune found: whom to write to, and when to look at each obligation again."""

    dues: list[Due] = field(default_factory=list)
    looks: list[tuple[Looked, date | None]] = field(default_factory=list)


def due_now(db: Session, organization: Organization, now: datetime) -> Found:
    """Everyone who is to get a digest now: on a working day, in office hours, who has none of this day yet."""
    morning = morning_of(db, organization, now)
    if morning is None:
        return Found()
    expires_at = datetime.combine(morning.today, organization.office_to, morning.zone)
    served = with_digest(db, morning.organization_id, morning.today)
    dues: dict[int, Due] = {}
    concerned = set()
    for kind in KINDS:
        for one, line in kind.lines(morning):
            concerned.add(line.obligation_id)
            if one.reader_id not in served:
                new = Due(morning.organization_id, one.reader_id, one.account_id, morning.today, expires_at)
                dues.setdefault(one.reader_id, new).lines[line] = None
    looks = [(item, _next_look(morning, item, item.id in concerned)) for item in morning.looked]
    return Found(list(dues.values()), looks)


def _next_look(morning: Morning, item: Looked, is_concerned: bool) -> date | None:
    """Tomorrow where somebody was to hear of it today: it counts only once it was delivered."""
    if is_concerned:
        return morning.today + A_DAY
    days = (day for kind in KINDS if (day := kind.next_on(morning, item)))
    return min(days, default=UNTIL_WOKEN if morning.book.is_asked_for(item) else None)


def write_digests(db: Session, dues: Iterable[Due], now: datetime) -> int:
    """Take each person's digest and put it in the outbox; returns how many were not taken before."""
    written = 0
    for due in dues:
        digest_id = take_digest(db, due.organization_id, due.reader_id, due.day, list(due.lines))
        if digest_id is None:
            continue
        outbox.put(
            db,
            organization_id=due.organization_id,
            account_id=due.account_id,
            kind="text",
            priority=outbox.REMINDER,
            maker="digest",
            args={"digest_id": digest_id, "planned_at": now.isoformat()},
            created_at=now,
            expires_at=due.expires_at,
        )
        written += 1
    return written


def make(db: Session, args: dict[str, Any], now: datetime) -> Made | Later | None:
    """The text, made when it is sent: what is still so, worded for now; None when nothing of it is."""
    digest = addressed(db, args["digest_id"])
    planned_at = datetime.fromisoformat(args["planned_at"])
    if now < planned_at + WAITS_AT_MOST and is_writing(db, digest.reader_id, now, QUIET):
        return Later(min(now + QUIET, planned_at + WAITS_AT_MOST))
    reading = _reading(db, digest, args["digest_id"], now)
    sections = [section for kind in KINDS if (section := kind.section(reading)) is not None]
    spoken_of = [line for line in reading.lines if any(_is_of(section, line) for section in sections)]
    if not spoken_of:
        return None
    args["told"] = _told(reading, spoken_of)
    heading = say("digest.heading", today=reading.today, absent=_absent(reading, sections))
    choices = _choices(sections)
    room = ROOM - A_ROW * _rows([label for _, label in choices])
    return Made(str(_text(heading, sections, room)), choices)


def _text(heading: Markup, sections: Sequence[Section], room: int) -> Markup:
    """All in full where `room` lines hold it; else the last ones in brief, as many as need be."""
    text = heading
    for in_full in range(len(sections), 0, -1):
        briefs = Markup("\n").join(section.brief for section in sections[in_full:])
        parts = [*(section.text for section in sections[:in_full]), *([briefs] if briefs else [])]
        text = Markup("\n").join([heading, Markup("\n\n").join(parts)])
        if _lines(text) <= room:
            break
    return text


def _rows(labels: Sequence[str]) -> int:
    """How many rows of buttons these are."""
    short = sum(len(label) <= SHORT for label in labels)
    return len(labels) - short + (short + 1) // 2


def _lines(text: Markup) -> int:
    """How many lines a phone needs for it."""
    return sum(1 + len(Markup(line).striptags()) // LETTERS for line in text.splitlines())


def _reading(db: Session, digest: Addressed, digest_id: int, now: datetime) -> Reading:
    today = now.astimezone(ZoneInfo(digest.zone)).date()
    return Reading(
        db,
        digest.organization_id,
        digest.zone,
        Rulebook.of(db, digest.organization_id, today),
        now,
        digest.reader_id,
        read_by(db, digest.organization_id, digest.reader_id, today),
        lines_of(db, digest_id),
    )


def _absent(reading: Reading, sections: Sequence[Section]) -> list[tuple[str, str | None, str]]:
    """Whose part of this the reader reads only in their place: name, unit where it is of one, role."""
    units = {unit_id for section in sections for unit_id in section.units}
    own = {(one.unit_id, one.role) for one in reading.roles if one.member_id == reading.reader_id}
    absent = {
        (one.member_id, one.unit_id): one.role
        for one in reading.roles
        if one.unit_id in units and (one.unit_id, one.role) not in own
    }
    return [
        (name_of(reading.db, member_id), reading.db.get_one(Unit, unit_id).short if unit_id else None, role)
        for (member_id, unit_id), role in absent.items()
    ]


def _is_of(section: Section, line: Line) -> bool:
    return line.obligation_id in section.of or line.alert_id in section.alerts


def _choices(sections: Sequence[Section]) -> list[list[str]]:
    """Every button once, as many as a phone shows."""
    choices = {token: label for section in sections for token, label in section.choices}
    return [[token, label] for token, label in choices.items()][:CHOICES_AT_MOST]


def _told(reading: Reading, spoken_of: Iterable[Line]) -> list[int]:
    """Which lines count as told once delivered: not those of somebody for whom its reader no longer reads."""
    reads_for = {reading.reader_id, *(one.member_id for one in reading.roles)}
    return [line.id for line in spoken_of if line.id is not None and line.member_id in reads_for]


def sent(db: Session, args: dict[str, Any], now: datetime) -> None:
    """Delivered: only now what it said counts as told."""
    record_digest(db, args["digest_id"], args["told"], now)


MAKER = Maker(make, sent)
