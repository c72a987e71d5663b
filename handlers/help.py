"""/help: what this person can do here, in a few lines."""

from __future__ import annotations

from markupsafe import Markup

from handlers import access
from handlers.conversation import Command, Conversation
from handlers.desk import Desk, Reply, button
from messages import plain

OFFERED = ("tasks", "report", "summary", "invite")
ALWAYS = ("help", "cancel")


def offered(desk: Desk) -> list[str]:
    """Commands this person's roles allow, in the order of the menu."""
    if desk.chat.person is None:
        return []
    return [name for name in OFFERED if access.has(desk.chat.person, name)]


def help(desk: Desk, _argument: str = "") -> None:
    """Say what can be done, with a button for each command."""
    if desk.chat.person is None:
        return desk.reply("start.who_are_you")
    person = desk.chat.person
    names = offered(desk)
    roles = [(role.name, role.unit_name) for role in person.roles]
    desk.reply("help.overview", buttons(names), name=person.name, roles=roles, commands=names)


def idle(desk: Desk) -> None:
    """Free text with nothing open is answered with what can be done."""
    if desk.chat.person is None:
        return desk.reply("start.who_are_you")
    desk.reply("help.idle", buttons(offered(desk)))


def buttons(names: list[str]) -> list[list[str]]:
    """A choice for each of these commands."""
    return [button(f"/{name}", f"help.label_{name}") for name in names]


def menu(names: list[str]) -> Reply:
    """The chat's own command menu: what its person may do, described in Vietnamese."""
    commands = [[name, plain(f"help.menu_{name}")] for name in (*names, *ALWAYS)]
    return Reply(Markup(""), kind="menu", args={"commands": commands})


CONVERSATION = Conversation(commands=(Command("help", "trogiup", None, help),))
