"""Taking a message for good: handled, answered and committed, in one transaction."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot.clock import Clock
from bot.transactions import GaveUp, Transactions
from handlers.desk import Desk, Reply
from handlers.incoming import Incoming
from handlers.router import hear
from messages import say
from storage import outbox
from storage.chats import Chat, audit, keep_chat, open_chat, set_reachable, take
from storage.tables import SetAside

log = logging.getLogger("dondoc.intake")

TOGETHER = 20
TRIES = 5
"""A message that failed this often while others succeeded is set aside."""


@dataclass(slots=True)
class _Waiting:
    """A message not yet taken. `failed_at` is how many had been taken when this one first failed TRIES times."""

    incoming: Incoming
    taken: asyncio.Future[None]
    failed_at: int | None = None


class Intake:
    """`accept` of the platforms. `woken` is called after each commit that left something to send.

    Messages that arrive together are taken in one commit, in their order; where one of them fails, that commit is
    undone and each is taken alone. One that keeps failing lets the others pass; once they succeed it is set aside.
    """

    def __init__(self, transactions: Transactions, clock: Clock, woken: Callable[[], None]) -> None:
        self._transactions = transactions
        self._clock = clock
        self._woken = woken
        self._waiting: deque[_Waiting] = deque()
        self._alone = 0
        self._worker: asyncio.Task[None] | None = None
        self._accepted = 0

    async def accept(self, incoming: Incoming) -> None:
        """See bot.platform.Accept."""
        taken = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(incoming, taken))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        await taken

    async def stop(self) -> None:
        """Take nothing more; what was not acknowledged will be delivered again."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            count = 1 if self._alone else min(TOGETHER, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(count)]
            taken = await (self._take_all(batch) if count > 1 else self._take_alone(batch[0]))
            for one in taken:
                if not one.taken.done():  # its platform may have stopped waiting
                    one.taken.set_result(None)
            self._woken()
            await asyncio.sleep(0)

    async def _take_all(self, batch: list[_Waiting]) -> list[_Waiting]:
        """All of them; or none, and they are taken one by one."""

        def work(db: Session) -> None:
            for one in batch:
                self._take(db, one.incoming)

        try:
            await self._transactions.write(work, bears=lambda tries: False)
        except Exception:
            log.info("action=taken_one_by_one count=%s", len(batch))
            self._waiting.extendleft(reversed(batch))
            self._alone = len(batch)
            return []
        self._accepted += len(batch)
        return batch

    async def _take_alone(self, one: _Waiting) -> list[_Waiting]:
        """The message, taken or set aside; none when it goes behind the others."""
        self._alone = max(0, self._alone - 1)

        def others_fail_too() -> bool:
            return one.failed_at in (None, self._accepted)

        try:
            await self._transactions.write(
                lambda db: self._take(db, one.incoming),
                bears=lambda tries: tries < TRIES or (not self._waiting and others_fail_too()),
            )
            self._accepted += 1
        except Exception as error:
            if isinstance(error, GaveUp) and others_fail_too():  # the database may be away for all
                one.failed_at = self._accepted
                self._waiting.append(one)
                self._alone = len(self._waiting)
                return []
            await self._set_aside(one.incoming, traceback.format_exc())
        return [one]

    def _take(self, db: Session, incoming: Incoming) -> None:
        now = self._clock.now()
        if not take(db, incoming.channel, incoming.message_key, now):
            return
        chat = open_chat(db, incoming.channel, incoming.chat_id)
        if incoming.kind == "gone":
            return set_reachable(db, chat.account_id, False)
        desk = Desk(db, chat, incoming, now)
        if incoming.kind != "back":
            hear(desk)
        for reply in desk.replies:
            lay_down(db, chat, reply, incoming, now)
        for action, subject in desk.audited:
            audit(db, chat, action, now, subject)
        keep_chat(db, chat, now)

    async def _set_aside(self, incoming: Incoming, trace: str) -> None:
        log.error("action=set_aside channel=%s key=%s\n%s", incoming.channel, incoming.message_key, trace)
        try:
            await self._transactions.write(lambda db: self._apologize(db, incoming, trace))
        except Exception:
            log.exception("action=set_aside_failed channel=%s key=%s", incoming.channel, incoming.message_key)

    def _apologize(self, db: Session, incoming: Incoming, trace: str) -> None:
        now = self._clock.now()
        if not take(db, incoming.channel, incoming.message_key, now):
            return
        db.add(
            SetAside(
                channel=incoming.channel,
                chat_id=incoming.chat_id,
                message_key=incoming.message_key,
                kind=incoming.kind,
                at=now,
                traceback=trace,
            )
        )
        chat = open_chat(db, incoming.channel, incoming.chat_id)
        outbox.put(db, **_row(chat, Reply(say("talk.failed")), now))


def lay_down(db: Session, chat: Chat, reply: Reply, incoming: Incoming, now: datetime) -> None:
    """Put a reply in the outbox: in the place of the tapped message where that is the newest one, else as a new
    message that ends the buttons of the step before."""
    row = _row(chat, reply, now)
    is_step = any(token.startswith("=") for token, _ in reply.choices)
    if reply.kind == "menu":
        outbox.put(db, **row)
        return
    newest = outbox.newest_shown(db, chat.account_id) if reply.replaces and incoming.on_message else None
    if newest is not None and newest[1] == incoming.on_message:
        outbox.put_edit(db, newest[0], **(row | {"kind": "edit"}))
        chat.shown_id = newest[0] if is_step else None
    else:
        shown_id = outbox.put(db, **row, target_id=chat.shown_id)
        chat.shown_id = shown_id if is_step else None


def _row(chat: Chat, reply: Reply, now: datetime) -> dict[str, Any]:
    return {
        "organization_id": chat.organization_id,
        "account_id": chat.account_id,
        "kind": reply.kind,
        "priority": outbox.REPLY,
        "body": {"text": str(reply.text), "choices": reply.choices, "lettered": reply.is_lettered},
        "maker": reply.made_by,
        "args": reply.args,
        "is_secret": reply.is_secret,
        "created_at": now,
    }
