"""The pacer: how fast messages go, in a time that is simulated."""

from __future__ import annotations

import asyncio

import pytest

from bot.pacer import Pacer
from bot.platform import Limits
from tests.fakes import SimulatedTime, settle

TELEGRAM = Limits(overall=28.5, chat=1, chat_burst=5, group_per_minute=20)


class Crowd:
    """Messages that wait for their turn; `gone` tells which went when."""

    def __init__(self, limits: Limits) -> None:
        self.time = SimulatedTime()
        self.pacer = Pacer(limits, self.time.monotonic, self.time.sleep)
        self.gone: list[tuple[str, float]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def wants(self, chat_id: str | None, times: int = 1, urgent: bool = True) -> None:
        self._tasks += [asyncio.create_task(self._go(chat_id, urgent)) for _ in range(times)]

    def count(self, chat_id: str = "") -> int:
        return sum(chat.startswith(chat_id) for chat, _ in self.gone)

    async def _go(self, chat_id: str | None, urgent: bool) -> None:
        await self.pacer.turn(chat_id, urgent)
        self.gone.append((chat_id or "", self.time.now))


@pytest.fixture
async def crowd() -> Crowd:
    return Crowd(TELEGRAM)


async def test_all_together_keep_just_below_the_limit(crowd: Crowd) -> None:
    for chat in range(2000):
        crowd.wants(f"chat-{chat}")
    await crowd.time.passes(60)
    assert 0.95 * 30 * 60 <= crowd.count() <= 0.97 * 30 * 60


async def test_no_second_sees_more_than_the_platform_bears(crowd: Crowd) -> None:
    await crowd.time.passes(100)  # a quiet time before earns no burst
    for chat in range(200):
        crowd.wants(f"chat-{chat}")
    await crowd.time.passes(10)
    at = [moment for _, moment in crowd.gone]
    assert max(sum(start <= moment < start + 1 for moment in at) for start in at) <= 30


async def test_taking_buttons_away_keeps_the_common_pace_and_no_chats(crowd: Crowd) -> None:
    crowd.wants(None, times=57, urgent=False)
    await crowd.time.passes(1)
    assert crowd.count() in (28, 29)


async def test_a_chat_gets_five_at_once_and_then_one_a_second(crowd: Crowd) -> None:
    crowd.wants("one", times=20)
    await crowd.time.passes(0.5)
    assert crowd.count() == 5
    await crowd.time.passes(6)
    assert crowd.count() == 11


async def test_a_chat_that_was_quiet_has_its_five_again(crowd: Crowd) -> None:
    crowd.wants("one", times=5)
    await crowd.time.passes(60)
    crowd.wants("one", times=9)
    await crowd.time.passes(0.5)
    assert crowd.count() == 10


async def test_a_group_gets_twenty_in_any_minute(crowd: Crowd) -> None:
    await crowd.time.passes(300)
    crowd.wants("-100", times=50)
    await crowd.time.passes(59)
    assert crowd.count() == 20
    await crowd.time.passes(60)
    assert crowd.count() == 40


async def test_one_chat_does_not_hold_up_another(crowd: Crowd) -> None:
    crowd.wants("busy", times=30)
    crowd.wants("quiet")
    await crowd.time.passes(0.5)
    assert crowd.count("quiet") == 1


async def test_replies_go_before_reminders(crowd: Crowd) -> None:
    for chat in range(10):
        crowd.wants(f"reminder-{chat}", urgent=False)
        crowd.wants(f"answer-{chat}")
    await crowd.time.passes(10)
    assert crowd.count("answer") == crowd.count("reminder") == 10
    first = [chat.partition("-")[0] for chat, _ in crowd.gone[:11]]
    assert first.count("answer") >= 10  # one reminder may have gone before the first answer was there


async def test_messages_of_one_chat_keep_their_order_at_any_pace(crowd: Crowd) -> None:
    went: list[int] = []

    async def go(number: int) -> None:
        await crowd.pacer.turn("one", urgent=number % 2 == 0)
        went.append(number)

    tasks = [asyncio.create_task(go(number)) for number in range(5, 20)]
    await settle()
    await crowd.time.passes(30)
    assert went[5:] == sorted(went[5:])
    assert all(task.done() for task in tasks)


@pytest.mark.parametrize("limits", [TELEGRAM, Limits(0, 0, 5, 20)])
async def test_a_pause_holds_everybody(limits: Limits) -> None:
    crowd = Crowd(limits)
    crowd.pacer.pause(7)
    for chat in range(10):
        crowd.wants(f"chat-{chat}")
    await crowd.time.passes(6.9)
    assert crowd.count() == 0
    await crowd.time.passes(1)
    assert crowd.count() == 10


async def test_a_pause_in_the_middle_holds_those_who_wait_already(crowd: Crowd) -> None:
    for chat in range(100):
        crowd.wants(f"chat-{chat}")
    await crowd.time.passes(1)
    went = crowd.count()
    crowd.pacer.pause(5)
    crowd.pacer.pause(1)  # a shorter one does not end a longer one
    await crowd.time.passes(4.9)
    assert crowd.count() <= went
    await crowd.time.passes(60)
    assert crowd.count() == 100


async def test_zero_is_no_limit() -> None:
    crowd = Crowd(Limits(overall=0, chat=0, chat_burst=5, group_per_minute=20))
    crowd.wants("one", times=500)
    crowd.wants("-100", times=500)
    await settle()
    assert crowd.count() == 1000
    assert crowd.time.now == 0


async def test_whoever_gives_up_waiting_takes_no_turn(crowd: Crowd) -> None:
    crowd.pacer.pause(1)
    waiting = [asyncio.create_task(crowd.pacer.turn(f"chat-{chat}", True)) for chat in range(1000)]
    await settle()
    for task in waiting:
        task.cancel()
    crowd.wants("patient")
    await crowd.time.passes(1.1)
    assert crowd.count("patient") == 1


async def test_it_does_not_remember_every_chat_for_ever(crowd: Crowd) -> None:
    for chat in range(1100):
        crowd.wants(f"chat-{chat}")
    await crowd.time.passes(120)
    crowd.wants("last")
    await crowd.time.passes(1)
    assert len(crowd.pacer._chats) < 100
