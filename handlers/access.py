"""Who may do what. The only place where roles are compared."""

from __future__ import annotations

from storage.chats import Person

ROLES = ("staff", "head", "coordinator", "leader", "observer")
IN_A_UNIT = frozenset({"staff", "head"})
"""Roles that hold for one unit only; the others hold for the whole commune."""

RIGHTS: dict[str, frozenset[str]] = {
    "tasks": frozenset({"staff", "head", "coordinator"}),
    "report": frozenset({"staff", "head", "coordinator"}),
    "snooze": frozenset({"staff", "head"}),
    "summary": frozenset({"staff", "head", "coordinator", "leader", "observer"}),
    "calendar": frozenset({"staff", "head", "coordinator", "leader", "observer"}),
    "edit_calendar": frozenset({"coordinator"}),
    "case": frozenset({"staff", "head", "coordinator"}),
    "invite": frozenset({"coordinator"}),
    "absence": frozenset({"staff", "head", "leader", "coordinator"}),
    "absence_of_others": frozenset({"coordinator"}),
    "members": frozenset({"head", "coordinator"}),
    "phone": frozenset({"coordinator"}),
}


class Denied(Exception):
    """The person has no such right; `block` says so."""

    block = "talk.denied"


def units_for(person: Person, action: str) -> frozenset[int] | None:
    """Units for which the person has the right; None means every unit of their commune. May be empty."""
    roles = [role for role in person.roles if role.name in RIGHTS[action]]
    if any(role.name not in IN_A_UNIT for role in roles):
        return None
    return frozenset(role.unit_id for role in roles if role.unit_id is not None)


def has(person: Person, action: str) -> bool:
    """True when some role of the person gives this right."""
    units = units_for(person, action)
    return units is None or bool(units)


def check(person: Person, action: str, organization_id: int | None = None, unit_id: int | None = None) -> None:
    """Raise Denied unless the person may do this, in this organization and unit where they are given."""
    units = units_for(person, action)
    if not has(person, action) or (unit_id is not None and units is not None and unit_id not in units):
        raise Denied
    if organization_id is not None and organization_id != person.organization_id:
        raise Denied
