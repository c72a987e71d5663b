"""The browser chat as a program meets it: over HTTP, without a browser."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from bot.browser import Browser
from bot.browser_chats import KEPT, Earlier
from bot.platform import Message, Refused, StartFailed
from messages import plain
from tests.browser_core import COMMANDS, HA, MONDAY, TAM, ZONE, Core, two_taps

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Core]:
    core = Core()
    async with core.running():
        yield core


@pytest.fixture
def core(running: Core) -> Core:
    """The same program for all tests, with new people whose chats are empty."""
    running.begin_again()
    return running


@pytest_asyncio.fixture(loop_scope="module")
async def client(core: Core) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(core, httpx.AsyncHTTPTransport()) as client:
        yield client


@pytest.fixture
def idle() -> Core:
    """Not served: asked without a network, which is quicker and enough where nothing stays open."""
    return Core()


@pytest_asyncio.fixture(loop_scope="module")
async def ask(idle: Core) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(idle, httpx.ASGITransport(idle.browser.application(idle.accept))) as client:
        yield client


def asking(core: Core, transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    origin = core.browser.address[:-1]
    return httpx.AsyncClient(transport=transport, base_url=origin, headers={"origin": origin}, timeout=5)


class Line:
    """What one open page is told, in order."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last_id = ""

    async def until(self, name: str) -> list[tuple[str, Any]]:
        """The events up to and with the next of that name."""
        events: list[tuple[str, Any]] = []
        event = ""
        async for line in self._lines:
            head, _, rest = line.partition(": ")
            if head == "id":
                self.last_id = rest
            elif head == "event":
                event = rest
            elif head == "data":
                events.append((event, json.loads(rest)))
                if event == name:
                    return events
        raise AssertionError(f"the line ended before {name}: {events}")

    async def next(self, name: str) -> Any:
        return (await self.until(name))[-1][1]


@asynccontextmanager
async def line(client: httpx.AsyncClient, chat: str, after: str = "") -> AsyncIterator[Line]:
    headers = {b"last-event-id": after.encode()}
    async with client.stream("GET", "/events", params={"chat": chat}, headers=headers) as answer:
        answer.raise_for_status()
        yield Line(answer.aiter_lines())


async def say(client: httpx.AsyncClient, text: str, chat: str = "tam", key: str = "") -> int:
    body = {"chat": chat, "text": text, "key": key or str(uuid4())}
    return (await client.post("/say", json=body)).status_code


async def unread(client: httpx.AsyncClient) -> dict[str, int]:
    groups = (await client.get("/people")).json()
    return {person["chat"]: person["unread"] for group in groups for person in group["people"]}


# Who may come in


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", ""])
async def test_it_listens_to_this_computer_alone(host: str) -> None:
    with pytest.raises(StartFailed, match="browser_not_loopback"):
        Browser((host, 0), list, ZONE)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080/"),
        ("localhost", "http://localhost:8080/"),
        ("::1", "http://[::1]:8080/"),
    ],
)
async def test_its_address_can_be_opened(host: str, address: str) -> None:
    assert Browser((host, 8080), list, ZONE).address == address


