"""What stands at the two borders in tests: a platform that fails as told, and a time that passes when told."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sqlmodel import col, select

from bot.assemble import MAKERS
from bot.clock import Clock
from bot.delivery import Delivery
from bot.platform import Accept, Limits, Message, SendFailed
from bot.transactions import Transactions
from storage import outbox
from storage.store import Store
from storage.tables import Account, Outgoing

CHANNEL = "browser"
NO_LIMITS = Limits(overall=0, chat=0, chat_burst=5, group_per_minute=0)
HANOI = timezone(timedelta(hours=7))


class Held:
    """The platform does not answer until it is let go, if ever."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()


Outcome = SendFailed | Held | None


class FakePlatform:
    """Keeps what it is sent. `fails(chat, …)` tells how the next sends to a chat go; then they succeed again."""

    channel = CHANNEL

    def __init__(self, limits: Limits = NO_LIMITS) -> None:
        self.limits = limits
        self.tried: list[Message] = []
        self.sent: list[Message] = []
        self._script: dict[str, deque[Outcome]] = {}
        self._ids = itertools.count(1)

    def fails(self, chat_id: str, *outcomes: Outcome) -> None:
        """One outcome for each coming send to the chat, None for success; "strip" means every chat's strips."""
        self._script.setdefault(chat_id, deque()).extend(outcomes)

    @property
    def texts(self) -> list[str]:
        """What was said, strips left out."""
        return [message.text for message in self.sent if message.kind != "strip"]

    async def start(self) -> str | None:
        return None

    async def listen(self, accept: Accept) -> None:
        await asyncio.Event().wait()

    async def send(self, message: Message) -> str | None:
        self.tried.append(message)
        script = self._script.get("strip" if message.kind == "strip" else message.chat_id)
        match script.popleft() if script else None:
            case Held() as held:
                await held.let_go.wait()
            case SendFailed() as failure:
                raise failure
        self.sent.append(message)
        if message.kind in ("strip", "menu"):
            return None
        return message.target or f"p{next(self._ids)}"

    async def close(self) -> None:
        pass


class SimulatedTime:
    """A clock for the pacer that jumps from one wake-up to the next."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._count), waiter))
        await waiter

    async def passes(self, seconds: float) -> None:
        """Let so much time go by, everybody waking in their turn."""
        until = self.now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            self.now, _, waiter = heapq.heappop(self._sleepers)
            if not waiter.done():
                waiter.set_result(None)
            await settle()
        self.now = until


async def settle() -> None:
    """Let everything run that can run now."""
    for _ in range(8):
        await asyncio.sleep(0)


async def until(done: Callable[[], bool]) -> None:
    """Wait for something to become so; a second or two without it are a failure."""
    for _ in range(1000):
        if done():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never became so")


@asynccontextmanager
async def delivering(store: Store, platform: FakePlatform, clock: Clock) -> AsyncIterator[Delivery]:
    """A delivery at work, as the program runs it; ended in order."""
    transactions = Transactions(store)
    delivery = Delivery(transactions, {platform.channel: platform}, MAKERS, clock)
    running = asyncio.create_task(delivery.run())
    try:
        yield delivery
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        transactions.close()


def local(day: int, hour: int = 7, minute: int = 30, month: int = 9, year: int = 2025) -> datetime:
    """An instant by the commune's wall clock, in UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=HANOI).astimezone(UTC)


def lay(store: Store, now: datetime, chat_id: str, text: str, **columns: Any) -> int:
    """Put a message for a chat into the outbox; a reply, unless `columns` say otherwise."""
    body = {"text": text, "choices": [], "lettered": False}
    with store.writing() as db:
        account = db.exec(select(Account).where(Account.chat_id == chat_id)).one()
        row = {"kind": "text", "priority": outbox.REPLY, "created_at": now, "body": body} | columns
        return outbox.put(db, organization_id=account.organization_id, account_id=account.id, **row)


def rows(store: Store) -> dict[int, Outgoing]:
    """The outbox as it stands, by id."""
    with store.reading() as db:
        return {row.id or 0: row for row in db.exec(select(Outgoing).order_by(col(Outgoing.id)))}


def account(store: Store, chat_id: str) -> Account:
    with store.reading() as db:
        return db.exec(select(Account).where(Account.chat_id == chat_id)).one()
