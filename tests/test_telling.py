"""What a named person caused is told to another: in office hours, in the chat they used last."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from markupsafe import Markup

from bot.intake import lay_elsewhere
from handlers.desk import Told
from plans.calendar import Calendar, office_time
from storage import outbox
from storage.chats import set_reachable
from storage.store import Store
from storage.tables import Account, Conversation, Outgoing
from tests.fakes import CHANNEL, HANOI, account, local, rows

NATIONAL_DAY = Calendar(frozenset({date(2025, 9, 2)}), frozenset({date(2025, 9, 13)}))


@pytest.mark.parametrize(
    ("now", "at"),
    [
        ((15, 9, 0), (15, 9, 0)),
        ((15, 7, 29), (15, 7, 30)),
        ((15, 0, 0), (15, 7, 30)),
        ((15, 16, 59), (15, 16, 59)),
        ((15, 17, 0), (16, 7, 30)),
        ((19, 18, 0), (22, 7, 30)),
        ((20, 9, 0), (22, 7, 30)),
        ((1, 17, 30), (3, 7, 30)),
        ((2, 9, 0), (3, 7, 30)),
        ((12, 20, 0), (13, 7, 30)),
        ((13, 9, 0), (13, 9, 0)),
    ],
)
def test_office_hours_of_a_working_day_are_waited_for(now: tuple[int, int, int], at: tuple[int, int, int]) -> None:
    here = local(*now).astimezone(HANOI)
    assert office_time(here, time(7, 30), time(17, 0), NATIONAL_DAY) == local(*at)


def told(store: Store, chat_id: str, now: datetime) -> list[Outgoing]:
    member_id = account(store, chat_id).member_id
    assert member_id is not None
    with store.writing() as db:
        lay_elsewhere(db, 1, Told(member_id, Markup("Lan đã ghi.")), now)
    return list(rows(store).values())


def test_it_goes_out_at_once_in_office_hours(store: Store) -> None:
    (row,) = told(store, "mai", local(15, 9, 0))
    assert (row.not_before, row.priority, row.body) == (
        None,
        outbox.REMINDER,
        {"text": "Lan đã ghi.", "choices": [], "lettered": False},
    )


def test_at_night_it_waits_for_the_morning_of_a_working_day(store: Store) -> None:
    (row,) = told(store, "mai", local(19, 21, 0))
    assert row.not_before == local(22, 7, 30)


def test_it_goes_to_the_chat_used_last_that_can_be_reached(store: Store) -> None:
    member_id = account(store, "mai").member_id
    with store.writing() as db:
        for number, heard_at in ((102, local(1)), (103, local(5)), (104, local(9))):
            chat_id = f"mai-{number}"
            db.add(Account(id=number, organization_id=1, member_id=member_id, channel=CHANNEL, chat_id=chat_id))
            db.flush()
            db.add(Conversation(account_id=number, heard_at=heard_at))
        db.flush()
        set_reachable(db, 104, False)
    (row,) = told(store, "mai", local(15, 9, 0))
    assert row.account_id == 103


def test_who_cannot_be_reached_is_not_told(store: Store) -> None:
    with store.writing() as db:
        set_reachable(db, account(store, "mai").id or 0, False)
    assert told(store, "mai", local(15, 9, 0)) == []
