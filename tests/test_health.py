"""The health address, over HTTP: well, ill, and no more than a monitor needs to know."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from bot.assemble import App
from bot.health import PATIENCE, Health
from bot.settings import Settings
from storage.service import TICK, beat
from storage.store import Store
from tests.commune import StillClock
from tests.fakes import FakePlatform, lay, local, until
from tests.postgres import scratch_database

NOW = local(15, 14, 0)
LATER = NOW + timedelta(minutes=6)
"""A start is over by then."""


@pytest.fixture
def clock() -> StillClock:
    return StillClock(NOW)


@pytest.fixture
def health(store: Store, clock: StillClock) -> Health:
    """Of a program that has just started and not ticked yet."""
    return Health(store, clock, ("127.0.0.1", 0))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "commune.db"


@asynccontextmanager
async def served(health: Health) -> AsyncIterator[httpx.AsyncClient]:
    """Asks it over a real connection; ended in order."""
    running = asyncio.create_task(health.run())
    await until(lambda: health.port != 0)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{health.port}", timeout=10) as client:
            yield client
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def asked(health: Health) -> tuple[int, Any]:
    async with served(health) as client:
        answer = await client.get("/health")
        return answer.status_code, answer.json()


def ticks(store: Store, clock: StillClock) -> None:
    with store.writing() as db:
        beat(db, TICK, clock.moment)


async def test_a_program_at_work_is_well(store: Store, clock: StillClock, health: Health) -> None:
    clock.moment = LATER
    ticks(store, clock)
    lay(store, LATER - timedelta(minutes=3), "mai", "Xin chào")
    well = {
        "status": "ok",
        "ticked_at": "2025-09-15T07:06:00+00:00",
        "oldest_waiting_minutes": 3,
        "database": "ok",
    }
    assert await asked(health) == (200, well)


async def test_a_program_that_just_started_has_time_for_its_first_tick(
    store: Store, clock: StillClock, health: Health
) -> None:
    async with served(health) as client:
        never = {"status": "ok", "ticked_at": None, "oldest_waiting_minutes": 0, "database": "ok"}
        assert (await client.get("/health")).json() == never
        ticks(store, StillClock(NOW - timedelta(days=3)))  # of the last run
        clock.moment = NOW + timedelta(minutes=4, seconds=59)
        assert (await client.get("/health")).status_code == 200
        clock.moment = NOW + timedelta(minutes=5)
        assert (await client.get("/health")).json()["problems"] == ["ticks_stopped"]


@pytest.mark.parametrize("ticked", [True, False])
async def test_a_program_whose_ticks_stop_is_ill(
    store: Store, clock: StillClock, health: Health, ticked: bool
) -> None:
    if ticked:
        ticks(store, clock)
    clock.moment = LATER
    status, said = await asked(health)
    assert (status, said["status"], said["problems"]) == (503, "ill", ["ticks_stopped"])
    assert said["ticked_at"] == ("2025-09-15T07:00:00+00:00" if ticked else None)


async def test_a_program_that_delivers_nothing_is_ill(store: Store, clock: StillClock, health: Health) -> None:
    lay(store, NOW - timedelta(minutes=75), "mai", "Xin chào")
    ticks(store, clock)
    status, said = await asked(health)
    assert (status, said["problems"]) == (503, ["outbox_old"])
    assert (said["oldest_waiting_minutes"], said["database"]) == (75, "ok")


async def test_every_problem_is_named(store: Store, clock: StillClock, health: Health) -> None:
    lay(store, NOW, "mai", "Xin chào")
    clock.moment = LATER
    assert (await asked(health))[1]["problems"] == ["ticks_stopped", "outbox_old"]


async def test_nothing_of_anybody_is_told(store: Store, clock: StillClock, health: Health) -> None:
    lay(store, NOW, "mai", "Quân số 27")
    clock.moment = LATER
    async with served(health) as client:
        answer = await client.get("/health")
    assert set(answer.json()) == {"status", "problems", "ticked_at", "oldest_waiting_minutes", "database"}
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health?now", 200),
        ("HEAD", "/health", 200),
        ("POST", "/health", 404),
        ("DELETE", "/health", 404),
        ("GET", "/health/", 404),
        ("GET", "/Health", 404),
        ("GET", "/", 404),
        ("GET", "/people", 404),
        ("GET", "/static/chat.js", 404),
    ],
)
async def test_there_is_nothing_else(health: Health, method: str, path: str, status: int) -> None:
    async with served(health) as client:
        assert (await client.request(method, path)).status_code == status


AWAY = (503, {"status": "ill", "problems": ["database_away"], "database": "away"})


async def test_a_database_that_is_locked_is_away_until_it_is_free(file: Path, health: Health) -> None:
    async with served(health) as client:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode=EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            answer = await client.get("/health")
            assert (answer.status_code, answer.json()) == AWAY
        assert (await client.get("/health")).status_code == 200


async def test_a_database_that_is_gone_is_away(tmp_path: Path, clock: StillClock) -> None:
    store = Store(f"sqlite:///{tmp_path / 'gone' / 'commune.db'}")
    assert await asked(Health(store, clock, ("127.0.0.1", 0))) == AWAY


@pytest.fixture
def server(prepared_server: str) -> Iterator[str]:
    """A PostgreSQL database with the example's people."""
    with scratch_database(prepared_server) as url:
        yield url


