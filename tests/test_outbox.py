"""The outbox: what is claimed, in which order, and what becomes of a row, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import delete

from storage import outbox
from storage.chats import set_reachable
from storage.store import Store
from storage.tables import Conversation, Outgoing
from tests.fakes import account, lay, local, rows
from tests.postgres import scratch_database

NOW = local(15, 14, 0)
LEASE = timedelta(minutes=1)
REMINDER = outbox.REMINDER


@pytest.fixture(scope="module")
def shared(prepared_server: str) -> Iterator[Store]:
    """The example's commune on PostgreSQL."""
    with scratch_database(prepared_server) as url:
        opened = Store(url)
        yield opened
        opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, store: Store) -> Iterator[Store]:
    if request.param == "sqlite":
        yield store
        return
    opened: Store = request.getfixturevalue("shared")
    yield opened
    with opened.writing() as db:
        db.exec(delete(Outgoing))
        for chat_id in ("mai", "tuan"):
            set_reachable(db, account(opened, chat_id).id or 0, True)


def claim(store: Store, now: datetime = NOW, priority: int = outbox.REPLY, limit: int = 10) -> list[int]:
    with store.writing() as db:
        return [row.id for row in outbox.claim(db, priority, now, LEASE, limit)]


def send(store: Store, *row_ids: int, now: datetime = NOW) -> None:
    with store.writing() as db:
        outbox.record_sent(db, [(row_id, f"p{row_id}") for row_id in row_ids], now)


def later(store: Store, row_id: int, seconds: float, counts: bool = True) -> None:
    with store.writing() as db:
        outbox.record_later(db, row_id, NOW + timedelta(seconds=seconds), counts)


def test_a_chat_stays_in_order(store: Store) -> None:
    one, two = lay(store, NOW, "mai", "one"), lay(store, NOW, "mai", "two")
    assert claim(store) == [one]
    assert claim(store) == []
    send(store, one)
    assert claim(store) == [two]


def test_chats_do_not_wait_for_one_another(store: Store) -> None:
    laid = [lay(store, NOW, chat, "hello") for chat in ("mai", "tuan", "thao")]
    assert claim(store) == laid


def test_no_more_than_asked_for(store: Store) -> None:
    laid = [lay(store, NOW, chat, "hello") for chat in ("mai", "tuan", "thao")]
    assert claim(store, limit=2) == laid[:2]


def test_replies_go_before_reminders_of_the_same_chat(store: Store) -> None:
    reminder = lay(store, NOW, "mai", "Nhắc việc", priority=REMINDER)
    reply = lay(store, NOW, "mai", "Đã ghi")
    assert claim(store, priority=REMINDER) == []
    assert claim(store) == [reply]
    assert claim(store, priority=REMINDER) == []
    send(store, reply)
    assert claim(store, priority=REMINDER) == [reminder]


def test_a_reminder_in_flight_is_not_overtaken(store: Store) -> None:
    reminder = lay(store, NOW, "mai", "Nhắc việc", priority=REMINDER)
    assert claim(store, priority=REMINDER) == [reminder]
    reply = lay(store, NOW, "mai", "Đã ghi")
    assert claim(store) == []
    send(store, reminder)
    assert claim(store) == [reply]


def test_only_one_gets_a_row(store: Store) -> None:
    lay(store, NOW, "mai", "hello")
    assert [len(claim(store)) for _ in range(3)] == [1, 0, 0]


def test_an_expired_lease_is_claimed_again(store: Store) -> None:
    row_id = lay(store, NOW, "mai", "hello")
    claim(store)
    assert claim(store, NOW + LEASE - timedelta(seconds=1)) == []
    assert claim(store, NOW + LEASE) == [row_id]
    assert rows(store)[row_id].attempts == 2


def test_a_renewed_lease_lasts_longer(store: Store) -> None:
    row_id, sent = lay(store, NOW, "mai", "hello"), lay(store, NOW, "tuan", "hello")
    claim(store)
    send(store, sent)
    with store.writing() as db:
        outbox.renew(db, [row_id, sent], NOW + 2 * LEASE)
    assert claim(store, NOW + LEASE) == []
    assert rows(store)[sent].claimed_until is None


def test_after_a_start_no_lease_of_the_dead_process_is_waited_for(store: Store) -> None:
    row_id = lay(store, NOW, "mai", "hello")
    claim(store)
    with store.writing() as db:
        outbox.release_all(db)
    assert claim(store) == [row_id]


