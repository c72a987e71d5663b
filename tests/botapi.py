"""A small Telegram Bot API server with people in it, for tests, benchmarks and use by hand.

It answers like the real one, refusals included. In a test: `async with BotApi() as api`, then
`an = api.person(7, "An")`, `await an.says("/tasks")`, `await an.hears("Việc")`, `await an.taps("Gửi")`.
On its own: `python -m tests.botapi --port 8081 --latency-ms 50`, and then for person 7

    curl -d '/start' http://127.0.0.1:8081/people/7/says
    curl -d 'Gửi'    http://127.0.0.1:8081/people/7/taps
    curl             http://127.0.0.1:8081/people/7/heard
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import html
import json
import math
import re
import socket
import struct
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

from aiohttp import web

TOKEN = "123456:a-token-for-tests-only-0123456789"
TAG = re.compile(r"</?(b|strong|i|em|u|ins|s|strike|del|code|pre|a|span|tg-spoiler|blockquote)(?: [^<>]*)?>")
SCOPES = frozenset(("default", "all_private_chats", "all_group_chats", "chat"))
IMAGES = (b"\x89PNG\r\n", b"\xff\xd8")
UPLOAD_LIMIT = 50 * 1024 * 1024
NEW_MESSAGES = frozenset(("sendmessage", "sendphoto", "senddocument"))
PACED = NEW_MESSAGES | {"editmessagetext", "editmessagereplymarkup"}

Json = dict[str, Any]


class ApiError(Exception):
    """What the server answers instead of a result."""

    def __init__(self, status: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


def bad(what: str) -> ApiError:
    return ApiError(400, f"Bad Request: {what}")


@dataclass(frozen=True)
class Call:
    """One call the bot made; `at` is time.monotonic()."""

    method: str
    params: Json
    at: float


@dataclass(frozen=True)
class Heard:
    """What a person saw happen: `text` as read, without markup, and the labels of the `buttons` by row."""

    kind: Literal["text", "edit", "strip", "picture", "document"]
    message_id: int
    text: str
    buttons: list[list[str]] = field(default_factory=list)
    content: bytes | None = None
    file_name: str | None = None


@dataclass
class Fault:
    """One thing to go wrong: an answer (status, body), or a reset before or after the call is done."""

    drop: Literal["before", "after"] | None = None
    status: int = 0
    body: bytes = b""


class Limits:
    """The pace the server bears: `overall` messages within any second; in one chat `burst` new ones at once and
    then one a second. Who goes faster gets 429, and so does everything until the pause named there is over.
    """

    def __init__(self, overall: int = 30, burst: int = 5) -> None:
        self.overall = overall
        self.burst = burst
        self.refused = 0
        self._taken: deque[float] = deque()
        self._chats: dict[str, float] = {}
        """When each chat's burst will be whole again."""
        self._closed: dict[str, float] = {}
        """Until when nothing is taken, by chat; "" is every chat."""

    def check(self, method: str, chat_id: str, now: float) -> None:
        """Count one call, or refuse it with ApiError."""
        if method not in PACED:
            return
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        if len(self._taken) >= self.overall:
            self._close("", self._taken[0] + 1 - now, now)
        whole_at = max(self._chats.get(chat_id, now), now) + 1
        if method in NEW_MESSAGES and whole_at - now > self.burst:
            self._close(chat_id, whole_at - now - self.burst, now)
        closed = max(self._closed.get("", now), self._closed.get(chat_id, now))
        if closed > now:
            self.refused += 1
            after = math.ceil(closed - now)
            raise ApiError(429, f"Too Many Requests: retry after {after}", {"retry_after": after})
        self._taken.append(now)
        if method in NEW_MESSAGES:
            self._chats[chat_id] = whole_at

    def _close(self, chat_id: str, seconds: float, now: float) -> None:
        if self._closed.get(chat_id, now) <= now:
            self._closed[chat_id] = now + math.ceil(seconds)


Wanted = int | str | Callable[[Heard], bool]


