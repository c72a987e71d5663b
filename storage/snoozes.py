"""What people asked to be reminded of later."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session

from storage import outbox
from storage.statement import Statement
from storage.tables import Obligation, Snooze
from storage.tables.core import table
from storage.waking import wake

snooze, obligation = table(Snooze), table(Obligation)
LATER_TODAY = "snoozed"
"""The maker of a message that somebody asked for, for later the same day."""

_newer = snooze.alias()
_of_member = Statement(
    select(snooze.c.member_id, snooze.c.obligation_id, snooze.c.until_at, snooze.c.at)
    .where(snooze.c.member_id == bindparam("member_id"))
    .order_by(snooze.c.id)
)
_past_due = Statement(
    select(snooze.c.obligation_id, snooze.c.until_at)
    .where(
        snooze.c.organization_id == bindparam("organization_id"),
        snooze.c.is_past_due,
        snooze.c.until_at > bindparam("now", type_=snooze.c.until_at.type),
        ~select(_newer.c.id)
        .where(
            _newer.c.obligation_id == snooze.c.obligation_id,
            _newer.c.member_id == snooze.c.member_id,
            _newer.c.id > snooze.c.id,
        )
        .exists(),
    )
    .order_by(snooze.c.id)
)


def put_off(
    db: Session,
    organization_id: int,
    member_id: int,
    obligation_id: int,
    until_at: datetime,
    is_past_due: bool,
    now: datetime,
) -> int:
    """Note that this person wants to hear of it again at `until_at`, and not before; returns the row's id."""
    _leave_out(db, member_id, obligation_id, now)
    row = Snooze(
        organization_id=organization_id,
        member_id=member_id,
        obligation_id=obligation_id,
        until_at=until_at,
        is_past_due=is_past_due,
        at=now,
    )
    db.add(row)
    db.flush()
    wake(db, [obligation_id])
    assert row.id is not None
    return row.id


def take_back(db: Session, organization_id: int, member_id: int, obligation_id: int, now: datetime) -> None:
    """Note that they want to hear of it as if it had never been put off: a wish that is over when it is made."""
    put_off(db, organization_id, member_id, obligation_id, now, False, now)


def _leave_out(db: Session, member_id: int, obligation_id: int, now: datetime) -> None:
    """Of what was to be said later today; a message of which nothing is left will not be sent."""
    for row in outbox.for_later(db, member_id, LATER_TODAY, now):
        if obligation_id in row.args["obligations"]:
            left = [one for one in row.args["obligations"] if one != obligation_id]
            outbox.change_args(db, row.id, row.args | {"obligations": left})


def newest(wishes: Iterable[Any]) -> dict[tuple[int, int], datetime]:
    """Until when, by (person, obligation), of rows in the order they were made: the newest counts, and one that
    takes back is none."""
    found = {(row.member_id, row.obligation_id): row for row in wishes}
    return {key: row.until_at for key, row in found.items() if row.until_at > row.at}


def wishes_of(db: Session, member_ids: Collection[int]) -> dict[tuple[int, int], datetime]:
    """Until when these people want to hear nothing of it, by (person, obligation)."""
    return newest(row for member_id in member_ids for row in _of_member.all(db, member_id=member_id))


def put_off_by(db: Session, member_id: int, now: datetime) -> dict[int, datetime]:
    """What this person has put off by now, also until later today: until when, by obligation."""
    today = outbox.for_later(db, member_id, LATER_TODAY, now)
    wishes = wishes_of(db, [member_id])
    return {one: row.not_before for row in today for one in row.args["obligations"]} | {
        obligation_id: until_at for (_, obligation_id), until_at in wishes.items() if until_at > now
    }


def past_due(db: Session, organization_id: int, now: datetime) -> dict[int, datetime]:
    """What somebody put off past its due day: until when, by obligation."""
    return {row.obligation_id: row.until_at for row in _past_due.all(db, organization_id=organization_id, now=now)}
