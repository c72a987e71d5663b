"""The example: people for every role, and figures filed before, so that a newcomer meets a commune at work."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlmodel import Session, col, select

import plans
from storage.owed import Owed, find_owed, indicators_of, questions_of
from storage.people import add_role
from storage.reports import submit
from storage.tables import Account, Conversation, Member, Obligation, Organization, Period, Task, Unit

EXAMPLE = Path(plans.__file__).parent / "phu-tan-example.yaml"
CHANNEL = "browser"


class ExampleMisfit(Exception):
    """The example's figures belong to another plan than the one loaded."""


def load_example(db: Session, organization: Organization, now: datetime, with_chats: bool) -> None:
    """Write the example's people and what they filed. Does nothing where people are already.

    `with_chats`: they chat in the browser of this computer (the demo).
    """
    if db.exec(select(Member)).first() is not None:
        return
    example: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    assert organization.id is not None
    units = {unit.code: unit.id for unit in db.exec(select(Unit))}
    staff: dict[str, int] = {}
    for person in example["people"]:
        member_id = _add_person(db, organization.id, person, units.get(person.get("unit")), now)
        if with_chats:
            _add_chat(db, organization.id, member_id, person["chat"])
        if person["role"] == "staff":
            staff[person["unit"]] = member_id
    for period_code, by_unit in example["filed"].items():
        for unit_code, by_task in by_unit.items():
            for task_code, figures in by_task.items():
                owed = _owed(db, organization.id, period_code, unit_code, task_code)
                _file(db, owed, figures, staff[unit_code])


def _add_person(
    db: Session, organization_id: int, person: dict[str, Any], unit_id: int | None, now: datetime
) -> int:
    member = Member(organization_id=organization_id, name=person["name"], joined_at=now)
    db.add(member)
    db.flush()
    assert member.id is not None
    add_role(db, organization_id, member.id, unit_id, person["role"])
    return member.id


def _add_chat(db: Session, organization_id: int, member_id: int, chat_id: str) -> None:
    account = Account(organization_id=organization_id, member_id=member_id, channel=CHANNEL, chat_id=chat_id)
    db.add(account)
    db.flush()
    assert account.id is not None
    db.add(Conversation(account_id=account.id))
    db.flush()


def _owed(db: Session, organization_id: int, period: str, unit: str, task: str) -> Owed:
    found = db.exec(
        select(Obligation.id)
        .join(Period, col(Period.id) == Obligation.period_id)
        .join(Unit, col(Unit.id) == Obligation.unit_id)
        .join(Task, col(Task.id) == Obligation.task_id)
        .where(
            Obligation.organization_id == organization_id,
            Period.code == period,
            Unit.code == unit,
            Task.code == task,
        )
    ).first()
    if found is None:
        raise ExampleMisfit
    owed = find_owed(db, organization_id, found)
    assert owed is not None
    return owed


def _file(db: Session, owed: Owed, figures: dict[str, int], member_id: int) -> None:
    """As if filed on the morning after the period's data ended."""
    at = datetime.combine(owed.data_to + timedelta(days=1), time(2, 0), UTC)
    questions = [
        question.model_dump(mode="json") for question in questions_of(db, owed, indicators_of(db, owed.task_id))
    ]
    answers = {code: {"kind": "figure", "n": str(value)} for code, value in figures.items()}
    submit(db, owed.id, answers, questions, None, member_id, False, at)
