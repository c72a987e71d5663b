"""`python -m bench.faults`: the network, the server, the disk and the database fail in the middle of a day."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Literal

from bench.day import Account, Day, Prepared, prepare, settle
from bench.process import OURS, Bot, stage
from bench.results import aims, publish, table
from tests.botapi import BotApi

REMINDED, REPORTING = 200, 20
LATENCY = 0.05
THINKING = (0.5, 2.0)
BEGINS_AFTER = 2.0
SECONDS = 60.0
"""A fault lasts so long."""
RESETS = 40
DISK_MIB = 24
OUTGOING = ("sendMessage", "editMessageText", "editMessageReplyMarkup")

Fault = Callable[[BotApi, Bot], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Outcome:
    """What became of a day with a fault in it."""

    said: list[str]
    """The lines of the log above INFO, without their time."""
    back: float | None
    """Seconds from the fault's end until something was said to somebody again; None: all was said by then."""
    account: Account
    may_repeat: int


def resets(when: Literal["before", "after"]) -> Fault:
    @asynccontextmanager
    async def fault(api: BotApi, _bot: Bot) -> AsyncIterator[None]:
        for method in OUTGOING:
            api.drop(method, when, RESETS)
        yield
        api.mend()

    return fault


@asynccontextmanager
async def server_errors(api: BotApi, _bot: Bot) -> AsyncIterator[None]:
    for method in (*OUTGOING, "getUpdates", "answerCallbackQuery"):
        api.fail(method, 502, "Bad Gateway", times=100_000)
    yield
    api.mend()


@asynccontextmanager
async def full_disk(_api: BotApi, bot: Bot) -> AsyncIterator[None]:
    filler = bot.folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    yield
    filler.unlink()


@asynccontextmanager
async def locked(_api: BotApi, bot: Bot) -> AsyncIterator[None]:
    """This process is not the program's: it holds the lock as any other would."""
    with closing(sqlite3.connect(bot.database, timeout=10, isolation_level=None)) as link:
        link.execute("BEGIN IMMEDIATE")
        yield
        link.execute("ROLLBACK")


FAULTS: dict[str, tuple[Fault, str]] = {
    "connections reset before the message was taken": (resets("before"), "action=unreachable"),
    "connections reset after the message was taken": (resets("after"), "action=unreachable"),
    "the server answers 502": (server_errors, "action=unreachable"),
    "the disk is full": (full_disk, "the disk is full"),
    "another process holds the database": (locked, "another program holds the database"),
}
"""What is done, and what the program should call it."""


async def measure(folder: Path) -> Iterator[str]:
    prepared = prepare(folder, REMINDED, REPORTING)
    prepared = replace(prepared, reports={one: owed[:2] for one, owed in prepared.reports.items()})
    with _small_disk(folder / "disk") as disk:
        return _written({name: await _day_with(fault, prepared, disk) for name, (fault, _) in FAULTS.items()})


@contextmanager
def _small_disk(at: Path) -> Iterator[Path]:
    """A disk in memory, which only root can make."""
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


async def _day_with(fault: Fault, prepared: Prepared, disk: Path) -> Outcome:
    _empty(disk)
    async with stage(OURS, prepared.database, LATENCY, {}, disk=disk) as (api, bot):
        bot.log.unlink(missing_ok=True)
        day = Day(api, prepared, THINKING)
        await bot.start()
        day.begin()
        await asyncio.sleep(BEGINS_AFTER)
        async with fault(api, bot):
            await asyncio.sleep(SECONDS)
        ended = perf_counter()
        is_over = day.is_over
        await day.tally.hears_within(1 if is_over else 60)
        back = None if is_over else perf_counter() - ended
        await day.ends(silence=40)
        may_repeat = Counter(str(params["chat_id"]) for params in api.cut)
        expected = [obligation for each in prepared.reports.values() for obligation in each]
        return Outcome(_said(bot.log), back, settle(bot, day, expected, may_repeat), may_repeat.total())


def _empty(disk: Path) -> None:
    for old in disk.iterdir():
        old.unlink()


def _said(log: Path) -> list[str]:
    lines = log.read_text(encoding="utf-8").splitlines()
    return [line.split(" ", 2)[2] for line in lines if " WARNING " in line or " ERROR " in line]


def _written(outcomes: dict[str, Outcome]) -> Iterator[str]:
    yield (
        f"{REMINDED} people are to be reminded and {REPORTING} others report, with the shipped pace and "
        f"{1000 * LATENCY:.0f} ms a call. After {BEGINS_AFTER:.0f} s the fault begins and lasts {SECONDS:.0f} s "
        f"(resets: the next {RESETS} calls of each method that sends); the full disk is a tmpfs of {DISK_MIB} MiB."
    )
    yield from ("", *table(_rows(outcomes)), "", *_lines(outcomes), "", *aims(_aims(outcomes)))


def _rows(outcomes: dict[str, Outcome]) -> Iterator[tuple[str, ...]]:
    yield ("fault", "works again after", "never reminded", "reports lost", "filed twice", "said twice",
           "cut after it was taken")  # fmt: skip
    for name, one in outcomes.items():
        account = one.account
        figures = (
            account.never_reminded,
            account.never_filed,
            account.filed_twice,
            account.repeated,
            one.may_repeat,
        )
        back = "before its end" if one.back is None else f"{one.back:.1f} s"
        yield name, back, *map(str, figures)


def _lines(outcomes: dict[str, Outcome]) -> Iterator[str]:
    yield "What the program said, in full:"
    for name, one in outcomes.items():
        yield from ("", f"{name}:", "", *(f"    {line}" for line in one.said))


def _aims(outcomes: dict[str, Outcome]) -> Iterator[tuple[str, str, bool]]:
    named = [sum(words in line for line in outcomes[name].said) for name, (_, words) in FAULTS.items()]
    yield "each is named, once each time it begins", ", ".join(map(str, named)), all(named)
    whole = sum(one.account.is_whole for one in outcomes.values())
    yield (
        "nothing lost, no report doubled, nothing said twice but what was cut",
        f"{whole} of {len(outcomes)}",
        (whole == len(outcomes)),
    )


if __name__ == "__main__":
    publish("faults", measure)
