"""Lateness: what is late in the whole commune, for coordinators by the ladder and for leaders once a week."""

from __future__ import annotations

from collections.abc import Iterator

from messages import plain, say
from scheduler.deadlines import report_token
from scheduler.kinds import FOR_ALL, Kind, Reading, Section, never
from scheduler.morning import Morning
from storage.looking import Looked, Recipient
from storage.owed import Owed, owed_until
from storage.reminding import Line
from storage.snoozes import past_due
from storage.waking import FOR_THE_COMMUNE

LATE = "late"
SHOWN = 5


def lines(morning: Morning) -> Iterator[tuple[Recipient, Line]]:
    """The newest rung of those who hear of every unit, unless it was told."""
    for item in morning.looked:
        if morning.book.is_asked_for(item):
            for role in FOR_THE_COMMUNE:
                yield from _of_role(morning, item, role)


def _of_role(morning: Morning, item: Looked, role: str) -> Iterator[tuple[Recipient, Line]]:
    found = morning.book.reached(item, role)
    if found is None or (item.rungs_from is not None and found.on < item.rungs_from):
        return
    for one in morning.for_commune(role):
        if found.is_weekly and one.member_id in morning.leaders_told:
            continue
        told = morning.told.get((one.member_id, item.id), ())
        if not any(
            (line.kind, line.rung, line.counted_from) == (LATE, found.days, item.asked_on) for line in told
        ):
            yield one, Line(one.member_id, LATE, item.id, found.days, item.asked_on)


def section(reading: Reading) -> Section | None:
    """What is late by now, the longest first: with buttons for the coordinator, five lines for the leader."""
    roles = {one.role for one in reading.roles if one.unit_id is None}
    if not roles:
        return None
    owed = owed_until(reading.db, reading.organization_id, None, reading.today)
    late = [item for item in owed if _is_heard_of(reading, item, roles)]
    if not late:
        return None
    late.sort(key=lambda item: item.asked_on)
    shown = late[:SHOWN]
    text = say(
        "lateness.section",
        late=late,
        shown=shown,
        today=reading.today,
        zone=reading.zone,
        put_off=past_due(reading.db, reading.organization_id, reading.now),
        is_weekly="coordinator" not in roles,
    )
    choices = [["/summary", plain("lateness.label_summary")]]
    if "coordinator" in roles:
        choices = [[report_token(item), plain("tasks.label_report", item=item, among=late)] for item in shown]
        choices.append(["/summary missing", plain("lateness.label_missing")])
    return Section(text, choices, frozenset(item.id for item in late), units=FOR_ALL)


def _is_heard_of(reading: Reading, item: Owed, roles: set[str]) -> bool:
    return reading.book.is_asked_for(item) and any(reading.book.reached(item, role) for role in roles)


KIND = Kind((LATE,), lines, never, section)
"""Its days are those of the same ladder: scheduler/deadlines.py says when to look."""
