"""/invite: the coordinator makes a joining code for a role, and the unit it is held in."""

from __future__ import annotations

from typing import Any

from handlers import access
from handlers.conversation import Command, Conversation, FlowKind, begin
from handlers.desk import Desk, Reply
from handlers.talk import Talk
from messages import say
from storage.chats import OpenDraft
from storage.people import CODE_LIVES, make_invite, units_of
from storage.tables import Organization


def invite(desk: Desk, _argument: str = "") -> None:
    """Begin making a code."""
    units = {str(unit.id): unit.name for unit in units_of(desk.db, desk.person.organization_id)}
    begin(desk, INVITING, {"units": units})


def inviting(talk: Talk, units: dict[str, str]) -> None:
    """Role, then the unit where the role is one of a unit; then the code."""
    role = talk.choose("role", access.ROLES, "invite.role")
    unit_id = talk.choose("unit", units, "invite.unit") if role in access.IN_A_UNIT else None
    facts: dict[str, Any] = {"role": role, "unit": units[unit_id] if unit_id else None}
    if talk.choose("confirm", ["make", "drop"], "invite.confirm", **facts) == "drop":
        return talk.end("invite.dropped")
    desk = talk.desk
    person = desk.person
    code = make_invite(
        desk.db,
        person.organization_id,
        int(unit_id) if unit_id else None,
        role,
        desk.now,
        created_by=person.member_id,
    )
    desk.note("invited", role)
    link = join_link(desk.db.get_one(Organization, person.organization_id).join_link, code)
    talk.end("invite.made", code=code, link=link, days=CODE_LIVES.days, **facts)
    talk.is_secret = True
    if link is not None:
        talk.also(
            Reply(say("invite.qr", **facts), kind="picture", made_by="qr", args={"text": link}, is_secret=True)
        )


def join_link(pattern: str | None, code: str) -> str | None:
    """The link that opens the bot with the code typed in; None where no platform offers one."""
    return pattern.replace("{code}", code) if pattern else None


def _check(desk: Desk, _draft: OpenDraft) -> None:
    access.check(desk.person, "invite")


INVITING = FlowKind("inviting", inviting, _check)
CONVERSATION = Conversation(commands=(Command("invite", "moi", "invite", invite),), flows=(INVITING,))
