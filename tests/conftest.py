"""What tests share: a commune on a fresh copy of a prepared database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from bot.demo import load_demo
from storage.store import Store
from tests.commune import Commune
from tests.postgres import scratch_database

settings.register_profile("calm", deadline=None)  # a busy machine is no failure
settings.load_profile("calm")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the Phú Tân plan and the example's people, made once."""
    path = tmp_path_factory.mktemp("prepared") / "prepared.db"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def prepared_server() -> Iterator[str]:
    """The same in a PostgreSQL database, to be copied."""
    with scratch_database() as url:
        _prepare(url)
        yield url


def _prepare(url: str) -> None:
    store = Store(url)
    store.prepare()
    with store.writing() as db:
        load_demo(db, "Asia/Ho_Chi_Minh")
    store.close()


@pytest.fixture
def store(prepared: Path, tmp_path: Path) -> Iterator[Store]:
    """A database of its own for each test."""
    shutil.copy(prepared, tmp_path / "commune.db")
    opened = Store(f"sqlite:///{tmp_path / 'commune.db'}")
    yield opened
    opened.close()


@pytest.fixture
def commune(store: Store) -> Commune:
    """Monday 15/9/2025, 14:00: quarter III is closed, the units owe their reports by Wednesday."""
    return Commune(store, datetime(2025, 9, 15, 7, 0, tzinfo=UTC))
