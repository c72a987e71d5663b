"""/snooze: be reminded later; past the due day the coordinator sees it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from handlers import access
from handlers.asking import a_day, still
from handlers.conversation import Command, Conversation, FlowKind, begin
from handlers.desk import Desk, button
from handlers.talk import Talk, pick
from messages import label, plain
from plans.text import clause
from storage import outbox
from storage.calendar import calendar_of
from storage.chats import OpenDraft
from storage.looking import effective_on
from storage.owed import Owed, find_owed, owed_until
from storage.snoozes import LATER_TODAY, put_off, put_off_by, take_back
from storage.tables import Organization

ONE = re.compile(r"[0-9]{1,9}")
AFTERNOON = time(13, 30)
LATEST_WISH = time(13, 0)
"""After this it is afternoon already."""
WITHIN = timedelta(days=30)


def snooze(desk: Desk, argument: str) -> None:
    """Ask when to be reminded of one obligation (its id), of a task ("2.9"), or of which of those owed."""
    units = access.units_for(desk.person, "snooze") or frozenset()
    soon = _soon(desk, units)
    owed = _named(desk, clause(argument), soon) if argument else soon
    own = [item for item in owed if item.unit_id in units]
    if own:
        begin(desk, SNOOZING, {"items": _frozen(desk, own), "has_afternoon": _is_before_afternoon(desk)})
    elif owed or not units:
        desk.reply("snooze.not_own")
    elif soon:
        desk.reply("snooze.not_owed", [button("/snooze", "snooze.label_others")], soon=soon)
    else:
        desk.reply("snooze.nothing")


def _named(desk: Desk, argument: str, soon: Sequence[Owed]) -> list[Owed]:
    if not ONE.fullmatch(argument):
        return [item for item in soon if item.task_code.casefold() == argument.casefold()]
    owed = find_owed(desk.db, desk.person.organization_id, int(argument))
    if owed is None or not owed.is_owed:
        return []
    access.check(desk.person, "report", owed.organization_id, owed.unit_id)
    return [owed]


def _soon(desk: Desk, units: Collection[int]) -> list[Owed]:
    """Reports and cases that these units owe, as far ahead as can be put off."""
    owed = owed_until(desk.db, desk.person.organization_id, units, desk.today + WITHIN) if units else []
    return sorted(owed, key=lambda item: item.asked_on)


def _frozen(desk: Desk, owed: Sequence[Owed]) -> list[dict[str, Any]]:
    """`last_on`: the last day on which a reminder is in time. `until_on`: the day it was put off to by now."""
    calendar = calendar_of(desk.db, desk.person.organization_id)
    wishes, zone = put_off_by(desk.db, desk.person.member_id, desk.now), ZoneInfo(desk.chat.zone)
    until_on = {item_id: until_at.astimezone(zone).date().isoformat() for item_id, until_at in wishes.items()}
    return [
        {
            "id": item.id,
            "unit_id": item.unit_id,
            "label": plain("snooze.item", item=item, among=owed),
            "due_on": item.asked_on.isoformat(),
            "last_on": effective_on(item, calendar).isoformat(),
            "until_on": until_on.get(item.id),
        }
        for item in owed
    ]


def _is_before_afternoon(desk: Desk) -> bool:
    """A message this afternoon can still be wished for: not late in the day, not on a day off."""
    is_early = desk.now.astimezone(ZoneInfo(desk.chat.zone)).time() < LATEST_WISH
    return is_early and calendar_of(desk.db, desk.person.organization_id).is_working(desk.today)


def snoozing(talk: Talk, items: list[dict[str, Any]], has_afternoon: bool) -> None:
    """Which, until when; where that is after the due day, whether the coordinator shall see it."""
    chosen = _chosen(talk, items)
    desk = talk.desk
    calendar = calendar_of(desk.db, desk.person.organization_id)
    tomorrow = calendar.first_working_on_or_after(desk.today + timedelta(days=1))
    # The same buttons however late it has become: one tapped in the evening means what it said.
    options = {"afternoon": label("snooze.label_afternoon")} if has_afternoon else {}
    options[tomorrow.isoformat()] = plain("snooze.label_next_day", day=tomorrow, today=desk.today)
    options["day"] = label("snooze.label_day")
    wished = [item for item in chosen if item.get("until_on")]  # a draft of an earlier release has none
    if wished:
        options["undo"] = label("snooze.label_undo")
    when = talk.choose("when", options, "snooze.when", items=chosen, today=desk.today)
    if when == "afternoon" and not _is_before_afternoon(desk):
        talk.note("snooze.afternoon_past")
        talk.forget("when")
    if when == "afternoon":
        _remind_today(desk, chosen)
        return talk.end("snooze.today", at=AFTERNOON, items=chosen)
    if when == "undo":
        return _take_back(talk, wished)
    if when != "day":
        return _put_off(talk, chosen, date.fromisoformat(when))
    read = a_day(desk.today, desk.today + timedelta(days=1), desk.today + WITHIN, working_in=calendar)
    talk.ask("day", read, "snooze.day", today=desk.today)
    _put_off(talk, chosen, still(talk, "day", read))


def _chosen(talk: Talk, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(items) == 1:
        return items
    labels = {str(item["id"]): item["label"] for item in items}
    every = {"all": plain("snooze.label_all", count=len(items))}
    which = pick(talk, "which", labels, "snooze.which", every)
    return [item for item in items if which in ("all", str(item["id"]))]


def _put_off(talk: Talk, items: list[dict[str, Any]], until_on: date) -> None:
    """Not past a due day of today or to come, unless the coordinator may see it."""
    desk = talk.desk
    ahead = [item for item in items if date.fromisoformat(item["last_on"]) >= desk.today]
    first = min(ahead, key=lambda item: str(item["last_on"]), default=None)
    if first is not None and until_on > (last_on := date.fromisoformat(first["last_on"])):
        days: dict[str, Any] = {
            "due_on": date.fromisoformat(first["due_on"]),
            "last_on": last_on,
            "until_on": until_on,
        }
        match talk.choose("past", _ways(last_on, until_on, desk.today), "snooze.past", today=desk.today, **days):
            case "due":
                until_on = last_on
            case "leave":
                return talk.end("snooze.left")
    office = desk.db.get_one(Organization, desk.person.organization_id)
    until_at = datetime.combine(until_on, office.office_from, ZoneInfo(desk.chat.zone)).astimezone(UTC)
    late = {item["id"] for item in items if until_on > date.fromisoformat(item["last_on"])}
    own = (desk.person.organization_id, desk.person.member_id)
    for item in items:
        put_off(desk.db, *own, item["id"], until_at, item["id"] in late, desk.now)
        desk.note("put_off", f"obligation {item['id']}")
    talk.end("snooze.put_off", until_on=until_on, items=items, is_past_due=bool(late))


def _take_back(talk: Talk, items: list[dict[str, Any]]) -> None:
    """Reminded of by the ladder alone again."""
    desk = talk.desk
    for item in items:
        take_back(desk.db, desk.person.organization_id, desk.person.member_id, item["id"], desk.now)
        desk.note("took_back", f"obligation {item['id']}")
    talk.end("snooze.taken_back", items=items)


def _ways(last_on: date, until_on: date, today: date) -> dict[str, str]:
    """What can be wished for instead of a day after the due day: that day itself, or nothing where it is today."""
    if last_on == today:
        instead = {"leave": label("snooze.label_leave")}
    else:
        instead = {"due": plain("snooze.label_due", due_on=last_on)}
    return instead | {"past": plain("snooze.label_past", until_on=until_on)}


def _remind_today(desk: Desk, items: list[dict[str, Any]]) -> None:
    """A message they asked for: it is not the day's unasked one. It takes the place of an earlier wish."""
    own = (desk.person.organization_id, desk.person.member_id)
    for item_id in put_off_by(desk.db, desk.person.member_id, desk.now).keys() & {item["id"] for item in items}:
        take_back(desk.db, *own, item_id, desk.now)
    zone, today = ZoneInfo(desk.chat.zone), desk.today
    office = desk.db.get_one(Organization, desk.person.organization_id)
    outbox.put(
        desk.db,
        organization_id=desk.person.organization_id,
        account_id=desk.chat.account_id,
        kind="text",
        priority=outbox.REMINDER,
        maker=LATER_TODAY,
        args={"organization_id": desk.person.organization_id, "obligations": [item["id"] for item in items]},
        created_at=desk.now,
        not_before=datetime.combine(today, AFTERNOON, zone).astimezone(UTC),
        expires_at=datetime.combine(today, office.office_to, zone).astimezone(UTC),
    )


def _check(desk: Desk, draft: OpenDraft) -> None:
    for item in draft.args["items"]:
        access.check(desk.person, "report", desk.person.organization_id, item["unit_id"])


SNOOZING = FlowKind("snoozing", snoozing, _check)
CONVERSATION = Conversation(
    commands=(Command("snooze", "nhaclai", "report", snooze, offered_with="snooze"),), flows=(SNOOZING,)
)
