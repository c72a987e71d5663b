"""Where a message goes: a command, a word of command, a button, the open question, or a helpful answer."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from handlers import COMMANDS, FLOWS, access
from handlers.cancel import cancel
from handlers.conversation import Command
from handlers.desk import Desk, button
from handlers.help import help, idle
from handlers.start import try_code
from handlers.talk import Heard, run
from messages import say
from plans.text import fold
from storage.reports import name_of

TASK_CODE = re.compile(r"(?:\d|iii)\.\d{1,2}")
"""A clause number of the plan, typed alone: its report is meant."""
POLITE = re.compile(r"(?: (?:a|nhe|nha|di|luon))+$")
"""Small words behind a choice: "gửi đi ạ"."""
SOUTHERN = {"goi": "gui"}
"""The South says and writes "gởi"."""


def hear(desk: Desk) -> None:
    """Do what the message asks for; every message gets an answer."""
    incoming = desk.incoming
    try:
        if _was_ended(desk):
            return
        match incoming.kind:
            case "choice":
                _chosen(desk, incoming.text)
            case "text":
                _typed(desk, incoming.text)
            case _:
                _prefixed(desk, "talk.unreadable", what=incoming.text)
    except access.Denied as denied:
        desk.reply(denied.block)


def _was_ended(desk: Desk) -> bool:
    """Leave a shared draft that a colleague has sent or deleted; True when that is the answer to what came in."""
    draft = desk.chat.draft
    if draft is None or not draft.is_closed:
        return False
    desk.chat.draft = desk.chat.asked = None
    if desk.incoming.text.startswith("/"):
        return False
    if not draft.answers:
        choices = [button(f"/report {draft.obligation_id}", "cancel.label_anew")]
        desk.reply("cancel.erased_by_other", choices)
        return True
    last = list(draft.answers.values())[-1]
    desk.reply(
        "talk.ended",
        [button(f"/report {draft.obligation_id}", "talk.label_look")],
        name=name_of(desk.db, last["by"]),
        at=datetime.fromisoformat(last["at"]),
        zone=desk.chat.zone,
    )
    return True


def _typed(desk: Desk, text: str) -> None:
    folded, chat = fold(text), desk.chat
    token, spoken = _offered(desk, folded), _spoken(folded)
    if text.lstrip().startswith("/"):
        _command(desk, text.strip())
    elif token is not None:
        _chosen(desk, token)
    elif folded in WORDS:
        WORDS[folded](desk)
    elif spoken is not None and (chat.draft is None or TASK_CODE.fullmatch(spoken[1])) and folded != spoken[1]:
        _open(desk, *spoken)  # "báo cáo 2.4" in the middle of another report: that one is kept
    elif chat.draft is not None and chat.asked is not None:
        _answer(desk, Heard(text=text))
    elif chat.draft is not None:
        _prefixed(desk, "talk.still_open")
    elif spoken is not None:
        _open(desk, *spoken)
    elif chat.person is None:
        try_code(desk, text)
    else:
        idle(desk)


def _offered(desk: Desk, folded: str) -> str | None:
    """The choice meant: by its label or the words it alone begins with, by its letter (where the answer is typed)
    or number (elsewhere). Where it is typed, what holds digits is the answer, unless it is a whole label."""
    begun = []
    folded = POLITE.sub("", folded)
    folded = SOUTHERN.get(folded, folded)
    is_answer = desk.chat.is_lettered and any(map(str.isdigit, folded))
    for position, (token, label) in enumerate(desk.chat.offered):
        sign = chr(ord("a") + position) if desk.chat.is_lettered else str(position + 1)
        words = fold(label)
        if folded in (words, sign):
            return token
        if folded and words.startswith(folded) and not words[len(folded) :][:1].isalnum():
            begun.append(token)
    return begun[0] if len(begun) == 1 and not is_answer else None


def _chosen(desk: Desk, token: str) -> None:
    if token.startswith("/"):
        return _command(desk, token)
    draft = desk.chat.draft
    step = f"={draft.id}.{draft.version}." if draft else ""
    if not step or not token.startswith(step):
        return _prefixed(desk, "talk.old_button")
    _answer(desk, Heard(choice=token.removeprefix(step)))


def _command(desk: Desk, text: str) -> None:
    word, _, argument = text[1:].partition(" ")
    command = COMMANDS.get(fold(word))
    if command is None:
        meant = _spoken(fold(text[1:]))  # typed in two words: "/nhac lai 2.9"
        likely = f"/{meant[0].alias} {meant[1]}".strip()[:30] if meant else None
        return _prefixed(desk, "talk.no_such_command", word=word[:30], likely=likely)
    _open(desk, command, argument.strip())


def _spoken(folded: str) -> tuple[Command, str] | None:
    """A command said without the slash: "báo cáo 2.9", not any sentence that begins with such a word."""
    words = folded.split()
    for count in (2, 1):
        command = COMMANDS.get("".join(words[:count]))
        if command is not None and (len(words) == count or any(map(str.isdigit, folded))):
            return command, " ".join(words[count:])
    return (COMMANDS["report"], folded) if TASK_CODE.fullmatch(folded) else None


def _open(desk: Desk, command: Command, argument: str) -> None:
    if command.right is not None:
        if desk.chat.person is None and desk.chat.draft is not None:
            return _answer(desk, None)  # joining first: the question is shown again
        if desk.chat.person is None:
            return desk.reply("start.who_are_you")
        access.check(desk.chat.person, command.right)
    command.open(desk, argument)


def _answer(desk: Desk, heard: Heard | None) -> None:
    draft = desk.chat.draft
    assert draft is not None
    flow = FLOWS[draft.flow]
    try:
        flow.check(desk, draft)
    except access.Denied:
        desk.chat.draft = desk.chat.asked = None  # the right was taken away: the talk ends, the answers stay
        raise
    run(flow.run, desk, draft, heard)


def go_on(desk: Desk) -> None:
    """Show the open question again, or what can be done when nothing is open."""
    if desk.chat.draft is None:
        return idle(desk)
    _answer(desk, None)


def back(desk: Desk) -> None:
    """Go back to the question before the open one; what was typed there may be kept."""
    if desk.chat.draft is None:
        return idle(desk)
    _answer(desk, Heard(is_back=True))


def skip(desk: Desk) -> None:
    """No question is passed over unseen: say how to answer without a figure, where that is a choice."""
    if desk.chat.draft is None:
        return idle(desk)
    _prefixed(desk, "talk.cannot_skip", labels=[label for _, label in desk.chat.offered])


def _prefixed(desk: Desk, block: str, **facts: Any) -> None:
    """Say something, then show the open question again where there is one."""
    if desk.chat.draft is None:
        return desk.reply(block, **facts)
    _answer(desk, None)
    desk.replies[0].text = say(block, **facts) + "\n\n" + desk.replies[0].text


WORDS = {"quay lai": back, "tiep": go_on, "bo qua": skip, "huy": cancel, "tro giup": help}
