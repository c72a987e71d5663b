"""What is talked: one file per conversation, and the small engine that runs them.

A new conversation is one file here, its sentences in messages/, and one line below.
"""

from handlers import cancel, help, invite, report, start, summary, tasks

CONVERSATIONS = (
    tasks.CONVERSATION,
    report.CONVERSATION,
    summary.CONVERSATION,
    invite.CONVERSATION,
    help.CONVERSATION,
    cancel.CONVERSATION,
    start.CONVERSATION,
)
COMMANDS = {
    word: command
    for conversation in CONVERSATIONS
    for command in conversation.commands
    for word in (command.name, command.alias)
}
FLOWS = {flow.name: flow for conversation in CONVERSATIONS for flow in conversation.flows}
