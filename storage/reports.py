"""Submissions: filing values, and the values filed before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from storage.owed import BEFORE_EFFECTIVE, DONE, OPEN, Owed, obligation, period
from storage.tables import Member, Obligation, Submission
from storage.tables.core import connection, table

submission = table(Submission)


class NotOpen(Exception):
    """The obligation can no longer be filed (sent up, or not owed)."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A version of what was filed for an obligation."""

    obligation_id: int
    version: int
    answers: dict[str, Any]
    questions: list[dict[str, Any]]
    period_label: str
    member_id: int
    at: datetime


def submit(
    db: Session,
    obligation_id: int,
    answers: dict[str, Any],
    questions: list[dict[str, Any]],
    promised_on: date | None,
    member_id: int,
    on_behalf: bool,
    now: datetime,
) -> int:
    """File a new version and mark the obligation submitted; returns the version. Raises NotOpen.

    Figures of a period that ended before the plan took effect are kept, and the period stays not owed.
    """
    owed = db.get_one(Obligation, obligation_id, with_for_update=True)
    is_past = owed.state == "not_owed" and owed.reason == BEFORE_EFFECTIVE
    if not is_past and owed.state not in (*OPEN, "submitted", "accepted"):
        raise NotOpen
    counted = select(func.coalesce(func.max(submission.c.version), 0)).where(
        submission.c.obligation_id == obligation_id
    )
    version = int(connection(db).execute(counted).scalar_one()) + 1
    db.add(
        Submission(
            organization_id=owed.organization_id,
            obligation_id=obligation_id,
            version=version,
            answers=answers,
            questions=questions,
            member_id=member_id,
            on_behalf=on_behalf,
            at=now,
        )
    )
    if not is_past:
        owed.state = "submitted"
        owed.promised_on = promised_on
    owed.submitted_at = now
    db.flush()
    return version


def begin_draft(db: Session, obligation_id: int) -> None:
    """A first answer was given: the obligation is no longer untouched."""
    changed = update(obligation).where(obligation.c.id == obligation_id, obligation.c.state == "not_started")
    connection(db).execute(changed.values(state="draft"))


def filed(db: Session, obligation_id: int) -> Filed | None:
    """The newest version filed for an obligation."""
    found = _newest(db, submission.c.obligation_id == obligation_id)
    return found[-1] if found else None


def filed_before(db: Session, owed: Owed) -> Filed | None:
    """The newest version this unit filed for the same task in an earlier period."""
    found = _newest(
        db,
        obligation.c.task_id == owed.task_id,
        obligation.c.unit_id == owed.unit_id,
        period.c.data_to < owed.data_to,
    )
    return found[-1] if found else None


def filed_in(db: Session, period_id: int) -> dict[int, Filed]:
    """The newest version of everything filed for a period, by obligation."""
    rows = _newest(db, obligation.c.period_id == period_id, obligation.c.state.in_(DONE))
    return {found.obligation_id: found for found in rows}


def _newest(db: Session, *where: Any) -> list[Filed]:
    rows = connection(db).execute(
        select(
            submission.c.obligation_id,
            submission.c.version,
            submission.c.answers,
            submission.c.questions,
            period.c.label,
            submission.c.member_id,
            submission.c.at,
        )
        .join(obligation, obligation.c.id == submission.c.obligation_id)
        .join(period, period.c.id == obligation.c.period_id)
        .where(*where)
        .order_by(period.c.data_to, submission.c.version)
    )
    return list({row.obligation_id: Filed(*row) for row in rows}.values())


def name_of(db: Session, member_id: int) -> str:
    """How a member is called."""
    return db.get_one(Member, member_id).name
