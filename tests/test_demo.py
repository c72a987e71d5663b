"""The demo: made on the first start, goes on where it stopped, and is never taken for the real thing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import select

from bot.assemble import PLAN, App, load_commune, open_store
from bot.browser import Browser
from bot.demo import BEGINS, Demo, build
from bot.settings import Settings
from handlers.incoming import Incoming
from plans.file import read_plan
from storage.store import Store, StoreFault
from storage.tables import Account, Member, Obligation, Organization
from tests.fakes import FakePlatform, delivering, local, rows, until

SLACK = timedelta(minutes=1)
"""A demo's clock runs on while a test works."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "data", listen="127.0.0.1:0")


@pytest.fixture
def built(settings: Settings, prepared: Path) -> Iterator[Callable[[], App]]:
    """Starts the demo anew on a database made before; the one that ran has ended by then."""
    settings.data_dir.mkdir()
    shutil.copy(prepared, settings.data_dir / "demo.db")
    apps: list[App] = []

    def start() -> App:
        for app in apps:
            app.store.close()
        apps.append(build(settings, lambda _: None))
        return apps[-1]

    yield start
    for app in apps:
        app.store.close()


def demo_of(app: App) -> Demo:
    [browser] = app.platforms.values()
    assert isinstance(browser, Browser)
    demo = browser._demo
    assert isinstance(demo, Demo)
    return demo


def test_the_first_start_makes_it(settings: Settings) -> None:
    app = build(settings, lambda _: None)
    assert (settings.data_dir / "demo.db").exists()
    assert BEGINS <= app.clock.now() < BEGINS + SLACK
    with app.store.reading() as db:
        assert db.exec(select(Organization)).one().is_demo
        assert len(db.exec(select(Member)).all()) == 12
        assert {row.state for row in db.exec(select(Obligation))} >= {"not_started", "submitted", "not_owed"}
    app.store.close()


def test_the_day_it_begins_is_an_interesting_one() -> None:
    assert local(15, 8, 5) == BEGINS  # the figures closed yesterday, the units report in two days


async def test_it_goes_on_where_it_stopped(built: Callable[[], App]) -> None:
    demo = demo_of(built())
    await demo.move_to(local(17, 7, 30))
    assert demo.now() >= local(17, 7, 30)
    app = built()
    assert local(17, 7, 30) <= app.clock.now() < local(17, 7, 30) + SLACK
    assert len(rows(app.store)) == 4  # today's digests, planned once


async def test_moving_the_clock_brings_the_reminders_of_that_morning(built: Callable[[], App]) -> None:
    app = built()
    demo = demo_of(app)
    for _, moment in demo.choices()[:1]:
        await demo.move_to(moment)
    assert demo.now().astimezone(demo.zone).date() == date(2025, 9, 16)
    assert len(rows(app.store)) == 4


@pytest.mark.parametrize(
    ("now", "moves"),
    [
        (local(1, 9, 0), {"tomorrow": local(2), "next_rung": local(3)}),  # what was silent since June
        (local(15, 9, 0), {"tomorrow": local(16), "next_rung": local(16)}),
        (local(18, 9, 0), {"tomorrow": local(19), "next_rung": local(22)}),
        (
            local(31, 9, 0, month=12),
            {"tomorrow": local(1, month=1, year=2026), "next_rung": local(5, month=1, year=2026)},
        ),
        (
            local(1, 9, 0, month=3, year=2026),
            {"tomorrow": local(2, month=3, year=2026)},
        ),  # an old plan nags nobody
    ],
)
def test_the_clock_offers_tomorrow_and_the_next_rung(
    built: Callable[[], App], now: datetime, moves: dict[str, datetime]
) -> None:
    demo = demo_of(built())
    demo._clock.move_to(now)
    assert dict(demo.choices()) == moves | {"afternoon": now + timedelta(hours=4, minutes=30)}
    demo._clock.move_to(now + timedelta(hours=5))
    assert dict(demo.choices()) == moves


async def test_a_reminder_wished_for_this_afternoon_comes_when_the_clock_is_moved_there(
    built: Callable[[], App],
) -> None:
    app, platform = built(), FakePlatform()
    demo = demo_of(app)
    for key, said in enumerate(("/nhaclai", "1", "chiều nay")):
        await app.intake.accept(Incoming("browser", "mai", str(key), "text", said, app.clock.now()))
    async with delivering(app.store, platform, app.clock) as delivery:
        await until(lambda: any("lúc 13:30 hôm nay" in text for text in platform.texts))
        await demo.move_to(dict(demo.choices())["afternoon"])
        delivery.wake()
        await until(lambda: any("hẹn nhắc lại lúc này" in text for text in platform.texts))


def test_everybody_of_the_example_can_be_played(built: Callable[[], App]) -> None:
    people = demo_of(built()).people()
    assert len(people) == 12
    assert {person.role for person in people} == {"staff", "head", "coordinator", "leader", "observer"}
    assert {person.chat_id for person in people} >= {"lan", "mai", "chutich", "mattran"}


async def test_what_was_said_is_shown_again_after_a_restart(built: Callable[[], App]) -> None:
    app = built()
    await app.intake.accept(Incoming("browser", "mai", "1", "text", "/tasks", app.clock.now()))
    async with delivering(app.store, FakePlatform(), app.clock):
        await until(lambda: {row.state for row in rows(app.store).values()} == {"sent"})
    earlier = demo_of(built()).history("mai")
    assert len(earlier) == 1
    assert earlier[0].choices


async def test_a_reminder_is_shown_again_after_a_restart(built: Callable[[], App]) -> None:
    app = built()
    await app.ticker.tick()
    async with delivering(app.store, FakePlatform(), app.clock):
        await until(lambda: {row.state for row in rows(app.store).values()} == {"sent"})
    [reminder] = demo_of(built()).history("mai")
    assert "17/9" in reminder.text
    assert reminder.choices[0].label.startswith("Báo cáo ")


def test_the_clock_stops_at_a_promised_day_too(built: Callable[[], App]) -> None:
    app = built()
    with app.store.writing() as db:
        next(iter(db.exec(select(Obligation)))).promised_on = date(2025, 9, 22)
    demo = demo_of(app)
    demo._clock.move_to(local(19, 12, 0))
    assert dict(demo.choices())["next_rung"] == local(22, 7, 30)


def test_run_refuses_a_demo_database(built: Callable[[], App], settings: Settings) -> None:
    built()
    with pytest.raises(StoreFault) as fault:
        open_store(settings.model_copy(update={"database_url": SecretStr(settings.demo_url)}))
    assert fault.value.code == "store_is_demo"


def test_the_demo_uses_its_own_file_whatever_the_settings_say(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url="postgresql://nobody@nowhere/real")
    assert settings.demo_url == f"sqlite:///{tmp_path / 'demo.db'}"


def test_a_real_database_is_not_marked_as_a_demo_and_has_nobody_in_it(tmp_path: Path) -> None:
    store = open_store(Settings(_env_file=None, data_dir=tmp_path))
    with store.writing() as db:
        load_commune(db, read_plan(PLAN), "Asia/Ho_Chi_Minh", BEGINS)
    with store.reading() as db:
        assert not db.exec(select(Organization)).one().is_demo
        assert db.exec(select(Account)).all() == []
    store.close()
    again: Store = open_store(Settings(_env_file=None, data_dir=tmp_path))
    again.close()