class Person:
    """Somebody with a phone, in a private chat with the bot."""

    def __init__(self, api: BotApi, id: int, name: str) -> None:
        self.api = api
        self.id = id
        self.name = name
        self.has_blocked = False
        self.messages: dict[int, Json] = {}
        self.heard: list[Heard] = []
        self._read = 0
        self._news = asyncio.Event()

    @property
    def user(self) -> Json:
        return {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": "vi"}

    @property
    def chat(self) -> Json:
        return {"id": self.id, "type": "private", "first_name": self.name}

    async def says(self, text: str) -> int:
        """Write a text; returns the update's id."""
        content: Json = {"text": text}
        if command := re.match(r"/\w+(@\w+)?", text):
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": command.end()}]
        return await self.sends(**content)

    async def sends(self, **content: object) -> int:
        """Send a message with these fields of the Bot API: `sticker={...}`, `forward_origin={...}`."""
        return self.api.deliver("message", self._message(content) | {"from": self.user})

    async def edits(self, message_id: int, text: str) -> int:
        """Change an own message."""
        changed = {"message_id": message_id, "text": text, "edit_date": int(time.time())}
        return self.api.deliver("edited_message", self._message({}) | {"from": self.user} | changed)

    async def taps(self, label: str, on: int | None = None) -> int:
        """Tap the button with this label or prefix, on message `on` or the newest with buttons."""
        message = self.messages[on] if on else self._newest_with_buttons()
        buttons = [b for row in message["reply_markup"]["inline_keyboard"] for b in row]
        matches = [b for b in buttons if b["text"] == label] or [b for b in buttons if b["text"].startswith(label)]
        assert matches, f"{self.name} sees no button {label!r} among {[b['text'] for b in buttons]}"
        return self.taps_token(matches[0]["callback_data"], message)

    def taps_token(self, token: str, message: Json) -> int:
        """Tap a button by its callback_data, also one that is no longer there."""
        query = {"id": self.api.new_query(), "from": self.user, "chat_instance": "1", "data": token}
        return self.api.deliver("callback_query", query | {"message": message})

    async def hears(self, wanted: Wanted = 1, within: float = 5.0) -> list[Heard]:
        """Wait for so many things not yet heard, or up to one holding a text or fitting a predicate."""
        try:
            async with asyncio.timeout(within):
                while (end := self._end_of(wanted)) is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            unread = [(heard.kind, heard.text) for heard in self.heard[self._read :]]
            raise AssertionError(f"{self.name} waited for {wanted!r} and heard {unread}") from None
        news, self._read = self.heard[self._read : end], end
        return news

    async def blocks(self) -> int:
        """Stop the bot; from now on it gets 403."""
        self.has_blocked = True
        return self._becomes("kicked", "member")

    async def unblocks(self) -> int:
        self.has_blocked = False
        return self._becomes("member", "kicked")

    def takes(self, message: Json, heard: Heard) -> Json:
        """A message arrives, or one that is there changes."""
        self.messages[heard.message_id] = message
        self.heard.append(heard)
        self._news.set()
        return message

    def _message(self, content: Json) -> Json:
        base: Json = {"message_id": self.api.new_message_id(), "chat": self.chat, "date": int(time.time())}
        return base | content

    def _newest_with_buttons(self) -> Json:
        for message in reversed(self.messages.values()):
            if "reply_markup" in message:
                return message
        raise AssertionError(f"{self.name} sees no buttons")

    def _end_of(self, wanted: Wanted) -> int | None:
        if isinstance(wanted, int):
            return self._read + wanted if len(self.heard) >= self._read + wanted else None
        for index, heard in enumerate(self.heard[self._read :], self._read + 1):
            if wanted in heard.text if isinstance(wanted, str) else wanted(heard):
                return index
        return None

    def _becomes(self, new: str, old: str) -> int:
        def member(status: str) -> Json:
            return {"user": self.api.bot, "status": status} | ({"until_date": 0} if status == "kicked" else {})

        change = {"chat": self.chat, "from": self.user, "date": int(time.time())}
        change |= {"old_chat_member": member(old), "new_chat_member": member(new)}
        return self.api.deliver("my_chat_member", change)


class BotApi:
    """The server: one bot, its people, and what is to go wrong."""

    def __init__(self, token: str = TOKEN, latency: float = 0.0, limits: Limits | None = None) -> None:
        self.token = token
        self.latency = latency
        self.limits = limits
        self.bot = {
            "id": int(token.split(":")[0]),
            "is_bot": True,
            "first_name": "Bot",
            "username": "test_bot",
        }
        self.people: dict[int, Person] = {}
        self.calls: list[Call] = []
        self.webhook = ""
        self.menus: dict[str, list[Json]] = {}
        self.answered: list[str] = []
        self.cut: list[Json] = []
        """The parameters of calls that were carried out, and whose answer was lost in a reset."""
        self.pending: list[Json] = []
        self.polled = asyncio.Event()
        self.port = 0
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._queries: set[str] = set()
        self._allowed: set[str] = set()
        self._last_update = 1000
        self._last_message = 0
        self._poller: asyncio.Future[None] | None = None
        self._runner: web.ServerRunner | None = None
        self._methods: dict[str, Callable[[Json], Any]] = {
            "getme": lambda params: self.bot,
            "deletewebhook": lambda params: self._set_webhook({}),
            "setwebhook": self._set_webhook,
            "sendmessage": self._send_message,
            "sendphoto": self._send_photo,
            "senddocument": self._send_document,
            "editmessagetext": self._edit_text,
            "editmessagereplymarkup": self._edit_markup,
            "answercallbackquery": self._answer_query,
            "setmycommands": self._set_commands,
        }

    # -- for the test ------------------------------------------------------------------------------

    async def __aenter__(self) -> BotApi:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1, on a free port when `port` is 0."""
        server = web.Server(self._handle, request_factory=_request, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        self._wake()
        if self._runner:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def person(self, id: int, name: str = "An") -> Person:
        """The person with this id, who has pressed Start; made when new."""
        return self.people.setdefault(id, Person(self, id, name))

    def called(self, method: str) -> list[Json]:
        """The parameters of every call of this method, in order."""
        return [call.params for call in self.calls if call.method == method]

    def fail(
        self, method: str, status: int, description: str, parameters: Json | None = None, times: int = 1
    ) -> None:
        """The next `times` calls of `method` are refused, and not carried out."""
        body = _error(ApiError(status, description, parameters))
        self._faults[method.lower()].extend([Fault(status=status, body=body)] * times)

    def garbles(self, method: str, status: int, body: bytes, times: int = 1) -> None:
        """The next calls get this body, as from a proxy in between."""
        self._faults[method.lower()].extend([Fault(status=status, body=body)] * times)

    def drop(self, method: str, when: Literal["before", "after"], times: int = 1) -> None:
        """The next calls end in a connection reset, before or after they were carried out."""
        self._faults[method.lower()].extend([Fault(drop=when)] * times)

    def mend(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()

    def deliver(self, kind: str, content: object) -> int:
        """Put an update into the bot's queue; returns its id."""
        self._last_update += 1
        if not self._allowed or kind in self._allowed:
            self.pending.append({"update_id": self._last_update, kind: content})
            self._wake()
        return self._last_update

    def new_message_id(self) -> int:
        self._last_message += 1
        return self._last_message

    def new_query(self) -> str:
        query = str(len(self._queries) + 1)
        self._queries.add(query)
        return query

    # -- a request ---------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        _, first, *rest = request.path.split("/")
        if first == "people":
            return await self._by_hand(request, rest)
        try:
            return await self._call(request, first, rest[0] if rest else "")
        except ApiError as error:
            await self._lag()
            return _json(error.status, _error(error))

    async def _call(self, request: web.BaseRequest, bot: str, method: str) -> web.Response:
        if bot != f"bot{self.token}":
            known = re.fullmatch(r"bot\d+:[\w-]+", bot)
            raise ApiError(401, "Unauthorized") if known else ApiError(404, "Not Found")
        params = await _params(request)
        self.calls.append(Call(method, params, time.monotonic()))
        await self._lag()
        faults = self._faults.get(method.lower())
        fault = faults.popleft() if faults else Fault()
        if fault.status:
            return _json(fault.status, fault.body)
        if fault.drop != "before":
            result = await self._result(method.lower(), params)
        if fault.drop:
            if fault.drop == "after":
                self.cut.append(params)
            return _reset(request)
        await self._lag()
        return _json(200, json.dumps({"ok": True, "result": result}).encode())

    async def _result(self, method: str, params: Json) -> Any:
        if method == "getupdates":
            return await self._get_updates(params)
        if method not in self._methods:
            raise ApiError(404, "Not Found")
        if self.limits is not None:
            self.limits.check(method, str(params.get("chat_id")), time.monotonic())
        return self._methods[method](params)

    async def _lag(self) -> None:
        """Half of a call's latency: the way there, or the way back."""
        if self.latency:
            await asyncio.sleep(self.latency / 2)

    async def _by_hand(self, request: web.BaseRequest, path: list[str]) -> web.Response:
        person, verb = self.person(int(path[0])), path[1]
        if verb == "heard":
            seen = [asdict(heard) | {"content": None} for heard in person.heard]
            return _json(200, json.dumps(seen, ensure_ascii=False, indent=1).encode())
        body = (await request.text()).strip()
        await (person.taps(body) if verb == "taps" else person.says(body))
        return _json(200, b"true")

    # -- methods: incoming -------------------------------------------------------------------------

    async def _get_updates(self, params: Json) -> list[Json]:
        if self.webhook:
            raise ApiError(409, "Conflict: can't use getUpdates method while webhook is active")
        if self._poller and not self._poller.done():
            self._poller.set_exception(ApiError(409, "Conflict: terminated by other getUpdates request"))
        self._acknowledge(int(params.get("offset", 0)))
        if "allowed_updates" in params:
            self._allowed = set(_from_json(params["allowed_updates"]))
        seconds = min(int(params.get("timeout", 0)), 50)
        if not self.pending and seconds > 0:
            await self._wait_for_update(seconds)
        return self.pending[: min(max(int(params.get("limit", 100)), 1), 100)]

    def _acknowledge(self, offset: int) -> None:
        if offset < 0:
            del self.pending[:offset]
        elif self.pending:
            del self.pending[: max(0, offset - self.pending[0]["update_id"])]

    async def _wait_for_update(self, seconds: int) -> None:
        poller = self._poller = asyncio.get_running_loop().create_future()
        self.polled.set()
        await asyncio.wait([poller], timeout=seconds)
        if poller.done():
            poller.result()

    def _wake(self) -> None:
        if self._poller and not self._poller.done():
            self._poller.set_result(None)

    def _set_webhook(self, params: Json) -> bool:
        self.webhook = params.get("url", "")
        return True

    def _answer_query(self, params: Json) -> bool:
        query = str(params.get("callback_query_id", ""))
        if query not in self._queries or query in self.answered:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        self.answered.append(query)
        return True

    # -- methods: outgoing -------------------------------------------------------------------------

    def _send_message(self, params: Json) -> Json:
        person = self._recipient(params)
        text = _parsed(params, "text", 4096)
        if not text.strip():
            raise bad("message text is empty")
        return self._sent(person, "text", {"text": text}, params)

    def _send_photo(self, params: Json) -> Json:
        person = self._recipient(params)
        _, content = _upload(params, "photo")
        if not content.startswith(IMAGES):
            raise bad("IMAGE_PROCESS_FAILED")
        size = {"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}
        body = {"photo": [size], "caption": _parsed(params, "caption", 1024)}
        return self._sent(person, "picture", body, params, content)

    def _send_document(self, params: Json) -> Json:
        person = self._recipient(params)
        name, content = _upload(params, "document")
        document = {"file_id": "d", "file_unique_id": "d", "file_name": name, "file_size": len(content)}
        body = {"document": document, "caption": _parsed(params, "caption", 1024)}
        return self._sent(person, "document", body, params, content, name)

    def _edit_text(self, params: Json) -> Json:
        person, message = self._to_edit(params)
        if "text" not in message:
            raise bad("there is no text in the message to edit")
        return self._changed(person, "edit", message | {"text": _parsed(params, "text", 4096)}, params)

    def _edit_markup(self, params: Json) -> Json:
        person, message = self._to_edit(params)
        return self._changed(person, "strip", message, params)

    def _set_commands(self, params: Json) -> bool:
        commands, scope = (
            _from_json(params["commands"]),
            _from_json(params.get("scope", '{"type":"default"}')),
        )
        if scope.get("type") not in SCOPES:
            raise bad("unsupported BotCommandScope specified")
        if scope["type"] == "chat":
            self._recipient(scope)
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.menus[str(scope.get("chat_id", scope["type"]))] = commands
        return True

    def _recipient(self, params: Json) -> Person:
        try:
            person = self.people[int(params.get("chat_id", 0))]
        except (KeyError, ValueError):
            raise bad("chat not found") from None
        if person.has_blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        return person

    def _sent(
        self,
        person: Person,
        kind: Literal["text", "picture", "document"],
        body: Json,
        params: Json,
        content: bytes | None = None,
        file_name: str | None = None,
    ) -> Json:
        message: Json = {"message_id": self.new_message_id(), "from": self.bot, "chat": person.chat}
        message |= {"date": int(time.time())} | body | _keyboard(params)
        text = body.get("text") or body.get("caption") or ""
        heard = Heard(kind, message["message_id"], text, _labels(message), content, file_name)
        return person.takes(message, heard)

    def _to_edit(self, params: Json) -> tuple[Person, Json]:
        person = self._recipient(params)
        message = person.messages.get(int(params.get("message_id", 0)))
        if message is None:
            raise bad("message to edit not found")
        return person, message

    def _changed(self, person: Person, kind: Literal["edit", "strip"], message: Json, params: Json) -> Json:
        changed = {key: value for key, value in message.items() if key != "reply_markup"} | _keyboard(params)
        if changed == person.messages[message["message_id"]]:
            raise bad("message is not modified: specified new message content and reply markup are the same")
        heard = Heard(kind, message["message_id"], changed.get("text", ""), _labels(changed))
        return person.takes(changed | {"edit_date": int(time.time())}, heard)


# -- reading what was sent ---------------------------------------------------------------------


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=UPLOAD_LIMIT)


async def _params(request: web.BaseRequest) -> Json:
    params: Json = dict(request.query)
    if request.content_type == "application/json":
        return {**params, **await request.json()}
    if request.content_type == "multipart/form-data":
        return params | {key: _part(value) for key, value in (await request.post()).items()}
    return params | dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))


