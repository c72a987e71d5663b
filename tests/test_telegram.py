"""Telegram over real HTTP, with the real client library, against the Bot API server of tests/botapi.py."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import NetworkError, TimedOut

from bot.platform import (
    Accept,
    Choice,
    Limits,
    Message,
    MessageKind,
    Moved,
    RecipientGone,
    Refused,
    SendFailed,
    StartFailed,
    TryLater,
)
from bot.telegram import Telegram
from bot.telegram_http import LeanRequest, environment_proxy
from bot.telegram_write import split
from handlers.incoming import Incoming
from tests.botapi import TOKEN, BotApi, without_markup

NOW = datetime(2025, 9, 10, 0, 30, tzinfo=UTC)
LIMITS = Limits(overall=30, chat=1, chat_burst=5, group_per_minute=20)
CONFIDENTIAL = "98,5 phần trăm"
SECRET = TOKEN.split(":")[1]
PNG = b"\x89PNG\r\n\x1a\n picture"


class Pauses(list[float]):
    """Stands in for sleeping: writes down how long, and goes on."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


class Inbox:
    """Accepts everything, and hands it out in order."""

    def __init__(self) -> None:
        self.taken: asyncio.Queue[Incoming] = asyncio.Queue()

    async def accept(self, incoming: Incoming) -> None:
        self.taken.put_nowait(incoming)

    async def next(self) -> Incoming:
        return await asyncio.wait_for(self.taken.get(), 5)


def telegram(api: BotApi, pauses: Pauses | None = None, token: str = TOKEN) -> Telegram:
    return Telegram(token, api.url, LIMITS, lambda: NOW, Pauses() if pauses is None else pauses)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        yield server


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def bot(api: BotApi, pauses: Pauses) -> AsyncIterator[Telegram]:
    platform = telegram(api, pauses)
    await platform.start()
    yield platform
    await platform.close()


@asynccontextmanager
async def listening(bot: Telegram, accept: Accept) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(bot.listen(accept))
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(fact: Callable[[], object]) -> None:
    for _ in range(5000):
        if fact():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not come to be")


# -- coming in -------------------------------------------------------------------------------------


async def test_what_a_person_types_arrives_as_typed_without_the_name_of_the_bot(
    api: BotApi, bot: Telegram
) -> None:
    inbox, before = Inbox(), datetime.now(UTC) - timedelta(seconds=2)
    async with listening(bot, inbox.accept):
        update = await api.person(7, "Lê An").says("/tasks@test_bot Q3 hello@example.org")
        heard = await inbox.next()
    assert heard == Incoming(
        "telegram", "7", str(update), "text", "/tasks Q3 hello@example.org", heard.at, None, "Lê An"
    )
    assert before < heard.at < datetime.now(UTC) + timedelta(seconds=2)


async def test_a_chat_keeps_its_order_and_does_not_hold_up_another(api: BotApi, bot: Telegram) -> None:
    order, other_is_done = list[str](), asyncio.Event()

    async def accept(incoming: Incoming) -> None:
        if incoming.text == "a1":
            await other_is_done.wait()
        order.append(incoming.text)
        if incoming.text == "b2":
            other_is_done.set()

    for text, person in [("a1", 7), ("a2", 7), ("b1", 8), ("a3", 7), ("b2", 8)]:
        await api.person(person).says(text)
    async with listening(bot, accept):
        await until(lambda: len(order) == 5)
    assert order == ["b1", "b2", "a1", "a2", "a3"]


async def test_a_message_is_acknowledged_only_when_it_was_accepted(api: BotApi, bot: Telegram) -> None:
    started, inbox = asyncio.Event(), Inbox()

    async def accept_that_is_killed(incoming: Incoming) -> None:
        started.set()
        await asyncio.Event().wait()

    update = await api.person(7).says("98,5")
    async with listening(bot, accept_that_is_killed):
        await asyncio.wait_for(started.wait(), 5)
    assert [raw["update_id"] for raw in api.pending] == [update]
    async with listening(bot, inbox.accept):
        assert (await inbox.next()).message_key == str(update)
        await until(lambda: not api.pending)


