"""The measurements as a page: tables first, then each aim and whether it was met."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.kill import KILL_AFTER, Killed
from bench.load import AT_ONCE, Result

COMMITS = 200


@dataclass(frozen=True)
class Measured:
    """By latency in seconds, and there by program ("ours", "echo")."""

    loads: Mapping[float, Mapping[str, Result]]
    killed: Mapping[float, Killed]
    killed_echo: Killed

    def ratio(self, latency: float) -> float:
        """Our updates a second over the echo bot's."""
        return self.loads[latency]["ours"].rate / self.loads[latency]["echo"].rate


def machine(folder: Path) -> str:
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


def written(about: str, measured: Measured, seconds: float, busy: float, still_busy: float) -> str:
    """The page, as Markdown; `busy` is the load of the machine before the run, `still_busy` after it."""
    return "\n".join(
        [
            "# Results of `python -m bench.telegram`",
            "",
            f"{about} The run took {seconds:.0f} s; load {busy:.1f} before it, {still_busy:.1f} after it "
            "(it makes about 1.5 itself).",
            "",
            "The pacer was off (TELEGRAM_RATE=0, TELEGRAM_CHAT_RATE=0); with the shipped settings the program "
            "keeps to Telegram's own limit of about 30 messages a second.",
            "",
            f"{AT_ONCE} people at once, each writing on as soon as the answer has reached the server:",
            "",
            *_table(_load_rows(measured)),
            "",
            f"SIGKILL after {KILL_AFTER} answers of a burst from {measured.killed_echo.burst} people, "
            "then a restart:",
            "",
            *_table(_kill_rows(measured)),
            "",
            *_table([("aim", "measured", "met"), *_aims(measured)]),
            "",
        ]
    )


def _load_rows(measured: Measured) -> Iterator[tuple[str, ...]]:
    yield ("a call takes", "program", "updates/s", "ratio", "p50", "p99", "processor per update", "of the server",
           "start", "memory: started, loaded")  # fmt: skip
    for latency, programs in measured.loads.items():
        for name, one in programs.items():
            yield (
                f"{1000 * latency:.0f} ms",
                name,
                f"{one.rate:.0f}",
                f"{measured.ratio(latency):.2f}" if name == "ours" else "",
                f"{1000 * one.p50:.0f} ms",
                f"{1000 * one.p99:.0f} ms",
                f"{1000 * one.processor:.2f} ms",
                f"{100 * one.server:.0f} %",
                f"{one.start:.2f} s",
                f"{one.memory_started:.0f}, {one.memory_loaded:.0f} MiB",
            )


def _kill_rows(measured: Measured) -> Iterator[tuple[str, ...]]:
    yield ("program", "answered before", "lost", "said twice", "in flight", "conversations that went on")
    for latency, one in measured.killed.items():
        name = f"ours, {1000 * latency:.0f} ms a call"
        yield (
            name,
            *map(str, (one.before, one.lost, one.repeated, one.in_flight)),
            f"{one.went_on} of {one.burst}",
        )
    echo = measured.killed_echo
    yield ("echo", *map(str, (echo.before, echo.lost, echo.repeated)), "", "")


def _aims(measured: Measured) -> Iterator[tuple[str, str, str]]:
    near, far = min(measured.loads), max(measured.loads)
    ours, echo, slow = measured.loads[near]["ours"], measured.loads[near]["echo"], measured.loads[far]["ours"]
    kills = measured.killed.values()
    cost, limit = ours.processor / echo.processor, 2.5 * far
    memory = max(one["ours"].memory_loaded for one in measured.loads.values())
    lost, kept = sum(one.lost for one in kills), all(one.went_on == one.burst for one in kills)
    repeats = ", ".join(f"{one.repeated} of {one.in_flight}" for one in kills)
    is_bounded = all(one.repeated <= (one.in_flight or 0) for one in kills)
    for aim, found, is_met in (
        (
            "at least 1.5 times the echo bot at no latency",
            f"{measured.ratio(near):.2f}",
            measured.ratio(near) >= 1.5,
        ),
        ("at most half its processor time per update", f"{cost:.2f}", cost <= 0.5),
        (f"at least 25 times at {1000 * far:.0f} ms", f"{measured.ratio(far):.1f}", measured.ratio(far) >= 25),
        (f"p99 under {1000 * limit:.0f} ms there", f"{1000 * slow.p99:.0f} ms", slow.p99 < limit),
        ("nothing lost when killed, conversations kept", f"{lost} lost", lost == 0 and kept),
        ("no more said twice than was in flight", repeats, is_bounded),
        ("memory under 120 MiB", f"{memory:.0f} MiB", memory < 120),
        ("start under 1.5 s", f"{ours.start:.2f} s", ours.start < 1.5),
    ):
        yield aim, found, "yes" if is_met else "NO"


def _table(rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> Iterator[str]:
    head, *body = rows
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in body:
        yield f"| {' | '.join(row)} |"
