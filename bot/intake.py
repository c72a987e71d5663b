"""Taking a message for good: handled, answered and committed, in one transaction."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot.clock import Clock
from bot.transactions import Transactions
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


class Intake:
    """`accept` of the platforms. `woken` is called after each commit that left something to send.

    Messages that arrive together are taken in one commit, in their order; where one of them fails, that commit is
    undone and each is taken alone.
    """

    def __init__(self, transactions: Transactions, clock: Clock, woken: Callable[[], None]) -> None:
        self._transactions = transactions
        self._clock = clock
        self._woken = woken
        self._waiting: deque[tuple[Incoming, asyncio.Future[None]]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._accepted = 0

    async def accept(self, incoming: Incoming) -> None:
        """See bot.platform.Accept."""
        taken = asyncio.get_running_loop().create_future()
        self._waiting.append((incoming, taken))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        await taken

    async def _work(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
            await self._take_all([incoming for incoming, _ in batch])
            for _, taken in batch:
                if not taken.done():  # its platform may have stopped waiting
                    taken.set_result(None)
            self._woken()
            await asyncio.sleep(0)

    async def _take_all(self, batch: list[Incoming]) -> None:
        if len(batch) > 1:
            try:
                await self._transactions.write(lambda db: self._take_together(db, batch), bears=_not_again)
                self._accepted += len(batch)
                return
            except Exception:
                log.info("action=taken_one_by_one count=%s", len(batch))
        for incoming in batch:
            await self._take_alone(incoming)

    def _take_together(self, db: Session, batch: list[Incoming]) -> None:
        for incoming in batch:
            self._take(db, incoming)

    async def _take_alone(self, incoming: Incoming) -> None:
        before = self._accepted
        try:
            await self._transactions.write(
                lambda db: self._take(db, incoming),
                bears=lambda tries: tries < TRIES or self._accepted == before,
            )
            self._accepted += 1
        except Exception:
            await self._set_aside(incoming, traceback.format_exc())

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


def _not_again(_tries: int) -> bool:
    return False


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
