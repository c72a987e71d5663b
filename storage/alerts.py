"""What the coordinators are to be told once about the people and the program."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, select, update
from sqlmodel import Session

from storage.statement import Statement, adding_new
from storage.tables import Account, Alert, Membership, Reminder
from storage.tables.core import table

alert, reminder = table(Alert), table(Reminder)
account, membership = table(Account), table(Membership)


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """Something the coordinators are to be told."""

    id: int
    kind: str
    subject: str
    facts: dict[str, Any]
    since: datetime


_is_open = and_(alert.c.organization_id == bindparam("organization_id"), alert.c.ended_at.is_(None))
_alerts = Statement(
    select(alert.c.id, alert.c.kind, alert.c.subject, alert.c.facts, alert.c.since)
    .where(_is_open)
    .order_by(alert.c.id)
)
_alerts_told = Statement(
    select(reminder.c.member_id, reminder.c.alert_id).where(
        reminder.c.alert_id.in_(select(alert.c.id).where(_is_open)), reminder.c.sent_at.is_not(None)
    )
)
_coordinators = Statement(
    select(membership.c.member_id)
    .distinct()
    .join(account, account.c.member_id == membership.c.member_id)
    .where(
        membership.c.organization_id == bindparam("organization_id"),
        membership.c.role == "coordinator",
        account.c.is_reachable,
    )
)
_open_alert = Statement(adding_new(alert, "organization_id", "kind", "subject", "facts", "since"))
_end_alert = Statement(
    update(alert)
    .where(alert.c.id == bindparam("key"))
    .values(ended_at=bindparam("now", type_=alert.c.ended_at.type))
)


def open_alerts(db: Session, organization_id: int) -> list[OpenAlert]:
    """What the coordinators are to be told, be it told already or not."""
    return [OpenAlert(*row) for row in _alerts.all(db, organization_id=organization_id)]


def alerts_told(db: Session, organization_id: int) -> set[tuple[int, int]]:
    """(person, alert) that were delivered, of the open ones."""
    return {(row.member_id, row.alert_id) for row in _alerts_told.all(db, organization_id=organization_id)}


def is_news(db: Session, organization_id: int) -> bool:
    """True when a coordinator who can be reached was not told of something."""
    found = open_alerts(db, organization_id)
    if not found:
        return False
    told = alerts_told(db, organization_id)
    listeners = [row.member_id for row in _coordinators.all(db, organization_id=organization_id)]
    return any((member_id, one.id) not in told for member_id in listeners for one in found)


def open_alert(
    db: Session, organization_id: int, kind: str, subject: str, facts: dict[str, Any], now: datetime
) -> None:
    """Something to tell, as long as the same is not open already."""
    _open_alert.change(db, organization_id=organization_id, kind=kind, subject=subject, facts=facts, since=now)


def end_alert(db: Session, alert_id: int, now: datetime) -> None:
    """It is so no more: should it come back, it is told anew."""
    _end_alert.change(db, key=alert_id, now=now)
