"""What is talked: one file per conversation, and the small engine that runs them.

A new conversation is one file here, its sentences in messages/, and one line below.
"""

from handlers import (
    absence,
    calendar,
    cancel,
    case,
    help,
    invite,
    members,
    report,
    snooze,
    start,
    summary,
    tasks,
)
from handlers.conversation import Command, Conversation, FlowKind

CONVERSATIONS: tuple[Conversation, ...] = (
    tasks.CONVERSATION,
    report.CONVERSATION,
    summary.CONVERSATION,
    case.CONVERSATION,
    snooze.CONVERSATION,
    absence.CONVERSATION,
    calendar.CONVERSATION,
    members.CONVERSATION,
    invite.CONVERSATION,
    help.CONVERSATION,
    cancel.CONVERSATION,
    start.CONVERSATION,
)
COMMANDS: dict[str, Command] = {
    word: command
    for conversation in CONVERSATIONS
    for command in conversation.commands
    for word in (command.name, command.alias)
}
FLOWS: dict[str, FlowKind] = {flow.name: flow for conversation in CONVERSATIONS for flow in conversation.flows}
MENU: tuple[Command, ...] = tuple(
    command for name, command in COMMANDS.items() if name == command.name and command.in_menu
)
"""Commands in the order they are offered."""