def test_rows_given_back_have_not_been_tried(store: Store) -> None:
    row_id = lay(store, NOW, "mai", "hello")
    claim(store)
    with store.writing() as db:
        outbox.release(db, [row_id])
        outbox.release(db, [])
    assert rows(store)[row_id].attempts == 0
    assert claim(store) == [row_id]


def test_a_row_tried_later_holds_its_chat_only(store: Store) -> None:
    one, two = lay(store, NOW, "mai", "one"), lay(store, NOW, "mai", "two")
    other = lay(store, NOW, "tuan", "other")
    claim(store)
    later(store, one, 5)
    send(store, other)
    assert claim(store, NOW + timedelta(seconds=4)) == []
    assert claim(store, NOW + timedelta(seconds=5)) == [one]
    assert rows(store)[two].attempts == 0


@pytest.mark.parametrize(("counts", "attempts"), [(True, 1), (False, 0)])
def test_a_pause_asked_for_is_not_held_against_the_message(store: Store, counts: bool, attempts: int) -> None:
    row_id = lay(store, NOW, "mai", "hello")
    claim(store)
    later(store, row_id, 5, counts)
    assert rows(store)[row_id].attempts == attempts


def test_a_postponed_row_does_not_hold_its_chat(store: Store) -> None:
    digest = lay(store, NOW, "mai", "Nhắc việc", priority=REMINDER)
    claim(store, priority=REMINDER)
    with store.writing() as db:
        outbox.postpone(db, digest, NOW + timedelta(minutes=15))
    reply = lay(store, NOW, "mai", "Đã ghi")
    assert claim(store) == [reply]
    send(store, reply)
    assert claim(store, NOW + timedelta(minutes=14), REMINDER) == []
    assert claim(store, NOW + timedelta(minutes=15), REMINDER) == [digest]


def test_it_tells_when_the_next_row_may_go(store: Store) -> None:
    def next_at() -> datetime | None:
        with store.reading() as db:
            return outbox.next_ready_at(db, NOW)

    assert next_at() is None
    lay(store, NOW, "tuan", "later", not_before=NOW + timedelta(minutes=15))
    assert next_at() == NOW + timedelta(minutes=15)
    lay(store, NOW, "mai", "hello")
    claim(store)
    assert next_at() == NOW + LEASE


def test_an_edit_takes_the_place_of_an_unsent_one(store: Store) -> None:
    shown = lay(store, NOW, "mai", "Câu 1")
    claim(store)
    send(store, shown)
    edit(store, shown, "Câu 2")
    edit(store, shown, "Câu 3")
    waiting = [row for row in rows(store).values() if row.state == "waiting"]
    assert [row.body and row.body["text"] for row in waiting] == ["Câu 3"]


def test_an_edit_in_flight_is_followed_by_a_new_one(store: Store) -> None:
    shown = lay(store, NOW, "mai", "Câu 1")
    claim(store)
    send(store, shown)
    edit(store, shown, "Câu 2")
    with store.writing() as db:
        [claimed] = outbox.claim(db, outbox.REPLY, NOW, LEASE, 5)
    edit(store, shown, "Câu 3")
    send(store, claimed.id)
    assert claimed.target == f"p{shown}"
    assert [rows(store)[row_id].body for row_id in claim(store)] == [{"text": "Câu 3"}]


def test_a_joining_code_goes_with_the_edit_that_brings_it(store: Store) -> None:
    shown = lay(store, NOW, "mai", "Câu 1")
    claim(store)
    send(store, shown)
    edit(store, shown, "Ai?")
    edit(store, shown, "Mã K7MPQRST", is_secret=True)
    send(store, *claim(store))
    assert "K7MPQRST" not in str(rows(store))


@pytest.mark.parametrize("end", ["sent", "dropped", "refused", "gone"])
def test_a_joining_code_is_wiped_however_its_message_ends(store: Store, end: str) -> None:
    secret = lay(store, NOW, "mai", "Mã: K7MPQRST", is_secret=True, args={"text": "K7MPQRST"})
    plain = lay(store, NOW, "tuan", "Đã ghi")
    claim(store)
    with store.writing() as db:
        match end:
            case "sent":
                outbox.record_sent(db, [(secret, "p1"), (plain, "p2")], NOW)
            case "gone":
                outbox.drop_chat(db, account(store, "mai").id or 0)
            case _:
                outbox.record_end(db, secret, end)
    found = rows(store)
    assert (found[secret].body, found[secret].args) == (None, None)
    assert found[plain].body is not None


