"""Statements run on the driver itself, and behave as SQLAlchemy's do, on both engines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import select as choose

from storage import alerts, chats, looking, outbox, owed, reminding, reports
from storage.statement import Statement, adding, adding_new, among, compile_all
from storage.store import Store
from storage.tables import Draft
from storage.tables.core import table
from tests.postgres import scratch_database

NOW = datetime(2025, 9, 15, 7, 0, tzinfo=UTC)
COLUMNS = ("id", "flow", "args", "answers", "version", "updated_at")
draft = table(Draft)
add = Statement(adding(draft, *COLUMNS))
add_new = Statement(adding_new(draft, *COLUMNS))
find = Statement(select(draft).where(draft.c.flow == bindparam("flow")).order_by(draft.c.id))
close = Statement(update(draft).where(draft.c.id == bindparam("key")).values(closed_at=bindparam("now")))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('statements') / 'migrated.db'}")
    store.prepare()
    yield store
    store.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "sqlite":
        yield request.getfixturevalue("migrated")
        return
    with scratch_database() as url:
        store = Store(url)
        store.prepare()
        yield store
        store.close()


def row(number: int, **other: object) -> dict[str, object]:
    facts = {"flow": "joining", "args": {"tên": "Mai"}, "answers": {}, "version": 0, "updated_at": NOW}
    return {"id": number, **facts, **other}


def test_rows_are_named_and_keep_their_types(empty: Store) -> None:
    with empty.reading() as db:
        assert add.change(db, **row(1)) == 1
        found = find.first(db, flow="joining")
    assert (found.id, found.args, found.updated_at, found.closed_at) == (1, {"tên": "Mai"}, NOW, None)


def test_it_tells_how_many_rows_were_changed(empty: Store) -> None:
    with empty.reading() as db:
        assert [add_new.change(db, **row(1)) for _ in range(2)] == [1, 0]
        assert [close.change(db, key=key, now=NOW) for key in (1, 2)] == [1, 0]
        assert find.first(db, flow="joining").closed_at == NOW


def test_many_sets_of_parameters_are_many_rows(empty: Store) -> None:
    with empty.reading() as db:
        add.change_each(db, [row(1), row(2, flow="other"), row(3)])
        assert [found.id for found in find.all(db, flow="joining")] == [1, 3]
        assert find.first(db, flow="nothing") is None


def test_a_list_of_values_is_written_out(empty: Store) -> None:
    chosen = Statement(select(draft.c.id).where(among(draft.c.flow, ("one", "two"))).order_by(draft.c.id))
    with empty.reading() as db:
        add.change_each(db, [row(1, flow="one"), row(2, flow="two"), row(3, flow="three")])
        assert [found.id for found in chosen.all(db)] == [1, 2]


def test_it_sees_and_is_seen_by_the_rest_of_its_transaction(empty: Store) -> None:
    with empty.reading() as db:
        db.add(Draft(flow="joining", args={}, answers={}, updated_at=NOW))
        db.flush()
        add.change(db, **row(77))
        assert len(find.all(db, flow="joining")) == len(db.exec(choose(Draft)).all()) == 2
    with empty.reading() as db:
        assert find.all(db, flow="joining") == []


def test_a_missing_parameter_is_named(empty: Store) -> None:
    with empty.reading() as db, pytest.raises(KeyError, match="flow"):
        find.all(db)


def test_errors_are_those_of_sqlalchemy_and_hold_nothing_people_wrote(empty: Store) -> None:
    said = row(1, answers={"note": "0912345678"})
    with empty.reading() as db, pytest.raises(IntegrityError) as error:
        add.change_each(db, [said, said])
    assert "0912345678" not in str(error.value)


HOT = [
    pytest.param(found, id=f"{module.__name__}.{name}")
    for module in (alerts, chats, looking, outbox, owed, reminding, reports)
    for name, found in vars(module).items()
    if isinstance(found, Statement) and not name.startswith(("_add", "_put", "_take"))  # they say SCAN
]
"""The statements of the hot path that look for rows."""
GROWING = (
    "outgoing|seen|draft|submission|obligation|account|conversation|audit"
    "|membership|casefile|digest|reminder|snooze|alert"
)
"""Tables that grow with the years, or with the people."""


@pytest.mark.parametrize("statement", HOT)
def test_what_messages_and_ticks_cost_does_not_grow_with_the_years(migrated: Store, statement: Statement) -> None:
    with migrated.reading() as db:
        compiled = statement._for(db)
        plan = db.info["driver"].execute(f"EXPLAIN QUERY PLAN {compiled.sql}", [None] * len(compiled.parameters))
        steps = [step[-1] for step in plan]
    assert not [step for step in steps if re.match(rf"SCAN ({GROWING})\b", step)]


def test_every_statement_can_be_compiled_before_it_is_used(empty: Store) -> None:
    compile_all(empty.engine.dialect)
    before = dict(find._compiled)
    with empty.reading() as db:
        find.all(db, flow="nothing")
    assert empty.engine.dialect.name in before
    assert find._compiled == before