async def test_an_accept_that_gives_up_by_itself_ends_the_listening(api: BotApi, bot: Telegram) -> None:
    async def accept(incoming: Incoming) -> None:
        raise asyncio.CancelledError

    await api.person(7).says("98,5")
    with pytest.raises(asyncio.CancelledError):
        await bot.listen(accept)
    assert api.pending


async def test_what_could_not_be_accepted_comes_again(
    api: BotApi, bot: Telegram, pauses: Pauses, caplog: pytest.LogCaptureFixture
) -> None:
    inbox, is_first = Inbox(), True

    async def accept(incoming: Incoming) -> None:
        nonlocal is_first
        was_first, is_first = is_first, False
        if was_first:
            raise RuntimeError("contract broken")
        await inbox.accept(incoming)

    async with listening(bot, accept):
        await api.person(7).says("98,5")
        assert (await inbox.next()).text == "98,5"
    assert pauses == [1.0]
    assert "action=telegram_failed" in caplog.text


async def test_a_tap_brings_its_token_and_is_answered_once_it_is_accepted(api: BotApi, bot: Telegram) -> None:
    an, inbox, may_go_on = api.person(7), Inbox(), asyncio.Event()

    async def accept(incoming: Incoming) -> None:
        await inbox.accept(incoming)
        await may_go_on.wait()

    sent = await bot.send(Message("text", "7", "Gửi?", (Choice("d1:s2:send", "Gửi"), Choice("x", "Sửa"))))
    await an.hears("Gửi?")
    async with listening(bot, accept):
        await an.taps("Gửi")
        tap = await inbox.next()
        assert api.answered == []
        may_go_on.set()
        await until(lambda: api.answered)
    assert (tap.kind, tap.text, tap.on_message, tap.at) == ("choice", "d1:s2:send", sent, NOW)


async def test_a_tap_that_cannot_be_answered_any_more_does_no_harm(
    api: BotApi, bot: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    an, inbox = api.person(7), Inbox()
    api.fail("answerCallbackQuery", 400, "Bad Request: query is too old")
    await bot.send(Message("text", "7", "Gửi?", (Choice("yes", "Gửi"),)))
    async with listening(bot, inbox.accept):
        await an.taps("Gửi")
        await until(lambda: api.called("answerCallbackQuery"))
        await an.says("tiếp")
        assert [(await inbox.next()).text, (await inbox.next()).text] == ["yes", "tiếp"]
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


FILE = {"file_id": "f", "file_unique_id": "f", "duration": 1, "width": 1, "height": 1}
ORIGIN = {"type": "hidden_user", "date": 1757000000, "sender_user_name": "Ai đó"}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"sticker": FILE | {"is_animated": False, "is_video": False, "type": "regular"}}, "sticker"),
        ({"voice": FILE}, "voice"),
        ({"photo": [FILE], "caption": "98,5"}, "photo"),
        ({"document": FILE}, "document"),
        ({"video": FILE}, "video"),
        ({"contact": {"phone_number": "0", "first_name": "An"}}, "contact"),
        ({"location": {"latitude": 10.7, "longitude": 105.3}}, "location"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "other"),
        ({"text": "98,5", "forward_origin": ORIGIN}, "forward"),
        ({"text": "98,5", "forward_date": 1757000000}, "forward"),
        ({"text": "9" * 4001}, "too_long"),
    ],
)
async def test_what_cannot_be_read_is_named(
    api: BotApi, bot: Telegram, content: dict[str, Any], named: str
) -> None:
    inbox = Inbox()
    async with listening(bot, inbox.accept):
        await api.person(7).sends(**content)
        heard = await inbox.next()
    assert (heard.kind, heard.text) == ("other", named)


