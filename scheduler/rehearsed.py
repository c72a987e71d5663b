"""What a rehearsal found, shown: as CSV, and in short in a chat."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from io import StringIO
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlmodel import Session

from messages import plain, say
from scheduler.alerts import ALERT
from scheduler.deadlines import DUE, SNOOZE
from scheduler.lateness import LATE
from scheduler.making import Made, Maker
from scheduler.rehearsal import Rehearsed, rehearsal
from scheduler.silence import SILENT
from storage.rehearsing import Why
from storage.tables import Organization

COLUMNS = ("date", "time", "person", "role", "unit", "obligation", "rung", "text")
BOM = "\ufeff"
"""Without it Excel takes the file for another encoding."""
SOON = timedelta(days=14)
IN_CHAT = 8
"""Days with messages that a phone shows at once; the file has them all."""


def as_csv(found: Sequence[Rehearsed]) -> bytes:
    """One row for each message; several reasons stand in one cell, in the same order in both columns."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in found:
        writer.writerow(
            (
                one.at.date().isoformat(),
                f"{one.at:%H:%M}",
                one.reader.name,
                "; ".join(one.reader.roles),
                "; ".join(one.reader.units),
                "; ".join(why.what for why in one.why),
                "; ".join(rung_of(why) for why in one.why),
                in_words(one),
            )
        )
    return (BOM + out.getvalue()).encode()


def rung_of(why: Why) -> str:
    """The step as a short word: "-7", "+1", "promise +1", "silent 7", "snooze", "alert"."""
    step = f"{why.rung:+d}" if why.rung else "0"
    match why.kind:
        case kind if kind in (DUE, LATE):
            return step
        case kind if kind == SILENT:
            return f"{kind} {why.rung}"
        case kind if kind in (SNOOZE, ALERT, "wished"):
            return kind
    return f"{why.kind} {step}"


def in_words(one: Rehearsed) -> str:
    """The message without markup, line by line."""
    return "\n".join(Markup(line).striptags() for line in one.text.splitlines())


def make_brief(db: Session, args: dict[str, Any], now: datetime) -> Made:
    """The messages of the next two weeks, a line for each day."""
    found = _soon(db, args["organization_id"], now)
    days = [(day, list(rows)) for day, rows in groupby(found, key=lambda one: one.at.date())]
    facts = {"count": len(found), "last": _today(db, args["organization_id"], now) + SOON}
    return Made(str(say("rehearsal.brief", days=days[:IN_CHAT], rest=len(days[IN_CHAT:]), **facts)))


def make_file(db: Session, args: dict[str, Any], now: datetime) -> Made | None:
    """The same with all their words, as CSV; None when there are none."""
    found = _soon(db, args["organization_id"], now)
    if not found:
        return None
    name = plain("rehearsal.file_name", day=found[0].at.date())
    return Made(content=as_csv(found), file_name=name)


def _soon(db: Session, organization_id: int, now: datetime) -> list[Rehearsed]:
    today = _today(db, organization_id, now)
    return rehearsal(db, organization_id, today, today + SOON, now)


def _today(db: Session, organization_id: int, now: datetime) -> date:
    return now.astimezone(ZoneInfo(db.get_one(Organization, organization_id).timezone)).date()


MAKERS = {"rehearsal": Maker(make_brief, is_slow=True), "rehearsal_file": Maker(make_file, is_slow=True)}
