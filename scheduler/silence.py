"""Silence: work of the whole year of which nothing was heard for long is asked about once a month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from messages import plain, say
from plans.calendar import Calendar
from plans.model import Silence
from scheduler.deadlines import headed_by, owed_by, report_token
from scheduler.kinds import Kind, Reading, Section
from scheduler.morning import Morning
from storage.looking import Looked, Recipient, Told, alive_at
from storage.owed import Owed, find_owed
from storage.reminding import Line

SILENT = "silent"
SHOWN = 2
NEAR = timedelta(weeks=4)
"""What is due within so long is not asked about as silent: the ladder comes soon."""
LAST_QUARTER = 10
"""Its first month: from then on it is asked twice a month, and sooner."""
SECOND_HALF = 16
A_WEEK = timedelta(days=7)


def lines(morning: Morning) -> Iterator[tuple[Recipient, Line]]:
    """What has been silent for long, on the days on which silence is asked about."""
    day = _asking_day(morning)
    if day is None:
        return
    for item in morning.looked:
        weeks = _silent_weeks(morning, item, day)
        silence = morning.book.steps(item.plan_id).ladder.silence
        if weeks is None or silence is None:
            continue
        for one in morning.of_unit(item.unit_id):
            told = morning.told.get((one.member_id, item.id), ())
            if one.role in silence.who and not any(_is_of_day(line, day) for line in told):
                yield one, Line(one.member_id, SILENT, item.id, weeks, day)


def _is_of_day(line: Told, day: date) -> bool:
    """Told of this day of asking, also where the calendar has moved it since."""
    return line.kind == SILENT and abs(line.counted_from - day) < A_WEEK


def _asking_day(morning: Morning) -> date | None:
    """The day of asking that today is, or makes up for within its week after a downtime."""
    past = (morning.today - timedelta(days=back) for back in range(A_WEEK.days))
    return next((day for day in past if _is_asking_day(day, morning.book.calendar)), None)


def _is_asking_day(day: date, calendar: Calendar) -> bool:
    return day in _asking_days(day, calendar)


def _asking_days(month: date, calendar: Calendar) -> list[date]:
    """The first working day of a month; in the last quarter also the first one of its second half."""
    starts = [1, SECOND_HALF] if month.month >= LAST_QUARTER else [1]
    return [calendar.first_working_on_or_after(month.replace(day=start)) for start in starts]


def _silent_weeks(morning: Morning, item: Looked, day: date) -> int | None:
    """Whole weeks without a sign of life by then; None where that is not long, or something is due soon."""
    silence = morning.book.steps(item.plan_id).ladder.silence
    if silence is None or item.has_nearer or item.promised_on is not None or not morning.book.is_asked_for(item):
        return None
    if item.unit_kind == "requested" or item.asked_on <= morning.today + NEAR:
        return None
    weeks = (day - morning.on(item.alive_at)).days // 7
    return weeks if weeks >= _bears(silence, day) else None


def _bears(silence: Silence, day: date) -> int:
    return silence.last_quarter_weeks if day.month >= LAST_QUARTER else silence.weeks


def next_on(morning: Morning, item: Looked) -> date | None:
    """The first day of asking on which it may have been silent for long enough."""
    silence = morning.book.steps(item.plan_id).ladder.silence
    if silence is None or item.has_nearer or item.promised_on is not None or not morning.book.is_asked_for(item):
        return None
    least = min(silence.weeks, silence.last_quarter_weeks)
    first = max(morning.today + timedelta(days=1), morning.on(item.alive_at) + timedelta(weeks=least))
    months = (first, first.replace(day=1) + timedelta(days=31))
    days = (day for month in months for day in _asking_days(month, morning.book.calendar))
    return next((day for day in days if day >= first), None)


def section(reading: Reading) -> Section | None:
    """What this digest asks about, as far as it is still silent."""
    found = [
        (line, find_owed(reading.db, reading.organization_id, line.obligation_id or 0)) for line in _asked(reading)
    ]
    silent = [(line.rung, item) for line, item in found if item is not None and _is_silent(reading, line, item)]
    if not silent:
        return None
    silent.sort(key=lambda pair: (-pair[0], pair[1].id))
    items = [item for _, item in silent]
    said = {item.unit_id for item in owed_by(reading)[0]}  # there it stands who it is
    headed = headed_by(reading, [item for item in items if item.unit_id not in said])
    text = say("silence.section", silent=silent[:SHOWN], rest=len(silent[SHOWN:]), items=items, headed=headed)
    brief = say("silence.brief", items=items, shown=items[:SHOWN])
    choices = [[report_token(item), plain("tasks.label_report", item=item, among=items)] for item in items[:SHOWN]]
    units = frozenset(item.unit_id for item in items)
    return Section(text, choices, frozenset(item.id for item in items), units=units, brief=brief)


def _is_silent(reading: Reading, line: Line, item: Owed) -> bool:
    """Still owed, and no sign of life since it was looked at."""
    alive_on = alive_at(reading.db, item.id).astimezone(ZoneInfo(reading.zone)).date()
    return reading.book.is_asked_for(item) and (line.counted_from - alive_on).days // 7 >= line.rung


def _asked(reading: Reading) -> list[Line]:
    """One line for each obligation, whoever it is meant for."""
    return list({line.obligation_id: line for line in reading.of_kind(SILENT)}.values())


KIND = Kind((SILENT,), lines, next_on, section)
