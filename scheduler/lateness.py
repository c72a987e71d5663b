"""Lateness: what is late in the whole commune, for coordinators by the ladder and for leaders once a week."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from messages import plain, say
from plans.model import FOR_THE_COMMUNE
from scheduler.kinds import FOR_ALL, Kind, Reading, Section, never
from scheduler.morning import Morning
from storage.looking import Looked, Recipient
from storage.owed import Owed, owed_until
from storage.reminding import Line
from storage.snoozes import past_due

LATE = "late"
LINES = 6
LINES_OF_A_LEADER = 4
"""Of units, or of units and of how many more there are."""


@dataclass(frozen=True, slots=True)
class LateUnit:
    """What a unit is late with, the longest first; until when some of it was put off past its day."""

    name: str
    items: list[Owed] = field(default_factory=list)
    put_off: list[datetime] = field(default_factory=list)


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
    if item.is_case and found.is_weekly and found.on < morning.today and morning.on(item.alive_at) >= found.on:
        return  # a day of the week that was missed is made up for, but not with a case that only came up since
    for one in morning.for_commune(role):
        if found.is_weekly and one.member_id in morning.leaders_told:
            continue
        told = morning.told.get((one.member_id, item.id), ())
        if not any(
            (line.kind, line.rung, line.counted_from) == (LATE, found.days, item.asked_on) for line in told
        ):
            yield one, Line(one.member_id, LATE, item.id, found.days, item.asked_on)


def section(reading: Reading) -> Section | None:
    """What is late by now, a line for each unit, the longest first; for a leader alone, five lines in all."""
    roles = {one.role for one in reading.roles if one.unit_id is None}
    if not roles:
        return None
    owed = owed_until(reading.db, reading.organization_id, None, reading.today)
    late = [item for item in owed if _is_heard_of(reading, item, roles)]
    if not late:
        return None
    is_weekly = "coordinator" not in roles
    put_off = {} if is_weekly else past_due(reading.db, reading.organization_id, reading.now)
    units = by_unit(late, put_off)
    at_most = LINES_OF_A_LEADER if is_weekly else LINES
    shown = units if len(units) <= at_most else units[: at_most - 1]
    brief = say("lateness.brief", late=late, units=units, today=reading.today)
    text = say(
        "lateness.section",
        late=late,
        shown=shown,
        rest=units[len(shown) :],
        today=reading.today,
        zone=reading.zone,
        is_weekly=is_weekly,
    )
    choices = [["/summary", plain("lateness.label_summary")]]
    if not is_weekly:
        choices.insert(0, ["/summary missing", plain("lateness.label_missing")])
    return Section(text, choices, frozenset(item.id for item in late), units=FOR_ALL, brief=brief)


def by_unit(late: Iterable[Owed], put_off: Mapping[int, datetime]) -> list[LateUnit]:
    """The unit with the longest overdue first, of those alike the one with most; and so within a unit."""
    groups: dict[int, LateUnit] = {}
    for item in sorted(late, key=lambda item: item.asked_on):
        unit = groups.setdefault(item.unit_id, LateUnit(item.unit_short))
        unit.items.append(item)
        if item.id in put_off:
            unit.put_off.append(put_off[item.id])
    return sorted(groups.values(), key=lambda unit: (unit.items[0].asked_on, -len(unit.items)))


def _is_heard_of(reading: Reading, item: Owed, roles: set[str]) -> bool:
    return reading.book.is_asked_for(item) and any(reading.book.reached(item, role) for role in roles)


KIND = Kind((LATE,), lines, never, section)
"""Its days are those of the same ladder: scheduler/deadlines.py says when to look."""
