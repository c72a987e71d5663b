"""Keeping a platform's limits: one pace for all, one for each chat, and one shared pause."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import time
from collections.abc import Awaitable, Callable

from bot.platform import Limits

FORGET_AFTER = 1000
CATCH_UP = 0.02
"""Seconds of turns that are made up for when the event loop was late: less than half the twentieth by which the
pace stays below the platform's limit; the rest is for what the network delays."""


class Pacer:
    """`await turn(…)` returns when the next message may go; the urgent ones first."""

    def __init__(
        self,
        limits: Limits,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._sleep = sleep
        self._next = 0.0
        self._paused_until = 0.0
        self._chats: dict[str, float] = {}
        self._queue: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._count = itertools.count()
        self._pump: asyncio.Task[None] | None = None

    async def turn(self, chat_id: str | None, urgent: bool) -> None:
        """Wait for this chat's pace (None: for no chat's), then for the common one."""
        if chat_id is not None:
            await self._chat_turn(chat_id)
        if not self._limits.overall and self._paused_until <= self._monotonic():
            return
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (not urgent, next(self._count), waiter))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run())
        await waiter

    def pause(self, seconds: float) -> None:
        """Nobody writes for so long (the platform said 429)."""
        self._paused_until = max(self._paused_until, self._monotonic() + seconds)

    async def _chat_turn(self, chat_id: str) -> None:
        is_group = chat_id.startswith("-")
        rate = self._limits.group_per_minute / 60 if is_group else self._limits.chat
        if not self._limits.chat or not rate:
            return
        burst = 1 if is_group else self._limits.chat_burst  # a group's limit is on every minute
        now = self._monotonic()
        at = max(self._chats.get(chat_id, -math.inf), now - (burst - 1) / rate)
        self._chats[chat_id] = at + 1 / rate
        if len(self._chats) > FORGET_AFTER:
            self._chats = {chat: until for chat, until in self._chats.items() if until > now - 60}
        if at > now:
            await self._sleep(at - now)

    async def _run(self) -> None:
        while self._queue:
            now = self._monotonic()
            ready = max(self._next, self._paused_until)
            if ready > now:
                await self._sleep(ready - now)
                continue
            _, _, waiter = heapq.heappop(self._queue)
            if waiter.cancelled():
                continue
            if self._limits.overall:
                late = max(CATCH_UP, 1 / self._limits.overall)
                self._next = max(self._next, now - late) + 1 / self._limits.overall
            waiter.set_result(None)
