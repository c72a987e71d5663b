"""What a conversation consists of: the commands that open it and the flow that carries it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from handlers.desk import Desk
from handlers.talk import run
from storage.chats import OpenDraft, add_draft, find_draft


@dataclass(frozen=True, slots=True)
class Command:
    """A word people type after a slash; in menus by its blocks `as_button`, `as_menu` and `as_help`.

    `right` names the right it needs (handlers/access.py); None: anyone. Where it is of use to fewer people,
    `offered_with` names the right of those.
    """

    name: str
    alias: str
    right: str | None
    open: Callable[[Desk, str], None]
    in_menu: bool = True
    offered_with: str | None = None


@dataclass(frozen=True, slots=True)
class FlowKind:
    """A flow by name; `check` raises access.Denied when the person may not answer this draft."""

    name: str
    run: Callable[..., None]
    check: Callable[[Desk, OpenDraft], None]


@dataclass(frozen=True, slots=True)
class Conversation:
    commands: tuple[Command, ...]
    flows: tuple[FlowKind, ...] = field(default=())


def begin(
    desk: Desk,
    flow: FlowKind,
    args: dict[str, Any],
    obligation_id: int | None = None,
    answers: Callable[[], dict[str, Any]] = dict,
) -> OpenDraft:
    """Open the flow in this chat; another open draft is kept.

    A report goes on with its draft, or starts with `answers` already known; a personal flow begins anew.
    """
    draft = find_draft(desk.db, flow.name, obligation_id, desk.chat.account_id)
    if draft is None:
        draft = add_draft(desk.db, desk.chat, flow.name, obligation_id, args, answers(), desk.now)
    if obligation_id is None and draft.answers:
        draft.answers, draft.changed = {}, True
    if draft.args != args:
        draft.args, draft.changed, draft.has_new_args = args, True, True
    desk.chat.draft = draft
    flow.check(desk, draft)
    run(flow.run, desk, draft, None)
    return draft