def test_nothing_more_goes_to_a_chat_that_is_gone(store: Store) -> None:
    sent = lay(store, NOW, "mai", "before")
    claim(store)
    send(store, sent)
    for text in ("one", "two"):
        lay(store, NOW, "mai", text)
    other = lay(store, NOW, "tuan", "other")
    with store.writing() as db:
        outbox.drop_chat(db, account(store, "mai").id or 0)
    assert claim(store) == [other]
    assert [row.state for row in rows(store).values()] == ["sent", "dropped", "dropped", "waiting"]


def test_a_chat_goes_on_under_another_id(store: Store) -> None:
    row_id = lay(store, NOW, "mai", "hello")
    move(store, "mai", "-100200")
    with store.writing() as db:
        assert [(row.id, row.chat_id) for row in outbox.claim(db, 0, NOW, LEASE, 5)] == [(row_id, "-100200")]
    move(store, "-100200", "mai")


def test_what_waits_follows_to_a_chat_that_has_written_already(store: Store) -> None:
    row_id = lay(store, NOW, "mai", "hello")
    move(store, "mai", "tuan")
    with store.writing() as db:
        assert [(row.id, row.chat_id) for row in outbox.claim(db, 0, NOW, LEASE, 5)] == [(row_id, "tuan")]
    assert not account(store, "mai").is_reachable


def test_the_oldest_waiting_row_is_known(store: Store) -> None:
    for minutes, text in enumerate(("one", "two"), start=1):
        lay(store, NOW - timedelta(minutes=minutes), "mai", text)
    early = NOW - timedelta(days=1)
    lay(store, early, "tuan", "postponed", not_before=NOW + timedelta(minutes=5))
    with store.reading() as db:
        assert outbox.oldest_waiting(db, NOW) == NOW - timedelta(minutes=2)


def edit(store: Store, target_id: int, text: str, is_secret: bool = False) -> None:
    account_id = account(store, "mai").id
    assert account_id is not None
    with store.writing() as db:
        outbox.put_edit(
            db,
            account_id,
            target_id,
            body={"text": text},
            kind="edit",
            priority=outbox.REPLY,
            is_secret=is_secret,
            created_at=NOW,
        )


def move(store: Store, chat_id: str, to: str) -> None:
    with store.writing() as db:
        outbox.move_chat(db, account(store, chat_id).id or 0, to)


def test_the_lowest_message_is_the_one_sent_last_or_on_its_way(store: Store) -> None:
    account_id = account(store, "mai").id
    assert account_id is not None

    def lowest() -> int | None:
        with store.reading() as db:
            found = outbox.newest_shown(db, account_id)
        return found[0] if found else None

    assert lowest() is None
    reminder = lay(store, NOW, "mai", "Nhắc việc", priority=REMINDER, not_before=NOW + timedelta(hours=1))
    question = lay(store, NOW, "mai", "Câu 1")
    assert lowest() == question  # the reminder is held back
    send(store, question)
    assert lowest() == question
    send(store, reminder, now=NOW + timedelta(hours=1))
    assert lowest() == reminder  # laid down earlier, and yet it stands below
    reply = lay(store, NOW, "mai", "Câu 2")
    assert lowest() == reply


def test_what_was_sent_long_ago_is_deleted_and_what_waits_stays(store: Store) -> None:
    shown, edited = lay(store, NOW, "mai", "Câu 1"), lay(store, NOW, "mai", "Câu 2")
    edit(store, edited, "Câu 2, sửa")
    send(store, shown, edited)
    waits = lay(store, NOW, "tuan", "Nhắc việc")
    young = lay(store, NOW + timedelta(days=1), "mai", "Câu 3", target_id=edited)
    with store.writing() as db:
        chat = db.get_one(Conversation, account(store, "mai").id)
        chat.shown_id = shown
        db.flush()
        assert outbox.forget(db, NOW + timedelta(hours=1)) == 2
        db.refresh(chat)
        assert chat.shown_id is None
        assert outbox.forget(db, NOW + timedelta(hours=1)) == 0
    left = rows(store)
    assert {waits, young} < set(left)
    assert left[young].target_id is None
