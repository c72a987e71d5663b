"""Submissions: filing values, and the values filed before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, case, func, select, update
from sqlmodel import Session

from storage.owed import BEFORE_EFFECTIVE, Owed, obligation, period
from storage.statement import Statement, adding, among
from storage.tables import DONE, OPEN, Member, Submission
from storage.tables.core import table
from storage.waking import WOKEN, sign_of_life

submission = table(Submission)


EARLIER = 12
"""Versions looked back at for a question's last value."""


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


_filings = (
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
)
_filed = Statement(
    _filings.where(submission.c.obligation_id == bindparam("id")).order_by(submission.c.version.desc()).limit(1)
)
_filed_before = Statement(
    _filings.where(
        obligation.c.task_id == bindparam("task_id"),
        obligation.c.unit_id == bindparam("unit_id"),
        period.c.data_to < bindparam("data_to"),
    )
    .order_by(period.c.data_to.desc(), submission.c.version.desc())
    .limit(EARLIER)
)
_filed_in = Statement(
    _filings.where(obligation.c.period_id == bindparam("period_id"), among(obligation.c.state, DONE)).order_by(
        submission.c.version
    )
)
_state = Statement(
    select(
        obligation.c.organization_id,
        obligation.c.state,
        obligation.c.reason,
        obligation.c.task_id,
        obligation.c.unit_id,
    )
    .where(obligation.c.id == bindparam("id"))
    .with_for_update()
)
_submit = Statement(
    adding(
        submission,
        *("organization_id", "obligation_id", "version", "answers", "questions", "member_id", "on_behalf", "at"),
    )
)
_count = Statement(
    select(func.coalesce(func.max(submission.c.version), 0).label("newest")).where(
        submission.c.obligation_id == bindparam("id")
    )
)
_submitted = Statement(
    update(obligation)
    .where(obligation.c.id == bindparam("key"))
    .values(
        WOKEN | {"state": bindparam("new"), "promised_on": bindparam("promised"), "submitted_at": bindparam("now")}
    )
)
_begun = Statement(
    update(obligation)
    .where(obligation.c.id == bindparam("key"))
    .values(state=case((obligation.c.state == "not_started", "draft"), else_=obligation.c.state))
    .returning(obligation.c.task_id, obligation.c.unit_id)
)
_untouched = Statement(
    update(obligation)
    .where(obligation.c.id == bindparam("key"), obligation.c.state == "draft")
    .values(state="not_started")
)


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
    owed = _state.first(db, id=obligation_id)
    is_past = owed.state == "not_owed" and owed.reason == BEFORE_EFFECTIVE
    if not is_past and owed.state not in (*OPEN, "submitted", "accepted"):
        raise NotOpen
    version = int(_count.first(db, id=obligation_id).newest) + 1
    _submit.change(
        db,
        organization_id=owed.organization_id,
        obligation_id=obligation_id,
        version=version,
        answers=answers,
        questions=questions,
        member_id=member_id,
        on_behalf=on_behalf,
        at=now,
    )
    state = owed.state if is_past else "submitted"
    _submitted.change(db, key=obligation_id, new=state, promised=promised_on, now=now)
    sign_of_life(db, owed.task_id, owed.unit_id, now)
    return version


def begin_draft(db: Session, obligation_id: int, now: datetime) -> None:
    """Something was answered: the obligation is no longer untouched, and its unit at work."""
    begun = _begun.first(db, key=obligation_id)
    sign_of_life(db, begun.task_id, begun.unit_id, now)


def end_draft(db: Session, obligation_id: int) -> None:
    """The draft was deleted: where nothing was filed, the obligation is untouched again."""
    _untouched.change(db, key=obligation_id)


def filed(db: Session, obligation_id: int) -> Filed | None:
    """The newest version filed for an obligation."""
    row = _filed.first(db, id=obligation_id)
    return Filed(*row) if row else None


def filed_before(db: Session, owed: Owed) -> list[Filed]:
    """What this unit filed for the same task in earlier periods, the newest first."""
    found = _filed_before.all(db, task_id=owed.task_id, unit_id=owed.unit_id, data_to=owed.data_to)
    return [Filed(*row) for row in found]


def filed_in(db: Session, period_id: int) -> dict[int, Filed]:
    """The newest version of everything filed for a period, by obligation."""
    return {row.obligation_id: Filed(*row) for row in _filed_in.all(db, period_id=period_id)}


def name_of(db: Session, member_id: int) -> str:
    """How a member is called."""
    return db.get_one(Member, member_id).name