def _part(value: Any) -> Any:
    return (value.filename, value.file.read()) if isinstance(value, web.FileField) else value


def _from_json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise bad("can't parse JSON object") from None


def _upload(params: Json, name: str) -> tuple[str, bytes]:
    if name not in params:
        raise bad(f"there is no {name} in the request")
    if not isinstance(params[name], tuple):
        raise bad("wrong file identifier/HTTP URL specified")
    file_name, content = params[name]
    if not content:
        raise bad("file must be non-empty")
    return file_name, content


def _parsed(params: Json, name: str, limit: int) -> str:
    """The text as people see it."""
    text = str(params.get(name, ""))
    mode = params.get("parse_mode", "")
    if mode not in ("", "HTML"):
        raise bad("unsupported parse_mode")
    if mode == "HTML":
        text = without_markup(text)
    if len(text.encode("utf-16-le")) // 2 > limit:
        raise bad("message is too long" if name == "text" else "message caption is too long")
    return text


def without_markup(text: str) -> str:
    if "<" in text:
        _check_tags(text)
        text = TAG.sub("", text)
    return html.unescape(text) if "&" in text else text


def _check_tags(text: str) -> None:
    is_open: list[str] = []
    for at in (found.start() for found in re.finditer("<", text)):
        tag = TAG.match(text, at)
        if tag is None:
            raise bad(f"can't parse entities: Unsupported start tag at byte offset {at}")
        if not tag[0].startswith("</"):
            is_open.append(tag[1])
        elif not is_open or is_open.pop() != tag[1]:
            raise bad(f"can't parse entities: Unmatched end tag at byte offset {at}")
    if is_open:
        raise bad(f"can't parse entities: Can't find end tag corresponding to start tag {is_open[-1]}")


