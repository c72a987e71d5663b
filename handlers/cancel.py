"""/cancel: close the talk; what was typed is kept."""

from __future__ import annotations

from handlers.conversation import Command, Conversation
from handlers.desk import Desk, button


def cancel(desk: Desk, _argument: str = "") -> None:
    """Leave the open draft. Its answers are kept, its old buttons end."""
    draft = desk.chat.draft
    if draft is None:
        return desk.reply("cancel.nothing_open")
    draft.is_closed = draft.obligation_id is None  # only a report is worth going on with another day
    desk.put_away(draft)
    if draft.is_closed:
        return desk.reply("cancel.left")
    desk.reply(
        "cancel.kept",
        [button(f"/report {draft.obligation_id}", "cancel.label_continue")],
        count=sum(":" not in name for name in draft.answers),
    )


CONVERSATION = Conversation(commands=(Command("cancel", "huy", None, cancel),))
