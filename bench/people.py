"""Simulated people on the Bot API double: each writes on as soon as the answer has reached the server."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bench.echo import ASKS_FOR_BUTTON
from tests.botapi import BotApi, Heard, Person

FIGURE = "12"


@dataclass
class Tally:
    """What reached the server in a run, whoever it was for."""

    answers: list[tuple[float, float]] = field(default_factory=list)
    """(when it came, seconds since the person wrote)"""
    said: int = 0
    """All that was said, also what nobody waited for."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def between(self, start: float, end: float) -> list[float]:
        """The seconds of the answers that came in this window, in order of size."""
        return sorted(took for at, took in self.answers if start <= at < end)

    def notice(self) -> None:
        self.said += 1
        self._news.set()

    async def hears_within(self, seconds: float) -> bool:
        """Wait for something to be said; False when it stayed silent for so long."""
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        return self._news.is_set()


class Unexpected(Exception):
    """The program said something that has no place in the conversation; its results would mean nothing."""


class Caller(Person):
    """A person of the double whose answers are timed at the moment the server takes them."""

    def __init__(self, api: BotApi, id: int, tally: Tally) -> None:
        super().__init__(api, id, f"Người {id}")
        self.answers: list[Heard] = []
        """All that was said to this person; buttons taken away do not count as said."""
        self._tally = tally
        self._next: asyncio.Future[Heard] | None = None
        self._wrote_at = 0.0
        api.people[id] = self

    def takes(self, message: dict[str, Any], heard: Heard) -> dict[str, Any]:
        if heard.kind != "strip":
            now = time.perf_counter()
            is_news = self.is_news(heard)
            self.answers.append(heard)
            self._tally.notice()
            if is_news and self._next is not None and not self._next.done():
                self._tally.answers.append((now, now - self._wrote_at))
                self._next.set_result(heard)
        return super().takes(message, heard)

    def is_news(self, heard: Heard) -> bool:
        """False for what is no answer."""
        return True

    async def thinks(self) -> None:
        """Before every answer given."""

    async def answered(self, sending: Awaitable[int]) -> Heard:
        """Send this and wait for the answer."""
        self._next = asyncio.get_running_loop().create_future()
        self._wrote_at = time.perf_counter()
        await sending
        return await self._next

    async def reports(self, obligations: Iterable[int]) -> None:
        """Report one after another: /report, the figures, the last screen, the tap on Gửi."""
        for obligation in obligations:
            heard = await self.answered(self.says(f"/report {obligation}"))
            while "Đã gửi" not in heard.text:
                await self.thinks()
                heard = await self.answered(self._reply_to(heard))

    async def chats(self) -> None:
        """The same with the echo bot, without end: three texts and a tap, as in a report of two figures."""
        while True:
            for text in (FIGURE, FIGURE, ASKS_FOR_BUTTON):
                await self.answered(self.says(text))
            await self.answered(self.taps("Gửi"))

    async def types(self) -> None:
        """Texts alone, without end."""
        while True:
            await self.answered(self.says(FIGURE))

    def _reply_to(self, heard: Heard) -> Awaitable[int]:
        labels = [label for row in heard.buttons for label in row]
        if "Gửi" in labels:
            return self.taps("Gửi")
        if "Không phát sinh" in labels:
            return self.says(FIGURE)
        raise Unexpected(heard.text)
