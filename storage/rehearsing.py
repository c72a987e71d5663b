"""What a rehearsal does to its copy of the database, and how it names why a message goes out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, delete, or_, select, update
from sqlmodel import Session

from storage.reminding import Line
from storage.tables import (
    DONE,
    OPEN,
    Account,
    Alert,
    Conversation,
    Digest,
    Member,
    Membership,
    Obligation,
    Organization,
    Outgoing,
    Period,
    Reminder,
    Snooze,
    Task,
    Unit,
)
from storage.tables.core import connection, table
from storage.waking import WOKEN, sign_of_life, wake_all

alert, digest, obligation, organization = table(Alert), table(Digest), table(Obligation), table(Organization)
outgoing, period, reminder, snooze = table(Outgoing), table(Period), table(Reminder), table(Snooze)
task, unit = table(Task), table(Unit)
account, conversation = table(Account), table(Conversation)
member, membership = table(Member), table(Membership)


@dataclass(frozen=True, slots=True)
class Why:
    """A reason of a message: the kind of reminder, the obligation ("KT 2.9 2025-Q3") or alert it is about, and the
    step of the ladder in working days."""

    kind: str
    what: str
    rung: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a message: roles and codes of units as they hold them."""

    name: str
    roles: tuple[str, ...]
    units: tuple[str, ...]


def reader_of(db: Session, account_id: int) -> Reader:
    """Whose chat this is."""
    rows = connection(db).execute(
        select(member.c.name, membership.c.role, unit.c.code)
        .select_from(account)
        .join(member, member.c.id == account.c.member_id)
        .outerjoin(membership, membership.c.member_id == member.c.id)
        .outerjoin(unit, unit.c.id == membership.c.unit_id)
        .where(account.c.id == account_id)
        .order_by(membership.c.id)
    )
    found = rows.all()
    roles, units = (tuple(dict.fromkeys(row[place] for row in found if row[place])) for place in (1, 2))
    return Reader(found[0].name, roles, units)


def begin_rehearsal(db: Session, organization_id: int, first: date, is_past: bool) -> None:
    """As on the morning of `first`: what was planned from then on and not sent is planned anew, in the past also
    what was sent; answers that wait for a chat are not in the way."""
    link = connection(db)
    planned = (digest.c.organization_id == organization_id, digest.c.day >= first)
    doomed = select(digest.c.id).where(*planned, *(() if is_past else (digest.c.sent_at.is_(None),)))
    link.execute(delete(reminder).where(reminder.c.digest_id.in_(doomed)))
    link.execute(delete(digest).where(digest.c.id.in_(doomed)))
    is_wish = and_(outgoing.c.maker == "snoozed", outgoing.c.organization_id == organization_id)
    waiting = update(outgoing).where(outgoing.c.state == "waiting", or_(outgoing.c.maker.is_(None), ~is_wish))
    link.execute(waiting.values(state="dropped"))
    others = update(account).where(account.c.organization_id != organization_id)
    link.execute(others.values(is_reachable=False))
    wished = update(outgoing).where(outgoing.c.state == "waiting")
    link.execute(wished.values(claimed_until=None))
    surveyed = update(organization).where(
        organization.c.id == organization_id, organization.c.surveyed_on >= first
    )
    link.execute(surveyed.values(surveyed_on=None))
    wake_all(db, organization_id)


def has_joined(db: Session, organization_id: int) -> bool:
    """Somebody of the commune has a chat."""
    anyone = select(account.c.id).where(
        account.c.organization_id == organization_id, account.c.member_id.is_not(None)
    )
    return connection(db).execute(anyone.limit(1)).first() is not None


def as_if_joined(db: Session, organization_id: int) -> None:
    """Before anybody has a chat: everybody who is known gets one, so that it can be seen what they would hear."""
    link = connection(db)
    for member_id in link.execute(
        select(member.c.id).where(member.c.organization_id == organization_id)
    ).scalars():
        mine = {"organization_id": organization_id, "member_id": member_id, "is_reachable": True}
        added = link.execute(account.insert().values(mine | {"channel": "rehearsal", "chat_id": str(member_id)}))
        (account_id,) = added.inserted_primary_key or (0,)
        link.execute(conversation.insert().values(account_id=account_id, offered=[], is_lettered=False))


def as_if_unanswered(db: Session, organization_id: int) -> None:
    """Nothing was ever filed, promised or put off."""
    link = connection(db)
    answered = (obligation.c.organization_id == organization_id, obligation.c.state.in_([*OPEN, *DONE]))
    link.execute(update(obligation).where(*answered).values(WOKEN | {"state": "not_started", "promised_on": None}))
    link.execute(delete(snooze).where(snooze.c.organization_id == organization_id))


def answer(db: Session, obligation_ids: Sequence[int], now: datetime) -> None:
    """These were filed, with every figure; as always, that is a sign of life of their units on those tasks."""
    filed = {"state": "submitted", "promised_on": None, "submitted_at": now}
    these = update(obligation).where(obligation.c.id.in_(list(obligation_ids))).values(WOKEN | filed)
    done = connection(db).execute(these.returning(obligation.c.task_id, obligation.c.unit_id)).all()
    for task_id, unit_id in set(done):
        sign_of_life(db, task_id, unit_id, now)


def names_of(db: Session, organization_id: int) -> dict[int, str]:
    """How each obligation is called: its unit, task and period."""
    rows = connection(db).execute(
        select(obligation.c.id, unit.c.code, task.c.code, period.c.code)
        .select_from(obligation)
        .join(unit, unit.c.id == obligation.c.unit_id)
        .join(task, task.c.id == obligation.c.task_id)
        .outerjoin(period, period.c.id == obligation.c.period_id)
        .where(obligation.c.organization_id == organization_id)
    )
    return {row[0]: " ".join(part for part in row[1:] if part) for row in rows}


def whys(db: Session, lines: Sequence[Line], names: Mapping[int, str]) -> list[Why]:
    """The reasons, each once."""
    alerts = {line.alert_id for line in lines if line.alert_id is not None}
    kinds = _kinds_of(db, alerts) if alerts else {}
    found = [
        Why(
            line.kind, kinds[line.alert_id] if line.obligation_id is None else names[line.obligation_id], line.rung
        )
        for line in lines
    ]
    return list(dict.fromkeys(found))


def _kinds_of(db: Session, alert_ids: Collection[int]) -> dict[int | None, str]:
    rows = connection(db).execute(select(alert.c.id, alert.c.kind).where(alert.c.id.in_(alert_ids)))
    return {row.id: row.kind for row in rows}