async def test_a_taken_port_is_named(core: Core) -> None:
    with pytest.raises(StartFailed, match="browser_port_taken"):
        await Browser(("127.0.0.1", core.browser.port), list, ZONE).start()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/", {"host": "evil.example:80"}, 403),
        ("GET", "/", {"host": "127.0.0.1"}, 403),
        ("GET", "/", {"sec-fetch-site": "cross-site"}, 200),
        ("GET", "/people", {"sec-fetch-site": "cross-site"}, 403),
        ("GET", "/people", {"sec-fetch-site": "same-site"}, 403),
        ("GET", "/people", {"sec-fetch-site": "same-origin"}, 200),
        ("GET", "/static/chat.js", {}, 200),
        ("GET", "/static/index.html", {}, 404),
        ("GET", "/static/..%2fbrowser.py", {}, 404),
        ("GET", "/file/guess", {}, 404),
        ("GET", "/events?chat=stranger", {}, 404),
        ("POST", "/say", {"origin": "http://evil.example"}, 403),
        ("POST", "/say", {"origin": "null"}, 403),
        ("POST", "/say", {"content-type": "text/plain"}, 415),
        ("POST", "/say", {"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
async def test_other_pages_of_the_same_browser_stay_outside(
    ask: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert (await ask.request(method, path, headers=headers)).status_code == status


async def test_a_post_without_an_origin_is_refused(idle: Core, ask: httpx.AsyncClient) -> None:
    del ask.headers["origin"]
    assert await say(ask, "chào") == 403
    assert idle.heard == []


async def test_the_page_may_load_nothing_from_elsewhere(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "//" not in answer.text.replace("</", "").replace("<!--", "")


KEY = "11111111-2222"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("", 400),
        ("[]", 400),
        ("{", 400),
        (json.dumps({"chat": "tam", "text": " ", "key": KEY}), 400),
        (json.dumps({"chat": "tam", "text": 5, "key": KEY}), 400),
        (json.dumps({"chat": "tam", "text": "\ud800", "key": KEY}), 400),
        (json.dumps({"chat": "tam", "text": "a"}), 400),
        (json.dumps({"chat": "tam", "text": "a", "key": "a b"}), 400),
        (json.dumps({"chat": ["tam"], "text": "a", "key": KEY}), 404),
        (json.dumps({"chat": "stranger", "text": "a", "key": KEY}), 404),
        (json.dumps({"chat": "tam", "text": "a" * 300_000, "key": KEY}), 413),
    ],
)
async def test_what_no_page_sends_is_refused(
    idle: Core, ask: httpx.AsyncClient, content: str, status: int
) -> None:
    answer = await ask.post("/say", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, idle.heard) == (status, [])


# Saying and tapping


async def test_what_is_said_is_accepted_before_it_is_acknowledged(idle: Core, ask: httpx.AsyncClient) -> None:
    assert await say(ask, " 1.250 <hồ sơ>\n", key=KEY) == 204
    [heard] = idle.heard
    assert (heard.kind, heard.chat_id, heard.text) == ("text", "tam", " 1.250 <hồ sơ>\n")
    assert (heard.message_key, heard.at, heard.sender_name) == (KEY, MONDAY, TAM.name)


async def test_a_resend_has_the_same_key_and_is_shown_once(core: Core, client: httpx.AsyncClient) -> None:
    assert [await say(client, "12", core.tam.chat_id, key=KEY) for _ in range(2)] == [204, 204]
    assert [heard.message_key for heard in core.heard] == [KEY]
    async with line(client, core.tam.chat_id) as page:
        talk = await page.next("talk")
    assert [(bubble["own"], bubble["html"]) for bubble in talk] == [(True, "12"), (False, "Đã nghe tin thứ 1.")]


async def test_a_tap_names_its_message_and_takes_its_place(core: Core, client: httpx.AsyncClient) -> None:
    asked = await core.send("text", text="Gửi?", choices=two_taps())
    async with line(client, core.tam.chat_id) as page:
        await page.next("ready")
        body = {"chat": core.tam.chat_id, "token": "s", "on_message": asked, "key": KEY}
        assert (await client.post("/tap", json=body)).status_code == 204
        bubble = await page.next("bubble")
    assert (core.heard[0].kind, core.heard[0].text, core.heard[0].on_message) == ("choice", "s", asked)
    assert (bubble["id"], bubble["html"], bubble["choices"]) == (asked, "Đã chọn <b>s</b>.", [])


async def test_messages_of_one_chat_are_accepted_in_order(idle: Core, ask: httpx.AsyncClient) -> None:
    idle.pause = 0.02
    said = [str(number) for number in range(5)]
    async with asyncio.TaskGroup() as group:
        for text in said:
            group.create_task(say(ask, text))
            await asyncio.sleep(0.005)
    assert [heard.text for heard in idle.heard] == said


async def test_the_page_is_told_that_the_bot_works(core: Core, client: httpx.AsyncClient) -> None:
    async with line(client, core.tam.chat_id) as page:
        await page.next("ready")
        await say(client, "chào", core.tam.chat_id)
        names = [(name, data) for name, data in await page.until("bubble") if name == "working"]
        names += [(name, data) for name, data in await page.until("bubble") if name == "working"]
        assert names == [("working", True)]
        assert await page.next("working") is False


# What a page is told


async def test_a_page_that_comes_back_gets_only_what_it_missed(core: Core, client: httpx.AsyncClient) -> None:
    first = await core.send("text", text="một", choices=two_taps())
    await core.send("text", text="hai")
    async with line(client, core.tam.chat_id) as page:
        assert len(await page.next("talk")) == 2
        await page.next("ready")
    await core.send("strip", target=first)
    await core.send("text", text="ba")
    async with line(client, core.tam.chat_id, after=page.last_id) as page:
        missed = [data for name, data in await page.until("ready") if name in ("bubble", "talk")]
    assert [(bubble["html"], bubble["choices"]) for bubble in missed] == [("một", []), ("ba", [])]


@pytest.mark.parametrize("after", ["", "another-run.3", "nonsense", "1.²"])
async def test_a_page_from_elsewhen_gets_the_whole_talk(core: Core, client: httpx.AsyncClient, after: str) -> None:
    await core.send("text", text="một")
    async with line(client, core.tam.chat_id, after=after) as page:
        assert [bubble["html"] for bubble in await page.next("talk")] == ["một"]


async def test_a_page_that_missed_too_much_gets_the_whole_talk(core: Core, client: httpx.AsyncClient) -> None:
    async with line(client, core.tam.chat_id) as page:
        await page.next("ready")
    for number in range(KEPT + 1):
        await core.send("text", text=str(number))
    async with line(client, core.tam.chat_id, after=page.last_id) as page:
        talk = await page.next("talk")
    assert [bubble["html"] for bubble in talk] == [str(number) for number in range(1, KEPT + 1)]


async def test_times_are_of_the_demo_clock_in_the_commune(core: Core, client: httpx.AsyncClient) -> None:
    await core.send("text", text="một")
    async with line(client, core.tam.chat_id) as page:
        [bubble] = await page.next("talk")
        clock = await page.next("clock")
    assert (bubble["day"], bubble["time"]) == ("Thứ Hai, 15/9/2025", "08:00")
    assert clock["text"] == "Thứ Hai, 15/9/2025 · 08:00"


async def test_what_was_said_before_a_restart_is_there(core: Core, client: httpx.AsyncClient) -> None:
    core.earlier = [Earlier("old-1", "Gửi?", two_taps(), MONDAY - timedelta(days=1))]
    assert await core.send("edit", text="Đã gửi.", target="old-1") == "old-1"
    async with line(client, core.tam.chat_id) as page:
        [bubble] = await page.next("talk")
    assert (bubble["id"], bubble["html"], bubble["day"]) == ("old-1", "Đã gửi.", "Chủ nhật, 14/9/2025")


async def test_an_edit_of_what_is_gone_is_refused(idle: Core) -> None:
    with pytest.raises(Refused):
        await idle.browser.send(Message("edit", "tam", text="x", target="never"))
    assert await idle.browser.send(Message("strip", "tam", target="never")) is None


async def test_commands_are_the_persons_until_a_menu_comes(core: Core, client: httpx.AsyncClient) -> None:
    async with line(client, core.tam.chat_id) as page:
        assert [command["name"] for command in await page.next("menu")] == [name for name, _ in COMMANDS]
        await page.next("ready")
        assert await core.send("menu", commands=(("huy", "Thôi"),)) is None
        assert await page.next("menu") == [{"name": "huy", "description": "Thôi"}]


async def test_files_are_fetched_by_an_id_nobody_guesses(core: Core, client: httpx.AsyncClient) -> None:
    await core.send("picture", text="Tiến độ", content=b"png")
    await core.send("document", content=b"docx", file_name="Báo cáo.docx")
    async with line(client, core.tam.chat_id) as page:
        files = [bubble["file"] for bubble in await page.next("talk")]
    picture, document = [await client.get(file["url"]) for file in files]
    assert (picture.content, picture.headers["content-type"]) == (b"png", "image/png")
    assert (document.content, document.headers["content-disposition"]) == (
        b"docx",
        "attachment; filename*=UTF-8''B%C3%A1o%20c%C3%A1o.docx",
    )
    assert all(len(file["url"]) >= 32 for file in files)


async def test_a_file_without_content_is_refused(idle: Core) -> None:
    with pytest.raises(Refused):
        await idle.browser.send(Message("document", "tam", file_name="a.docx"))


# Who there is to be


async def test_messages_are_unread_until_somebody_looks(core: Core, client: httpx.AsyncClient) -> None:
    async with line(client, core.tam.chat_id) as page:
        await page.next("ready")
        for chat_id in (core.ha.chat_id, core.ha.chat_id, core.tam.chat_id):
            await core.browser.send(Message("text", chat_id, text="Nhắc việc"))
        assert list((await unread(client)).values())[:3] == [0, 0, 2]
        async with line(client, core.ha.chat_id) as other:
            await other.next("ready")
            assert list((await unread(client)).values())[:3] == [0, 0, 0]


async def test_leaving_a_page_ends_looking(core: Core, client: httpx.AsyncClient) -> None:
    async with line(client, core.tam.chat_id) as page:
        await page.next("ready")
    async with asyncio.timeout(5):
        while (await unread(client))[core.tam.chat_id] == 0:
            await core.send("text", text="Nhắc việc")
            await asyncio.sleep(0.01)


async def test_somebody_new_can_always_come(idle: Core, ask: httpx.AsyncClient) -> None:
    assert list(await unread(ask)) == ["tam", "dung", "ha", "guest-1"]
    await say(ask, "/start ABC", chat="guest-1")
    assert idle.heard[0].sender_name is None
    assert list(await unread(ask)) == ["tam", "dung", "ha", "guest-1", "guest-2"]


async def test_who_has_joined_is_listed_without_a_reload(core: Core, client: httpx.AsyncClient) -> None:
    async with line(client, "guest-1") as page:
        await page.next("ready")
        core.people.append(replace(HA, chat_id="guest-1", name="Võ Văn Bảy"))
        await say(client, "Đồng ý", chat="guest-1")
        groups = await page.next("people")
    names = [[person["name"] for person in group["people"]] for group in groups]
    assert names[1:] == [["Đặng Thu Hà", "Võ Văn Bảy"], ["Người mới 2"]]


# The clock


@pytest.mark.parametrize(
    ("to", "status", "now"),
    [
        ("tomorrow", 204, "Thứ Ba, 16/9/2025 · 07:30"),
        ("next_rung", 204, "Thứ Năm, 18/9/2025 · 07:30"),
        ("2025-12-31", 204, "Thứ Tư, 31/12/2025 · 07:30"),
        ("2025-09-15", 409, "Thứ Hai, 15/9/2025 · 08:00"),
        ("2024-01-01", 409, "Thứ Hai, 15/9/2025 · 08:00"),
        ("2035-01-01", 409, "Thứ Hai, 15/9/2025 · 08:00"),
        ("0001-01-01", 409, "Thứ Hai, 15/9/2025 · 08:00"),
        ("hôm qua", 409, "Thứ Hai, 15/9/2025 · 08:00"),
        (None, 409, "Thứ Hai, 15/9/2025 · 08:00"),
    ],
)
async def test_the_clock_moves_on_and_never_back(
    idle: Core, ask: httpx.AsyncClient, to: str | None, status: int, now: str
) -> None:
    answer = await ask.post("/clock", json={"to": to})
    assert (answer.status_code, plain("page.clock", at=idle.clock.at.astimezone(ZONE))) == (status, now)
    assert status == 204 or answer.json()["say"]


async def test_every_page_sees_the_clock_move(core: Core, client: httpx.AsyncClient) -> None:
    core.clock.due = [core.tam.chat_id]
    async with line(client, core.tam.chat_id) as page:
        await page.next("ready")
        await client.post("/clock", json={"to": "tomorrow"})
        assert (await page.next("bubble"))["day"] == "Thứ Ba, 16/9/2025"
        assert (await page.next("clock"))["today"] == "2025-09-16"


async def test_without_a_demo_clock_there_is_nothing_to_move(idle: Core) -> None:
    browser = Browser(("127.0.0.1", 8080), list, ZONE)
    async with asking(idle, httpx.ASGITransport(browser.application(idle.accept))) as ask:
        assert (await ask.post("/clock", json={"to": "tomorrow"})).status_code == 404


# Stopping


async def test_it_stops_with_pages_open_and_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    core = Core()
    async with (
        core.running(),
        asking(core, httpx.AsyncHTTPTransport()) as client,
        line(client, core.tam.chat_id) as page,
    ):
        await page.next("ready")
        assert signal.getsignal(signal.SIGINT) is before
        await core.stop()
        with pytest.raises(AssertionError, match="the line ended"):
            await page.next("never")
