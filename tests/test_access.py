"""Who may do what, in one place."""

from __future__ import annotations

import pytest
from sqlmodel import select

from handlers import CONVERSATIONS
from handlers.access import IN_A_UNIT, RIGHTS, ROLES, Denied, check, has, units_for
from storage.chats import Person, Role
from storage.tables import Account, Membership
from tests.commune import Commune
from tests.people import kept, obligation_id

WITHIN = {"absence_of_others", "edit_calendar", "phone"}
"""Rights to more than the command itself asks for."""


def person(*roles: tuple[str, int | None]) -> Person:
    return Person(1, "Lan", 1, tuple(Role(name, unit, None) for name, unit in roles))


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("staff", {"tasks", "report", "snooze", "summary", "case", "calendar", "absence"}),
        ("head", {"tasks", "report", "snooze", "summary", "case", "calendar", "absence", "members"}),
        ("coordinator", set(RIGHTS) - {"snooze"}),  # reminders of one's own unit are put off, not those of others
        ("leader", {"summary", "calendar", "absence"}),
        ("observer", {"summary", "calendar"}),
    ],
)
def test_each_role_may_do_its_own(role: str, may: set[str]) -> None:
    assert {action for action in RIGHTS if has(person((role, 5)), action)} == may


def test_who_has_no_role_may_do_nothing() -> None:
    assert not any(has(person(), action) for action in RIGHTS)


@pytest.mark.parametrize(
    ("roles", "units"),
    [
        ([("staff", 5)], {5}),
        ([("staff", 5), ("head", 7)], {5, 7}),
        ([("staff", 5), ("coordinator", 5)], None),
        ([("leader", None)], frozenset()),
        ([("leader", None), ("staff", 5)], {5}),
        ([("staff", None)], frozenset()),
    ],
)
def test_rights_are_the_union_of_all_roles(roles: list[tuple[str, int | None]], units: set[int] | None) -> None:
    assert units_for(person(*roles), "report") == units


@pytest.mark.parametrize(
    ("roles", "organization", "unit", "passes"),
    [
        ([("staff", 5)], 1, 5, True),
        ([("staff", 5)], 1, 6, False),
        ([("staff", 5)], 2, 5, False),
        ([("coordinator", None)], 1, 6, True),
        ([("coordinator", None)], 2, 6, False),
        ([("leader", None)], 1, 6, False),
        ([], None, None, False),
    ],
)
def test_a_right_holds_for_ones_own_commune_and_unit(
    roles: list[tuple[str, int | None]], organization: int | None, unit: int | None, passes: bool
) -> None:
    if passes:
        return check(person(*roles), "report", organization, unit)
    with pytest.raises(Denied):
        check(person(*roles), "report", organization, unit)


def test_every_command_needs_a_known_right_or_none() -> None:
    commands = [command for conversation in CONVERSATIONS for command in conversation.commands]
    rights = {right for command in commands for right in (command.right, command.offered_with)}
    assert rights - {None} == set(RIGHTS) - WITHIN
    assert {role for roles in RIGHTS.values() for role in roles} <= set(ROLES)
    assert set(ROLES) >= IN_A_UNIT


@pytest.mark.parametrize("said", ["3390", "tiếp", "quay lại", "/baocao", "[Không phát sinh]"])
def test_who_has_lost_the_role_can_go_no_further(commune: Commune, said: str) -> None:
    thao = commune.person("thao")
    thao.says(f"/report {obligation_id(commune, 'TTPVHCC', '2.5')}")
    with commune.store.writing() as db:
        member_id = db.exec(select(Account.member_id).where(Account.chat_id == "thao")).one()
        for held in db.exec(select(Membership).where(Membership.member_id == member_id)):
            db.delete(held)
    before = kept(commune)
    heard = thao.taps(said[1:-1]) if said.startswith("[") else thao.says(said)
    assert "chưa có quyền làm việc này" in heard
    assert kept(commune) == before