async def test_an_update_that_does_not_parse_is_set_aside_and_blocks_nobody(
    api: BotApi, bot: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    inbox, an = Inbox(), api.person(7)
    an_unknown_shape = api.deliver("message", {"chat": an.chat, "text": "mật"})
    await an.sends(text=["mật"])
    nobodys = api.deliver("message", {"chat": "?", "text": "mật"})
    api.deliver("message", {"chat": an.chat, "from": "?", "date": 1757000000, "text": "mật"})
    await an.says("98,5")
    async with listening(bot, inbox.accept):
        heard = {one.message_key: one for one in [await inbox.next() for _ in range(5)]}
        await until(lambda: not api.pending)
    first, second, odd, third, fourth = heard.values()
    assert odd.text == "unparsable"
    assert first == Incoming(
        "telegram", "7", str(an_unknown_shape), "other", "unparsable", NOW, unread=first.unread
    )
    assert (second.text, third.text, fourth.text) == ("unparsable", "98,5", "unparsable")
    assert (fourth.chat_id, fourth.message_key) == ("", str(nobodys))
    assert json.loads(first.unread or "")["message"] == {
        "chat": {"id": "int", "type": "str", "first_name": "str"},
        "text": "str",
    }
    assert f"update={nobodys}" in caplog.text
    assert "mật" not in caplog.text


async def test_groups_and_channels_are_left_alone(api: BotApi, bot: Telegram) -> None:
    inbox, an = Inbox(), api.person(7)
    group = {"id": -5, "type": "group", "title": "Tổ"}
    await an.sends(chat=group, text="/tasks")
    api.deliver("poll", {"id": "1", "question": "?"})
    api.deliver("channel_post", {"message_id": 1, "date": 1757000000, "chat": group, "text": "a"})
    await an.says("c")
    async with listening(bot, inbox.accept):
        assert (await inbox.next()).text == "c"
        await until(lambda: not api.pending)


async def test_an_edited_message_is_answered_as_what_cannot_be_taken(api: BotApi, bot: Telegram) -> None:
    inbox, an = Inbox(), api.person(7)
    await an.edits(1, "98")
    async with listening(bot, inbox.accept):
        heard = await inbox.next()
    assert (heard.kind, heard.text) == ("other", "edited")


async def test_somebody_who_blocks_the_bot_is_gone_and_may_come_back(api: BotApi, bot: Telegram) -> None:
    inbox, an = Inbox(), api.person(7)
    async with listening(bot, inbox.accept):
        await an.blocks()
        assert ((await inbox.next()).kind, an.has_blocked) == ("gone", True)
        await an.unblocks()
        assert (await inbox.next()).kind == "back"


async def test_a_second_program_on_the_same_token_is_named_once_and_outlasted(
    api: BotApi, bot: Telegram, pauses: Pauses, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox()
    api.fail("getUpdates", 409, "Conflict: terminated by other getUpdates request", times=3)
    async with listening(bot, inbox.accept):
        await api.person(7).says("98,5")
        assert (await inbox.next()).text == "98,5"
    assert pauses == [15.0, 15.0, 15.0]
    assert caplog.text.count("action=telegram_conflict") == 1


async def test_a_server_that_is_away_is_said_once_asked_ever_more_slowly_and_welcomed_back(
    api: BotApi, bot: Telegram, pauses: Pauses, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dondoc.telegram")
    inbox = Inbox()
    api.drop("getUpdates", "before", times=2)
    api.garbles("getUpdates", 502, b"<html>Bad Gateway</html>", times=3)
    api.garbles("getUpdates", 200, b"not JSON", times=2)
    api.fail("getUpdates", 429, "Too Many Requests: retry after 7", {"retry_after": 7})
    async with listening(bot, inbox.accept):
        await api.person(7).says("98,5")
        assert (await inbox.next()).text == "98,5"
        await until(lambda: "telegram_back" in caplog.text)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 7]
    assert caplog.text.count("action=telegram_unreachable") == 1


@pytest.mark.parametrize("status", [401, 404])
async def test_a_token_that_is_refused_ends_the_listening(api: BotApi, bot: Telegram, status: int) -> None:
    api.fail("getUpdates", status, "Unauthorized")
    with pytest.raises(StartFailed, match="telegram_token"):
        await bot.listen(Inbox().accept)


# -- starting and ending ---------------------------------------------------------------------------


async def test_starting_gives_the_joining_link_and_takes_a_webhook_away(api: BotApi) -> None:
    api.webhook = "https://example.org/hook"
    bot, inbox = telegram(api), Inbox()
    assert await bot.start() == "https://t.me/test_bot?start={code}"
    async with listening(bot, inbox.accept):
        await api.person(7).says("98,5")
        await inbox.next()
    await bot.close()


@pytest.mark.parametrize("token", ["123456:another", "no token at all"])
async def test_starting_with_a_wrong_token_fails(api: BotApi, token: str) -> None:
    bot = telegram(api, token=token)
    with pytest.raises(StartFailed, match="telegram_token"):
        await bot.start()
    await bot.close()


async def test_starting_waits_for_a_server_that_is_away_and_says_so_once(
    api: BotApi, pauses: Pauses, caplog: pytest.LogCaptureFixture
) -> None:
    bot = telegram(api, pauses)
    api.drop("getMe", "before")
    api.garbles("getMe", 200, b'{"ok": true}')
    api.fail("deleteWebhook", 500, "Internal Server Error")
    await bot.start()
    await bot.close()
    assert pauses == [1, 2, 4]
    assert caplog.text.count("action=telegram_unreachable") == 1


async def test_a_menu_that_is_refused_does_not_keep_it_from_starting(api: BotApi, pauses: Pauses) -> None:
    bot = telegram(api, pauses)
    api.fail("setMyCommands", 400, "Bad Request: unknown method")
    assert await bot.start() == "https://t.me/test_bot?start={code}"
    await bot.close()
    assert pauses == []


async def test_closing_lets_a_tap_be_answered_first(api: BotApi, bot: Telegram) -> None:
    an, inbox = api.person(7), Inbox()
    await bot.send(Message("text", "7", "Gửi?", (Choice("yes", "Gửi"),)))
    async with listening(bot, inbox.accept):
        await an.taps("Gửi")
        await inbox.next()
        await asyncio.sleep(0)
    await bot.close()
    assert len(api.answered) == 1


# -- going out -------------------------------------------------------------------------------------


async def test_a_text_goes_out_with_its_markup_and_short_buttons_side_by_side(api: BotApi, bot: Telegram) -> None:
    labels = ["Gửi", "Sửa", "Để sau", "Chưa có số liệu kỳ này", "Không phát sinh"]
    choices = tuple(Choice(str(number), label) for number, label in enumerate(labels))
    sent = await bot.send(Message("text", api_chat(api), "<b>Hồ sơ</b> &lt;30 ngày", choices))
    (heard,) = await api.person(7).hears()
    assert (heard.text, str(heard.message_id)) == ("Hồ sơ <30 ngày", sent)
    assert heard.buttons == [["Gửi", "Sửa"], ["Để sau"], ["Chưa có số liệu kỳ này"], ["Không phát sinh"]]
    assert api.called("sendMessage")[0]["link_preview_options"] == '{"is_disabled": true}'


def api_chat(api: BotApi) -> str:
    return str(api.person(7).id)


async def test_the_second_try_goes_out_plain(api: BotApi, bot: Telegram) -> None:
    await bot.send(Message("text", api_chat(api), "<b>Hồ sơ</b> &lt;30 ngày", plain=True))
    (heard,) = await api.person(7).hears()
    assert heard.text == "Hồ sơ <30 ngày"
    assert "parse_mode" not in api.called("sendMessage")[0]


async def test_a_long_text_is_split_at_lines_with_the_buttons_at_the_end(api: BotApi, bot: Telegram) -> None:
    lines = [f"{number}. Tỷ lệ hồ sơ giải quyết đúng hạn" for number in range(200)]
    sent = await bot.send(Message("text", api_chat(api), "\n".join(lines), (Choice("a", "Xem"),)))
    first, last = await api.person(7).hears(2)
    assert (first.text + "\n" + last.text).split("\n") == lines
    assert (first.buttons, last.buttons, str(last.message_id)) == ([], [["Xem"]], sent)


@given(st.lists(st.sampled_from(["<b>{}</b>", "<i>{}</i>", "{}", "{}\n", "&lt;{}"]), max_size=30), st.data())
def test_every_piece_of_a_split_text_is_whole_and_nothing_is_lost(shapes: list[str], data: st.DataObject) -> None:
    word = st.sampled_from(["đúng hạn", "12", "🎯" * 9, "x" * 70, "chưa có số liệu\nkỳ này"])
    text = "".join(shape.format(data.draw(word)) for shape in shapes)
    pieces = split(text, limit=64)
    read = [without_markup(piece) for piece in pieces]
    assert all(len(piece.encode("utf-16-le")) <= 128 for piece in pieces)
    assert "".join("".join(read).split()) == "".join(without_markup(text).split())


async def test_a_message_is_replaced_in_place(api: BotApi, bot: Telegram) -> None:
    sent = await bot.send(Message("text", api_chat(api), "Chọn", (Choice("a", "Một"),)))
    assert await bot.send(Message("edit", "7", "<i>Đã chọn</i>", target=sent)) == sent
    asked, changed = await api.person(7).hears(2)
    assert asked.message_id == changed.message_id
    assert (changed.kind, changed.text, changed.buttons) == ("edit", "Đã chọn", [])


async def test_what_is_already_so_counts_as_done(api: BotApi, bot: Telegram) -> None:
    sent = await bot.send(Message("text", api_chat(api), "Chọn", (Choice("a", "Một"),)))
    same = Message("edit", "7", "Chọn", (Choice("a", "Một"),), target=sent)
    assert await bot.send(same) == sent
    strip = Message("strip", "7", target=sent)
    assert [await bot.send(strip), await bot.send(strip)] == [None, None]
    assert await bot.send(Message("strip", "7", target="999")) is None
    assert [heard.kind for heard in api.person(7).heard] == ["text", "strip"]


@pytest.mark.parametrize(
    ("kind", "heard_as", "name", "content"),
    [
        ("picture", "picture", None, PNG),
        ("document", "document", "Báo cáo quý III 2025.docx", b"\x00docx" * 100_000),
    ],
)
async def test_files_arrive_as_they_were(
    api: BotApi, bot: Telegram, kind: MessageKind, heard_as: str, name: str | None, content: bytes
) -> None:
    choices = (Choice("a", "Xem"),)
    file = Message(kind, api_chat(api), "Kết quả <b>9</b>", choices, content=content, file_name=name)
    sent = await bot.send(file)
    (heard,) = await api.person(7).hears()
    assert (heard.kind, heard.text, heard.content, heard.file_name) == (heard_as, "Kết quả 9", content, name)
    assert (str(heard.message_id), heard.buttons) == (sent, [["Xem"]])


async def test_each_chat_has_its_own_menu(api: BotApi, bot: Telegram) -> None:
    menu = Message("menu", api_chat(api), commands=(("tasks", "Việc của đơn vị"), ("help", "Trợ giúp")))
    assert await bot.send(menu) is None
    assert api.menus["7"] == [
        {"command": "tasks", "description": "Việc của đơn vị"},
        {"command": "help", "description": "Trợ giúp"},
    ]
    assert [command["command"] for command in api.menus["default"]] == ["start", "help"]  # for strangers


@pytest.mark.parametrize(
    ("status", "description", "parameters", "expected"),
    [
        (403, "Forbidden: bot was blocked by the user", None, RecipientGone("")),
        (403, "Forbidden: user is deactivated", None, RecipientGone("")),
        (403, "Forbidden: bot was kicked from the group chat", None, RecipientGone("")),
        (400, "Bad Request: chat not found", None, RecipientGone("")),
        (400, "Bad Request: group chat was upgraded", {"migrate_to_chat_id": -1009}, Moved("-1009")),
        (400, "Bad Request: can't parse entities: <mật>", None, Refused("")),
        (400, "Bad Request: message is too long", None, Refused("")),
        (413, "Request Entity Too Large", None, Refused("")),
        (429, "Too Many Requests", {"retry_after": 7}, TryLater("", timedelta(seconds=7))),
        (429, "Too Many Requests", None, TryLater("")),
        (500, "Internal Server Error", None, TryLater("")),
        (502, "Bad Gateway", None, TryLater("")),
        (401, "Unauthorized", None, TryLater("")),
    ],
)
async def test_each_refusal_has_its_meaning(
    api: BotApi,
    bot: Telegram,
    status: int,
    description: str,
    parameters: dict[str, int] | None,
    expected: SendFailed,
) -> None:
    api.fail("sendMessage", status, description, parameters)
    with pytest.raises(SendFailed) as failed:
        await bot.send(Message("text", api_chat(api), "Xin chào"))
    assert type(failed.value) is type(expected)
    assert getattr(failed.value, "after", None) == getattr(expected, "after", None)
    assert getattr(failed.value, "chat_id", None) == getattr(expected, "chat_id", None)
    assert "mật" not in failed.value.reason


async def test_a_stranger_and_a_blocker_are_gone(api: BotApi, bot: Telegram) -> None:
    await api.person(8).blocks()
    for chat_id in ("8", "999"):
        with pytest.raises(RecipientGone):
            await bot.send(Message("text", chat_id, "Xin chào"))


@pytest.mark.parametrize(("when", "arrivals"), [("before", 0), ("after", 1)])
async def test_a_lost_connection_means_later_whether_or_not_the_message_arrived(
    api: BotApi, bot: Telegram, when: Any, arrivals: int
) -> None:
    api.drop("sendMessage", when)
    with pytest.raises(TryLater) as failed:
        await bot.send(Message("text", api_chat(api), "Xin chào"))
    assert failed.value.after is None
    assert len(api.person(7).heard) == arrivals


@pytest.mark.parametrize(
    ("status", "body"), [(502, b"<html></html>"), (302, b""), (200, b"<html></html>"), (200, b"[]"), (200, b"{}")]
)
async def test_an_answer_that_is_not_the_bot_apis_means_later(
    api: BotApi, bot: Telegram, status: int, body: bytes
) -> None:
    api.garbles("sendMessage", status, body)
    with pytest.raises(TryLater):
        await bot.send(Message("text", api_chat(api), "Xin chào"))


# -- the token -------------------------------------------------------------------------------------


def everything_about(error: BaseException | None) -> str:
    told = ""
    while error:
        told += repr(error) + str(error) + "".join(traceback.format_exception(error))
        error = error.__cause__ or error.__context__
    return told


PAGE = f"<html>/bot{TOKEN}/sendMessage was not found here</html>".encode()
FAULTS: list[Callable[[BotApi, str], None]] = [
    lambda api, method: api.drop(method, "before"),
    lambda api, method: api.drop(method, "after"),
    lambda api, method: api.fail(method, 401, "Unauthorized"),
    lambda api, method: api.fail(method, 404, "Not Found"),
    lambda api, method: api.fail(method, 400, "Bad Request: message is too long"),
    lambda api, method: api.fail(method, 429, "Too Many Requests", {"retry_after": 1}),
    lambda api, method: api.garbles(method, 404, PAGE),
    lambda api, method: api.garbles(method, 502, PAGE),
    lambda api, method: api.garbles(method, 200, PAGE),
    lambda api, method: api.garbles(method, 302, PAGE),
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_failure_of_sending_tells_the_token_or_the_message(
    api: BotApi, bot: Telegram, caplog: pytest.LogCaptureFixture, fault: Callable[[BotApi, str], None]
) -> None:
    caplog.set_level(logging.DEBUG)
    fault(api, "sendMessage")
    with pytest.raises(SendFailed) as failed:
        await bot.send(Message("text", api_chat(api), CONFIDENTIAL))
    told = everything_about(failed.value) + caplog.text
    assert SECRET not in told
    assert CONFIDENTIAL not in told


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_failure_of_listening_tells_the_token_or_the_message(
    api: BotApi, bot: Telegram, caplog: pytest.LogCaptureFixture, fault: Callable[[BotApi, str], None]
) -> None:
    async def accept(incoming: Incoming) -> None:
        raise asyncio.CancelledError

    caplog.set_level(logging.DEBUG)
    fault(api, "getUpdates")
    await api.person(7).says(CONFIDENTIAL)
    with pytest.raises((StartFailed, asyncio.CancelledError)) as ended:
        await bot.listen(accept)
    told = everything_about(ended.value) + caplog.text
    assert SECRET not in told
    assert CONFIDENTIAL not in told


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no.such.host.invalid", "localhost", "http://["])
async def test_a_server_that_cannot_be_reached_does_not_tell_the_token(
    caplog: pytest.LogCaptureFixture, url: str
) -> None:
    caplog.set_level(logging.DEBUG)
    request = LeanRequest(1)
    await request.initialize()
    with pytest.raises(NetworkError) as failed:
        await request.post(f"{url}/bot{TOKEN}/getMe")
    await request.shutdown()
    assert SECRET not in everything_about(failed.value) + caplog.text


# -- the request class -----------------------------------------------------------------------------


@asynccontextmanager
async def library(api: BotApi, request: LeanRequest) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, f"{api.url}/bot", request=request, get_updates_request=LeanRequest(1)) as bot:
        yield bot


async def test_the_librarys_own_methods_work_over_the_lean_request(api: BotApi) -> None:
    api.person(7)
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("Một", callback_data="1")]])
    async with library(api, LeanRequest(4)) as bot:
        await api.person(7).says("chào")
        (update,) = await bot.get_updates(timeout=timedelta(seconds=1))
        asked = await bot.send_message(7, "Chọn & gửi", reply_markup=markup)
        await bot.edit_message_text("Đã chọn", 7, asked.message_id)
        await bot.send_photo(7, PNG, caption="Hình")
        await bot.send_document(7, b"docx", filename="a.docx")
        assert await bot.set_my_commands([BotCommand("help", "Trợ giúp")])
        assert b"test_bot" in await bot.request.retrieve(f"{api.url}/bot{TOKEN}/getMe")
    assert update.message is not None
    assert update.message.text == "chào"
    assert [heard.kind for heard in api.person(7).heard] == ["text", "edit", "picture", "document"]


