"""/members: who is here, unit by unit, and who cannot be reached; the coordinator writes down work phones."""

from __future__ import annotations

import re

from handlers import access
from handlers.absence import told_apart
from handlers.conversation import Command, Conversation, FlowKind, begin
from handlers.desk import Desk, button, page_of
from handlers.talk import Misunderstood, Talk
from messages import label
from plans import text as typed
from storage.chats import OpenDraft
from storage.people import set_phone, units_of
from storage.reach import Unreached, invited, unreached
from storage.roster import Listed, find_listed, roster

SHOWN = 5
COMMUNE = 0
"""In the place of a unit's id: those whose role is in no unit."""
ASKED = re.compile(r"(?:(page|trouble) (\d{1,4})|(\d{1,9})(?: (?:page (\d{1,4})|(\d{1,9})( phone)?))?)?")
PHONE = re.compile(r"(?:\+?84|0)([1-9]\d{8})")


def members(desk: Desk, argument: str = "") -> None:
    """The overview ("page 1" of its units), all troubles ("trouble 0"), a unit ("3", "3 page 1"), a person in it
    ("3 12"), or the person's phone to be written down ("3 12 phone")."""
    asked = ASKED.fullmatch(argument)
    view, page, unit, unit_page, member, phone = asked.groups() if asked else (None,) * 6
    mine = _units(desk)
    if member is not None:
        _of_member(desk, int(unit or 0), int(member), phone is not None)
    elif unit is not None:
        _unit(desk, int(unit), int(unit_page or 0))
    elif len(mine) == 1:
        _unit(desk, next(iter(mine)), 0)
    elif view == "trouble":
        _troubles(desk, int(page or 0))
    else:
        _overview(desk, mine, int(page or 0))


def _units(desk: Desk) -> dict[int, str]:
    """The units this person may look at, by id, and the commune itself."""
    allowed = access.units_for(desk.person, "members")
    all_units = units_of(desk.db, desk.person.organization_id)
    units = {unit.id or 0: unit.name for unit in all_units if allowed is None or unit.id in allowed}
    return units | ({COMMUNE: label("help.commune")} if allowed is None else {})


def _found_troubles(desk: Desk) -> list[Unreached]:
    """For who sees the whole commune; in a unit they are said of its people."""
    if access.units_for(desk.person, "members") is not None:
        return []
    return unreached(desk.db, desk.person.organization_id, desk.now)


def _overview(desk: Desk, units: dict[int, str], page: int) -> None:
    allowed = access.units_for(desk.person, "members")
    people = roster(desk.db, desk.person.organization_id, desk.today, allowed)
    counts = {
        "people": len(people),
        "units": len({role.unit_id for one in people for role in one.roles} - {None}),
        "closed": sum(one.reach == "no" for one in people),
        "without": sum(one.reach == "never" for one in people),
        "away": sum(one.away is not None for one in people),
    }
    troubles = _found_troubles(desk)
    shown, rest = page_of(list(units.items()), page, SHOWN)
    choices = [button(f"/members {unit_id}", "members.label_name", name=name) for unit_id, name in shown]
    if rest:
        choices.append(button(f"/members page {page + 1}", "tasks.label_more", rest=rest))
    if len(troubles) > SHOWN:
        choices.append(button("/members trouble 0", "members.label_troubles", count=len(troubles)))
    _show(desk, "overview", choices, counts=counts, troubles=troubles[:SHOWN], count=len(troubles))


def _troubles(desk: Desk, page: int) -> None:
    troubles = _found_troubles(desk)
    shown, rest = page_of(troubles, page, SHOWN)
    choices = [button("/members", "members.label_overview")]
    if rest:
        choices.insert(0, button(f"/members trouble {page + 1}", "tasks.label_more", rest=rest))
    _show(desk, "troubles", choices, troubles=shown, count=len(troubles))