def _keyboard(params: Json) -> Json:
    rows = _from_json(params.get("reply_markup", "{}")).get("inline_keyboard", [])
    buttons = [button for row in rows for button in row]
    if len(buttons) > 100 or any(len(row) > 8 for row in rows):
        raise bad("reply markup is too long")
    for button in buttons:
        if not button.get("text"):
            raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if not 1 <= len(button.get("callback_data", "").encode()) <= 64:
            raise bad("BUTTON_DATA_INVALID")
    return {"reply_markup": {"inline_keyboard": rows}} if buttons else {}


def _labels(message: Json) -> list[list[str]]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [[button["text"] for button in row] for row in rows]


# -- answering ---------------------------------------------------------------------------------


def _json(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/json")


def _error(error: ApiError) -> bytes:
    answer: Json = {"ok": False, "error_code": error.status, "description": error.description}
    if error.parameters:
        answer["parameters"] = error.parameters
    return json.dumps(answer).encode()


def _reset(request: web.BaseRequest) -> web.Response:
    """Cut the connection the hard way, as a router that lost it does."""
    if request.transport:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


async def _serve(port: int, token: str, latency: float) -> None:
    api = BotApi(token, latency)
    await api.start(port)
    print(f"{api.url} token {token}", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    options = argparse.ArgumentParser(description="a small Telegram Bot API server")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--token", default=TOKEN)
    options.add_argument("--latency-ms", type=float, default=0)
    chosen = options.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(chosen.port, chosen.token, chosen.latency_ms / 1000))


if __name__ == "__main__":
    main()
