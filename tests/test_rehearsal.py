"""The rehearsal: what it says will go out is what goes out."""

from __future__ import annotations

import asyncio
import csv
import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select
from typer.testing import CliRunner

from bot.assemble import PLAN, load_commune
from bot.cli import app
from bot.demo import load_demo
from plans.file import read_plan
from plans.model import Ladder, Repeat, Rung, Silence, Weekly
from scheduler.rehearsal import Rehearsed, rehearsal
from scheduler.rehearsed import COLUMNS, as_csv, in_words
from scheduler.tick import Ticker, Work
from storage.absences import add_absence
from storage.calendar import set_days
from storage.chats import set_reachable
from storage.owed import owed_until
from storage.people import add_role
from storage.reports import submit
from storage.snoozes import put_off
from storage.store import IN_MEMORY, Store
from storage.tables import (
    Account,
    Conversation,
    Digest,
    Member,
    Obligation,
    Organization,
    Outgoing,
    Plan,
    Unit,
)
from tests.commune import Commune
from tests.fakes import CHANNEL, local

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
BEGIN = date(2025, 9, 1)
Heard = set[tuple[date, str, str]]
"""(day, chat, words) of messages that nobody asked for."""


@contextmanager
def a_commune(prepared: Path) -> Iterator[Commune]:
    """A commune of its own, in memory."""
    with closing(Store(IN_MEMORY)) as store, closing(sqlite3.connect(prepared)) as file:
        with store.engine.connect() as link:
            file.backup(link.connection.dbapi_connection)  # type: ignore[arg-type]
        yield Commune(store, at(BEGIN, 7, 0))


def at(day: date, hour: int = 7, minute: int = 30) -> datetime:
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


def rehearsed(commune: Commune, first: date, last: date, organization_id: int = 1, **how: Any) -> list[Rehearsed]:
    with commune.store.reading() as db:
        return rehearsal(db, organization_id, first, last, commune.clock.now(), **how)


def chats_by_name(commune: Commune) -> dict[str, str]:
    """Names of the example's people, by which a rehearsal knows them, to their chats."""
    with commune.store.reading() as db:
        rows = db.exec(select(Member.name, Account.chat_id).join(Account, Account.member_id == Member.id))  # type: ignore[arg-type]
        return dict(rows.all())


def played(commune: Commune, days: int, ticks: dict[int, list[int]]) -> Heard:
    """What really comes in the days after now, with the program's own ticks on the half hour and at odd minutes of
    each day."""
    heard: Heard = set()
    today = commune.clock.now().astimezone(ZONE).date()
    ticker = ticker_of(commune)
    with asyncio.Runner() as program:
        for number in range(days + 1):
            day = today + timedelta(days=number)
            for minute in [0, *sorted(ticks.get(number, []))]:
                commune.clock.moment = max(at(day) + timedelta(minutes=minute), commune.clock.now())
                program.run(ticker.tick())
                for chat_id, bubbles in commune.deliver().items():
                    heard |= {(day, chat_id, bubble.text) for bubble in bubbles}
    return heard


def ticker_of(commune: Commune) -> Ticker:
    async def write(work: Work) -> Any:
        with commune.store.writing() as db:
            return work(db)

    async def read(work: Work) -> Any:
        with commune.store.reading() as db:
            return work(db)

    return Ticker(write, read, commune.clock.now, lambda: None)


def expected(commune: Commune, days: int, organization_id: int = 1, **how: Any) -> Heard:
    chats = chats_by_name(commune)
    first = commune.clock.now().astimezone(ZONE).date()
    found = rehearsed(commune, first, first + timedelta(days=days), organization_id, **how)
    return {(one.at.date(), chats[one.reader.name], one.text) for one in found}


