"""The digest: the one unasked message a person gets on a working day, with everything their units owe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from messages import plain, say
from plans.calendar import Calendar
from scheduler.ladder import EARLIEST, newest_rung
from scheduler.making import Later, Made, Maker
from storage import outbox
from storage.calendar import calendar_of
from storage.owed import Owed, owed_until
from storage.reminding import (
    Recipient,
    add_digest,
    is_writing,
    left_open,
    recipients,
    record_digest,
    reminded,
    reminders_of,
    with_digest,
)
from storage.tables import Digest, Organization

SHOWN = 5
"""Items with a line and a button each; the rest is counted."""
NAGS_FOR = timedelta(days=30)
"""A rung missed in a downtime is made up for within this time; an old plan nags no one."""
QUIET = timedelta(minutes=15)
WAITS_AT_MOST = timedelta(minutes=60)


@dataclass(slots=True)
class Due:
    """A person who is to hear something today: (obligation, rung, due day) lines."""

    organization_id: int
    member_id: int
    account_id: int
    day: date
    expires_at: datetime
    rungs: list[tuple[int, int, date]] = field(default_factory=list)


def due_now(db: Session, organization: Organization, now: datetime) -> list[Due]:
    """Everyone who is to get a digest now: on a working day, in office hours, who has none of this day yet."""
    assert organization.id is not None
    local = now.astimezone(ZoneInfo(organization.timezone))
    today = local.date()
    calendar = calendar_of(db, organization.id)
    if not calendar.is_working(today) or not organization.office_from <= local.time() < organization.office_to:
        return []
    owed = owed_until(db, organization.id, None, _horizon(today, calendar))
    served = with_digest(db, organization.id, today)
    people = [one for one in recipients(db, organization.id) if one.member_id not in served]
    expires_at = datetime.combine(today, organization.office_to, local.tzinfo)
    found = _found(owed, people, reminded(db, [item.id for item in owed]), today, calendar)
    dues: dict[int, Due] = {}
    for one, line in found:
        new = Due(organization.id, one.member_id, one.account_id, today, expires_at)
        due = dues.setdefault(one.member_id, new)
        if line not in due.rungs:
            due.rungs.append(line)
    return list(dues.values())


def _found(
    owed: list[Owed],
    people: list[Recipient],
    told: set[tuple[int, int, int, date]],
    today: date,
    calendar: Calendar,
) -> list[tuple[Recipient, tuple[int, int, date]]]:
    """Each person's newest rungs that have not been delivered."""
    by_unit: dict[int, list[Recipient]] = {}
    for one in people:
        by_unit.setdefault(one.unit_id, []).append(one)
    found = []
    for item in owed:
        for one in by_unit.get(item.unit_id, ()):
            line = _line(item, one.role, today, calendar)
            if line is not None and (one.member_id, *line) not in told:
                found.append((one, line))
    return found


def _line(item: Owed, role: str, today: date, calendar: Calendar) -> tuple[int, int, date] | None:
    """What gives this role a digest: (obligation, rung, day it is counted from); None while nothing does."""
    return None if today > item.asked_on + NAGS_FOR else _reached(item, role, today, calendar)


def _reached(item: Owed, role: str, today: date, calendar: Calendar) -> tuple[int, int, date] | None:
    """The newest rung that this role hears by `today`, however long ago.

    A figure that was promised is asked for from the promised day on, and not before.
    """
    rung = newest_rung(item.asked_on, today, role, item.unit_kind == "requested", calendar)
    if rung is None or (item.promised_on is not None and rung.days < 0):
        return None
    return item.id, rung.days, item.asked_on


def _horizon(today: date, calendar: Calendar) -> date:
    """The last day whose first rung is reached today; a day off counts as the working day before it."""
    return calendar.shift(today, 1 - EARLIEST) - timedelta(days=1)


def write_digests(db: Session, dues: Sequence[Due], now: datetime) -> int:
    """Take each person's digest and put it in the outbox; returns how many were not taken before."""
    written = 0
    for due in dues:
        digest_id = add_digest(db, due.organization_id, due.member_id, due.day, due.rungs)
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
    """The text, made when it is sent: what is still owed, worded for now; None when all has been filed."""
    digest = db.get_one(Digest, args["digest_id"])
    planned_at = datetime.fromisoformat(args["planned_at"])
    if now < planned_at + WAITS_AT_MOST and is_writing(db, digest.member_id, now, QUIET):
        return Later(min(now + QUIET, planned_at + WAITS_AT_MOST))
    organization = db.get_one(Organization, digest.organization_id)
    today = now.astimezone(ZoneInfo(organization.timezone)).date()
    calendar = calendar_of(db, digest.organization_id)
    reminders = {line.obligation_id for line in reminders_of(db, args["digest_id"])}
    owed = _owed_by(db, digest, today, calendar)
    if not any(item.id in reminders for item in owed):
        return None
    choices = [[f"/report {item.id}", plain("tasks.label_report", item=item, among=owed)] for item in owed[:SHOWN]]
    if len(owed) > SHOWN:
        choices.append(["/tasks", plain("digest.label_all", total=len(owed))])
    text = say(
        "digest.text",
        left_open=next((item for item in owed if item.id == left_open(db, digest.member_id)), None),
        today=today,
        owed=owed,
        shown=owed[:SHOWN],
        left=[calendar.working_days_between(today, item.asked_on) for item in owed[:SHOWN]],
    )
    return Made(str(text), choices)


def _owed_by(db: Session, digest: Digest, today: date, calendar: Calendar) -> list[Owed]:
    """Everything still owed that this person is to hear of by now, be it new today or not."""
    roles = [one for one in recipients(db, digest.organization_id) if one.member_id == digest.member_id]
    owed = owed_until(db, digest.organization_id, {one.unit_id for one in roles}, _horizon(today, calendar))
    return [
        item
        for item in owed
        if any(one.unit_id == item.unit_id and _reached(item, one.role, today, calendar) for one in roles)
    ]


def sent(db: Session, args: dict[str, Any], now: datetime) -> None:
    """Delivered: only now its rungs count as sent."""
    record_digest(db, args["digest_id"], now)


MAKER = Maker(make, sent)