def _unit(desk: Desk, unit_id: int, page: int) -> None:
    """Who is in the unit and how they are reached, and who was invited to it."""
    name = _checked_unit(desk, unit_id)
    if name is None:
        return desk.reply("members.no_such_unit")
    db, organization_id = desk.db, desk.person.organization_id
    people = [one for one in roster(db, organization_id, desk.today) if one.is_in(unit_id or None)]
    invitations = [one for one in invited(db, organization_id, desk.now) if (one.unit_id or COMMUNE) == unit_id]
    trouble = next((one for one in _found_troubles(desk) if one.subject == f"unit:{unit_id}"), None)
    shown, rest = page_of(people, page, SHOWN)
    labels = told_apart(people)
    choices = [
        button(f"/members {unit_id} {one.id}", "members.label_name", name=labels[str(one.id)]) for one in shown
    ]
    if rest:
        choices.append(button(f"/members {unit_id} page {page + 1}", "tasks.label_more", rest=rest))
    if len(_units(desk)) > 1:
        choices.append(button("/members", "members.label_overview"))
    facts = {"unit_id": unit_id, "trouble": trouble, "zone": desk.chat.zone, "today": desk.today}
    _show(desk, "unit", choices, name=name, people=shown, count=len(people), invitations=invitations, **facts)


def _of_member(desk: Desk, unit_id: int, member_id: int, is_phone: bool) -> None:
    if _checked_unit(desk, unit_id) is None:
        return desk.reply("members.no_such_unit")
    one = find_listed(desk.db, desk.person.organization_id, member_id, desk.today)
    if one is None or not one.is_in(unit_id or None):
        return desk.reply("members.nobody_there")
    if not is_phone:
        return _card(desk, unit_id, one)
    access.check(desk.person, "phone")
    begin(desk, WRITING_DOWN, {"unit_id": unit_id, "member_id": one.id, "name": one.name, "was": one.phone})


def _card(desk: Desk, unit_id: int, one: Listed) -> None:
    choices = []
    if access.has(desk.person, "phone"):
        choices.append(button(f"/members {unit_id} {one.id} phone", "members.label_phone", was=one.phone))
    if access.has(desk.person, "absence_of_others"):
        choices.append(button(f"/absence {one.id}", "absence.as_button"))
    choices.append(button(f"/members {unit_id}", "members.label_unit"))
    _show(desk, "card", choices, one=one, today=desk.today)


def _checked_unit(desk: Desk, unit_id: int) -> str | None:
    """Its name; None for one that is not there. Raises Denied for one this person may not look at."""
    if access.units_for(desk.person, "members") is not None:
        access.check(desk.person, "members", unit_id=unit_id)
    return _units(desk).get(unit_id)


def _show(desk: Desk, block: str, choices: list[list[str]], /, **facts: object) -> None:
    desk.reply(f"members.{block}", choices, **facts)
    desk.replies[-1].replaces = True


def writing_down(talk: Talk, unit_id: int, member_id: int, name: str, was: str | None) -> None:
    """A member's work phone: another one, or none any more."""
    desk = talk.desk
    answer = talk.ask("phone", a_phone, "members.phone", choices=("erase",) if was else (), name=name, written=was)
    number = None if isinstance(answer, dict) else answer
    set_phone(desk.db, member_id, number)
    desk.note("phone_written" if number else "phone_erased", f"member {member_id}")
    if number:
        desk.tell(member_id, "members.told_phone", phone=number)
    choices = [button(f"/members {unit_id} {member_id}", "members.label_name", name=name)]
    talk.end("members.written", choices, name=name, phone=number)


def a_phone(text: str) -> str:
    """A Vietnamese number, however it is spaced, as ten digits: 0912345678."""
    found = PHONE.fullmatch(re.sub(r"[\s.()-]", "", typed.plain(text)))
    if found is None:
        raise Misunderstood("members.not_a_phone")
    return f"0{found[1]}"


def _check(desk: Desk, _draft: OpenDraft) -> None:
    access.check(desk.person, "phone")


WRITING_DOWN = FlowKind("writing_down", writing_down, _check)
CONVERSATION = Conversation(commands=(Command("members", "thanhvien", "members", members),), flows=(WRITING_DOWN,))
