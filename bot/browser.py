"""The browser chat: a phone-shaped page on this computer. One more platform behind the seam, for trying out.

What a page shows is a list of bubbles per chat, kept here in memory. A page that connects gets the whole
talk; one that comes back, the bubbles that are new or changed since. A bubble is put by its id, so getting
it twice is harmless.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined, Template
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.browser_chats import Bubble, Chat, DemoClock, Earlier, Event, File, Person
from bot.local_http import Guard, is_loopback, json_body, key_of, serve, take_port, text_of
from bot.platform import Accept, Limits, Message, Refused, StartFailed
from handlers.incoming import Incoming
from messages import plain, say

PAGE = Path(__file__).parent / "page"
ASSETS = {"chat.css": "text/css", "chat.js": "text/javascript", "favicon.svg": "image/svg+xml"}
GUEST = re.compile(r"guest-(\d{1,6})")
HEARTBEAT = 15.0
WORKING_AT_MOST = 10.0
FARTHEST = timedelta(days=730)
MORNING = time(7, 30)


class Browser:
    """The chat on this computer, as a bot.platform.Platform."""

    channel = "browser"
    limits = Limits(overall=0, chat=0, chat_burst=0, group_per_minute=0)

    def __init__(
        self,
        listen_on: tuple[str, int],
        people: Callable[[], Sequence[Person]],
        zone: ZoneInfo,
        demo: DemoClock | None = None,
        history: Callable[[str], Sequence[Earlier]] = lambda chat_id: (),
    ) -> None:
        """`people` is asked anew for every page; `history` once a chat, for what was said before this start.

        Raises StartFailed("browser_not_loopback") unless `listen_on` names this computer alone.
        """
        if not is_loopback(listen_on[0]):
            raise StartFailed("browser_not_loopback")
        self._host, self.port = listen_on
        self._people = people
        self._zone = zone
        self._demo = demo
        self._history = history
        self._run = token_urlsafe(6)
        self._chats: dict[str, Chat] = {}
        self._listed: list[Person] = []
        self._moving = asyncio.Lock()
        self._socket: socket.socket | None = None
        self._accept: Accept | None = None

    @property
    def address(self) -> str:
        """What to open in the browser, once started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}/"

    async def start(self) -> str | None:
        """Take the port; there are no joining links. Raises StartFailed("browser_port_taken")."""
        try:
            self._socket = take_port(self._host, self.port)
        except OSError as failure:
            raise StartFailed("browser_port_taken") from failure
        self.port = self._socket.getsockname()[1]
        return None

    async def listen(self, accept: Accept) -> None:
        """Serve the page and hand what people write to `accept`, until cancelled."""
        if self._socket is None:
            await self.start()
        assert self._socket is not None
        await serve(self.application(accept), self._socket, self._hang_up)

    async def send(self, message: Message) -> str | None:
        """Show one message, as Platform.send. Raises Refused for an edit of what is no longer on the page."""
        chat = self._chat(message.chat_id)
        match message.kind:
            case "menu":
                chat.commands = message.commands
                chat.tell("menu", _menu(chat.commands))
                return None
            case "strip":
                old = chat.find(message.target)
                if old is not None:
                    self._show(chat, replace(old, choices=()))
                return None
            case "edit":
                old = chat.find(message.target)
                if old is None:
                    raise Refused("message to edit not found")
                self._show(chat, replace(old, text=message.text, choices=message.choices))
                self._rest(chat)
                return old.id
            case "text" | "picture" | "document":
                return self._add(chat, message)

    async def close(self) -> None:
        """Let go of the port."""
        if self._socket is not None:
            self._socket.close()

    # What a chat shows

    def _chat(self, chat_id: str) -> Chat:
        if chat_id not in self._chats:
            chat = self._chats[chat_id] = Chat()
            for earlier in self._history(chat_id):
                chat.put(Bubble(earlier.platform_id, earlier.at, earlier.text, choices=earlier.choices))
        return self._chats[chat_id]

    def _add(self, chat: Chat, message: Message) -> str:
        new_id = token_urlsafe(9)
        self._show(chat, Bubble(new_id, self._now(), message.text, False, message.choices, _file(message)))
        self._rest(chat)
        if not chat.streams:
            chat.unread += 1
            self._tell_all("people", self._groups())
        return new_id

    def _show(self, chat: Chat, bubble: Bubble) -> None:
        bubble = chat.put(bubble)
        chat.tell("bubble", self._facts(bubble), self._event_id(bubble.changed))

    def _facts(self, bubble: Bubble) -> dict[str, object]:
        at = bubble.at.astimezone(self._zone)
        file = bubble.file
        return {
            "id": bubble.id,
            "own": bubble.is_own,
            "html": bubble.text,
            "day": plain("page.day", at=at),
            "time": f"{at:%H:%M}",
            "choices": [{"token": choice.token, "label": choice.label} for choice in bubble.choices],
            "file": file and {"kind": file.kind, "url": f"/file/{file.id}", "name": file.name},
        }

    def _work(self, chat: Chat) -> None:
        self._rest(chat)
        chat.working = asyncio.get_running_loop().call_later(WORKING_AT_MOST, self._rest, chat)
        chat.tell("working", True)

    def _rest(self, chat: Chat) -> None:
        if chat.working is not None:
            chat.working.cancel()
            chat.working = None
            chat.tell("working", False)

    # Who there is to be

    def _read_people(self) -> None:
        people = list(self._people())
        if people != self._listed:
            self._listed = people
            self._tell_all("people", self._groups())

    def _groups(self) -> list[dict[str, object]]:
        units: dict[str, list[dict[str, object]]] = {}
        for person in [*self._listed, *self._new_people()]:
            units.setdefault(person.unit, []).append(self._card(person))
        return [{"unit": unit, "people": cards} for unit, cards in units.items()]

    def _card(self, person: Person) -> dict[str, object]:
        chat = self._chats.get(person.chat_id)
        return {
            "chat": person.chat_id,
            "name": person.name,
            "role": person.role_label,
            "unread": chat.unread if chat else 0,
            "is_guest": person.role == "guest",
        }

    def _new_people(self) -> Iterator[Person]:
        """Those who wrote without having joined, and one more who may."""
        joined = {person.chat_id for person in self._listed}
        wrote = {chat_id for chat_id, chat in self._chats.items() if chat.bubbles}
        guests = {chat_id: int(found[1]) for chat_id in joined | wrote if (found := GUEST.fullmatch(chat_id))}
        waiting = sorted(number for chat_id, number in guests.items() if chat_id not in joined)
        for number in [*waiting, max(guests.values(), default=0) + 1]:
            name = plain("page.new_person", number=number)
            unit, label = plain("page.new_people"), plain("page.new_role")
            yield Person(f"guest-{number}", name, "guest", label, unit)

    def _person(self, chat_id: object) -> Person | None:
        """Who writes in this chat, None for somebody new. Raises 404 for a chat that cannot be."""
        self._read_people()
        person = next((person for person in self._listed if person.chat_id == chat_id), None)
        if person is None and not (isinstance(chat_id, str) and GUEST.fullmatch(chat_id)):
            raise HTTPException(404)
        return person

    # The clock

    def _now(self) -> datetime:
        return self._demo.now() if self._demo else datetime.now(UTC)

    def _clock(self) -> dict[str, object]:
        here = self._now().astimezone(self._zone)
        choices = self._demo.choices() if self._demo else ()
        return {
            "text": plain("page.clock", at=here),
            "today": here.date().isoformat(),
            "last": (here + FARTHEST).date().isoformat(),
            "can_move": self._demo is not None,
            "choices": {code: plain("page.leads_to", at=at.astimezone(self._zone)) for code, at in choices},
        }

    async def _move(self, demo: DemoClock, to: object) -> str | None:
        """Move the clock to a choice or a day; returns the sentence that refuses it."""
        async with self._moving:
            at = dict(demo.choices()).get(str(to)) or _morning(str(to), self._zone)
            now = demo.now()
            if at is None or at > now + FARTHEST:
                return plain("page.not_a_day")
            if at <= now:
                return plain("page.backwards", at=now.astimezone(self._zone))
            await demo.move_to(at)
            self._tell_all("clock", self._clock())
        return None

    # The events a page listens to

    def _event_id(self, changes: int) -> str:
        return f"{self._run}.{changes}"

    def _tell_all(self, name: str, data: object) -> None:
        for chat in self._chats.values():
            chat.tell(name, data)

    def _first_events(self, chat: Chat, person: Person | None, after: str) -> Iterator[Event]:
        """What brings a page up to date that has seen everything until `after`, or nothing yet."""
        run, _, changes = after.partition(".")
        if run == self._run and changes.isdecimal() and int(changes) >= chat.forgotten:
            for bubble in chat.bubbles:
                if bubble.changed > int(changes):
                    yield "bubble", self._facts(bubble), None
        else:
            yield "talk", [self._facts(bubble) for bubble in chat.bubbles], None
        commands = chat.commands if chat.commands is not None else person.commands if person else ()
        yield "menu", _menu(commands), None
        yield "people", self._groups(), None
        yield "clock", self._clock(), None
        yield "working", chat.working is not None, None
        yield "ready", None, self._event_id(chat.changes)

    async def _events(self, chat_id: str, person: Person | None, after: str) -> AsyncIterator[str]:
        chat = self._chat(chat_id)
        chat.unread = 0
        self._tell_all("people", self._groups())
        stream: asyncio.Queue[Event | None] = asyncio.Queue()
        for event in self._first_events(chat, person, after):
            stream.put_nowait(event)
        chat.streams.add(stream)
        try:
            yield "retry: 1000\n\n"
            while (told := await self._next_event(stream)) is not None:
                yield _written(told)
        finally:
            chat.streams.discard(stream)

    async def _next_event(self, stream: asyncio.Queue[Event | None]) -> Event | None:
        try:
            async with asyncio.timeout(HEARTBEAT):  # wait_for could swallow a cancel here
                return await stream.get()
        except TimeoutError:
            return "clock", self._clock(), None

    def _hang_up(self) -> None:
        for chat in self._chats.values():
            self._rest(chat)
            for stream in chat.streams:
                stream.put_nowait(None)

    # The requests a page makes

    def application(self, accept: Accept) -> ASGIApp:
        """The page and all it asks for; `listen` serves it."""
        self._accept = accept
        pages = Starlette(
            routes=[
                Route("/", self._get_page),
                Route("/static/{name}", self._get_asset),
                Route("/file/{file_id}", self._get_file),
                Route("/people", self._get_people),
                Route("/events", self._get_events),
                Route("/say", self._post_say, methods=["POST"]),
                Route("/tap", self._post_tap, methods=["POST"]),
                Route("/clock", self._post_clock, methods=["POST"]),
            ]
        )
        return Guard(pages, self._hosts())

    async def _get_page(self, request: Request) -> Response:
        page = Template((PAGE / "index.html").read_text("utf-8"), autoescape=True, undefined=StrictUndefined)
        words = page.render(word=lambda name: say(f"page.{name}"), now=plain("page.clock", at=self._here()))
        return Response(words, media_type="text/html")

    async def _get_asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ASSETS:
            raise HTTPException(404)
        return Response((PAGE / name).read_bytes(), media_type=ASSETS[name])

    async def _get_file(self, request: Request) -> Response:
        wanted = request.path_params["file_id"]
        files = (bubble.file for chat in self._chats.values() for bubble in chat.bubbles)
        file = next((file for file in files if file and file.id == wanted), None)
        if file is None:
            raise HTTPException(404)
        if file.kind == "picture":
            return Response(file.content, media_type="image/png")
        disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        return Response(
            file.content,
            media_type="application/octet-stream",
            headers={"content-disposition": disposition},
        )

    async def _get_people(self, request: Request) -> Response:
        self._read_people()
        return JSONResponse(self._groups())

    async def _get_events(self, request: Request) -> Response:
        chat_id = request.query_params.get("chat", "")
        person = self._person(chat_id)
        after = request.headers.get("last-event-id") or request.query_params.get("after", "")
        return StreamingResponse(self._events(chat_id, person, after), media_type="text/event-stream")

    async def _post_say(self, request: Request) -> Response:
        body = await json_body(request)
        text, key = text_of(body, "text"), key_of(body)
        chat_id, name = self._sender(body)
        chat = self._chat(chat_id)
        if chat.find(key) is None:
            self._show(chat, Bubble(key, self._now(), html.escape(text, quote=False), is_own=True))
        said = Incoming(self.channel, chat_id, key, "text", text, self._now(), sender_name=name)
        return await self._hand_over(said)

    async def _post_tap(self, request: Request) -> Response:
        body = await json_body(request)
        token, on_message, key = text_of(body, "token"), text_of(body, "on_message"), key_of(body)
        chat_id, name = self._sender(body)
        tapped = Incoming(self.channel, chat_id, key, "choice", token, self._now(), on_message, name)
        return await self._hand_over(tapped)

    def _sender(self, body: dict[str, Any]) -> tuple[str, str | None]:
        person = self._person(body.get("chat"))
        return body["chat"], person.name if person else None

    async def _hand_over(self, incoming: Incoming) -> Response:
        assert self._accept is not None
        chat = self._chat(incoming.chat_id)
        self._work(chat)
        async with chat.turn:
            await self._accept(incoming)
        self._read_people()
        return Response(status_code=204)

    async def _post_clock(self, request: Request) -> Response:
        body = await json_body(request)
        if self._demo is None:
            raise HTTPException(404)
        refusal = await self._move(self._demo, body.get("to"))
        return JSONResponse({"say": refusal}, 409) if refusal else Response(status_code=204)

    # Where the page stands

    def _here(self) -> datetime:
        return self._now().astimezone(self._zone)

    def _hosts(self) -> frozenset[str]:
        names = ("127.0.0.1", "localhost", "[::1]", self._host)
        return frozenset(f"{name}:{self.port}" for name in names)


def _file(message: Message) -> File | None:
    if message.kind not in ("picture", "document"):
        return None
    if message.content is None:
        raise Refused("nothing in the file")
    kind: Literal["picture", "document"] = "picture" if message.kind == "picture" else "document"
    return File(token_urlsafe(24), kind, message.file_name or "", message.content)


def _menu(commands: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "description": description} for name, description in commands]


def _morning(day: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(day), MORNING, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _written(event: Event) -> str:
    name, data, event_id = event
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
