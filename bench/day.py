"""A day of the office: many are reminded, some report meanwhile, and something happens to the program."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.commune import Reports, grow, remind
from bench.people import Caller, Tally
from bench.process import Bot
from tests.botapi import BotApi, Heard

CLAIMED = """SELECT account.chat_id FROM outgoing JOIN account ON account.id = outgoing.account_id
    WHERE outgoing.state = 'waiting' AND outgoing.claimed_until IS NOT NULL"""
SAID = """SELECT account.chat_id, count(*) FROM outgoing JOIN account ON account.id = outgoing.account_id
    WHERE outgoing.state = 'sent' AND outgoing.kind <> 'menu' GROUP BY account.chat_id"""
FILED = "SELECT obligation_id FROM submission"
SILENCE = 8.0
"""Seconds without a word after which nothing more is expected; a restart takes less."""


@dataclass(frozen=True)
class Prepared:
    """A database in which people are to be reminded today, and others have reports to make."""

    database: Path
    reminded: list[int]
    reports: Reports


def prepare(folder: Path, reminded: int, reporting: int) -> Prepared:
    """Those who report are not those who are reminded: the digest of who is writing would wait."""
    database = folder / "prepared.db"
    reports = grow(database, reporting)
    return Prepared(database, remind(database, reminded), reports)


class Reporter(Caller):
    """Thinks before answering, and does not answer what is said twice."""

    def __init__(self, api: BotApi, id: int, tally: Tally, pace: tuple[float, float]) -> None:
        super().__init__(api, id, tally)
        self._pace = pace
        self._random = random.Random(id)

    def is_news(self, heard: Heard) -> bool:
        return not self.answers or (heard.text, heard.buttons) != (self.answers[-1].text, self.answers[-1].buttons)

    async def thinks(self) -> None:
        await asyncio.sleep(self._random.uniform(*self._pace))


class Day:
    """The people of one run. `filed` are the reports somebody was told of that they have arrived."""

    def __init__(self, api: BotApi, prepared: Prepared, pace: tuple[float, float]) -> None:
        self.tally = Tally()
        self.reminded = [Caller(api, chat_id, self.tally) for chat_id in prepared.reminded]
        self.reporters = [Reporter(api, chat_id, self.tally, pace) for chat_id in prepared.reports]
        self.filed: list[int] = []
        self._reports = prepared.reports
        self._talks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Everybody who reports begins, each in their own time."""
        self._talks = [asyncio.create_task(self._reports_all(one)) for one in self.reporters]

    async def _reports_all(self, person: Reporter) -> None:
        for obligation in self._reports[person.id]:
            await person.thinks()
            await person.reports([obligation])
            self.filed.append(obligation)

    @property
    def heard(self) -> int:
        """How many have been reminded."""
        return sum(bool(one.answers) for one in self.reminded)

    @property
    def is_over(self) -> bool:
        return self.heard == len(self.reminded) and all(talk.done() for talk in self._talks)

    async def ends(self, silence: float = SILENCE) -> None:
        """Wait until all is said and done, or nothing more is said; a moment more shows what is repeated."""
        while not self.is_over and await self.tally.hears_within(silence):
            pass
        while await self.tally.hears_within(1.0):
            pass
        await self.stops()

    async def stops(self) -> None:
        """Nobody writes any more. Raises what went wrong in a conversation."""
        for talk in self._talks:
            talk.cancel()
        for result in await asyncio.gather(*self._talks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result


@dataclass(frozen=True)
class Account:
    """What became of everything."""

    reminded: int
    never_reminded: int
    filed: int
    never_filed: int
    """Reports that were to be made, and are not in the database."""
    filed_twice: int
    repeated: int
    """Messages that were said once more."""
    beyond: int
    """Of these, those that had not been in flight when the program was killed or the line was cut."""

    @property
    def is_whole(self) -> bool:
        """Nothing lost, nothing doubled but what was in flight."""
        return not (self.never_reminded or self.never_filed or self.filed_twice or self.beyond)


def settle(bot: Bot, day: Day, expected: Sequence[int], in_flight: Counter[str]) -> Account:
    """Compare what people heard with what the database holds; `in_flight` counts by chat what may be repeated."""
    filed, said = Counter(_numbers(bot.database, FILED)), _said(bot.database)
    people = [*day.reminded, *day.reporters]
    repeated = {str(one.id): max(0, len(one.answers) - said.get(str(one.id), 0)) for one in people}
    return Account(
        reminded=day.heard,
        never_reminded=len(day.reminded) - day.heard,
        filed=len(filed),
        never_filed=sum(not filed[obligation] for obligation in expected),
        filed_twice=sum(count - 1 for count in filed.values()),
        repeated=sum(repeated.values()),
        beyond=sum(max(0, count - in_flight[chat_id]) for chat_id, count in repeated.items()),
    )


def claimed(database: Path) -> Counter[str]:
    """The messages claimed for sending, by chat."""
    with closing(sqlite3.connect(database, timeout=10)) as link:
        return Counter(row[0] for row in link.execute(CLAIMED))


def _said(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database, timeout=10)) as link:
        return dict(link.execute(SAID))


def _numbers(database: Path, query: str) -> list[int]:
    with closing(sqlite3.connect(database, timeout=10)) as link:
        return [row[0] for row in link.execute(query)]
