"""Delivery: claims rows of the outbox, sends them at the platform's pace, and records what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from bot.clock import Clock
from bot.pacer import Pacer
from bot.platform import Choice, Message, Moved, Platform, RecipientGone, Refused, SendFailed, TryLater
from bot.transactions import GaveUp, Transactions
from scheduler.making import Later, Made, Maker
from storage import outbox
from storage.chats import offer, set_reachable
from storage.outbox import Claimed

log = logging.getLogger("dondoc.delivery")

LEASE = timedelta(seconds=60)
RENEW = timedelta(seconds=20)
"""Leases of rows still waiting for their turn (a long pause, a slow pace) are renewed so often."""
IN_FLIGHT = 64
REMINDERS_IN_FLIGHT = 16
"""Replies always find a free place beside them."""
REPLIES_LIVE = timedelta(days=1)
LOOK_AGAIN = 30.0
"""Seconds after which the outbox is looked at even when nobody woke us (another process may have written)."""
DRAIN = 5.0
LAST_TRIES = 5
SAID_FROM = 3
"""Failures in a row from which on the platform is called unreachable."""

Outcome = Callable[[Session], None]


@dataclass(slots=True)
class _Channel:
    platform: Platform
    pacer: Pacer
    failures: int = 0
    """In a row, since a message got through."""

    def failed(self, reason: str) -> None:
        """Said once, when it is no single accident."""
        self.failures += 1
        if self.failures == SAID_FROM:
            log.error("action=unreachable channel=%s reason=%s; messages wait", self.platform.channel, reason)

    def got_through(self) -> None:
        if self.failures >= SAID_FROM:
            log.warning("action=reachable channel=%s", self.platform.channel)
        self.failures = 0


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a turn committed: rows claimed, seconds to wait for more, and how much was recorded."""

    rows: list[Claimed]
    wait: float
    sent: int
    outcomes: int
    renewed_at: datetime


