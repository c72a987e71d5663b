"""A commune to play with: real handlers, a real database, a clock that stands still, phones that are lists."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import select

from bot.assemble import MAKERS
from bot.clock import Clock
from bot.intake import Intake
from bot.transactions import Transactions
from handlers.incoming import Incoming, Kind
from scheduler.making import Later, Made
from scheduler.tick import tick_once
from storage import outbox
from storage.chats import offer
from storage.outbox import Claimed
from storage.store import Store
from storage.tables import Account, Outgoing

CHANNEL = "browser"


class StillClock(Clock):
    """Shows the same moment until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


@dataclass(slots=True)
class Bubble:
    """One message on a phone."""

    id: str
    text: str
    choices: list[list[str]]


@dataclass(slots=True)
class Phone:
    """One person's chat: what was heard so far, and how they answer."""

    commune: Commune
    chat_id: str
    bubbles: list[Bubble] = field(default_factory=list)

    def says(self, text: str, key: str | None = None) -> str:
        """Type something; returns everything that came back, one text."""
        return self._send("text", text, key=key)

    def taps(self, label: str, key: str | None = None) -> str:
        """Tap the newest button whose label starts so."""
        for bubble in reversed(self.bubbles):
            for token, shown in bubble.choices:
                if shown.startswith(label):
                    return self._send("choice", token, on=bubble.id, key=key)
        raise AssertionError(f"no button {label!r} on {self.labels}")

    def taps_token(self, token: str) -> str:
        """Tap a button that may be gone from the screen."""
        return self._send("choice", token, on="gone")

    def sends(self, what: str) -> str:
        """Something that is not text: sticker, voice, photo."""
        return self._send("other", what)

    def plays(self, *lines: tuple[str, str]) -> None:
        """Each line: what is typed (or tapped, in brackets) and a piece of the answer."""
        for said, expected in lines:
            heard = self.taps(said[1:-1]) if said.startswith("[") else self.says(said)
            assert expected in heard, f"after {said!r} expected {expected!r}, heard:\n{heard}"

    @property
    def last(self) -> str:
        return self.bubbles[-1].text if self.bubbles else ""

    @property
    def labels(self) -> list[str]:
        """The buttons of the newest message."""
        return [label for _, label in self.bubbles[-1].choices] if self.bubbles else []

    @property
    def tokens(self) -> list[str]:
        return [token for token, _ in self.bubbles[-1].choices] if self.bubbles else []

    def _send(self, kind: Kind, text: str, on: str | None = None, key: str | None = None) -> str:
        return self.commune.hears(self, kind, text, on, key)


class Commune:
    """Phú Tân in a test: `person(...)` gives the phone of an example person or a stranger."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store = store
        self.clock = StillClock(now)
        self.phones: dict[str, Phone] = {}
        self._keys = itertools.count(1)
        self.restart()

    def restart(self) -> None:
        """As if the process had been killed and started again: nothing lives but the database."""
        self.intake = Intake(Transactions(self.store), self.clock, lambda: None)

    def person(self, chat_id: str) -> Phone:
        return self.phones.setdefault(chat_id, Phone(self, chat_id))

    def hears(self, phone: Phone, kind: Kind, text: str, on: str | None, key: str | None) -> str:
        key = key or f"key-{next(self._keys)}"
        incoming = Incoming(CHANNEL, phone.chat_id, key, kind, text, self.clock.now(), on, "Tên Trên Máy")
        asyncio.run(self.intake.accept(incoming))
        return "\n".join(bubble.text for bubble in self.deliver().get(phone.chat_id, []))

    def ticks(self) -> dict[str, list[Bubble]]:
        """Plan what is due now and deliver it; returns what came, by chat."""
        now = self.clock.now()
        with self.store.writing() as db:
            tick_once(db, now)
        return self.deliver()

    def moves(self, **by: float) -> None:
        """Let time pass, without a tick."""
        self.clock.moment += timedelta(**by)

    def deliver(self) -> dict[str, list[Bubble]]:
        """Send everything in the outbox that may go now, as delivery would."""
        came: dict[str, list[Bubble]] = {}
        while rows := self._claimed():
            for row in rows:
                bubble = self._send(row)
                if bubble is not None:
                    came.setdefault(row.chat_id, []).append(bubble)
        return came

    def outbox(self) -> Sequence[Outgoing]:
        with self.store.reading() as db:
            return db.exec(select(Outgoing)).all()

    def account_id(self, chat_id: str) -> int:
        with self.store.reading() as db:
            found = db.exec(select(Account.id).where(Account.chat_id == chat_id)).one()
        assert found is not None
        return found

    def _claimed(self) -> list[Claimed]:
        now = self.clock.now()
        with self.store.writing() as db:
            replies = outbox.claim(db, outbox.REPLY, now, timedelta(minutes=1), 50)
            return replies or outbox.claim(db, outbox.REMINDER, now, timedelta(minutes=1), 50)

    def _send(self, row: Claimed) -> Bubble | None:
        now = self.clock.now()
        with self.store.writing() as db:
            made: Made | Later | None = _written(row)
            if row.expires_at is not None and row.expires_at <= now:
                made = None
            elif row.maker is not None:
                made = MAKERS[row.maker].make(db, row.args or {}, now)
            if isinstance(made, Later):
                outbox.postpone(db, row.id, made.until)
                return None
            if made is None:
                outbox.record_end(db, row.id, "dropped")
                return None
            outbox.record_sent(db, [(row.id, f"m{row.id}")], now)
            sent = MAKERS[row.maker].sent if row.maker else None
            if sent is not None:
                sent(db, row.args or {}, now)
                offer(db, row.account_id, made.choices)
        return self._show(row, made)

    def _show(self, row: Claimed, made: Made) -> Bubble | None:
        if row.kind == "menu":
            return None
        phone = self.person(row.chat_id)
        bubble = Bubble(row.target or "" if row.kind == "edit" else f"m{row.id}", made.text, made.choices)
        for old in phone.bubbles:
            if old.id == row.target:
                old.choices = []
        if row.kind == "edit":
            phone.bubbles = [bubble if old.id == bubble.id else old for old in phone.bubbles]
        else:
            phone.bubbles.append(bubble)
        return bubble


def _written(row: Claimed) -> Made:
    body = row.body or {}
    return Made(body.get("text", ""), body.get("choices", []), body.get("lettered", False))
