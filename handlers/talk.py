"""The engine: a conversation is a function of its answers.

A flow is straight-line code that asks for answers by name. To go on, it is run from the top: answered questions
return at once, the first unanswered one is asked and the run stops there. What was heard is the answer to the
question this chat was last shown, and to no other. So a flow survives restarts, is shared by colleagues, and goes
back by asking an answer again. It must do nothing lasting before its last answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from markupsafe import Markup

from handlers.desk import Desk, Reply, page_of
from messages import label, plain, say
from plans.text import fold
from storage.chats import OpenDraft

Answer = Any
"""What is stored of an answer: JSON."""
Read = Callable[[str], Answer]
"""Turns what was typed into an answer; raises Misunderstood."""


PICKED_FROM = 5
"""As many options as are shown at once."""
REOPENED, RETRACED = "again|", "back|"
"""Before the fingerprint of an answer that is to be asked again, and kept until another is given: it alone is put
right, or the talk went back to it."""
LEAVING = {"drop", "keep", "later", "leave", "refuse"}
"""Choices that lead out of a talk."""
Flow = Callable[..., None]
"""`flow(talk, **args)`, with the draft's frozen arguments."""


class Misunderstood(Exception):
    """What was typed cannot be the answer; `block` explains and says what to type."""

    def __init__(self, block: str, **facts: Any) -> None:
        super().__init__(block)
        self.block = block
        self.facts = facts


class _Waiting(Exception):
    """The run stops: a question has been asked."""


class _Restart(Exception):
    """Answers were forgotten: run again from the top."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came in for the open draft: a typed text, the code of a choice, or the wish to go back."""

    text: str | None = None
    choice: str | None = None
    is_back: bool = False


