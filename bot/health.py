"""The health address: GET /health tells a monitor whether the program is at work, and nothing of anybody."""

from __future__ import annotations

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Receive, Scope, Send

from bot.clock import Clock
from bot.local_http import HEADERS, serve, take_port
from storage.service import TICKS_STOPPED, Pulse, pulse
from storage.store import Store

log = logging.getLogger("dondoc.health")

PATIENCE = 2.0
"""Seconds in which the database is to answer."""
STARTING = TICKS_STOPPED
"""So long after the start the first tick may be still to come."""


class Health:
    """An ASGI application that knows one address; its `run` serves it."""

    def __init__(self, store: Store, clock: Clock, listen_on: tuple[str, int]) -> None:
        self._store = store
        self._clock = clock
        self._started_at = clock.now()
        self._host, self.port = listen_on
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._look: asyncio.Future[Pulse | None] | None = None

    async def run(self) -> None:
        """Serve until cancelled. Where that cannot be, say so once and return: reminders matter more."""
        try:
            on = take_port(self._host, self.port)
        except (OSError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            log.warning("action=health_not_served address=%s:%s reason=%s", self._host, self.port, reason)
            return
        self.port = on.getsockname()[1]
        log.info("action=health_served address=%s:%s", self._host, self.port)
        try:
            await serve(self, on)
        except Exception:
            log.exception("action=health_ended")
        finally:
            self._end(on)

    def _end(self, on: socket.socket) -> None:
        on.close()
        if self._look is not None:
            self._look.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = scope["path"] == "/health" and scope["method"] in ("GET", "HEAD")
        answer = await self._answer() if is_asked else PlainTextResponse("Not Found", 404, HEADERS)
        await answer(scope, receive, send)

    async def _answer(self) -> JSONResponse:
        found = await self._pulse()
        problems = self._problems(found)
        said: dict[str, Any] = {"status": "ill", "problems": problems} if problems else {"status": "ok"}
        return JSONResponse(said | _facts(found), 503 if problems else 200, HEADERS)

    async def _pulse(self) -> Pulse | None:
        """None: the database is away. All who ask meanwhile share one look, so a stuck one holds one thread."""
        if self._look is None or self._look.done():
            self._look = asyncio.get_running_loop().run_in_executor(self._thread, self._read, self._clock.now())
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(self._look)
        except TimeoutError:
            return None

    def _read(self, now: datetime) -> Pulse | None:
        try:
            with self._store.reading() as db:
                return pulse(db, now)
        except SQLAlchemyError:
            return None

    def _problems(self, found: Pulse | None) -> list[str]:
        if found is None:
            return ["database_away"]
        is_starting = found.at - self._started_at < STARTING
        problems = {
            "ticks_stopped": not found.is_ticking and not is_starting,
            "outbox_old": not found.is_delivering,
        }
        return [name for name, is_there in problems.items() if is_there]


def _facts(found: Pulse | None) -> dict[str, Any]:
    if found is None:
        return {"database": "away"}
    return {
        "ticked_at": found.ticked_at.isoformat() if found.ticked_at else None,
        "oldest_waiting_minutes": int(found.waited.total_seconds() // 60),
        "database": "ok",
    }
