"""RESULTS.md: one section for each program, which replaces only its own."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import platform
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).with_name("RESULTS.md")
TITLE = "# Results"
COMMITS = 200

Measure = Callable[[Path], Coroutine[Any, Any, Iterable[str]]]
"""Given a folder to work in, returns the lines of its section."""
Aim = tuple[str, str, bool]
"""What was aimed at, what was measured, and whether that will do."""


def publish(program: str, measure: Measure) -> None:
    """Measure, print the section and put it into RESULTS.md."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # a kill cuts requests in the middle
    gc.disable()  # the double keeps all it hears: its own collections would be measured as the bot's pauses
    began, busy = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        about, lines = _machine(Path(folder)), list(asyncio.run(measure(Path(folder))))
    about += (
        f" The run took {time.monotonic() - began:.0f} s; load {busy:.1f} before it, "
        f"{os.getloadavg()[0]:.1f} after it (it makes 1 to 1.5 itself)."
    )
    section = "\n".join([f"## `python -m bench.{program}`", "", about, "", *lines, ""])
    print(section)
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else f"{TITLE}\n"
    RESULTS.write_text(with_section(old, section), encoding="utf-8")


def with_section(page: str, section: str) -> str:
    """The page with this section in the place of the one with the same heading; the sections by name."""
    title, *sections = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    heading = section.partition("\n")[0]
    kept = [one for one in sections if one.partition("\n")[0] != heading]
    return "\n".join(part.strip() + "\n" for part in (title, *sorted([*kept, section])))


def table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Markdown; the first row is the head."""
    head, *body = rows
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in body:
        yield f"| {' | '.join(row)} |"


def aims(found: Iterable[Aim]) -> Iterator[str]:
    """The table of what was aimed at."""
    return table(
        [("aim", "measured", "met"), *((aim, what, "yes" if is_met else "NO") for aim, what, is_met in found)]
    )


def _machine(folder: Path) -> str:
    """Where and when this is measured."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({_processor()}), "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, one commit "
        f"(WAL, synchronous=FULL) {_commit_ms(folder):.2f} ms."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _commit_ms(folder: Path) -> float:
    """The median of small commits, in the folder where the databases will stand."""
    took = []
    with closing(sqlite3.connect(folder / "commits.db", isolation_level=None)) as link:
        link.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE one (n INTEGER)")
        for n in range(COMMITS):
            began = time.perf_counter()
            link.execute("INSERT INTO one VALUES (?)", (n,))
            took.append(time.perf_counter() - began)
    return 1000 * median(took)
