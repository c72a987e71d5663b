"""A small core behind the browser chat: it answers in the loop, so that the page can be tried by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from bot.browser import Browser
from bot.browser_chats import Earlier, Person
from bot.platform import Choice, Message, MessageKind
from handlers.incoming import Incoming

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = datetime(2025, 9, 15, 1, 0, tzinfo=UTC)
COMMANDS = (("baocao", "Báo cáo số liệu"), ("tonghop", "Tổng hợp"))
TAM = Person("tam", "Lê Minh Tâm", "staff", "Cán bộ đầu mối", "Phòng Kinh tế", COMMANDS)
DUNG = Person("dung", "Phạm Quốc Dũng", "head", "Thủ trưởng", "Phòng Kinh tế")
HA = Person("ha", "Đặng Thu Hà", "coordinator", "Người điều phối", "Phòng Văn hóa – Xã hội")


@dataclass
class Clock:
    """A demo clock that wakes `due` people when it is moved."""

    at: datetime = MONDAY
    due: Sequence[str] = ()
    browser: Browser | None = None

    def now(self) -> datetime:
        return self.at

    async def move_to(self, at: datetime) -> None:
        self.at = at
        assert self.browser is not None
        for chat_id in self.due:
            await self.browser.send(Message("text", chat_id, text="Đến hạn báo cáo."))

    def choices(self) -> list[tuple[str, datetime]]:
        morning = self.at.replace(hour=0, minute=30)
        return [("tomorrow", morning + timedelta(days=1)), ("next_rung", morning + timedelta(days=3))]


@dataclass
class Core:
    """Says back what it heard, with two taps; a tap takes the place of its message. `pause` makes it slow."""

    clock: Clock = field(default_factory=Clock)
    people: list[Person] = field(default_factory=lambda: [TAM, DUNG, HA])
    earlier: Sequence[Earlier] = ()
    heard: list[Incoming] = field(default_factory=list)
    pause: float = 0
    numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.tam, self.dung, self.ha = self.people
        self.make(port=8080)

    def begin_again(self) -> None:
        """Nothing heard yet, the first day, and other people whose chats are empty."""
        self.heard.clear()
        self.pause, self.earlier = 0, ()
        self.clock.at, self.clock.due = MONDAY, ()
        number = next(self.numbers)
        self.people = [replace(who, chat_id=f"{who.chat_id}-{number}") for who in (TAM, DUNG, HA)]
        self.tam, self.dung, self.ha = self.people

    def make(self, port: int) -> None:
        """A browser chat that has not started yet."""
        self.browser = self.clock.browser = Browser(
            ("127.0.0.1", port), lambda: self.people, ZONE, self.clock, lambda chat_id: self.earlier
        )

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[Browser]:
        """It is served, by default on any free port."""
        self.make(port)
        await self.browser.start()
        self.listening = asyncio.create_task(self.browser.listen(self.accept))
        try:
            yield self.browser
        finally:
            await self.stop()

    async def stop(self) -> None:
        """As when the program ends."""
        self.listening.cancel()
        await asyncio.wait([self.listening])
        await self.browser.close()

    async def send(self, kind: MessageKind, **facts: Any) -> str | None:
        """Something for Lê Minh Tâm."""
        return await self.browser.send(Message(kind, self.tam.chat_id, **facts))

    async def accept(self, incoming: Incoming) -> None:
        await asyncio.sleep(self.pause)
        if incoming.message_key in {known.message_key for known in self.heard}:
            return
        self.heard.append(incoming)
        if incoming.kind == "choice":
            chosen = f"Đã chọn <b>{incoming.text}</b>."
            await self.browser.send(Message("edit", incoming.chat_id, text=chosen, target=incoming.on_message))
        else:
            answer = f"Đã nghe tin thứ {len(self.heard)}."
            await self.browser.send(Message("text", incoming.chat_id, text=answer, choices=two_taps()))


def two_taps() -> tuple[Choice, ...]:
    return Choice("s", "Gửi đi"), Choice("l", "Để sau")
