"""Serving over HTTP: the server, who may come in to a page of this computer, what a request must look like."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEY = re.compile(r"[A-Za-z0-9-]{8,64}")
LONGEST_BODY = 256 * 1024
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the program that runs it decides when to stop."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                log_config=None,
                log_level="warning",
                timeout_graceful_shutdown=2,
            )
        )

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def take_port(host: str, port: int) -> socket.socket:
    """Listen there; port 0 takes any free one. Raises OSError, or ValueError for a host that cannot be a name."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


async def serve(app: ASGIApp, on: socket.socket, hang_up: Callable[[], None] = lambda: None) -> None:
    """Serve until cancelled; then `hang_up` is to end the answers that would never end by themselves."""
    server = Server(app)
    serving = asyncio.create_task(server.serve(sockets=[on]))
    try:
        await asyncio.wait([serving])
    finally:
        hang_up()
        server.should_exit = True
        await serving


class Guard:
    """Lets in only our own page: any other page open in the same browser can reach this port too.

    A foreign page gives itself away by its Origin or Sec-Fetch-Site; one that had its own name point here
    (DNS rebinding) by its Host.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(part: Message) -> None:
            if part["type"] == "http.response.start":
                MutableHeaders(scope=part).update(HEADERS)
            await send(part)

        app = self._app if self._lets_in(scope) else PlainTextResponse("Forbidden", 403)
        await app(scope, receive, send_with_headers)

    def _lets_in(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in self._hosts:
            return False
        if scope["method"] == "POST":
            return headers.get("origin") == f"http://{host}"
        return scope["path"] == "/" or headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def is_loopback(host: str) -> bool:
    """True when only this computer can reach what listens on `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def json_body(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises 400, 413 or 415."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415)
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > LONGEST_BODY:
            raise HTTPException(413)
    try:
        body = json.loads(content)
    except ValueError as failure:
        raise HTTPException(400) from failure
    if not isinstance(body, dict):
        raise HTTPException(400)
    return body


def text_of(body: dict[str, Any], name: str) -> str:
    """The text under that name. Raises 400 when it is blank, or holds half a character (a lone surrogate)."""
    text = body.get(name)
    if not isinstance(text, str) or not text.strip():
        raise HTTPException(400)
    try:
        text.encode()
    except UnicodeEncodeError as failure:
        raise HTTPException(400) from failure
    return text


def key_of(body: dict[str, Any]) -> str:
    """What the page named this request with, the same when it is sent again. Raises 400."""
    key = text_of(body, "key")
    if not KEY.fullmatch(key):
        raise HTTPException(400)
    return key
