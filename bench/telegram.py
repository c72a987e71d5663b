"""`python -m bench.telegram`: measures the program and a bare echo bot side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.commune import grow
from bench.kill import KILL_AFTER, Killed, kill_echo, kill_ours
from bench.load import AT_ONCE, Result, load, middle
from bench.people import Caller
from bench.process import ECHO, OURS
from bench.results import Aim, aims, publish, table

PEOPLE = 500
ROUNDS = 3
LATENCIES = (0.0, 0.05)
LONGEST = 60.0

Run = Callable[[float], Coroutine[Any, Any, Result]]


@dataclass(frozen=True)
class Measured:
    """By latency in seconds, and there by program ("ours", "echo")."""

    loads: Mapping[float, Mapping[str, Result]]
    killed: Mapping[float, Killed]
    killed_echo: Killed

    def ratio(self, latency: float) -> float:
        """Our updates a second over the echo bot's."""
        return self.loads[latency]["ours"].rate / self.loads[latency]["echo"].rate


async def _measure(folder: Path) -> Measured:
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


async def measure(folder: Path) -> Iterator[str]:
    """Everything, as the lines of a page."""
    return _written(await _measure(folder))


def _written(measured: Measured) -> Iterator[str]:
    yield (
        "The pacer was off (TELEGRAM_RATE=0, TELEGRAM_CHAT_RATE=0); with the shipped settings the program keeps "
        "to Telegram's own limit of about 30 messages a second."
    )
    yield ""
    yield f"{AT_ONCE} people at once, each writing on as soon as the answer has reached the server:"
    yield from ("", *table(_load_rows(measured)), "")
    burst = measured.killed_echo.burst
    yield f"SIGKILL after {KILL_AFTER} answers of a burst from {burst} people, then a restart:"
    yield from ("", *table(_kill_rows(measured)), "", *aims(_aims(measured)))


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


def _aims(measured: Measured) -> Iterator[Aim]:
    near, far = min(measured.loads), max(measured.loads)
    ours, echo, slow = measured.loads[near]["ours"], measured.loads[near]["echo"], measured.loads[far]["ours"]
    kills = measured.killed.values()
    cost, limit = ours.processor / echo.processor, 2.5 * far
    memory = max(one["ours"].memory_loaded for one in measured.loads.values())
    lost, kept = sum(one.lost for one in kills), all(one.went_on == one.burst for one in kills)
    repeats = ", ".join(f"{one.repeated} of {one.in_flight}" for one in kills)
    is_bounded = all(one.repeated <= (one.in_flight or 0) for one in kills)
    yield from (
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
    )


if __name__ == "__main__":
    publish("telegram", measure)