class Delivery:
    """One loop: each turn records what was sent since the last one and claims what is ready, in one commit."""

    def __init__(
        self,
        transactions: Transactions,
        platforms: Mapping[str, Platform],
        makers: Mapping[str, Maker],
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._channels = {name: _Channel(p, Pacer(p.limits)) for name, p in platforms.items()}
        self._makers = makers
        self._clock = clock
        self._woken = asyncio.Event()
        self._sent: list[tuple[int, str | None]] = []
        self._outcomes: list[Outcome] = []
        self._tasks: dict[asyncio.Task[None], Claimed] = {}
        self._loose: set[asyncio.Task[None]] = set()
        self._renewed_at = clock.now()
        self._turning: asyncio.Task[float] | None = None
        self._making = asyncio.Lock()

    def wake(self) -> None:
        """Something may be ready to send."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled; then let what is under way finish and record it."""
        if self._transactions.store.is_sqlite:  # no other process delivers from this file
            await self._transactions.write(outbox.release_all)
        try:
            while True:
                self._woken.clear()
                self._turning = asyncio.create_task(self._turn())
                wait = await asyncio.shield(self._turning)  # what it claims must not be lost to a cancel
                if wait and not self._sent and not self._outcomes:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait):  # wait_for may swallow a cancel (Python 3.11)
                            await self._woken.wait()
                else:
                    await asyncio.sleep(0)
        finally:
            await self._drain()

    async def _turn(self) -> float:
        """Record, claim and send; returns how long to wait for more to send: 0 when something was claimed."""

        def work(db: Session) -> _Turn:
            now = self._clock.now()  # it may have waited long for the database
            sent, outcomes = list(self._sent), list(self._outcomes)
            self._record(db, sent, outcomes, now)
            renewed_at = self._renewed(db, now)
            rows = _claim(db, *self._free(), now)
            wait = 0.0 if rows else self._wait(db, now)
            return _Turn(rows, wait, len(sent), len(outcomes), renewed_at)

        turn = await self._transactions.write(work)
        del self._sent[: turn.sent], self._outcomes[: turn.outcomes]
        self._renewed_at = turn.renewed_at
        for row in turn.rows:
            task = asyncio.create_task(self._deliver(row))
            self._tasks[task] = row
            task.add_done_callback(self._finished)
        return turn.wait

    def _free(self) -> tuple[int, int]:
        """How many rows may go in flight now, and how many of them may be reminders."""
        in_flight = list(self._tasks.values())
        reminders = sum(row.priority == outbox.REMINDER for row in in_flight)
        places = IN_FLIGHT - len(in_flight)
        return places, min(places, REMINDERS_IN_FLIGHT - reminders)

    def _renewed(self, db: Session, now: datetime) -> datetime:
        """Renew the leases of rows in flight, if it is time; returns when it was done last."""
        if now - self._renewed_at < RENEW:
            return self._renewed_at
        outbox.renew(db, [row.id for row in self._tasks.values()], now + LEASE)
        return now

    def _record(
        self, db: Session, sent: list[tuple[int, str | None]], outcomes: list[Outcome], now: datetime
    ) -> None:
        if sent:
            outbox.record_sent(db, sent, now)
        for outcome in outcomes:
            outcome(db)

    def _wait(self, db: Session, now: datetime) -> float:
        ready_at = outbox.next_ready_at(db, now)
        if ready_at is None:
            return LOOK_AGAIN
        return min(LOOK_AGAIN, max(0.01, (ready_at - now).total_seconds()))

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self.wake()

    async def _deliver(self, row: Claimed) -> None:
        """Send one row; whatever happens to it becomes an outcome, never an exception."""
        channel = self._channels.get(row.channel)
        if channel is None:
            return self._switched_off(row)
        try:
            await channel.pacer.turn(row.chat_id, urgent=row.priority == outbox.REPLY)
            made = await self._made(row)
            if isinstance(made, Made):
                await self._send(channel, row, made)
            elif isinstance(made, Later):
                self._outcomes.append(lambda db: outbox.postpone(db, row.id, made.until))
            else:
                self._end(row, "dropped", "nothing_to_say")
        except SendFailed as error:
            self._failed(channel, row, error)
        except Exception:
            log.exception("action=delivery_failed row=%s", row.id)
            self._end(row, "refused", "failed")

    def _switched_off(self, row: Claimed) -> None:
        """The platform of this chat does not run here: replies wait for it, an expired reminder does not."""
        if row.expires_at is not None and row.expires_at <= self._clock.now():
            return self._end(row, "dropped", "expired")
        if self._is_too_old(row):
            return self._end(row, "dropped", "too_old")
        self._later(row, timedelta(minutes=10), counts=False)

    def _is_too_old(self, row: Claimed) -> bool:
        return self._clock.now() - (row.not_before or row.created_at) > REPLIES_LIVE

    async def _made(self, row: Claimed) -> Made | Later | None:
        """The row's content; made now where it names a maker. None: nothing is left to say."""
        if row.expires_at is not None and row.expires_at <= self._clock.now():
            return None
        if row.maker is None:
            body = row.body or {}
            return Made(body.get("text", ""), body.get("choices", []), body.get("lettered", False))
        maker = self._makers[row.maker]
        made = await self._make(maker, row.args or {})
        if isinstance(made, Made) and not made.text and row.body:
            made.text = row.body.get("text", "")
        return made

    async def _make(self, maker: Maker, args: dict[str, Any]) -> Made | Later | None:
        if maker.is_slow:
            return await self._transactions.read_beside(lambda db: maker.make(db, args, self._clock.now()))
        async with self._making:  # those claimed together would hold the loop together
            made = await self._transactions.read(lambda db: maker.make(db, args, self._clock.now()))
            await asyncio.sleep(0)
            return made

    async def _send(self, channel: _Channel, row: Claimed, made: Made) -> None:
        message = _message(row, made)
        try:
            platform_id = await channel.platform.send(message)
        except Refused:
            platform_id = await channel.platform.send(_second_try(message))
        channel.got_through()
        self._sent.append((row.id, platform_id))
        if row.kind == "edit" and platform_id != row.target:
            self._outcomes.append(lambda db: outbox.follow(db, row.id, platform_id))
        if row.maker is not None:
            self._outcomes.append(lambda db: self._made_and_sent(db, row, made))
        if row.kind != "edit" and row.target is not None:
            strip = Message("strip", row.chat_id, target=row.target)
            task = asyncio.create_task(self._strip(channel, strip))
            self._loose.add(task)
            task.add_done_callback(self._loose.discard)

    def _made_and_sent(self, db: Session, row: Claimed, made: Made) -> None:
        maker = self._makers[row.maker or ""]
        if maker.sent is not None:
            maker.sent(db, row.args or {}, self._clock.now())
        if made.content is None:
            outbox.record_made(db, row.id, {"text": made.text, "choices": made.choices, "lettered": made.lettered})
        if made.choices:
            offer(db, row.account_id, made.choices)

    async def _strip(self, channel: _Channel, message: Message) -> None:
        """Old buttons end as well as can be; where that fails they still change nothing."""
        await channel.pacer.turn(None, urgent=False)
        try:
            await channel.platform.send(message)
        except TryLater as error:
            if error.after is not None:
                channel.pacer.pause(error.after.total_seconds())
        except SendFailed as error:
            log.debug("action=strip_failed reason=%s", error.reason)

    def _failed(self, channel: _Channel, row: Claimed, error: SendFailed) -> None:
        """The one place that decides what a failure means."""
        match error:
            case RecipientGone():
                self._outcomes.append(lambda db: _gone(db, row.account_id))
                log.info("action=recipient_gone account=%s reason=%s", row.account_id, error.reason)
            case Moved():
                self._outcomes.append(lambda db: outbox.move_chat(db, row.account_id, error.chat_id))
                self._later(row, timedelta(0), counts=False)
            case TryLater() if self._is_too_old(row):
                self._end(row, "dropped", "too_old")
            case TryLater(after=timedelta() as after):
                channel.pacer.pause(after.total_seconds())
                self._later(row, after, counts=False)
                log.warning("action=throttled channel=%s seconds=%s", row.channel, after.total_seconds())
            case TryLater():
                channel.failed(error.reason)
                self._later(row, timedelta(seconds=min(60, 2**row.attempts)))
            case _:
                self._end(row, "refused", error.reason)

    def _later(self, row: Claimed, after: timedelta, counts: bool = True) -> None:
        until = self._clock.now() + after
        self._outcomes.append(lambda db: outbox.record_later(db, row.id, until, counts))

    def _end(self, row: Claimed, state: str, reason: str) -> None:
        self._outcomes.append(lambda db: outbox.record_end(db, row.id, state))
        log.info("action=%s row=%s reason=%s", state, row.id, reason)

    async def _drain(self) -> None:
        if self._turning is not None:
            await asyncio.wait([self._turning], timeout=DRAIN)
            self._turning.cancel()
        running = [*self._tasks, *self._loose]
        if running:
            await asyncio.wait(running, timeout=DRAIN)
        unsent = [row.id for row in self._tasks.values()]
        for task in running:
            task.cancel()
        sent, outcomes, now = self._sent, self._outcomes, self._clock.now()

        def work(db: Session) -> None:
            self._record(db, sent, outcomes, now)
            outbox.release(db, unsent)

        try:
            async with asyncio.timeout(DRAIN):
                await self._transactions.write(work, bears=lambda tries, _others: tries < LAST_TRIES)
        except (GaveUp, TimeoutError):
            log.warning("action=not_recorded count=%s they will be sent again", len(sent))


def _claim(db: Session, places: int, for_reminders: int, now: datetime) -> list[Claimed]:
    rows = outbox.claim(db, outbox.REPLY, now, LEASE, places) if places > 0 else []
    left = min(for_reminders, places - len(rows))
    return rows + outbox.claim(db, outbox.REMINDER, now, LEASE, left) if left > 0 else rows


def _gone(db: Session, account_id: int) -> None:
    set_reachable(db, account_id, False)
    outbox.drop_chat(db, account_id)


def _message(row: Claimed, made: Made) -> Message:
    kind: Any = row.kind
    return Message(
        kind,
        row.chat_id,
        made.text,
        tuple(Choice(token, label) for token, label in made.choices),
        made.lettered,
        row.target if row.kind == "edit" else None,
        made.content,
        made.file_name,
        tuple((name, words) for name, words in (row.args or {}).get("commands", ())),
    )


def _second_try(message: Message) -> Message:
    """What was refused goes once more as plain text, an edit as a new message."""
    kind = "text" if message.kind == "edit" else message.kind
    return Message(
        kind,
        message.chat_id,
        message.text,
        message.choices,
        message.lettered,
        None,
        message.content,
        message.file_name,
        message.commands,
        plain=True,
    )
