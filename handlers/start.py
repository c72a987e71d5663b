"""/start CODE: a person joins a unit with a role, after a privacy note and a confirmation of the name."""

from __future__ import annotations

import unicodedata
from typing import Any

from handlers import access
from handlers.conversation import Command, Conversation, FlowKind, begin
from handlers.desk import Desk
from handlers.help import buttons, help, menu
from handlers.talk import Misunderstood, Talk
from storage.chats import OpenDraft, person_of
from storage.people import CODE_LENGTH, BadCode, find_invite, join, open_invite, tidy_code
from storage.tables import Invite, Member, Organization, Unit

NAME_AT_MOST = 60


def start(desk: Desk, argument: str) -> None:
    """With a code, begin joining; without one, say how to get it."""
    if argument:
        return _with_code(desk, argument)
    if desk.chat.person is None:
        return desk.reply("start.who_are_you")
    help(desk)


def try_code(desk: Desk, text: str) -> None:
    """A stranger's free text: take it as a code where it looks like one."""
    if len(tidy_code(text)) == CODE_LENGTH and tidy_code(text).isalnum():
        return _with_code(desk, text)
    desk.reply("start.who_are_you")


def _with_code(desk: Desk, code: str) -> None:
    try:
        invite = find_invite(desk.db, code, desk.now)
    except BadCode:
        return desk.reply("start.bad_code")
    unit = desk.db.get(Unit, invite.unit_id) if invite.unit_id else None
    organization = desk.db.get_one(Organization, invite.organization_id)
    args = {
        "invite_id": invite.id,
        "role": invite.role,
        "unit": unit.name if unit else None,
        "organization": organization.name,
        "name": desk.chat.person.name if desk.chat.person else invite.name or desk.incoming.sender_name,
    }
    begin(desk, JOINING, args)


def joining(talk: Talk, invite_id: int, role: str, unit: str | None, organization: str, name: str | None) -> None:
    """Consent and name, then the role is given."""
    talk.is_secret = True  # the name in these messages is not kept with them: it may be refused
    facts: dict[str, Any] = {"role": role, "unit": unit, "organization": organization}
    if name is not None:
        agreed = talk.choose("consent", ["agree", "rename", "refuse"], "start.consent", name=name, **facts)
        if agreed == "rename":
            name = talk.ask("name", a_name, "start.name")
    else:
        agreed = talk.choose("consent", ["agree", "refuse"], "start.consent", name=None, **facts)
        name = talk.ask("name", a_name, "start.name") if agreed == "agree" else None
    if agreed == "refuse" or name is None:
        talk.draft.args, talk.draft.has_new_args = talk.draft.args | {"name": None}, True
        return talk.end("start.refused")
    _join(talk, invite_id, name)


def _join(talk: Talk, invite_id: int, name: str) -> None:
    desk = talk.desk
    try:
        invite = open_invite(desk.db, invite_id, desk.now)
    except BadCode:
        return talk.end("start.bad_code")
    member_id = join(desk.db, invite, desk.chat.account_id, name, desk.now)
    desk.db.get_one(Member, member_id).name = name  # a member who joins again may have corrected it
    desk.note("joined", f"member {member_id}")
    _become(desk, invite, member_id)
    unit = talk.draft.args["unit"]
    talk.end("start.welcome", buttons(desk.person), name=desk.person.name, role=invite.role, unit=unit)
    talk.also(menu(desk.person))


def _become(desk: Desk, invite: Invite, member_id: int) -> None:
    """From here on the chat is this member's."""
    member = desk.db.get_one(Member, member_id)
    desk.chat.organization_id = invite.organization_id
    desk.chat.person = person_of(desk.db, member_id, member.name, invite.organization_id)


def a_name(text: str) -> str:
    """A person's name: 2 to 60 characters with at least one letter and no digits; typed in haste, it gets its
    capitals."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 2 <= len(name) <= NAME_AT_MOST or not any(c.isalpha() for c in name) or any(map(str.isdigit, name)):
        raise Misunderstood("start.not_a_name")
    return " ".join(word.capitalize() for word in name.split()) if name.islower() or name.isupper() else name


def _own(desk: Desk, draft: OpenDraft) -> None:
    """Joining is the one thing a person without a role may do; the code is their right."""
    if draft.args.get("invite_id") is None:
        raise access.Denied


JOINING = FlowKind("joining", joining, _own)
CONVERSATION = Conversation(commands=(Command("start", "batdau", None, start, in_menu=False),), flows=(JOINING,))
