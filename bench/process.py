"""A bot in a process of its own, watched through /proc (Linux)."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.botapi import BotApi, Limits

ROOT = Path(__file__).resolve().parents[1]
OURS = ("bot.cli", "run")
ECHO = ("bench.echo",)
NO_PACE = {"TELEGRAM_RATE": "0", "TELEGRAM_CHAT_RATE": "0"}
START_SECONDS = 20
NOT_OURS = ("DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
"""Of this desk: elsewhere Python keeps what it compiled for the next start."""
TICKS = os.sysconf("SC_CLK_TCK")


class Bot:
    """One program against the double, with its database in `folder`."""

    def __init__(self, api: BotApi, command: tuple[str, ...], folder: Path, settings: Mapping[str, str]) -> None:
        self._api = api
        self._command = command
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self.folder = folder
        self.log = folder.with_suffix(".log")
        """What it said, over all its starts; outside the folder, which may be full."""

    @property
    def database(self) -> Path:
        return self.folder / "dondoc.db"

    async def spawn(self) -> None:
        """Start the program, and do not wait for it."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *self._command),
                env=self._environment(),
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )

    async def start(self) -> float:
        """Start the program; returns the seconds until it waited for updates."""
        self._api.polled.clear()
        began = time.perf_counter()
        await self.spawn()
        async with asyncio.timeout(START_SECONDS):
            await self._api.polled.wait()
        return time.perf_counter() - began

    async def kill(self) -> None:
        """SIGKILL, as when the power fails."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def end(self) -> None:
        """SIGTERM, and wait for it to end in order."""
        assert self._process is not None
        self._process.terminate()
        await self._process.wait()

    def processor_seconds(self) -> float:
        """Processor time so far, of user and system."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        """MiB in memory now."""
        line = next(line for line in self._proc("status").splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def _proc(self, name: str) -> str:
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/{name}").read_text()

    def _environment(self) -> dict[str, str]:
        """The settings of `dondoc run`; the echo bot uses the server and the token of them."""
        kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        return kept | {
            "PYTHONPATH": str(ROOT),
            "DATA_DIR": str(self.folder),
            "TELEGRAM_BOT_TOKEN": self._api.token,
            "TELEGRAM_API_URL": self._api.url,
            **self._settings,
        }


@asynccontextmanager
async def stage(
    command: tuple[str, ...],
    database: Path,
    latency: float,
    settings: Mapping[str, str] = NO_PACE,
    limits: Limits | None = None,
    disk: Path | None = None,
) -> AsyncIterator[tuple[BotApi, Bot]]:
    """A double and a bot, not started yet, on a copy of the database (on a `disk` of its own, where one is given);
    the bot is killed in the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data = disk or Path(folder) / "data"
        data.mkdir(exist_ok=True)
        async with BotApi(latency=latency, limits=limits) as api:
            bot = Bot(api, command, data, settings)
            shutil.copy(database, bot.database)
            try:
                yield api, bot
            finally:
                await bot.kill()
