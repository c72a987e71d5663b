"""/absence: from which day to which a person is away, and who stands in; a running absence is ended or changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from handlers import access
from handlers.asking import a_day, still
from handlers.conversation import Command, Conversation, FlowKind, begin
from handlers.desk import Desk
from handlers.talk import Talk, pick
from messages import label, plain
from storage.absences import (
    Away,
    absence_in,
    absences_of,
    add_absence,
    change_stand_in,
    end_absence,
    replaced_by,
)
from storage.chats import OpenDraft, Role
from storage.reach import unheard
from storage.roster import Listed, roster

AT_MOST = 90
"""Days of one absence, both ends counted."""
AHEAD = timedelta(days=365)
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Plan:
    """The absence being talked about. `id` of one that is there already."""

    who: Listed
    first: date
    last: date
    id: int | None = None
    was: int | None = None


def absence(desk: Desk, argument: str = "") -> None:
    """Begin for oneself; for the member whose id is `argument`; the coordinator without one is asked for whom."""
    own = desk.person.member_id
    if not argument.isdecimal():
        may_choose = access.has(desk.person, "absence_of_others")
        return _begin(desk, None if may_choose else own)
    _begin(desk, int(argument))


def _begin(desk: Desk, member_id: int | None) -> None:
    _check_right(desk, member_id)
    begin(desk, AWAY, {"member_id": member_id})


def away(talk: Talk, member_id: int | None) -> None:
    """Whose absence; what is known of it; else its days and who stands in, read back before they are kept."""
    desk = talk.desk
    people = {one.id: one for one in roster(desk.db, desk.person.organization_id, desk.today)}
    who = people.get(member_id or _whose(talk, people))
    if who is None:
        return talk.end("absence.nobody_there")
    act, found = _about_known(talk, who)
    if act == "end" and found is not None:
        return _end(talk, who, found)
    if found is not None:
        return _stand_in(talk, Plan(who, found.from_on, found.to_on, found.id, found.stand_in), people)
    first = _first(talk, who)
    _stand_in(talk, Plan(who, first, _last(talk, who, first)), people)


def _whose(talk: Talk, people: dict[int, Listed]) -> int:
    if talk.choose("whose", ["me", "other"], "absence.whose") == "me":
        return talk.desk.person.member_id
    others = [one for one in people.values() if one.id != talk.desk.person.member_id]
    units = {
        str(role.unit_id or 0): role.unit_name or label("help.commune") for one in others for role in one.roles
    }
    unit_id = pick(talk, "unit", dict(sorted(units.items(), key=lambda unit: int(unit[0]))), "absence.unit")
    there = [one for one in others if one.is_in(int(unit_id) or None)]
    return int(pick(talk, "person", told_apart(there), "absence.person"))


def told_apart(people: list[Listed]) -> dict[str, str]:
    """Labels by member id; people of one name are numbered."""
    names = [one.name for one in people]
    return {
        str(one.id): one.name if names.count(one.name) == 1 else plain("absence.label_one", one=one)
        for one in people
    }


def _about_known(talk: Talk, who: Listed) -> tuple[str, Away | None]:
    """What is to be done about an absence there is; ("new", None) for another one, or where there is none."""
    desk = talk.desk
    known = absences_of(desk.db, who.id, desk.today)
    if not known:
        return "new", None
    what = pick(talk, "what", _about(known, desk.today), "absence.known", known=known, **_of(talk, who))
    act, _, number = what.partition(" ")
    return act, next((one for one in known if str(one.id) == number), None)


def _about(known: list[Away], today: date) -> dict[str, str]:
    """What can be done about the absences there are, and that of another one."""
    options = {}
    for one in known:
        options[f"end {one.id}"] = plain("absence.label_end", one=one, today=today)
        options[f"change {one.id}"] = plain("absence.label_change", one=one, today=today)
    return options | {"new": label("absence.label_new")}


def _of(talk: Talk, who: Listed) -> dict[str, Any]:
    """Whose absence it is, as sentences need it."""
    return {"name": None if who.id == talk.desk.person.member_id else who.name, "today": talk.desk.today}


def _end(talk: Talk, who: Listed, found: Away) -> None:
    desk = talk.desk
    end_absence(desk.db, found.id, desk.today)
    desk.note("absence_ended", f"member {who.id}")
    facts = {"away": found, "has_begun": found.from_on <= desk.today}
    if found.stand_in is not None:
        desk.tell(found.stand_in, "absence.told_ended", name=who.name, **facts)
    if who.id != desk.person.member_id:
        desk.tell(who.id, "absence.told_ended_for", **facts)
    talk.end("absence.ended", **_of(talk, who), **facts)


def _first(talk: Talk, who: Listed) -> date:
    today, facts = talk.desk.today, _of(talk, who)
    read = a_day(today, today, today + AHEAD)
    answer = talk.ask("from", read, "absence.from_day", choices=("today", "tomorrow"), **facts)
    if isinstance(answer, dict):
        talk.put("from", (today + timedelta(days=answer["kind"] == "tomorrow")).isoformat())
    day = still(talk, "from", read)
    _refuse_overlap(talk, who, day, day, "from")
    return day


def _last(talk: Talk, who: Listed, first: date) -> date:
    """The last day away; another first day asks for it again."""
    read = a_day(talk.desk.today, first, first + timedelta(days=AT_MOST - 1), is_since=True)
    facts: dict[str, Any] = {"first": first, "at_most": AT_MOST}
    answer = talk.ask("to", read, "absence.to_day", choices=("one_day",), fingerprint=first.isoformat(), **facts)
    if isinstance(answer, dict):
        answer = first.isoformat()
        talk.put("to", answer, answer)
    day = date.fromisoformat(answer)
    _refuse_overlap(talk, who, first, day, "to")
    return day


def _refuse_overlap(talk: Talk, who: Listed, first: date, last: date, name: str) -> None:
    clash = absence_in(talk.desk.db, who.id, first, last)
    if clash is not None:
        talk.note("absence.overlaps", away=clash, **_of(talk, who))
        talk.forget(name)


def _stand_in(talk: Talk, plan: Plan, people: dict[int, Listed]) -> None:
    """Who stands in, then the whole is read back, and kept."""
    choice = _chosen(talk, plan, people)
    stand_in = people[int(choice)] if choice != NOBODY else None
    facts = {
        "first": plan.first,
        "last": plan.last,
        "stand_in": stand_in.name if stand_in else None,
        "days": (plan.last - plan.first).days + 1,
        "has_colleagues": any(one.id != plan.who.id and _is_colleague(plan.who, one) for one in people.values()),
        "is_change": plan.id is not None,
        **_left_behind(talk.desk, plan, stand_in),
        **_of(talk, plan.who),
    }
    if talk.choose("confirm", ["save", "drop"], "absence.confirm", **facts) == "drop":
        return talk.end("absence.dropped")
    _keep(talk, plan, stand_in)
    talk.end("absence.saved", **facts)


def _left_behind(desk: Desk, plan: Plan, stand_in: Listed | None) -> dict[str, Any]:
    """What the absence means for others, from today on: units without anybody, and those stood in for."""
    days = max(plan.first, desk.today), plan.last
    instead = stand_in.id if stand_in else None
    return {
        "replaced": replaced_by(desk.db, plan.who.id, *days),
        "unheard": unheard(desk.db, desk.person.organization_id, plan.who.id, instead, *days),
    }


def _chosen(talk: Talk, plan: Plan, people: dict[int, Listed]) -> str:
    """One who is there on those days and gets messages; who is not is named, not offered."""
    candidates = stand_ins(talk, plan.who, list(people.values()))
    first = max(plan.first, talk.desk.today)
    absent = {one.id: absence_in(talk.desk.db, one.id, first, plan.last) for one in candidates}
    present = [one for one in candidates if absent[one.id] is None]
    free = [one for one in present if one.reach == "yes"]
    facts = {
        "has_some": bool(free),
        "absent": [(one.name, absent[one.id]) for one in candidates if absent[one.id]],
        "unreached": [one.name for one in present if one.reach != "yes"],
        **_of(talk, plan.who),
    }
    return pick(
        talk, "stand_in", told_apart(free), "absence.stand_in", {NOBODY: label("absence.label_nobody")}, **facts
    )


def stand_ins(talk: Talk, who: Listed, people: list[Listed]) -> list[Listed]:
    """Staff and heads of the same unit; for a role of the whole commune, others who have it. The coordinator may
    choose anybody of that person's units."""
    is_free = access.has(talk.desk.person, "absence_of_others")
    return [
        one
        for one in people
        if one.id != who.id and any(_is_like(mine, other, is_free) for mine in who.roles for other in one.roles)
    ]


