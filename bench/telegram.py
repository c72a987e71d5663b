"""`python -m bench.telegram`: measures the program and a bare echo bot side by side and writes RESULTS.md."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench.commune import grow
from bench.kill import kill_echo, kill_ours
from bench.load import Result, load, middle
from bench.people import Caller
from bench.process import ECHO, OURS
from bench.results import Measured, machine, written

PEOPLE = 500
ROUNDS = 3
LATENCIES = (0.0, 0.05)
LONGEST = 60.0
RESULTS = Path(__file__).with_name("RESULTS.md")

Run = Callable[[float], Coroutine[Any, Any, Result]]


async def measure(folder: Path) -> Measured:
    """Everything, the programs taking turns so that what else the machine does meets them alike."""
    database = folder / "prepared.db"
    reports = grow(database, PEOPLE)
    runs: dict[str, Run] = {
        "echo": lambda latency: load(ECHO, Caller.chats, database, reports, latency),
        "ours": lambda latency: load(OURS, lambda one: one.reports(reports[one.id]), database, reports, latency),
    }
    results = {latency: await _taking_turns(runs, latency) for latency in LATENCIES}
    async with asyncio.timeout(LONGEST):
        killed = {latency: await kill_ours(database, reports, latency) for latency in LATENCIES}
        return Measured(results, killed, await kill_echo(database, reports, 0.0))


async def _taking_turns(runs: dict[str, Run], latency: float) -> dict[str, Result]:
    found: dict[str, list[Result]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            found[name].append(await run(latency))
            print(f"{name:5} {1000 * latency:3.0f} ms  {found[name][-1].rate:6.0f} updates/s", flush=True)
    return {name: middle(results) for name, results in found.items()}


def main() -> None:
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # a kill cuts requests in the middle
    gc.disable()  # the double keeps all it hears: its own collections would be measured as the bot's pauses
    began, busy = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        about, measured = machine(Path(folder)), asyncio.run(measure(Path(folder)))
    text = written(about, measured, time.monotonic() - began, busy, os.getloadavg()[0])
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
