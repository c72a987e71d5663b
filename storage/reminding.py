"""Digests and their lines: taken once, recorded when delivered; whether their reader is busy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from storage.statement import Statement, adding, adding_new
from storage.tables import Account, Conversation, Digest, Draft, Organization, Reminder
from storage.tables.core import table

account, conversation, draft = table(Account), table(Conversation), table(Draft)
digest, reminder, organization = table(Digest), table(Reminder), table(Organization)


@dataclass(frozen=True, slots=True)
class Line:
    """Why somebody gets a digest: what of (an obligation or an alert), which step of it, counted from which day.

    `member_id` is who it is meant for; who reads it may stand in for them. `id`: of its row, once it has one.
    """

    member_id: int
    kind: str
    obligation_id: int | None
    rung: int
    counted_from: date
    alert_id: int | None = None
    id: int | None = None


_with_digest = Statement(
    select(digest.c.member_id).where(
        digest.c.organization_id == bindparam("organization_id"), digest.c.day == bindparam("day")
    )
)
_new_digest = adding_new(digest, "organization_id", "member_id", "day")
_take_digest = Statement({name: insert.returning(digest.c.id) for name, insert in _new_digest.items()})
_add_line = Statement(
    adding(
        reminder,
        *("organization_id", "digest_id", "member_id", "kind", "obligation_id", "alert_id", "rung", "due_on"),
    )
)
_lines = Statement(
    select(
        reminder.c.member_id,
        reminder.c.kind,
        reminder.c.obligation_id,
        reminder.c.rung,
        reminder.c.due_on,
        reminder.c.alert_id,
        reminder.c.id,
    )
    .where(reminder.c.digest_id == bindparam("digest_id"))
    .order_by(reminder.c.id)
)
_addressed = Statement(
    select(digest.c.organization_id, digest.c.member_id, organization.c.timezone)
    .join(organization, organization.c.id == digest.c.organization_id)
    .where(digest.c.id == bindparam("digest_id"))
)
_digest_sent = Statement(
    update(digest)
    .where(digest.c.id == bindparam("key"))
    .values(sent_at=bindparam("now", type_=digest.c.sent_at.type))
)
_line_sent = Statement(
    update(reminder)
    .where(reminder.c.id == bindparam("key"))
    .values(sent_at=bindparam("now", type_=reminder.c.sent_at.type))
)
_heard = Statement(
    select(conversation.c.heard_at)
    .join(account, account.c.id == conversation.c.account_id)
    .where(account.c.member_id == bindparam("member_id"), conversation.c.heard_at.is_not(None))
    .order_by(conversation.c.heard_at.desc())
    .limit(1)
)
_left_open = Statement(
    select(draft.c.obligation_id)
    .join(conversation, conversation.c.draft_id == draft.c.id)
    .join(account, account.c.id == conversation.c.account_id)
    .where(
        account.c.member_id == bindparam("member_id"),
        draft.c.closed_at.is_(None),
        draft.c.obligation_id.is_not(None),
    )
    .limit(1)
)


def with_digest(db: Session, organization_id: int, day: date) -> set[int]:
    """Members who have this day's digest already."""
    return {row.member_id for row in _with_digest.all(db, organization_id=organization_id, day=day)}


def take_digest(db: Session, organization_id: int, reader_id: int, day: date, lines: Sequence[Line]) -> int | None:
    """Take this person's digest of the day, with its lines; returns its id.

    None when another tick has it already: the unique key decides.
    """
    taken = _take_digest.first(db, organization_id=organization_id, member_id=reader_id, day=day)
    if taken is None:
        return None
    facts = {"organization_id": organization_id, "digest_id": taken.id}
    _add_line.change_each(
        db,
        [
            facts
            | {
                "member_id": line.member_id,
                "kind": line.kind,
                "obligation_id": line.obligation_id,
                "alert_id": line.alert_id,
                "rung": line.rung,
                "due_on": line.counted_from,
            }
            for line in lines
        ],
    )
    return int(taken.id)


@dataclass(frozen=True, slots=True)
class Addressed:
    """Whose digest it is, and in which zone they live."""

    organization_id: int
    reader_id: int
    zone: str


def addressed(db: Session, digest_id: int) -> Addressed:
    """Whose digest this is."""
    return Addressed(*_addressed.first(db, digest_id=digest_id))


def lines_of(db: Session, digest_id: int) -> list[Line]:
    """The lines of a digest, in the order they were written."""
    return [Line(*row) for row in _lines.all(db, digest_id=digest_id)]


def record_digest(db: Session, digest_id: int, told: Iterable[int], now: datetime) -> None:
    """The digest was delivered: these of its lines (their ids) count as told."""
    _digest_sent.change(db, key=digest_id, now=now)
    _line_sent.change_each(db, [{"key": line_id, "now": now} for line_id in told])


def heard_at(db: Session, member_id: int) -> datetime | None:
    """When the person wrote last, anywhere."""
    row = _heard.first(db, member_id=member_id)
    return row.heard_at if row else None


def is_writing(db: Session, member_id: int, now: datetime, within: timedelta) -> bool:
    """True when the person wrote within this time."""
    last = heard_at(db, member_id)
    return last is not None and now - last < within


def left_open(db: Session, member_id: int) -> int | None:
    """The obligation whose report this person has open in a chat."""
    row = _left_open.first(db, member_id=member_id)
    return row.obligation_id if row else None
