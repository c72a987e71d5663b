"""People: invitations, joining, who is where."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from storage.tables import Account, Invite, Member, Membership, Organization, Unit
from storage.waking import wake_of_member

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without letters and digits that are mistaken for one another when read aloud."""
CODE_LENGTH = 8
CODE_LIVES = timedelta(days=14)


class BadCode(Exception):
    """The code is unknown, used up or out of date: told apart to nobody."""


def tidy_code(text: str) -> str:
    """A code as it was made, however it was typed (spaces, dashes, lower case)."""
    return "".join(text.upper().replace("-", " ").split())


def _hash(code: str) -> str:
    return hashlib.sha256(tidy_code(code).encode()).hexdigest()


def make_invite(
    db: Session,
    organization_id: int,
    unit_id: int | None,
    role: str,
    now: datetime,
    name: str | None = None,
    created_by: int | None = None,
) -> str:
    """A new joining code for one person; only its hash is kept. Returns the code."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))
    db.add(
        Invite(
            organization_id=organization_id,
            unit_id=unit_id,
            role=role,
            name=name,
            code_hash=_hash(code),
            expires_at=now + CODE_LIVES,
            created_by=created_by,
        )
    )
    db.flush()
    return code


def find_invite(db: Session, code: str, now: datetime) -> Invite:
    """The invitation a code stands for. Raises BadCode."""
    invite = db.exec(select(Invite).where(Invite.code_hash == _hash(code))).first()
    if invite is None or invite.uses_left < 1 or invite.expires_at <= now:
        raise BadCode
    return invite


def open_invite(db: Session, invite_id: int, now: datetime) -> Invite:
    """The same invitation later in the talk, if it still holds. Raises BadCode."""
    invite = db.get(Invite, invite_id, with_for_update=True)
    if invite is None or invite.uses_left < 1 or invite.expires_at <= now:
        raise BadCode
    return invite


def join(db: Session, invite: Invite, account_id: int, name: str, now: datetime) -> int:
    """Bind the account to a member with the invitation's role and use it up; returns the member's id."""
    account = db.get_one(Account, account_id)
    if account.member_id is None or account.organization_id != invite.organization_id:
        member = Member(organization_id=invite.organization_id, name=name, joined_at=now)
        db.add(member)
        db.flush()
        account.member_id = member.id
        account.organization_id = invite.organization_id
    assert account.member_id is not None
    add_role(db, invite.organization_id, account.member_id, invite.unit_id, invite.role)
    invite.uses_left -= 1
    db.flush()
    return account.member_id


def add_role(db: Session, organization_id: int, member_id: int, unit_id: int | None, role: str) -> None:
    """Give a member a role, once; they may have to hear of what its unit owes."""
    held = select(Membership).where(
        Membership.member_id == member_id, Membership.unit_id == unit_id, Membership.role == role
    )
    if db.exec(held).first() is None:
        db.add(Membership(organization_id=organization_id, member_id=member_id, unit_id=unit_id, role=role))
        db.flush()
        wake_of_member(db, organization_id, member_id)


def set_phone(db: Session, member_id: int, phone: str | None) -> None:
    """The member's work phone, or None any more."""
    db.get_one(Member, member_id).phone = phone
    db.flush()


def units_of(db: Session, organization_id: int) -> list[Unit]:
    """All units of a commune, in the plan's order."""
    return list(db.exec(select(Unit).where(Unit.organization_id == organization_id).order_by(col(Unit.id))))


def the_organization(db: Session) -> Organization | None:
    """The commune of this install (the first one)."""
    return db.exec(select(Organization).order_by(col(Organization.id))).first()
