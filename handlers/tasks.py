"""/tasks: what my unit owes, reports and open cases, most urgent first, with a button for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import Session

from handlers import access
from handlers.conversation import Command, Conversation
from handlers.desk import Desk, button, page_of
from messages import plain
from storage.cases import cases_of
from storage.chats import Person
from storage.owed import Owed, current_period, owed_until
from storage.snoozes import put_off_by

SHOWN = 5
"""As many as a phone shows without scrolling."""


def tasks(desk: Desk, argument: str = "") -> None:
    """List what is owed; `argument` is the page, from 0."""
    page = int(argument) if argument.isdecimal() else 0
    units = access.units_for(desk.person, "tasks")
    cases = [case.owed for case in cases_of(desk.db, desk.person.organization_id, units)]
    reports = mine(desk.db, desk.person, "tasks", desk.today)
    owed = sorted([*reports, *cases], key=lambda item: item.due_on)
    if not owed:
        return desk.reply("tasks.nothing", today=desk.today)
    shown, rest = page_of(owed, page, SHOWN)
    choices = [report_button(item, owed) for item in shown]
    if rest:
        choices.append(button(f"/tasks {page + 1}", "tasks.label_more", rest=rest))
    put_off = put_off_by(desk.db, desk.person.member_id, desk.now)
    facts: dict[str, Any] = {"put_off": put_off, "zone": desk.chat.zone}
    desk.reply("tasks.list", choices, owed=shown, among=owed, today=desk.today, **facts)


def mine(db: Session, person: Person, right: str, today: date) -> list[Owed]:
    """Reports that the person's units owe by the end of the current reporting period, most urgent first."""
    period = current_period(db, person.organization_id, today)
    if period is None:
        return []
    units = access.units_for(person, right)
    owed = owed_until(db, person.organization_id, units, period.unit_due)
    return [item for item in owed if item.case is None]


def report_button(item: Owed, among: Sequence[Owed]) -> list[str]:
    """The choice that opens one obligation, a report or a case, told apart from those it stands among."""
    command = "report" if item.case is None else "case"
    return [f"/{command} {item.id}", plain("tasks.label_report", item=item, among=among)]


CONVERSATION = Conversation(commands=(Command("tasks", "nhiemvu", "tasks", tasks),))