def _is_colleague(who: Listed, other: Listed) -> bool:
    """True where both are staff or head of one unit: then the one hears what the other would have."""
    inner = [{role.unit_id for role in one.roles if role.name in access.IN_A_UNIT} for one in (who, other)]
    return bool(inner[0] & inner[1])


def _is_like(mine: Role, other: Role, is_free: bool) -> bool:
    if mine.name not in access.IN_A_UNIT and mine.name == other.name:
        return True
    is_near = mine.unit_id is not None and mine.unit_id == other.unit_id
    return is_near and (is_free or {mine.name, other.name} <= access.IN_A_UNIT)


def _keep(talk: Talk, plan: Plan, stand_in: Listed | None) -> None:
    desk, who = talk.desk, plan.who
    new = stand_in.id if stand_in else None
    facts = {"name": who.name, "first": plan.first, "last": plan.last}
    if plan.id is None:
        add_absence(desk.db, desk.person.organization_id, who.id, plan.first, plan.last, new)
        desk.note("absence_added", f"member {who.id}")
    else:
        change_stand_in(desk.db, plan.id, new)
        desk.note("absence_changed", f"member {who.id}")
    if plan.was is not None and plan.was != new:
        desk.tell(plan.was, "absence.told_relieved", **facts)
    if new is not None and plan.was != new:
        desk.tell(new, "absence.told_stand_in", **facts)
    desk.tell(who.id, "absence.told_away", stand_in=stand_in.name if stand_in else None, **facts)


def _check(desk: Desk, draft: OpenDraft) -> None:
    _check_right(desk, draft.args["member_id"])


def _check_right(desk: Desk, member_id: int | None) -> None:
    is_own = member_id == desk.person.member_id
    access.check(desk.person, "absence" if is_own else "absence_of_others")


AWAY = FlowKind("away", away, _check)
CONVERSATION = Conversation(commands=(Command("absence", "vangmat", "absence", absence),), flows=(AWAY,))
