"""/help: what this person can do here, in a few lines."""

from __future__ import annotations

import json
from zlib import crc32

from markupsafe import Markup

from handlers import access
from handlers.conversation import Command, Conversation
from handlers.desk import Desk, Reply, button
from messages import label, say
from storage.chats import Person, Role


def offered(person: Person) -> list[Command]:
    """Commands for this person's roles, in the order of the menu; those anyone may use come last."""
    from handlers import MENU  # made of every conversation, this one too

    return [one for one in MENU if one.right is None or access.has(person, one.offered_with or one.right)]


def help(desk: Desk, _argument: str = "") -> None:
    """Say what can be done: with a button for each command, or in the middle of a talk how to go on with it."""
    if desk.chat.person is None:
        return desk.reply("start.who_are_you")
    person = desk.chat.person
    roles = [(role.name, role.unit_name) for role in person.roles]
    commands = offered(person)
    lines = [label(f"{command.name}.as_help") for command in commands if command.right]
    is_talking = desk.chat.draft is not None
    facts = {"name": person.name, "roles": roles, "lines": lines, "is_talking": is_talking}
    if is_talking:
        desk.replies.append(Reply(say("help.overview", **facts), is_aside=True))
    else:
        desk.reply("help.overview", buttons(person), **facts)


def idle(desk: Desk) -> None:
    """Free text with nothing open is answered with what can be done."""
    if desk.chat.person is None:
        return desk.reply("start.who_are_you")
    desk.reply("help.idle", buttons(desk.chat.person))


def buttons(person: Person) -> list[list[str]]:
    """A choice for each command that needs a right this person has."""
    return [button(f"/{one.name}", f"{one.name}.as_button") for one in offered(person) if one.right]


def menu(person: Person) -> Reply:
    """The chat's own command menu: what its person may do, described in Vietnamese."""
    commands = [[one.name, label(f"{one.name}.as_menu")] for one in offered(person)]
    return Reply(Markup(""), kind="menu", args={"commands": commands})


def edition() -> str:
    """A mark that changes when the menu of any role does."""
    menus = [menu(Person(0, "", 0, (Role(role, 0, None),))).args for role in access.ROLES]
    return f"{crc32(json.dumps(menus).encode()):08x}"


CONVERSATION = Conversation(commands=(Command("help", "trogiup", None, help),))