LADDERS = st.builds(
    Ladder,
    rungs=st.lists(st.integers(-9, 6), min_size=1, max_size=5, unique=True).map(
        lambda days: tuple(
            Rung(days=number, who=("staff", "head") if number > 0 else ("staff",)) for number in sorted(days)
        )
    ),
    repeat=st.none() | st.builds(Repeat, every=st.integers(1, 5), who=st.just(("staff", "coordinator"))),
    weekly=st.none() | st.builds(Weekly, days=st.integers(1, 6), who=st.just(("leader",))),
    silence=st.none() | st.builds(Silence, weeks=st.integers(2, 9)),
)
DAYS = st.integers(0, 25).map(lambda number: BEGIN + timedelta(days=number))
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("file"), st.integers(0, 96), st.none() | DAYS),
        st.tuples(st.just("absent"), st.integers(0, 11), DAYS),
        st.tuples(st.just("snooze"), st.integers(0, 96), DAYS),
        st.tuples(st.just("holiday"), st.integers(0, 1), DAYS),
        st.tuples(st.just("closed"), st.integers(0, 11), st.none()),
        st.tuples(st.just("down"), st.integers(1, 9), st.none()),
    ),
    max_size=8,
)


def change(commune: Commune, kind: str, number: int, day: date | None) -> None:
    """One thing that people or the world do before the rehearsal."""
    now = commune.clock.now()
    with commune.store.writing() as db:
        if kind == "file":
            row = db.exec(select(Obligation)).all()[number]
            if row.state != "not_owed":
                submit(db, row.id or 0, {}, [], day, 1, False, now)
        elif kind == "absent" and day is not None:
            ids = [member.id or 0 for member in db.exec(select(Member))]
            stand_in = ids[(number + day.day) % len(ids)]
            add_absence(db, 1, ids[number], day, day + timedelta(days=5), None if number % 3 == 0 else stand_in)
        elif kind == "snooze" and day is not None:
            row = db.exec(select(Obligation)).all()[number]
            member_id = (number % 12) + 1
            put_off(db, 1, member_id, row.id or 0, at(day), False, now)
        elif kind == "closed":
            set_reachable(db, db.exec(select(Account.id)).all()[number] or 0, False)
        elif kind == "holiday" and day is not None:
            set_days(db, 1, [day], bool(number), "sửa", now.astimezone(ZONE).date())
    if kind == "down":
        commune.clock.moment += timedelta(days=number)


def with_ladder(db: Session, ladder: Ladder) -> None:
    plan = db.exec(select(Plan)).one()
    plan.ladder = ladder.model_dump(mode="json")


@given(
    ladder=LADDERS,
    changes=CHANGES,
    ticks=st.dictionaries(st.integers(0, 20), st.lists(st.integers(1, 540), max_size=2), max_size=8),
)
@settings(max_examples=12)
def test_what_is_rehearsed_is_what_happens(
    prepared: Path, ladder: Ladder, changes: list[tuple[str, int, date | None]], ticks: dict[int, list[int]]
) -> None:
    with a_commune(prepared) as commune:
        with commune.store.writing() as db:
            with_ladder(db, ladder)
        for number, one in enumerate(changes):
            if number % 2:
                commune.ticks()
            change(commune, *one)
        commune.clock.moment = at(commune.clock.moment.astimezone(ZONE).date())
        before = expected(commune, 15)
        assert played(commune, 15, ticks) == before


THEIRS = {"bich": ("staff", "KT"), "cuc": ("head", "KT"), "dao": ("coordinator", "VHXH")}
"""The other commune's people, by their chats."""


def a_second(db: Session) -> int:
    """Another commune in the same database, which begins its day an hour later; its id."""
    file = read_plan(PLAN)
    named = file.organization.model_copy(update={"code": "khac", "name": "xã khác"})
    other = load_commune(db, file.model_copy(update={"organization": named}), ZONE.key, at(BEGIN, 7, 0))
    other.office_from, other.is_demo = time(8, 30), True
    mine: dict[str, Any] = {"organization_id": other.id}
    for chat_id, (role, code) in THEIRS.items():
        member = Member(**mine, name=chat_id, joined_at=at(BEGIN, 7, 0))
        db.add(member)
        db.flush()
        account = Account(**mine, member_id=member.id, channel=CHANNEL, chat_id=chat_id)
        db.add(account)
        db.flush()
        db.add(Conversation(account_id=account.id or 0))
        unit_id = db.exec(select(Unit.id).filter_by(**mine, code=code)).one()
        add_role(db, other.id or 0, member.id or 0, unit_id, role)
    return other.id or 0


