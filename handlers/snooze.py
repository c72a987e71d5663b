"""/snooze: be reminded later; past the due day the coordinator sees it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from handlers import access
from handlers.conversation import Command, Conversation, FlowKind, begin
from handlers.desk import Desk
from handlers.talk import Misunderstood, Read, Talk
from handlers.tasks import SHOWN, mine
from messages import label, plain
from plans.days import read_day
from storage import outbox
from storage.calendar import calendar_of
from storage.chats import OpenDraft
from storage.owed import Owed, find_owed
from storage.snoozes import put_off
from storage.tables import Organization

AFTERNOON = time(13, 30)
LATEST_WISH = time(13, 0)
"""After this it is afternoon already."""
WITHIN = timedelta(days=30)


def snooze(desk: Desk, argument: str) -> None:
    """Ask when to be reminded of one obligation (its id), or of which of those owed."""
    owed = (
        [_found(desk, int(argument))] if argument.isdecimal() else mine(desk.db, desk.person, "report", desk.today)
    )
    items = [_frozen(item) for item in owed if item is not None and item.is_owed]
    if not items:
        return desk.reply("tasks.nothing", today=desk.today)
    begin(desk, SNOOZING, {"items": items})


def _found(desk: Desk, obligation_id: int) -> Owed | None:
    owed = find_owed(desk.db, desk.person.organization_id, obligation_id)
    if owed is not None:
        access.check(desk.person, "report", owed.organization_id, owed.unit_id)
    return owed


def _frozen(item: Owed) -> dict[str, Any]:
    return {
        "id": item.id,
        "unit_id": item.unit_id,
        "label": plain("snooze.item", item=item),
        "due_on": item.asked_on.isoformat(),
    }


def snoozing(talk: Talk, items: list[dict[str, Any]]) -> None:
    """Which, until when; where that is after the due day, whether the coordinator shall see it."""
    chosen = items
    if len(items) > 1:
        labels = {"all": plain("snooze.label_all", count=len(items))}
        labels |= {str(item["id"]): item["label"] for item in items[:SHOWN]}
        which = talk.choose("which", labels, "snooze.which")
        chosen = [item for item in items if which in ("all", str(item["id"]))]
    desk = talk.desk
    tomorrow = calendar_of(desk.db, desk.person.organization_id).first_working_on_or_after(
        desk.today + timedelta(days=1)
    )
    options = {"tomorrow": plain("snooze.label_next_day", day=tomorrow, today=desk.today)}
    if desk.now.astimezone(ZoneInfo(desk.chat.zone)).time() < LATEST_WISH:
        options = {"afternoon": label("snooze.label_afternoon")} | options
    options["day"] = label("snooze.label_day")
    when = talk.choose("when", options, "snooze.when", items=chosen)
    if when == "afternoon":
        _remind_today(desk, chosen)
        return talk.end("snooze.today", at=AFTERNOON, count=len(chosen))
    until_on = tomorrow
    if when == "day":
        until_on = date.fromisoformat(talk.ask("day", _coming_day(desk.today), "snooze.day", today=desk.today))
    _put_off(talk, chosen, until_on)


def _put_off(talk: Talk, items: list[dict[str, Any]], until_on: date) -> None:
    """Not past the due day, unless it is past already or the coordinator may see it."""
    desk = talk.desk
    due_on = min(date.fromisoformat(item["due_on"]) for item in items)
    if until_on > due_on > desk.today:
        options = {
            "due": plain("snooze.label_due", due_on=due_on),
            "past": plain("snooze.label_past", until_on=until_on),
        }
        if talk.choose("past", options, "snooze.past", due_on=due_on, until_on=until_on) == "due":
            until_on = due_on
    office = desk.db.get_one(Organization, desk.person.organization_id)
    until_at = datetime.combine(until_on, office.office_from, ZoneInfo(desk.chat.zone)).astimezone(UTC)
    is_past_due = until_on > due_on
    for item in items:
        put_off(
            desk.db,
            desk.person.organization_id,
            desk.person.member_id,
            item["id"],
            until_at,
            until_on > date.fromisoformat(item["due_on"]),
            desk.now,
        )
        desk.note("put_off", f"obligation {item['id']}")
    talk.end("snooze.put_off", until_on=until_on, count=len(items), is_past_due=is_past_due)


def _remind_today(desk: Desk, items: list[dict[str, Any]]) -> None:
    """A message they asked for: it is not the day's unasked one."""
    zone, today = ZoneInfo(desk.chat.zone), desk.today
    office = desk.db.get_one(Organization, desk.person.organization_id)
    outbox.put(
        desk.db,
        organization_id=desk.person.organization_id,
        account_id=desk.chat.account_id,
        kind="text",
        priority=outbox.REMINDER,
        maker="snoozed",
        args={"organization_id": desk.person.organization_id, "obligations": [item["id"] for item in items]},
        created_at=desk.now,
        not_before=datetime.combine(today, AFTERNOON, zone).astimezone(UTC),
        expires_at=datetime.combine(today, office.office_to, zone).astimezone(UTC),
    )


def _coming_day(today: date) -> Read:
    """A reader of a day after today."""

    def read(text: str) -> str:
        day = read_day(text, today)
        if day is None:
            raise Misunderstood("snooze.not_a_day", today=today)
        if not today < day <= today + WITHIN:
            raise Misunderstood("snooze.out_of_reach", day=day, today=today, last=today + WITHIN)
        return day.isoformat()

    return read


def _check(desk: Desk, draft: OpenDraft) -> None:
    for item in draft.args["items"]:
        access.check(desk.person, "report", desk.person.organization_id, item["unit_id"])


SNOOZING = FlowKind("snoozing", snoozing, _check)
CONVERSATION = Conversation(
    commands=(Command("snooze", "nhaclai", "report", snooze, in_menu=False),), flows=(SNOOZING,)
)
