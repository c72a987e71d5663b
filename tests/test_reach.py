"""Who cannot be reached: told by people and units, whatever is owed; and becoming reachable wakes what is owed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlmodel import col, delete, select

from storage import reach
from storage.absences import add_absence
from storage.chats import keep_chat, open_chat, set_reachable
from storage.people import add_role, join, make_invite, open_invite
from storage.reach import Unreached, unreached
from storage.statement import Statement
from storage.store import Store
from storage.tables import (
    NEXT_TICK,
    Account,
    Conversation,
    Invite,
    Member,
    Membership,
    Obligation,
    Plan,
    Unit,
)
from tests.fakes import CHANNEL, account, local
from tests.postgres import scratch_database

NOW = local(15, 14, 0)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, store: Store) -> Iterator[Store]:
    if request.param == "sqlite":
        yield store
        return
    with scratch_database(request.getfixturevalue("prepared_server")) as url:
        opened = Store(url)
        yield opened
        opened.close()


def found(store: Store, kind: str, days: int = 0) -> list[Unreached]:
    with store.reading() as db:
        return [one for one in unreached(db, 1, NOW + timedelta(days=days)) if one.kind == kind]


def close(store: Store, *chat_ids: str) -> None:
    with store.writing() as db:
        for chat_id in chat_ids:
            set_reachable(db, account(store, chat_id).id or 0, False)


def unit_id(store: Store, code: str) -> int:
    with store.reading() as db:
        return db.exec(select(Unit.id).where(Unit.code == code)).one() or 0


def test_everybody_is_reached_in_the_example(store: Store) -> None:
    with store.reading() as db:
        assert unreached(db, 1, NOW) == []


def test_who_closed_every_chat_is_named_with_unit_and_phone(store: Store) -> None:
    mai = account(store, "mai").member_id or 0
    with store.writing() as db:
        db.get_one(Member, mai).phone = "0912345678"
        db.add(Account(id=100, organization_id=1, member_id=mai, channel=CHANNEL, chat_id="mai-2"))
        db.flush()
        db.add(Conversation(account_id=100))
    close(store, "mai")
    assert found(store, "blocked") == []
    close(store, "mai-2")
    (one,) = found(store, "blocked")
    assert (one.subject, one.name, one.phone) == (f"member:{mai}", "Lê Ngọc Mai", "0912345678")
    assert (one.unit_name, one.role) == ("Phòng Văn hóa – Xã hội", "staff")


def test_a_person_of_two_roles_is_named_once_by_the_first(store: Store) -> None:
    mai = account(store, "mai").member_id or 0
    with store.writing() as db:
        add_role(db, 1, mai, None, "leader")
    close(store, "mai")
    assert [one.role for one in found(store, "blocked")] == ["staff"]


def test_who_has_no_role_or_no_chat_is_not_blocked(store: Store) -> None:
    with store.writing() as db:
        db.add(Member(organization_id=1, name="Không Tài Khoản", joined_at=NOW))
        db.exec(delete(Membership).where(col(Membership.member_id) == account(store, "mai").member_id))
    close(store, "mai")
    assert found(store, "blocked") == []


@pytest.mark.parametrize(
    ("days", "is_told"), [(0, False), (7, False), (8, True), (14, True), (43, True), (44, False)]
)
def test_an_invitation_nobody_takes_up_is_told_after_a_week(store: Store, days: int, is_told: bool) -> None:
    with store.writing() as db:
        make_invite(db, 1, unit_id(store, "KT"), "staff", NOW, "Trần Thị Mới")
        invite_id = db.exec(select(Invite.id)).one()
    told = found(store, "never_joined", days)
    assert [one.subject for one in told] == ([f"invite:{invite_id}"] if is_told else [])
    if is_told:
        assert (told[0].name, told[0].unit_name, told[0].role) == ("Trần Thị Mới", "Phòng Kinh tế", "staff")
        assert told[0].since == NOW


def test_an_invitation_taken_up_is_not_told(store: Store) -> None:
    with store.writing() as db:
        make_invite(db, 1, None, "leader", NOW)
        invite = open_invite(db, db.exec(select(Invite.id)).one() or 0, NOW)
        join(db, invite, account(store, "mai").id or 0, "Lê Ngọc Mai", NOW)
    assert found(store, "never_joined", 10) == []


def test_a_unit_that_owes_and_has_nobody_is_told(store: Store) -> None:
    close(store, "tuan")
    assert found(store, "empty_unit") == []
    close(store, "dung")
    (one,) = found(store, "empty_unit")
    assert one == Unreached("empty_unit", f"unit:{unit_id(store, 'KT')}", "Phòng Kinh tế", "Phòng Kinh tế")
    with store.writing() as db:
        set_reachable(db, account(store, "tuan").id or 0, True)
    assert found(store, "empty_unit") == []


def test_an_observer_does_not_man_a_unit(store: Store) -> None:
    close(store, "tuan", "dung")
    with store.writing() as db:
        add_role(db, 1, account(store, "mattran").member_id or 0, unit_id(store, "KT"), "observer")
    assert len(found(store, "empty_unit")) == 1


def leave(store: Store, chat_id: str, last: int, stand_in: str | None = None, first: int = 15) -> None:
    """Away between these days of September."""
    days = date(2025, 9, first), date(2025, 9, last)
    who, other = (account(store, one).member_id if one else None for one in (chat_id, stand_in))
    with store.writing() as db:
        add_absence(db, 1, who or 0, *days, other)


def test_a_unit_whose_people_are_all_away_is_told_until_somebody_is_back(store: Store) -> None:
    leave(store, "tuan", 30, "dung")
    assert found(store, "away_unit") == []
    leave(store, "dung", 19, first=16)
    assert found(store, "away_unit") == []
    (one,) = found(store, "away_unit", days=1)
    assert (one.subject, one.name) == (f"unit:{unit_id(store, 'KT')}", "Phòng Kinh tế")
    assert one.until == date(2025, 9, 19)
    assert found(store, "empty_unit", days=1) == []
    assert found(store, "away_unit", days=5) == []


def test_those_away_may_be_followed_by_others_before_anybody_is_back(store: Store) -> None:
    leave(store, "tuan", 19)
    leave(store, "tuan", 30, first=20)
    leave(store, "dung", 24)
    assert [one.until for one in found(store, "away_unit")] == [date(2025, 9, 24)]


def test_who_stands_in_from_elsewhere_hears_for_the_unit_while_they_can_be_reached(store: Store) -> None:
    leave(store, "tuan", 19)
    leave(store, "dung", 30, "mai")
    assert found(store, "away_unit") == []
    close(store, "mai")
    assert [one.until for one in found(store, "away_unit")] == [date(2025, 9, 19)]


def test_one_away_and_the_other_out_of_reach_leave_nobody(store: Store) -> None:
    close(store, "dung")
    assert found(store, "away_unit") == []
    leave(store, "tuan", 19)
    assert [one.until for one in found(store, "away_unit")] == [date(2025, 9, 19)]
    close(store, "tuan")
    assert found(store, "away_unit") == []
    assert len(found(store, "empty_unit")) == 1


def test_a_unit_that_owes_nothing_may_be_away(store: Store) -> None:
    leave(store, "tuan", 19)
    leave(store, "dung", 19)
    assert len(found(store, "away_unit")) == 1
    with store.writing() as db:
        for row in db.exec(select(Obligation).where(Obligation.unit_id == unit_id(store, "KT"))):
            row.state = "submitted"
    assert found(store, "away_unit") == []


@pytest.mark.parametrize(
    ("change", "is_told"),
    [
        ({"state": "submitted"}, False),
        ({"state": "not_owed"}, False),
        ({"state": "returned"}, True),
        ({"due_on": date(2025, 10, 15)}, True),
        ({"due_on": date(2025, 10, 16)}, False),
        ({"due_on": date(2025, 3, 1)}, True),
        ({"extended_to": date(2025, 10, 20)}, False),
        ({"extended_to": date(2025, 9, 30)}, True),
    ],
)
def test_only_what_is_owed_soon_counts(store: Store, change: dict[str, object], is_told: bool) -> None:
    close(store, "tuan", "dung")
    with store.writing() as db:
        rows = db.exec(select(Obligation).where(Obligation.unit_id == unit_id(store, "KT"))).all()
        for row in rows:
            row.state = "submitted"
        for name, value in {"state": "not_started", "due_on": date(2025, 9, 17), **change}.items():
            setattr(rows[0], name, value)
    assert len(found(store, "empty_unit")) == is_told


def test_an_archived_plan_asks_nobody(store: Store) -> None:
    close(store, "tuan", "dung")
    with store.writing() as db:
        db.exec(select(Plan)).one().is_archived = True
    assert found(store, "empty_unit") == []


def test_a_unit_that_is_only_asked_counts_where_it_leads(store: Store) -> None:
    close(store, "phuc")
    with store.writing() as db:
        for row in db.exec(select(Obligation).where(Obligation.unit_id == unit_id(store, "VPDKDD"))):
            row.state = "not_started"
    assert [one.subject for one in found(store, "empty_unit")] == [f"unit:{unit_id(store, 'VPDKDD')}"]


@pytest.mark.parametrize("statement", [reach._empty, reach._thinned])
def test_what_is_owed_is_looked_up_by_unit_and_day(store: Store, statement: Statement) -> None:
    if not store.is_sqlite:
        pytest.skip("a small table is read whole there")
    with store.reading() as db:
        compiled = statement._for(db)
        plan = db.info["driver"].execute(f"EXPLAIN QUERY PLAN {compiled.sql}", [1] * len(compiled.parameters))
    steps = [step[-1] for step in plan]
    assert any("ix_obligation_unit (unit_id=? AND due_on<?)" in step for step in steps), steps
    assert not any(step.startswith("SCAN obligation") for step in steps), steps


def settled(store: Store) -> None:
    with store.writing() as db:
        for row in db.exec(select(Obligation)):
            row.look_on = date(2025, 12, 1)


def woken(store: Store) -> set[str]:
    with store.reading() as db:
        units = select(Unit.code).join(Obligation, col(Obligation.unit_id) == Unit.id)
        return set(db.exec(units.where(Obligation.look_on == NEXT_TICK)).all())


def test_who_can_be_reached_again_is_thought_of_at_once(store: Store) -> None:
    settled(store)
    tuan = account(store, "tuan").id or 0
    with store.writing() as db:
        set_reachable(db, tuan, True)
        set_reachable(db, tuan, True)
    assert woken(store) == set()
    with store.writing() as db:
        set_reachable(db, tuan, False)
    assert woken(store) == {"KT"}  # now their head may have to hear
    settled(store)
    with store.writing() as db:
        chat = open_chat(db, CHANNEL, "tuan")
        keep_chat(db, chat, NOW)
    assert woken(store) == {"KT"}


def test_who_stands_in_wakes_also_what_they_read_in_the_place_of_others(store: Store) -> None:
    tuan, khoa, mai = (account(store, chat_id).member_id or 0 for chat_id in ("tuan", "khoa", "mai"))
    days = (date(2025, 9, 1), date(2025, 9, 30))
    with store.writing() as db:
        add_absence(db, 1, tuan, *days, khoa)
        add_absence(db, 1, khoa, *days, mai)
    settled(store)
    close(store, "mai")
    assert woken(store) == {"KT", "TTPVHCC", "VHXH"}
    settled(store)
    with store.writing() as db:
        set_reachable(db, account(store, "mai").id or 0, True)
    assert woken(store) == {"KT", "TTPVHCC", "VHXH"}


def test_a_stranger_who_comes_back_wakes_nothing(store: Store) -> None:
    settled(store)
    with store.writing() as db:
        chat = open_chat(db, CHANNEL, "stranger")
        set_reachable(db, chat.account_id, False)
        set_reachable(db, chat.account_id, True)
    assert woken(store) == set()


def test_a_new_role_wakes_what_its_unit_owes_and_the_same_again_nothing(store: Store) -> None:
    yen, unit = account(store, "yen").member_id or 0, unit_id(store, "KT")
    settled(store)
    with store.writing() as db:
        add_role(db, 1, yen, unit, "staff")
    assert "KT" in woken(store)
    settled(store)
    with store.writing() as db:
        add_role(db, 1, yen, unit, "staff")
    assert woken(store) == set()


def test_an_ordinary_message_says_nothing_about_reach(store: Store) -> None:
    said: list[str] = []
    with store.writing() as db:
        chat = open_chat(db, CHANNEL, "tuan")
        if store.is_sqlite:
            db.info["driver"].set_trace_callback(said.append)
        keep_chat(db, chat, NOW)
        if store.is_sqlite:
            db.info["driver"].set_trace_callback(None)
    assert len(said) == (1 if store.is_sqlite else 0)
