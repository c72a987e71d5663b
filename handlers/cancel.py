"""/cancel: close the talk; what was typed is kept until its draft is deleted, and that is asked first."""

from __future__ import annotations

from handlers import access
from handlers.conversation import Command, Conversation, FlowKind, begin
from handlers.desk import Desk, button
from handlers.report import REPORTING
from handlers.talk import Talk
from storage.chats import OpenDraft, erase_draft, find_draft
from storage.owed import find_owed
from storage.reports import end_draft


def cancel(desk: Desk, argument: str = "") -> None:
    """Leave the open draft; with an obligation's id as `argument`, ask whether to delete its draft.

    The answers of a draft that is left are kept, its old buttons end.
    """
    if argument.isdecimal():
        return _ask_to_erase(desk, int(argument))
    draft = desk.chat.draft
    if draft is None:
        return desk.reply("cancel.nothing_open")
    draft.is_closed = draft.obligation_id is None  # only a report is worth going on with another day
    desk.put_away(draft)
    if draft.is_closed:
        return desk.reply("cancel.left")
    count = _answered(draft)
    choices = [button(f"/report {draft.obligation_id}", "cancel.label_continue")]
    if count:
        choices.append(button(f"/cancel {draft.obligation_id}", "cancel.label_draft"))
    desk.reply("cancel.kept", choices, count=count, is_sent=bool(draft.args["owed"].get("sent_at")))


def _ask_to_erase(desk: Desk, obligation_id: int) -> None:
    owed = find_owed(desk.db, desk.person.organization_id, obligation_id)
    if owed is None:
        return desk.reply("cancel.no_draft")
    access.check(desk.person, "report", owed.organization_id, owed.unit_id)
    draft = find_draft(desk.db, REPORTING.name, obligation_id, desk.chat.account_id)
    if draft is None or not draft.answers:
        return desk.reply("cancel.no_draft")
    facts = {"organization_id": owed.organization_id, "unit_id": owed.unit_id}
    said = {"code": owed.task_code, "title": owed.title, "count": _answered(draft)}
    begin(desk, ERASING, {"obligation_id": obligation_id, **facts, **said})


def erasing(talk: Talk, obligation_id: int, code: str, title: str, count: int, **_unit: int) -> None:
    """Delete the draft when that is confirmed; what was filed before stays."""
    if talk.choose("sure", ["keep", "erase"], "cancel.sure", code=code, title=title, count=count) == "keep":
        choices = [button(f"/report {obligation_id}", "cancel.label_continue")]
        return talk.end("cancel.kept", choices, count=count, is_sent=False)
    desk = talk.desk
    draft = find_draft(desk.db, REPORTING.name, obligation_id, desk.chat.account_id)
    if draft is not None:
        erase_draft(desk.db, draft, desk.now)
        end_draft(desk.db, obligation_id)
        desk.note("draft_erased", f"obligation {obligation_id}")
    talk.end("cancel.erased", [button(f"/report {obligation_id}", "cancel.label_anew")], code=code)


def _answered(draft: OpenDraft) -> int:
    """Questions answered; what was asked about an answer is no question of its own."""
    return sum(":" not in name for name in draft.answers)


def _check(desk: Desk, draft: OpenDraft) -> None:
    access.check(desk.person, "report", draft.args["organization_id"], draft.args["unit_id"])


ERASING = FlowKind("erasing", erasing, _check)
CONVERSATION = Conversation(commands=(Command("cancel", "huy", None, cancel),), flows=(ERASING,))
