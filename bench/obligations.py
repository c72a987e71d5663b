"""A commune with as many obligations as one likes, some of them due: the database itself writes its rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Date, bindparam, text
from sqlmodel import Session, col, select

from bot.assemble import PLAN, load_commune
from bot.settings import Settings
from plans.file import read_plan
from storage import tables
from storage.people import add_role
from storage.store import Store
from storage.tables.core import connection, table

TODAY, DAY_BEFORE = date(2025, 9, 17), date(2025, 9, 16)
"""Working days: one on which what is due is due, and one on which nothing is."""
TOLD = {-7: date(2025, 9, 8), -3: date(2025, 9, 12)}
"""The rungs that people were told of."""
DUE_LATER, LOOKED_AT_LATER = date(2025, 10, 15), date(2025, 10, 6)
EACH = 8
"""Obligations of a unit."""
FIRST = 1001
"""The first id of what is added; the plan's own rows stand before it."""

COUNTED = "WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < :count)"
UNITS = (
    "unit (id, organization_id, code, name, short, kind) "
    f"{COUNTED} SELECT :first + n, :commune, 'DV-' || n, 'Đơn vị ' || n, 'DV-' || n, 'internal' FROM counted",
    "member (id, organization_id, name, joined_at) "
    f"{COUNTED} SELECT :first + n, :commune, 'Người ' || n, :told_at FROM counted",
    "membership (organization_id, member_id, unit_id, role) "
    f"{COUNTED} SELECT :commune, :first + n, :first + n, 'staff' FROM counted",
    "account (id, organization_id, member_id, channel, chat_id, is_reachable) "
    f"{COUNTED} SELECT :first + n, :commune, :first + n, 'telegram', 'DV-' || n, true FROM counted",
    "conversation (account_id, offered, is_lettered, heard_at) "
    f"{COUNTED} SELECT :first + n, '[]', false, :told_at FROM counted",
)
"""Each unit has one officer; they, their account and their unit bear the same number."""
OBLIGATIONS = (
    "obligation (id, organization_id, task_id, unit_id, period_id, state, due_on, look_on, wakes) "
    f"{COUNTED} SELECT :first + n, :commune, :task + n % :each, :first + n / :each, :period, 'not_started', "
    "CASE WHEN n % :every = 0 THEN :today ELSE :due_later END, "
    "CASE WHEN n % :every = 0 THEN :today ELSE :looked_at_later END, 0 FROM counted"
)
DIGESTS = (
    "digest (organization_id, member_id, day, sent_at) "
    "SELECT DISTINCT organization_id, unit_id, :told_on, :told_at FROM obligation WHERE look_on = :today"
)
LINES = (
    "reminder (organization_id, digest_id, member_id, kind, obligation_id, rung, due_on, sent_at) "
    "SELECT digest.organization_id, digest.id, member_id, 'due', obligation.id, :rung, due_on, sent_at "
    "FROM digest JOIN obligation ON unit_id = member_id AND look_on = :today WHERE day = :told_on"
)
DATES = ("today", "due_later", "looked_at_later", "told_on")
TYPES = {name: Date() for name in DATES} | {"told_at": table(tables.Member).c.joined_at.type}


def nine_on(day: date) -> datetime:
    """Nine in the morning there."""
    return datetime(day.year, day.month, day.day, 2, tzinfo=UTC)


def fill(store: Store, count: int, due: int) -> None:
    """Give an empty database a commune of `count` obligations, `due` of them today, each told of twice."""
    store.prepare()
    with store.writing() as db:
        commune = load_commune(db, read_plan(PLAN), Settings().timezone, nine_on(TOLD[-7]))
        assert commune.id is not None
        for number, role in enumerate(("coordinator", "leader"), start=1):
            _add_person(db, commune.id, number, role)
        _add_rows(db, commune.id, count, due)
    with store.engine.connect() as link:
        link.exec_driver_sql("ANALYZE")
        link.commit()
    if store.is_sqlite:
        store.checkpoint()  # as the running program does beside


def _add_person(db: Session, commune: int, number: int, role: str) -> None:
    """Somebody who hears of the whole commune."""
    db.add(tables.Member(id=number, organization_id=commune, name=role, joined_at=nine_on(TODAY)))
    db.flush()
    add_role(db, commune, number, None, role)
    db.add(tables.Account(id=number, organization_id=commune, member_id=number, channel="telegram", chat_id=role))
    db.flush()
    db.add(tables.Conversation(account_id=number))
    db.flush()


def _add_rows(db: Session, commune: int, count: int, due: int) -> None:
    link = connection(db)
    link.execute(text("UPDATE obligation SET look_on = NULL"))  # the plan's own
    period = db.exec(select(tables.Period.id).where(tables.Period.kind == "Q3")).one()
    task = db.exec(select(tables.Task.id).order_by(col(tables.Task.id))).first()
    facts = {"first": FIRST, "commune": commune, "today": TODAY, "told_at": nine_on(TOLD[-7])}
    for rows in UNITS:
        _insert(link, rows, facts | {"count": count // EACH})
    owed = {"count": count, "each": EACH, "every": count // due, "task": task, "period": period}
    _insert(link, OBLIGATIONS, facts | owed | {"due_later": DUE_LATER, "looked_at_later": LOOKED_AT_LATER})
    for rung, told_on in TOLD.items():
        told = {"rung": rung, "told_on": told_on, "told_at": nine_on(told_on)}
        _insert(link, DIGESTS, facts | told)
        _insert(link, LINES, facts | told)


def _insert(link: Connection, rows: str, facts: dict[str, Any]) -> None:
    named = {name: value for name, value in facts.items() if f":{name}" in rows}
    typed = [bindparam(name, type_=TYPES.get(name)) for name in named]
    link.execute(text(f"INSERT INTO {rows}").bindparams(*typed), named)
