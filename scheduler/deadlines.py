"""Deadlines: what one's own units owe, by the ladder; promised days, and what somebody asked to be reminded of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from messages import plain, say
from plans.model import Tone
from scheduler.kinds import Kind, Reading, Section
from scheduler.morning import Morning
from storage.looking import Looked, Recipient, Told
from storage.owed import Owed, find_owed, owed_until
from storage.reminding import Line, left_open
from storage.roster import Colleague, staff_of
from storage.snoozes import wishes_of

SHOWN, SHOWN_APART = 5, 3
"""Items with a line and a button each; the rest is counted."""
DUE, PROMISE, SNOOZE = "due", "promise", "snooze"
OWN = (DUE, PROMISE, SNOOZE)
TONES: tuple[Tone, ...] = ("remind", "urge", "late", "escalated")


def lines(morning: Morning) -> Iterator[tuple[Recipient, Line]]:
    """The newest rung of each person and obligation, unless it was told or they asked to hear of it later."""
    for item in morning.looked:
        if morning.book.is_asked_for(item):
            for one in morning.of_unit(item.unit_id):
                line = _line(morning, item, one)
                if line is not None:
                    yield one, line


def _line(morning: Morning, item: Looked, one: Recipient) -> Line | None:
    told = [line for line in morning.told.get((one.member_id, item.id), ()) if line.kind in OWN]
    found = morning.book.reached(item, one.role)
    until_at = morning.put_off_until(one, item)
    if until_at is not None and until_at > morning.now:
        return None
    if until_at is not None and not any(line.sent_at >= until_at for line in told):
        days = found.days if found else morning.book.passed(item)
        return Line(one.member_id, SNOOZE, item.id, days, item.asked_on)
    if found is None or (item.rungs_from is not None and found.on < item.rungs_from):
        return None
    if any(_covers(line, found.days, found.on, item, morning) for line in told):
        return None
    return Line(one.member_id, PROMISE if item.promised_on else DUE, item.id, found.days, item.asked_on)


def _covers(line: Told, days: int, on: date, item: Looked, morning: Morning) -> bool:
    """This rung was told, or one as near the due day since the day it would have been told on (the day moved)."""
    if line.counted_from == item.asked_on:
        return line.rung == days
    return line.rung >= days and morning.on(line.sent_at) >= on


def next_on(morning: Morning, item: Looked) -> date | None:
    """The next rung, or the day on which somebody wants to hear of it again."""
    if not morning.book.is_asked_for(item):
        return None
    days = [morning.on(until_at) for until_at in morning.wishes_about(item.id) if until_at > morning.now]
    rung = morning.book.steps(item.plan_id).next_on(morning.book.effective_on(item))
    return min([*days, rung] if rung else days, default=None)


def section(reading: Reading) -> Section | None:
    """Everything owed by now, be it new today or not, most urgent first, with a button for each item.

    What was put off is counted, and no reason to write.
    """
    owed, put_off = owed_by(reading)
    if not owed:
        return None
    among = [*owed, *put_off]
    shown = _shown(reading, owed, _room(among))
    choices = [[report_token(item), plain("tasks.label_report", item=item, among=among)] for item in shown]
    if len(owed) > len(shown):
        choices.append(["/tasks", plain("deadlines.label_all", total=len(among))])
    choices.append([f"/snooze {shown[0].id}" if len(owed) == 1 else "/snooze", plain("deadlines.label_snooze")])
    calendar = reading.book.calendar
    text = say(
        "deadlines.section",
        left_open=next((item for item in owed if item.id == left_open(reading.db, reading.reader_id)), None),
        today=reading.today,
        owed=among,
        put_off=len(put_off),
        shown=shown,
        left=[calendar.working_days_between(reading.today, item.asked_on) for item in shown],
        tone=_tone(reading, owed),
        headed=headed_by(reading, owed),
    )
    units = frozenset(item.unit_id for item in owed)
    return Section(text, choices, frozenset(item.id for item in owed), units=units)


def _shown(reading: Reading, owed: list[Owed], room: int) -> list[Owed]:
    """The most urgent ones; among them always one for which there is a message today."""
    news = {line.obligation_id for line in reading.of_kind(*OWN)}
    if len(owed) <= room or any(item.id in news for item in owed[:room]):
        return owed[:room]
    return [*owed[: room - 1], *[item for item in owed if item.id in news][:1]]


def _room(owed: list[Owed]) -> int:
    """How many items a phone shows: fewer where each line must name its unit and its day too."""
    is_apart = len({item.unit_id for item in owed}) > 1 and len({item.asked_on for item in owed}) > 1
    return SHOWN_APART if is_apart else SHOWN


def headed_by(reading: Reading, items: list[Owed]) -> list[tuple[str, list[Colleague]]]:
    """Units of these that the reader hears of as their head and does not report for, each with its staff."""
    reporting = {one.unit_id for one in reading.roles if one.role == "staff" and not one.is_for_staff}
    heading = {one.unit_id for one in reading.roles if one.role == "head"} - reporting
    units = {item.unit_id: item.unit_short for item in items if item.unit_id in heading}
    return [
        (name, staff_of(reading.db, reading.organization_id, unit_id, reading.today))
        for unit_id, name in units.items()
    ]


def owed_by(reading: Reading) -> tuple[list[Owed], list[Owed]]:
    """What the reader is to hear of by now, also what they wished to hear of today; and what of it is put off."""
    if not reading.units:
        return [], []
    owed = owed_until(reading.db, reading.organization_id, reading.units, reading.book.horizon())
    wished = {line.obligation_id or 0 for line in reading.of_kind(SNOOZE)}
    further = [
        find_owed(reading.db, reading.organization_id, one_id) for one_id in wished - {item.id for item in owed}
    ]
    wishes = wishes_of(reading.db, {reading.reader_id, *(one.member_id for one in reading.roles)})
    heard: list[Owed] = []
    put_off: list[Owed] = []
    for item in [*owed, *filter(None, further)]:
        roles = _told_in(reading, item, item.id in wished)
        if roles:
            (put_off if all(_is_put_off(reading, item, one, wishes) for one in roles) else heard).append(item)
    heard.sort(key=lambda item: (item.asked_on != reading.today, item.asked_on))  # today's first
    return heard, put_off


def _told_in(reading: Reading, item: Owed, is_wished: bool) -> list[Recipient]:
    """The reader's roles in which the ladder has come to it, or in which it was wished for."""
    return [
        one
        for one in reading.roles
        if reading.book.is_asked_for(item)
        and one.unit_id == item.unit_id
        and (is_wished or reading.book.reached(item, one.role))
    ]


def _is_put_off(reading: Reading, item: Owed, one: Recipient, wishes: Mapping[tuple[int, int], datetime]) -> bool:
    """By its reader, or by who it is meant for."""
    until = (wishes.get((member_id, item.id)) for member_id in (one.reader_id, one.member_id))
    return any(until_at and until_at > reading.now for until_at in until)


def report_token(item: Owed) -> str:
    """The command that opens it."""
    return f"/case {item.id}" if item.is_case else f"/report {item.id}"


def _tone(reading: Reading, owed: list[Owed]) -> Tone:
    """That of the most urgent item, as the reader's roles hear it."""
    reached = (reading.book.reached(item, one.role) for item in owed for one in reading.roles)
    return max((found.say for found in reached if found), key=TONES.index, default="remind")


KIND = Kind(OWN, lines, next_on, section)