class Talk:
    """A flow's view of its draft and of the person it talks to."""

    def __init__(self, desk: Desk, draft: OpenDraft, heard: Heard | None) -> None:
        self.desk = desk
        self.draft = draft
        self._heard = heard
        self._was_tap = heard is not None and heard.choice is not None
        self._shown_here = desk.chat.asked
        self.is_anew = heard is None
        """Nothing was heard: the talk is opened, or its question shown once more."""
        self._fresh: set[str] = set()
        self._passed: list[str] = []
        self._chosen: set[str] = set()
        self._again: str | None = None
        self._notes: list[Markup] = []
        self._question: Reply | None = None
        self.is_secret = False
        """What is said holds a joining code, or a name that may yet be refused: it is wiped once sent."""
        self._extras: list[Reply] = []

    def ask(
        self,
        name: str,
        read: Read,
        block: str,
        /,
        *,
        choices: Sequence[str] = (),
        fingerprint: str = "",
        **facts: Any,
    ) -> Answer:
        """The answer called `name`; asked with `block` when there is none yet.

        `choices` are other answers, each stored as {"kind": code} and labelled by block `label_<code>` of the same
        file. An answer given under another `fingerprint` is asked again and shown as `was`; so is one that was
        reopened or gone back to (`is_again`), which may be kept. Digits are always the answer, never the number of
        a choice. Raises to stop the run: never catch.
        """
        known = self.draft.answers.get(name)
        if known is not None and known["print"] == fingerprint:
            self._passed.append(name)
            return known["value"]
        is_again = known is not None and known["print"] in (REOPENED + fingerprint, RETRACED + fingerprint)
        self._again = name if known is not None and known["print"] == REOPENED + fingerprint else None
        labels = {code: label(f"{_file(block)}.label_{code}") for code in choices}
        if is_again:
            labels["as_it_is"] = label("talk.label_as_it_is")
        if self._passed or self._again:
            labels["back"] = label("talk.label_back")
        was = known["value"] if known else None

        def answered(heard: Heard) -> Answer:
            if heard.choice is not None:
                return {"kind": heard.choice}
            return read(heard.text or "")

        facts |= {"was": was, "is_again": is_again}
        value = self._hear(name, answered, block, labels, facts, is_lettered=True)
        if value == {"kind": "back"}:
            self._back(name)
        if value == {"kind": "as_it_is"}:
            self._keep(name)
        self._store(name, value, fingerprint)
        self._passed.append(name)
        return value

    def choose(
        self,
        name: str,
        options: Sequence[str] | Mapping[str, str],
        block: str,
        /,
        *,
        read: Read | None = None,
        is_figure: bool = True,
        **facts: Any,
    ) -> str:
        """One of `options`: codes labelled by blocks `label_<code>`, or a mapping of codes to labels.

        With `read`, what it reads may be typed instead; where that is a figure (`is_figure`), digits are never the
        number of a choice.
        """
        self._again = None
        self._chosen.add(name)
        known = self.draft.answers.get(name)
        if known is not None and (read is not None or known["value"] in options):
            self._passed.append(name)
            return str(known["value"])
        if not isinstance(options, Mapping):
            options = {code: label(f"{_file(block)}.label_{code}") for code in options}
        if self._passed:
            options = {**options, "back": label("talk.label_back")}

        def answered(heard: Heard) -> Answer:
            if heard.choice is not None:
                return heard.choice
            if read is None:
                raise Misunderstood("talk.choose_one")
            return read(heard.text or "")

        is_lettered = read is not None and is_figure
        value = self._hear(name, answered, block, dict(options), facts, is_lettered=is_lettered)
        if value == "back":
            self._back(name)
        self._store(name, value, "")
        self._passed.append(name)
        return str(value)

    def is_fresh(self, name: str) -> bool:
        """True when this answer was given by the message at work."""
        return name in self._fresh

    def put(self, name: str, value: Answer, fingerprint: str = "") -> None:
        """Store an answer that came along with another one."""
        self._store(name, value, fingerprint)

    def forget(self, *names: str) -> NoReturn:
        """Forget answers, with what hangs on them (`name:…`), and run again from the top."""
        for name in names:
            self.drop(name)
        raise _Restart

    def reopen(self, name: str) -> None:
        """Ask an answer again when the flow comes to it; going back keeps it, with what hangs on it."""
        self._mark(name, REOPENED)

    def replace(self, name: str, value: Answer) -> NoReturn:
        """Another answer was typed instead of the one called `name`: keep it, and run again."""
        self._store(name, value, _bare(self.draft.answers[name]["print"]))
        raise _Restart

    def drop(self, name: str) -> None:
        """Forget an answer, with what hangs on it, without running again."""
        for known in list(self.draft.answers):
            if known == name or known.startswith(f"{name}:"):
                del self.draft.answers[known]
        self.draft.changed = True

    def note(self, block: str, /, **facts: Any) -> None:
        """Say something, once, before the next question or the last words."""
        said = say(block, **facts)
        if said not in self._notes:
            self._notes.append(said)

    def end(self, block: str, choices: list[list[str]] | None = None, /, **facts: Any) -> None:
        """The last words: the draft is closed for good."""
        self.draft.is_closed = True
        self.leave(block, choices, **facts)

    def leave(self, block: str, choices: list[list[str]] | None = None, /, **facts: Any) -> None:
        """Stop talking about it for now; the draft is kept and its old buttons end."""
        self.draft.changed = True
        self._question = Reply(self._said(say(block, **facts)), choices or [])
        self.desk.chat.asked = None

    def also(self, reply: Reply) -> None:
        """Something more to send after the last words (a picture, a file, a menu)."""
        self._extras.append(reply)

    def _back(self, asked: str) -> None:
        """Keep the reopened answer, or ask the one before the open question again; at the first question, say so.

        What was typed is offered again, or what stood before where `asked` hangs on it and nothing else that does
        was answered: it was not yet complete.
        """
        if self._again is not None:
            self._keep(self._again)
        if not self._passed:
            return self.note("talk.first_question")
        name = self._passed[-1]
        if name in self._chosen:
            self.forget(name)
        known = self.draft.answers[name]
        if asked.startswith(f"{name}:") and "before" in known:
            known["value"] = known.pop("before")
        self._mark(name, RETRACED)
        raise _Restart

    def _keep(self, name: str) -> NoReturn:
        """Let an answer that is asked again stand as it is, with what hangs on it."""
        self._mark(name, "")
        raise _Restart

    def _mark(self, name: str, mark: str) -> None:
        known = self.draft.answers[name]
        known["print"] = mark + _bare(known["print"])
        self.draft.changed = True

    def _hear(
        self,
        name: str,
        answered: Callable[[Heard], Answer],
        block: str,
        labels: dict[str, str],
        facts: dict[str, Any],
        *,
        is_lettered: bool,
    ) -> Answer:
        """The answer just heard, if it was meant for this question; else asks and stops the run."""
        heard, self._heard = self._heard, None
        if heard is not None and (why := self._not_meant(heard, name, labels)):
            self.note(why)
        elif heard is not None and heard.is_back:
            self._back(name)
        elif heard is not None:
            try:
                return answered(heard)
            except Misunderstood as error:
                self.note(error.block, **error.facts)
        text = self._said(say(block, **facts))
        choices = [[f"={code}", label] for code, label in labels.items()]
        if not self._passed and self._again is None and not LEAVING & labels.keys():
            choices.append(["/cancel", label("talk.label_stop")])
        self._question = Reply(text, choices, is_lettered)
        self.desk.chat.asked = name
        raise _Waiting

    def _not_meant(self, heard: Heard, name: str, choices: Collection[str]) -> str | None:
        """Why what was heard is not meant for this question; None when it is. What could be chosen when it was
        shown may be gone by now, or another day."""
        is_shown = self._shown_here == name
        if heard.choice is not None:
            return None if is_shown and heard.choice in choices else "talk.old_button"
        if is_shown:
            return None
        return "talk.moved_on" if self._shown_here else "talk.still_open"

    def _store(self, name: str, value: Answer, fingerprint: str) -> None:
        person, old = self.desk.chat.person, self.draft.answers.get(name)
        self.drop(name)
        self.draft.answers[name] = {
            "value": value,
            "print": fingerprint,
            "by": person.member_id if person else None,
            "at": self.desk.now.isoformat(),
        }
        if old is not None and old["print"] != _bare(old["print"]):
            self.draft.answers[name]["before"] = old["value"]
        if parent := self.draft.answers.get(name.rpartition(":")[0]):
            parent.pop("before", None)  # what was asked about it is answered
        self._fresh.add(name)

    def _said(self, text: Markup) -> Markup:
        return Markup("\n\n").join([Markup("\n").join(self._notes), text] if self._notes else [text])

    def _lay_down(self) -> None:
        """Show the question or last words, its buttons bound to this draft and this very step."""
        draft = self.draft
        if draft.changed:
            draft.version += 1
        reply = self._question
        assert reply is not None
        reply.is_secret = self.is_secret
        reply.replaces = self._was_tap
        for choice in reply.choices:
            if choice[0].startswith("="):
                choice[0] = f"={draft.id}.{draft.version}.{choice[0][1:]}"
        self.desk.show(reply)
        self.desk.replies += self._extras


