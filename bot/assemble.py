"""Putting the parts together: the one place that knows them all. Tests call it with other parts."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlmodel import Session, select

import plans
from bot import PLATFORMS
from bot.clock import Clock
from bot.delivery import Delivery
from bot.intake import Intake
from bot.platform import Platform, StartFailed
from bot.settings import Settings
from bot.transactions import GaveUp, Transactions
from handlers.help import edition
from messages import blocks
from messages.pictures import qr
from plans.calendar import shipped_calendar, shipped_days
from plans.model import PlanFile
from scheduler import makers as reminders
from scheduler import rehearsed
from scheduler.making import Made, Maker
from scheduler.tick import Ticker
from storage.calendar import load_calendar
from storage.loading import load_plan
from storage.service import since
from storage.statement import compile_all
from storage.store import Store, StoreFault
from storage.tables import Organization

log = logging.getLogger("dondoc")
Result = TypeVar("Result")
PLAN = Path(plans.__file__).parent / "phu-tan-2025.yaml"
"""The plan a new install begins with."""
GIVE_WAY = 0.0001
"""Seconds a thread works on while another wants to."""
TRIES = 5
"""How often a command tries to write while the running program holds the database: for half a second and more."""


def _qr(_db: Session, args: dict[str, Any], _now: datetime) -> Made:
    return Made(content=qr(args["text"]))


MAKERS = {**reminders.MAKERS, **rehearsed.MAKERS, "qr": Maker(_qr)}
"""What the outbox names instead of holding: made at the moment of sending."""


def platforms(settings: Settings, clock: Clock) -> list[Platform]:
    """The platforms whose settings are there."""
    made = [import_module(f"bot.{name}").from_settings(settings, clock) for name in PLATFORMS]
    return [platform for platform in made if platform is not None]


class App:
    """The running program: platforms listen, the intake answers, the delivery sends, the ticker reminds."""

    def __init__(
        self,
        store: Store,
        platforms: Sequence[Platform],
        clock: Clock,
        ready: Callable[[Platform], None] = lambda platform: None,
        beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
    ) -> None:
        """`ready` is told of each platform once it can be used. What runs `beside` may end without harm."""
        self._ready = ready
        self._beside = beside
        self.store = store
        self.clock = clock
        self.platforms = {platform.channel: platform for platform in platforms}
        self.transactions = Transactions(store)
        self.delivery = Delivery(self.transactions, self.platforms, MAKERS, clock)
        self.intake = Intake(self.transactions, clock, self.delivery.wake)
        self.ticker = Ticker(self.transactions.write, self.transactions.read_beside, clock.now, self.delivery.wake)

    async def run(self) -> None:
        """Serve until cancelled. The end of any part stops the program with StartFailed: nothing dies unseen.

        Raises StoreFault when another program runs on this SQLite file: it would send everything twice.
        """
        self.store.hold()
        _settle_down(self.store)
        parts = [asyncio.create_task(self._listen(platform)) for platform in self.platforms.values()]
        delivering = asyncio.create_task(self.delivery.run())
        beside = [asyncio.create_task(run()) for run in self._beside]
        self.ticker.start()
        try:
            done, _ = await asyncio.wait([*parts, delivering], return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                _say_why(part)
            raise StartFailed("part_ended")
        finally:
            self.ticker.stop()
            await _end(parts)  # first nothing more comes in, then what is under way goes out
            await _end([delivering, *beside])
            for platform in self.platforms.values():
                await platform.close()
            self.transactions.close()
            self.store.close()

    async def _listen(self, platform: Platform) -> None:
        link = await platform.start()
        if link is not None:
            await self.transactions.write(partial(_keep_link, link=link))
        self.intake.menu_since = await self.transactions.write(
            lambda db: since(db, "menu", edition(), self.clock.now())
        )
        log.info("action=listening channel=%s", platform.channel)
        self._ready(platform)
        await platform.listen(self.intake.accept)


def _settle_down(store: Store) -> None:
    """What would hold the event loop later: compiling a template or a statement at its first use, collections of
    garbage that walk through everything loaded at the start, and threads beside that give way to it only after
    5 ms: each statement of SQLite has to ask them to."""
    blocks()
    compile_all(store.engine.dialect)
    gc.freeze()
    sys.setswitchinterval(GIVE_WAY)


def _say_why(ended: asyncio.Task[None]) -> None:
    """Raise what the platform refused; anything else that ended a part is logged whole."""
    error = ended.exception()
    if isinstance(error, StartFailed):
        raise error
    log.critical("action=part_ended", exc_info=error)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _keep_link(db: Session, link: str) -> None:
    for organization in db.exec(select(Organization)):
        organization.join_link = link


@contextmanager
def store_faults() -> Iterator[None]:
    """Whatever keeps the database from being used becomes a StoreFault, which `bot.cli` words."""
    try:
        yield
    except IntegrityError:
        raise  # a fault of ours, not of the place
    except (OSError, ModuleNotFoundError, ArgumentError, DBAPIError, GaveUp) as error:
        raise StoreFault("store_unreachable") from error


def open_store(settings: Settings, is_demo: bool = False) -> Store:
    """The database, brought to this version; a demo's serves the demo alone. Raises StoreFault."""
    with store_faults():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        store = Store(settings.demo_url if is_demo else settings.url)
        store.prepare()
        with store.reading() as db:
            organizations = db.exec(select(Organization)).all()
    if not is_demo and any(organization.is_demo for organization in organizations):
        raise StoreFault("store_is_demo")
    return store


def write_once(store: Store, work: Callable[[Session], Result]) -> Result:
    """One transaction of the command line, tried again while the running program holds the database."""
    with store_faults(), closing(Transactions(store)) as transactions:
        return asyncio.run(transactions.write(work, bears=lambda tries, _others: tries < TRIES))


def load_commune(db: Session, file: PlanFile, timezone: str, now: datetime) -> Organization:
    """The plan's rows and the shipped calendar's."""
    organization = load_plan(db, file, shipped_calendar(), timezone, now)
    assert organization.id is not None
    days = [(day.day, day.working, day.name, day.official) for day in shipped_days()]
    load_calendar(db, organization.id, days)
    return organization
