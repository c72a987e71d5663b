"""/calendar: the coming days off and make-up days, and the day a report goes to the province; for the coordinator
also to change them, after seeing what a change moves."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

from markupsafe import Markup

from handlers import access
from handlers.asking import a_day, a_span
from handlers.conversation import Command, Conversation, FlowKind, begin
from handlers.desk import Desk, Reply, button, page_of
from handlers.talk import Misunderstood, Talk
from messages import plain
from plans.calendar import DAY, Calendar
from plans.days import BadDay, read_day
from plans.spans import NamedSpan, Span, in_a_row, refusal, stored_span
from storage import calendar as stored
from storage.chats import OpenDraft
from storage.province import BadShift, move_province, shift_of, unlocked_period

SHOWN = 5
NAME_AT_MOST = 60


def calendar(desk: Desk, argument: str = "") -> None:
    """Show what is to come; `argument` is a page, from 0, or one of EDITS."""
    edit, _, rest = argument.partition(" ")
    if edit in EDITS:
        return EDITS[edit](desk, rest)
    page = int(argument) if argument.isdecimal() else 0
    coming = _coming(desk)
    shown, more = page_of(coming, page, SHOWN)
    choices = []
    if more:
        choices.append(button(f"/calendar {page + 1}", "tasks.label_more", rest=more))
    if access.has(desk.person, "edit_calendar"):
        choices += [button(f"/calendar {edit}", f"calendar.label_{edit}") for edit in OFFERED]
        year = next((span.first.year for span in shown if not span.official), None)
        if year is not None:
            choices.append(button(f"/calendar official {year}", "calendar.label_official", year=year))
    open_periods = [period for period, _ in stored.unlocked(desk.db, desk.person.organization_id, desk.today)]
    to_come = [period for period in open_periods if period.province_due >= desk.today]
    desk.reply("calendar.coming", choices, spans=shown, today=desk.today, periods=to_come)


def _coming(desk: Desk) -> list[NamedSpan]:
    days = stored.named_days(desk.db, desk.person.organization_id)
    return in_a_row(day for day in days if day.day >= desk.today)


def _begin_adding(is_working: bool) -> Callable[[Desk, str], None]:
    return lambda desk, _rest: _begin(desk, ADDING, {"is_working": is_working})


def _begin_removing(desk: Desk, _rest: str) -> None:
    coming = _coming(desk)[:SHOWN]
    spans = {str(Span(one.first, one.last)): plain("calendar.label_span", span=one) for one in coming}
    _begin(desk, REMOVING, {"spans": spans})


def _begin_province(desk: Desk, _rest: str) -> None:
    periods = {
        period.code: plain("calendar.label_period", label=period.label, day=period.province_due)
        for period, _ in stored.unlocked(desk.db, desk.person.organization_id, desk.today)
    }
    if not periods:
        return desk.reply("calendar.no_period")
    _begin(desk, MOVING, {"periods": periods})


def _begin_official(desk: Desk, rest: str) -> None:
    days = stored.named_days(desk.db, desk.person.organization_id)
    expected = {str(day.day.year) for day in days if not day.official}
    return _begin(desk, ANNOUNCING, {"year": int(rest)}) if rest in expected else calendar(desk)


def _rehearse(desk: Desk, _rest: str) -> None:
    """The messages of the next two weeks: in short, and as a file. Made beside, for it takes a moment."""
    access.check(desk.person, "edit_calendar")
    args = {"organization_id": desk.person.organization_id}
    desk.show(Reply(Markup(""), made_by="rehearsal", args=args))
    desk.show(Reply(Markup(""), kind="document", made_by="rehearsal_file", args=args))
    desk.chat.asked = None


def _begin(desk: Desk, flow: FlowKind, args: dict[str, Any]) -> None:
    access.check(desk.person, "edit_calendar")
    begin(desk, flow, args)


def adding(talk: Talk, is_working: bool) -> None:
    """The days, their name, what that moves; then they stand in the calendar."""
    desk, organization_id = talk.desk, talk.desk.person.organization_id
    now = stored.calendar_of(desk.db, organization_id)
    facts: dict[str, Any] = {"is_working": is_working, "example": _example(now, is_working, desk.today)}
    span = stored_span(talk.ask("days", a_span(desk.today), "calendar.days", **facts))
    refused = refusal(span, is_working, now, desk.today)
    if refused is not None:
        talk.note(f"calendar.{refused[0]}", span=span, day=refused[1], today=desk.today, typed=desk.incoming.text)
        talk.forget("days")
    name = talk.ask("name", a_name(desk.today, is_working), "calendar.name", span=span, is_working=is_working)
    moves = stored.moves(desk.db, organization_id, now.with_days(span.days, is_working), desk.today)
    facts |= {"span": span, "name": name, "moves": moves, "today": desk.today}
    if not _is_wanted(talk, "apply", "calendar.confirm_add", **facts):
        return
    facts["moves"] = stored.set_days(desk.db, organization_id, span.days, is_working, name, desk.today)
    desk.note("calendar_set", str(span))
    talk.end("calendar.added", _after(facts["moves"], desk.today), **facts)


def removing(talk: Talk, spans: dict[str, str]) -> None:
    """One of the coming ranges, or days typed; they become again what the week makes of them."""
    desk, organization_id = talk.desk, talk.desk.person.organization_id
    span = stored_span(talk.choose("days", spans, "calendar.remove", read=a_span(desk.today), today=desk.today))
    known = [day for day in stored.named_days(desk.db, organization_id) if day.day in span]
    if span.first < desk.today or not known:
        code = "past" if span.first < desk.today else "not_in_calendar"
        talk.note(f"calendar.{code}", span=span, day=span.first, today=desk.today, typed=desk.incoming.text)
        talk.forget("days")
    days = [day.day for day in known]
    now = stored.calendar_of(desk.db, organization_id)
    moves = stored.moves(desk.db, organization_id, now.without(days), desk.today)
    facts: dict[str, Any] = {"spans": in_a_row(known), "moves": moves, "today": desk.today}
    if not _is_wanted(talk, "erase", "calendar.confirm_remove", **facts):
        return
    facts["moves"] = stored.remove_days(desk.db, organization_id, days, desk.today)
    desk.note("calendar_removed", str(span))
    talk.end("calendar.removed", _after(facts["moves"], desk.today), **facts)


def _is_wanted(talk: Talk, act: str, block: str, /, **facts: Any) -> bool:
    """Whether the change is to hold; else the talk has ended. Where it leaves the units no time, the day of the
    province may be moved first, so that nobody is overdue in between."""
    ways = ["move_province", act, "drop"] if _leaves_no_time(facts["moves"], talk.desk.today) else [act, "drop"]
    picked = talk.choose("confirm", ways, block, **facts)
    if picked == "drop":
        talk.end("calendar.dropped")
    elif picked == "move_province":
        talk.end("calendar.province_first", [_to_province(), *_look()])
    return picked == act


def moving(talk: Talk, periods: dict[str, str]) -> None:
    """A period and another day of the province; what that moves is shown before it holds."""
    desk, organization_id = talk.desk, talk.desk.person.organization_id
    code = talk.choose("period", periods, "calendar.period") if len(periods) > 1 else next(iter(periods))
    found = unlocked_period(desk.db, organization_id, code, desk.today)
    if found is None:
        return talk.end("calendar.shift_locked")
    now: dict[str, Any] = {"label": found[0].label, "day": found[0].province_due}
    typed = talk.ask("day", a_day(desk.today), "calendar.province", today=desk.today, **now)
    try:
        shift = shift_of(desk.db, organization_id, code, date.fromisoformat(typed), desk.today)
    except BadShift as bad:
        talk.note(f"calendar.shift_{bad.code}", **bad.facts)
        talk.forget("day")
    facts: dict[str, Any] = {"shift": shift, "today": desk.today}
    if talk.choose("confirm", ["apply", "drop"], "calendar.confirm_shift", **facts) == "drop":
        return talk.end("calendar.dropped")
    move_province(desk.db, organization_id, code, shift.province, desk.today)
    desk.note("province_day_moved", f"period {shift.period_id}")
    talk.end("calendar.shifted", _look(), **facts)


def announcing(talk: Talk, year: int) -> None:
    """The days of a year that were expected have been announced as they stand."""
    desk = talk.desk
    if talk.choose("confirm", ["correct", "drop"], "calendar.confirm_official", year=year) == "drop":
        return talk.end("calendar.dropped")
    stored.mark_official(desk.db, desk.person.organization_id, year)
    desk.note("calendar_official", str(year))
    talk.end("calendar.announced", _look(), year=year)


def _example(now: Calendar, is_working: bool, today: date) -> date:
    """A day a few days on that could be entered."""
    days = (today + n * DAY for n in itertools.count(3))
    return next(day for day in days if now.is_working(day) is not is_working)


def _look() -> list[list[str]]:
    return [button("/calendar", "calendar.label_look")]


def _after(moves: list[stored.Moved], today: date) -> list[list[str]]:
    return [_to_province(), *_look()] if _leaves_no_time(moves, today) else _look()


def _to_province() -> list[str]:
    return button("/calendar province", "calendar.label_move_province")


def _leaves_no_time(moves: list[stored.Moved], today: date) -> bool:
    return any(one.is_too_soon(today) for one in moves)


def a_name(today: date, is_working: bool) -> Callable[[str], str]:
    """A reader of what a day off is called, or one worked instead: for that the day it makes up for is enough."""

    def read(text: str) -> str:
        name = " ".join(unicodedata.normalize("NFC", text).split())
        if is_working and (made_up := _day_in(name, today)):
            return plain("calendar.made_up", day=made_up)
        if not 2 <= len(name) <= NAME_AT_MOST or not any(map(str.isalpha, name)):
            raise Misunderstood("calendar.not_a_name", is_working=is_working)
        return name

    return read


def _day_in(text: str, today: date) -> date | None:
    try:
        return read_day(text, today)
    except BadDay as bad:
        if bad.code == "no_such_day":
            raise Misunderstood("asking.no_such_day", today=today, is_past=True, **bad.facts) from None
        return None


def _check(desk: Desk, _draft: OpenDraft) -> None:
    access.check(desk.person, "edit_calendar")


ADDING = FlowKind("adding_days", adding, _check)
REMOVING = FlowKind("removing_days", removing, _check)
MOVING = FlowKind("moving_province_day", moving, _check)
ANNOUNCING = FlowKind("announcing_year", announcing, _check)
EDITS: dict[str, Callable[[Desk, str], None]] = {
    "off": _begin_adding(is_working=False),
    "working": _begin_adding(is_working=True),
    "remove": _begin_removing,
    "province": _begin_province,
    "official": _begin_official,
    "rehearse": _rehearse,
}
OFFERED = ("off", "working", "remove", "province", "rehearse")
CONVERSATION = Conversation(
    commands=(Command("calendar", "lich", "calendar", calendar),),
    flows=(ADDING, REMOVING, MOVING, ANNOUNCING),
)
