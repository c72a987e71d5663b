"""The Bot API server of the tests is as strict as the real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.botapi import TOKEN, ApiError, BotApi, Limits

KEYBOARD = {"inline_keyboard": [[{"text": "Một", "callback_data": "1"}]]}
TOO_MUCH = {"inline_keyboard": [[{"text": "Một", "callback_data": "ộ" * 22}]]}


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        server.person(7)
        yield server


async def post(api: BotApi, method: str, token: str = TOKEN, **params: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{api.url}/bot{token}/{method}", json=params) as response,
    ):
        answer = await response.json()
        return response.status, answer.get("result", answer.get("description"))


@pytest.mark.parametrize(
    ("method", "params", "description"),
    [
        ("sendMessage", {"chat_id": 8, "text": "a"}, "chat not found"),
        ("sendMessage", {"chat_id": 7, "text": " "}, "message text is empty"),
        ("sendMessage", {"chat_id": 7, "text": "a" * 4097}, "message is too long"),
        ("sendMessage", {"chat_id": 7, "text": "🎯" * 2049}, "message is too long"),
        ("sendMessage", {"chat_id": 7, "text": "a < b", "parse_mode": "HTML"}, "can't parse entities"),
        ("sendMessage", {"chat_id": 7, "text": "<p>a</p>", "parse_mode": "HTML"}, "can't parse entities"),
        ("sendMessage", {"chat_id": 7, "text": "<b>a</i>", "parse_mode": "HTML"}, "can't parse entities"),
        ("sendMessage", {"chat_id": 7, "text": "<b>a", "parse_mode": "HTML"}, "can't parse entities"),
        ("sendMessage", {"chat_id": 7, "text": "a", "reply_markup": TOO_MUCH}, "BUTTON_DATA_INVALID"),
        ("sendMessage", {"chat_id": 7, "text": "a", "reply_markup": "{"}, "can't parse JSON object"),
        ("sendPhoto", {"chat_id": 7}, "there is no photo in the request"),
        ("sendDocument", {"chat_id": 7, "document": "x"}, "wrong file identifier"),
        ("editMessageText", {"chat_id": 7, "message_id": 99, "text": "a"}, "message to edit not found"),
        ("answerCallbackQuery", {"callback_query_id": "9"}, "query is too old"),
        ("setMyCommands", {"commands": [{"command": "Việc", "description": "a"}]}, "BOT_COMMAND_INVALID"),
    ],
)
async def test_what_the_real_server_refuses_is_refused(
    api: BotApi, method: str, params: dict[str, Any], description: str
) -> None:
    status, said = await post(api, method, **params)
    assert status == 400
    assert said.startswith(f"Bad Request: {description}")


@pytest.mark.parametrize(("token", "status"), [("123456:wrong", 401), ("nonsense", 404)])
async def test_a_wrong_token_is_refused(api: BotApi, token: str, status: int) -> None:
    assert (await post(api, "getMe", token))[0] == status


async def test_an_update_stays_until_the_offset_passes_it(api: BotApi) -> None:
    first, second = await api.person(7).says("a"), await api.person(7).says("b")

    async def asked(**params: Any) -> list[int]:
        return [update["update_id"] for update in (await post(api, "getUpdates", **params))[1]]

    assert await asked() == [first, second]
    assert await asked(limit=1) == [first]
    assert await asked(offset=second) == [second]
    assert await asked(offset=second + 1) == []


async def test_a_second_poller_ends_the_first_and_a_webhook_ends_both(api: BotApi) -> None:
    first = asyncio.create_task(post(api, "getUpdates", timeout=30))
    await api.polled.wait()
    second = asyncio.create_task(post(api, "getUpdates", timeout=30))
    assert (await first)[0] == 409
    await api.person(7).says("a")
    assert (await second)[0] == 200
    await post(api, "setWebhook", url="https://example.org/hook")
    assert (await post(api, "getUpdates"))[0] == 409


async def test_a_message_edited_to_the_same_is_refused(api: BotApi) -> None:
    _, sent = await post(api, "sendMessage", chat_id=7, text="a", reply_markup=KEYBOARD)
    edit: dict[str, Any] = {"chat_id": 7, "message_id": sent["message_id"], "text": "a"}
    status, said = await post(api, "editMessageText", **edit, reply_markup=json.dumps(KEYBOARD))
    assert (status, "message is not modified" in said) == (400, True)
    assert (await post(api, "editMessageText", **edit))[0] == 200


async def test_it_can_be_played_by_hand(api: BotApi) -> None:
    await post(api, "sendMessage", chat_id=7, text="Chọn", reply_markup=KEYBOARD)
    async with aiohttp.ClientSession() as session:
        await session.post(f"{api.url}/people/7/says", data="chào".encode())
        await session.post(f"{api.url}/people/7/taps", data="Một".encode())
        async with session.get(f"{api.url}/people/7/heard") as heard:
            assert [event["text"] for event in await heard.json()] == ["Chọn"]
    assert api.pending[0]["message"]["text"] == "chào"
    assert api.pending[1]["callback_query"]["data"] == "1"


def refusals(limits: Limits, *calls: tuple[float, str], method: str = "sendmessage") -> list[int]:
    """What each call, made at this second to this chat, is told to wait; 0 when it is taken."""
    waits = []
    for at, chat_id in calls:
        try:
            limits.check(method, chat_id, at)
            waits.append(0)
        except ApiError as error:
            waits.append((error.parameters or {})["retry_after"])
    return waits


def test_more_than_the_limit_within_a_second_closes_the_server_for_whole_seconds() -> None:
    limits = Limits(overall=2)
    assert refusals(limits, (0.0, "1"), (0.4, "2"), (0.9, "3"), (1.5, "4"), (1.9, "5")) == [0, 0, 1, 1, 0]
    assert limits.refused == 2


def test_one_chat_bears_a_burst_and_then_one_a_second() -> None:
    limits = Limits(burst=2)
    calls = ((0.0, "1"), (0.1, "1"), (0.2, "1"), (0.3, "2"), (1.1, "1"), (1.2, "1"), (9.0, "1"), (9.0, "1"))
    assert refusals(limits, *calls) == [0, 0, 1, 0, 1, 0, 0, 0]
    assert refusals(limits, *[(20.0, "1")] * 9, method="editmessagereplymarkup") == [0] * 9


async def test_who_keeps_no_pace_is_refused() -> None:
    async with BotApi(limits=Limits(overall=1)) as api:
        api.person(7)
        assert [(await post(api, "sendMessage", chat_id=7, text="a"))[0] for _ in range(2)] == [200, 429]
        assert (await post(api, "getMe"))[0] == 200


async def test_a_fault_lasts_until_it_is_mended(api: BotApi) -> None:
    api.fail("getMe", 502, "Bad Gateway", times=100)
    assert [(await post(api, "getMe"))[0] for _ in range(2)] == [502, 502]
    api.mend()
    assert (await post(api, "getMe"))[0] == 200
