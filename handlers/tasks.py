"""/tasks: what my unit owes, most urgent first, with buttons to report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlmodel import Session

from handlers import access
from handlers.conversation import Command, Conversation
from handlers.desk import Desk, button, page_of
from messages import plain
from storage.chats import Person
from storage.owed import Owed, current_period, owed_until

SHOWN = 5
"""As many as a phone shows without scrolling."""


def tasks(desk: Desk, argument: str = "") -> None:
    """List what is owed; `argument` is the page, from 0."""
    page = int(argument) if argument.isdecimal() else 0
    owed = mine(desk.db, desk.person, "tasks", desk.today)
    if not owed:
        return desk.reply("tasks.nothing", today=desk.today)
    shown, rest = page_of(owed, page, SHOWN)
    choices = [report_button(item, owed) for item in shown]
    if rest:
        choices.append(button(f"/tasks {page + 1}", "tasks.label_more", rest=rest))
    desk.reply("tasks.list", choices, owed=shown, among=owed, today=desk.today)


def mine(db: Session, person: Person, right: str, today: date) -> list[Owed]:
    """What the person's units owe by the end of the current reporting period, most urgent first."""
    period = current_period(db, person.organization_id, today)
    if period is None:
        return []
    units = access.units_for(person, right)
    return owed_until(db, person.organization_id, units, period.unit_due)


def report_button(item: Owed, among: Sequence[Owed]) -> list[str]:
    """The choice that opens the report of one obligation, told apart from those it stands among."""
    return [f"/report {item.id}", plain("tasks.label_report", item=item, among=among)]


CONVERSATION = Conversation(commands=(Command("tasks", "nhiemvu", "tasks", tasks),))
