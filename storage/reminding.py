"""Digests and rungs: who is to be reminded, and of what they were reminded already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session
from sqlmodel import select as choose

from storage.tables import Account, Conversation, Digest, Draft, Member, Membership, Reminder
from storage.tables.core import connection, table

account, conversation, draft = table(Account), table(Conversation), table(Draft)
digest, reminder = table(Digest), table(Reminder)
member, membership = table(Member), table(Membership)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person with a role in a unit, and the chat they used last."""

    member_id: int
    unit_id: int
    role: str
    account_id: int


Rung = tuple[int, int, int, date]
"""(member, obligation, rung in working days, the due day it was counted from)"""


def recipients(db: Session, organization_id: int) -> list[Recipient]:
    """Staff and heads who can be reached, each by the chat they wrote in last."""
    rows = connection(db).execute(
        select(membership.c.member_id, membership.c.unit_id, membership.c.role, account.c.id)
        .join(account, account.c.member_id == membership.c.member_id)
        .join(conversation, conversation.c.account_id == account.c.id)
        .where(
            membership.c.organization_id == organization_id,
            membership.c.unit_id.is_not(None),
            account.c.is_reachable,
        )
        .order_by(conversation.c.heard_at.nulls_first(), account.c.id)
    )
    found = [Recipient(*row) for row in rows]
    return list({(one.member_id, one.unit_id, one.role): one for one in found}.values())


def reminded(db: Session, obligation_ids: Collection[int]) -> set[Rung]:
    """Rungs already delivered for these obligations."""
    rows = connection(db).execute(
        select(reminder.c.member_id, reminder.c.obligation_id, reminder.c.rung, reminder.c.due_on).where(
            reminder.c.obligation_id.in_(list(obligation_ids)), reminder.c.sent_at.is_not(None)
        )
    )
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def with_digest(db: Session, organization_id: int, day: date) -> set[int]:
    """Members who have this day's digest already."""
    rows = connection(db).execute(
        select(digest.c.member_id).where(digest.c.organization_id == organization_id, digest.c.day == day)
    )
    return {row.member_id for row in rows}


def add_digest(
    db: Session, organization_id: int, member_id: int, day: date, rungs: Sequence[tuple[int, int, date]]
) -> int | None:
    """Take this person's digest of the day, with its (obligation, rung, due day) lines; returns its id.

    None when another tick has it already: the unique key decides.
    """
    link = connection(db)
    insert: Any = sqlite.insert(digest) if link.dialect.name == "sqlite" else postgresql.insert(digest)
    values = {"organization_id": organization_id, "member_id": member_id, "day": day}
    digest_id = link.execute(insert.values(values).on_conflict_do_nothing().returning(digest.c.id)).scalar()
    if digest_id is None:
        return None
    link.execute(
        reminder.insert(),
        [
            {
                "organization_id": organization_id,
                "digest_id": digest_id,
                "member_id": member_id,
                "obligation_id": obligation_id,
                "rung": rung,
                "due_on": due_on,
            }
            for obligation_id, rung, due_on in rungs
        ],
    )
    return int(digest_id)


def reminders_of(db: Session, digest_id: int) -> list[Reminder]:
    """The lines of a digest."""
    return list(db.exec(choose(Reminder).where(Reminder.digest_id == digest_id)))


def record_digest(db: Session, digest_id: int, now: datetime) -> None:
    """The digest was delivered: its rungs count as sent."""
    connection(db).execute(update(digest).where(digest.c.id == digest_id).values(sent_at=now))
    connection(db).execute(update(reminder).where(reminder.c.digest_id == digest_id).values(sent_at=now))


def heard_at(db: Session, member_id: int) -> datetime | None:
    """When the person wrote last, anywhere."""
    latest = (
        select(conversation.c.heard_at)
        .join(account, account.c.id == conversation.c.account_id)
        .where(account.c.member_id == member_id, conversation.c.heard_at.is_not(None))
        .order_by(conversation.c.heard_at.desc())
    )
    return connection(db).execute(latest.limit(1)).scalar()


def is_writing(db: Session, member_id: int, now: datetime, within: timedelta) -> bool:
    """True when the person wrote within this time."""
    last = heard_at(db, member_id)
    return last is not None and now - last < within


def left_open(db: Session, member_id: int) -> int | None:
    """The obligation whose report this person has open in a chat."""
    found = (
        select(draft.c.obligation_id)
        .join(conversation, conversation.c.draft_id == draft.c.id)
        .join(account, account.c.id == conversation.c.account_id)
        .where(account.c.member_id == member_id, draft.c.closed_at.is_(None), draft.c.obligation_id.is_not(None))
    )
    return connection(db).execute(found.limit(1)).scalar()