def test_each_of_two_communes_rehearses_its_own(commune: Commune) -> None:
    with commune.store.writing() as db:
        other = a_second(db)
    commune.clock.moment = local(12, 8, 30)
    commune.ticks()
    for chat_id in ("tuan", "bich"):
        commune.person(chat_id).plays(("[Nhắc lại sau]", "?"), ("[Cả ", "?"), ("[Chiều nay]", "13:30"))
    ours, theirs = expected(commune, 10), expected(commune, 10, other)
    assert {chat_id for _, chat_id, _ in theirs} == set(THEIRS)
    assert not {chat_id for _, chat_id, _ in ours} & set(THEIRS)
    assert played(commune, 10, {number: [60, 360] for number in range(11)}) == ours | theirs


def test_a_rehearsal_changes_nothing_and_sends_nothing(commune: Commune) -> None:
    rehearsed(commune, date(2025, 9, 1), date(2025, 12, 31), answers="nobody")
    with commune.store.reading() as db:
        assert db.exec(select(Digest)).all() == []
        assert db.exec(select(Outgoing)).all() == []


def test_it_works_while_another_writes(commune: Commune) -> None:
    with commune.store.writing():
        assert rehearsed(commune, date(2025, 9, 16), date(2025, 9, 18))


def test_nobody_hears_twice_on_a_day_of_the_whole_year(commune: Commune) -> None:
    found = rehearsed(commune, date(2025, 1, 1), date(2025, 12, 31), answers="nobody")
    heard = [(one.at.date(), one.reader.name) for one in found]
    assert len(heard) == len(set(heard)) > 200


def test_when_everybody_answers_on_the_day_nobody_hears_that_it_is_late(commune: Commune) -> None:
    found = rehearsed(commune, date(2025, 9, 1), date(2025, 10, 31), answers="on-the-day")
    assert found
    assert not [one for one in found if "quá hạn" in one.text]


def test_when_everybody_answers_it_is_as_if_they_really_had(commune: Commune) -> None:
    due_on = date(2025, 9, 17)
    commune.clock.moment = at(due_on)
    before = expected(commune, 29, answers="on-the-day")
    heard = played(commune, 0, {})
    commune.clock.moment = at(due_on, 16, 0)
    with commune.store.writing() as db:
        for item in owed_until(db, 1, None, due_on):
            submit(db, item.id, {}, [], None, 1, False, commune.clock.now())
    commune.clock.moment = at(due_on + timedelta(days=1))
    heard |= played(commune, 28, {})
    assert any("Lâu chưa có tin" in words for _, _, words in heard)
    assert heard == before


def test_what_was_sent_this_morning_is_not_rehearsed_again(commune: Commune) -> None:
    commune.clock.moment = local(16, 7, 30)
    sent = commune.ticks()
    commune.clock.moment = local(16, 9, 0)
    today = date(2025, 9, 16)
    assert sent
    assert rehearsed(commune, today, today) == []
    assert rehearsed(commune, today, date(2025, 9, 17))


def test_days_to_come_are_as_if_the_days_before_had_passed(commune: Commune) -> None:
    commune.clock.moment = local(8, 7, 0)
    assert (
        rehearsed(commune, date(2025, 9, 19), date(2025, 9, 19)) == []
    )  # all was told on the 18th, the next step is the 22nd


def test_an_empty_unit_and_what_it_owes_are_rehearsed_for_the_coordinator(commune: Commune) -> None:
    found = rehearsed(commune, date(2025, 9, 22), date(2025, 9, 22), answers="nobody")
    (lan,) = [one for one in found if one.reader.name == "Nguyễn Thị Lan"]
    assert {why.kind for why in lan.why} == {"late"}
    assert "Cả xã có" in lan.text


def test_before_anybody_has_joined_it_shows_what_they_would_hear(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'fresh.db'}")
    store.prepare()
    with store.writing() as db:
        load_demo(db, "Asia/Ho_Chi_Minh")
        db.connection().exec_driver_sql("DELETE FROM conversation")
        db.connection().exec_driver_sql("DELETE FROM account")
    found = rehearsed(Commune(store, local(1)), date(2025, 9, 17), date(2025, 9, 17))
    store.close()
    assert {one.reader.name for one in found} >= {"Lê Ngọc Mai", "Phạm Minh Tuấn"}


