"""What tests ask of a commune beyond its chats: rows by name, people who join, what is stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlmodel import col, select

from storage.people import make_invite
from storage.tables import Draft, Obligation, Organization, Period, Submission, Task, Unit
from tests.commune import Commune, Phone


def obligation_id(commune: Commune, unit: str, task: str, period: str = "2025-Q3") -> int:
    """The obligation of a unit for a task in a period."""
    with commune.store.reading() as db:
        found = db.exec(
            select(Obligation.id)
            .join(Period, col(Period.id) == Obligation.period_id)
            .join(Unit, col(Unit.id) == Obligation.unit_id)
            .join(Task, col(Task.id) == Obligation.task_id)
            .where(Period.code == period, Unit.code == unit, Task.code == task)
        ).one()
    assert found is not None
    return found


def obligation(commune: Commune, obligation_id: int) -> Obligation:
    with commune.store.reading() as db:
        return db.get_one(Obligation, obligation_id)


def set_state(commune: Commune, obligation_id: int, state: str, reason: str | None = None) -> None:
    """As if the coordinator had moved the obligation to another state."""
    with commune.store.writing() as db:
        owed = db.get_one(Obligation, obligation_id)
        owed.state, owed.reason = state, reason


def code_for(commune: Commune, role: str, unit: str | None, name: str | None = None) -> str:
    """A fresh joining code."""
    with commune.store.writing() as db:
        organization = db.exec(select(Organization).order_by(col(Organization.id))).first()
        assert organization is not None
        assert organization.id is not None
        found = db.exec(select(Unit).where(Unit.code == unit)).first() if unit else None
        now = commune.clock.now()
        return make_invite(db, organization.id, found.id if found else None, role, now, name)


def joined(commune: Commune, chat_id: str, role: str, unit: str | None) -> Phone:
    """Someone new, with a role."""
    phone = commune.person(chat_id)
    phone.says(f"/start {code_for(commune, role, unit, 'Trần Thị Mới')}")
    assert "đã tham gia" in phone.says("đồng ý")
    return phone


def code_in(text: str) -> str:
    """The joining code shown in a message."""
    found = re.search(r"<b>([2-9A-HJ-NP-Z]{8})</b>", text)
    assert found, text
    return found[1]


def filings(commune: Commune, obligation_id: int) -> Sequence[Submission]:
    """Every version filed for an obligation, oldest first."""
    with commune.store.reading() as db:
        wanted = select(Submission).where(Submission.obligation_id == obligation_id)
        return db.exec(wanted.order_by(col(Submission.version))).all()


def figures(commune: Commune, obligation_id: int) -> dict[str, str]:
    """The newest version's answers by code, each as its figure or the kind of answer."""
    answers = filings(commune, obligation_id)[-1].answers
    return {code: value.get("n", value["kind"]) for code, value in answers.items()}


def kept(commune: Commune) -> dict[str, Any]:
    """All that talking may change: drafts, what was filed, what is owed."""
    with commune.store.reading() as db:
        drafts = {row.id: (row.answers, row.version, row.closed_at) for row in db.exec(select(Draft))}
        filed = {row.id: row.answers for row in db.exec(select(Submission))}
        owed = {row.id: (row.state, row.promised_on) for row in db.exec(select(Obligation))}
    return {"drafts": drafts, "filed": filed, "owed": owed}