def _bare(fingerprint: str) -> str:
    return fingerprint.removeprefix(REOPENED).removeprefix(RETRACED)


def _file(block: str) -> str:
    return block.partition(".")[0]


def pick(
    talk: Talk,
    name: str,
    options: Mapping[str, str],
    block: str,
    also: Mapping[str, str] | None = None,
    /,
    **facts: Any,
) -> str:
    """One of many, by code and label, a few at a time; what is in `also` is offered with each of them.

    The given name alone will do, also of one not shown. Forget it by its name; going back turns a page back.
    """
    page, all_options = 0, dict(options) | dict(also or {})

    def read(text: str) -> str:
        folded = fold(text)
        found = [code for code, label in all_options.items() if f" {fold(label)} ".endswith(f" {folded} ")]
        if not folded or len(found) != 1:
            raise Misunderstood("talk.choose_one")
        return found[0]

    while True:
        shown, rest = page_of(list(options.items()), page, PICKED_FROM)
        more = {"more": plain("tasks.label_more", rest=rest)} if rest else {}
        choices = dict(shown) | more | dict(also or {})
        choice = talk.choose(f"{name}:{page}", choices, block, read=read, is_figure=False, **facts)
        if choice in all_options:
            return choice
        if choice not in choices:  # it is gone
            talk.forget(name)
        page += 1


def run(flow: Flow, desk: Desk, draft: OpenDraft, heard: Heard | None) -> None:
    """Run the flow over its draft until it asks something or ends, and lay the outcome on the desk."""
    talk = Talk(desk, draft, heard)
    while _has_forgotten(flow, talk):
        pass
    talk._lay_down()
    if desk.chat.asked is None:
        desk.put_away(draft)


def _has_forgotten(flow: Flow, talk: Talk) -> bool:
    """One run from the top; True when answers were forgotten and it must run again."""
    talk._passed.clear()
    talk._again = None
    try:
        flow(talk, **talk.draft.args)
    except _Restart:
        return True
    except _Waiting:
        return False
    return False