def test_the_file_has_a_row_for_each_message(commune: Commune) -> None:
    found = rehearsed(commune, date(2025, 9, 16), date(2025, 9, 22), answers="nobody")
    rows = list(csv.DictReader(io.StringIO(as_csv(found).decode("utf-8-sig"))))
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == len(found)
    first = rows[0]
    assert (first["date"], first["time"], first["role"], first["unit"]) == ("2025-09-16", "07:30", "staff", "VHXH")
    assert first["obligation"].split("; ")[0] == "VHXH 1.1 2025-Q3"
    assert first["rung"].split("; ")[0] == "-1"
    assert first["text"] == in_words(found[0])
    assert "<b>" not in first["text"]


@pytest.fixture
def dondoc(commune: Commune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    with commune.store.writing() as db:
        db.exec(select(Organization)).one().is_demo = False
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", str(commune.store.engine.url))
    return lambda *words: CliRunner().invoke(app, ["rehearse", *words])


def test_days_are_typed_as_offices_write_them(dondoc: Callable[..., Any]) -> None:
    said = dondoc("--from", "17/9/2025", "--to", "18-9-2025", "--answers", "nobody")
    assert said.exit_code == 0
    assert "Từ 17/9/2025 đến 18/9/2025: 13 tin cho 9 người." in said.output


def test_days_of_another_year_than_the_plans_are_told(dondoc: Callable[..., Any]) -> None:
    said = dondoc("--from", "1/9/2027", "--to", "31/10/2027")
    assert said.exit_code == 0
    assert "Kế hoạch đang dùng là của năm 2025." in said.output
    assert "xin gõ cả năm: --from 1/9/2025 --to 31/10/2025\n" in said.output
    assert "Kế hoạch đang dùng" not in dondoc("--from", "20/9/2025", "--to", "21/9/2025").output


def test_on_the_command_line_day_by_day_to_whom_why_and_in_which_words(
    dondoc: Callable[..., Any], tmp_path: Path
) -> None:
    said = dondoc("--from", "2025-09-17", "--to", "2025-09-18", "--answers", "nobody", "--csv", "x.csv")
    assert said.exit_code == 0
    lines = said.output.splitlines()
    assert lines[0] == "– Thứ Tư, 17/9/2025"
    assert lines[1] == "07:30 → Lê Ngọc Mai (cán bộ đầu mối; VHXH)"
    assert lines[2].startswith("Vì: VHXH 1.1 2025-Q3 (0); ")
    assert "| Nhắc việc thứ Tư, 17/9" in lines
    assert lines[-1].startswith("Từ 17/9/2025 đến 18/9/2025: 13 tin cho 9 người. Chưa gửi tin nào.")
    assert (
        (tmp_path / "x.csv").read_text("utf-8-sig").startswith("date,time,person,role,unit,obligation,rung,text")
    )


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--from", "2025-09-18", "--to", "17/9/2025"), "ở trước ngày đầu"),
        (("--from", "31/9/2025", "--to", "1/10/2025"), '--from chưa đúng: không có ngày "31/9/2025"'),
        (("--from", "1/9/2025", "--to", "2025-09-31"), "Xin gõ như 1/9/2025 hoặc 2025-09-01."),
        (("--from", "đầu năm", "--to", "2025-09-30"), '--from chưa đúng: không có ngày "đầu năm"'),
        (("--from", "2025-09-17", "--to", "2025-09-18", "--answers", "all"), "on-the-day"),
        (("--from", "2025-09-17", "--to", "2025-09-18", "--csv", "no/such/x.csv"), "Không ghi được"),
    ],
)
def test_what_cannot_be_rehearsed_is_said(dondoc: Callable[..., Any], words: tuple[str, ...], answer: str) -> None:
    said = dondoc(*words)
    assert said.exit_code == 1
    assert answer in said.output


def test_the_coordinator_asks_in_the_chat_for_the_next_two_weeks(commune: Commune) -> None:
    lan = commune.person("lan")
    commune.clock.moment = local(8, 8, 0)
    lan.says("/lich")
    heard = lan.taps("Tin nhắc 14 ngày tới")
    assert "tin nhắc từ nay đến hết 22/9" in heard
    assert "• Thứ Sáu, 12/9: Mai" in heard
    file = [row for row in commune.outbox() if row.kind == "document"]
    assert [row.state for row in file] == ["sent"]
    assert "chưa có quyền" in commune.person("mai").says("/lich rehearse")