async def test_an_answer_that_takes_too_long_is_timed_out(api: BotApi) -> None:
    async with library(api, LeanRequest(1)) as bot:
        api.latency = 20
        with pytest.raises(TimedOut):
            await bot.send_message(7, "Xin chào", read_timeout=0.02)


async def test_a_closed_request_refuses_and_closes_again(api: BotApi) -> None:
    request = LeanRequest(1)
    await request.initialize()
    await request.shutdown()
    await request.shutdown()
    with pytest.raises(NetworkError):
        await request.post(f"{api.url}/bot{TOKEN}/getMe")


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https://api.telegram.org", {}, None),
        ("https://api.telegram.org", {"https_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://api.telegram.org", {"http_proxy": "http://proxy:3128"}, None),
        ("https://api.telegram.org", {"https_proxy": "http://proxy:3128", "no_proxy": "telegram.org"}, None),
        ("http://127.0.0.1:8081", {"http_proxy": "http://proxy:3128"}, None),
        ("http://localhost:8081", {"http_proxy": "http://proxy:3128"}, None),
    ],
)
def test_the_proxy_of_the_environment_is_found(
    monkeypatch: pytest.MonkeyPatch, url: str, environment: dict[str, str], proxy: str | None
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(url) == proxy


async def test_requests_go_through_the_proxy(api: BotApi) -> None:
    request = LeanRequest(1, proxy=api.url)
    await request.initialize()
    assert await request.post(f"http://telegram.invalid/bot{TOKEN}/getMe") == api.bot
    await request.shutdown()