async def test_a_database_that_does_not_answer_is_away_and_nobody_waits_for_it(
    server: str, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.health.PATIENCE", 0.2)
    time = asyncio.get_running_loop().time
    with closing(Store(server)) as store, psycopg.connect(server) as other:
        health = Health(store, clock, ("127.0.0.1", 0))
        async with served(health) as client:
            assert (await client.get("/health")).status_code == 200
            other.execute("LOCK TABLE heartbeat IN ACCESS EXCLUSIVE MODE")
            began = time()
            answers = await asyncio.gather(*(client.get("/health") for _ in range(20)))
            assert {answer.json()["database"] for answer in answers} == {"away"}
            assert time() - began < 2
            assert store.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
            other.rollback()
            await until(lambda: health._look is not None and health._look.done())
            assert (await client.get("/health")).status_code == 200
    assert PATIENCE == 2


async def test_a_port_that_is_taken_is_said_once_and_the_program_goes_on(
    store: Store, clock: StillClock, health: Health, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(health):
        second = Health(store, clock, ("127.0.0.1", health.port))
        platform = FakePlatform()
        lay(store, NOW, "mai", "Xin chào")
        running = asyncio.create_task(App(store, [platform], clock, beside=[second.run]).run())
        await until(lambda: "Xin chào" in platform.texts)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()
    [line] = warnings(caplog)
    assert line.startswith(f"action=health_not_served address=127.0.0.1:{health.port} reason=OSError: ")


@pytest.mark.parametrize("host", ["192.0.2.1", ".."])
async def test_a_place_that_is_not_ours_is_said_and_the_program_goes_on(
    store: Store, clock: StillClock, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    await Health(store, clock, (host, 0)).run()
    [line] = warnings(caplog)
    assert line.startswith(f"action=health_not_served address={host}:0 reason=")


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "localhost:0"])
async def test_it_listens_wherever_it_is_told_to(store: Store, clock: StillClock, listen: str) -> None:
    settings = Settings(_env_file=None, listen=listen)
    assert (await asked(Health(store, clock, settings.listen_on)))[0] == 200


async def test_it_is_a_part_of_the_program_and_ends_with_it(
    store: Store, clock: StillClock, health: Health
) -> None:
    running = asyncio.create_task(App(store, [FakePlatform()], clock, beside=[health.run]).run())
    await until(lambda: health.port != 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{health.port}") as client:
        assert (await client.get("/health")).json()["status"] == "ok"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        with pytest.raises(httpx.ConnectError):
            await client.get("/health")


async def test_a_fault_of_its_own_is_logged_and_goes_no_further(
    store: Store,
    clock: StillClock,
    health: Health,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("bot.health.serve", breaks)
    await health.run()
    assert "action=health_ended" in caplog.text


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
