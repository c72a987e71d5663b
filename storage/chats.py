"""The chat a message came from: who writes, which draft is open, what was last offered.

This is read and written for every message, so it is plain SQL statements, built once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from storage.statement import Statement, adding, adding_new
from storage.tables import (
    Account,
    Audit,
    Conversation,
    Draft,
    Member,
    Membership,
    Organization,
    Seen,
    SetAside,
    Unit,
)
from storage.tables.core import connection, table
from storage.waking import wake_of_member

account, conversation, draft = table(Account), table(Conversation), table(Draft)
member, membership, organization = table(Member), table(Membership), table(Organization)
unit, seen, set_aside = table(Unit), table(Seen), table(SetAside)


@dataclass(frozen=True, slots=True)
class Role:
    """A role of a person; `unit_id` is None where it holds for the whole commune."""

    name: str
    unit_id: int | None
    unit_name: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who writes: a member, with the rights of all their roles."""

    member_id: int
    name: str
    organization_id: int
    roles: tuple[Role, ...]


@dataclass(slots=True)
class OpenDraft:
    """The answers of one conversation so far. `changed` tells that they must be written."""

    id: int
    flow: str
    obligation_id: int | None
    args: dict[str, Any]
    answers: dict[str, Any]
    version: int
    is_closed: bool
    changed: bool = False
    has_new_args: bool = False


@dataclass(slots=True)
class Chat:
    """One chat, loaded and locked for one message."""

    account_id: int
    organization_id: int | None
    zone: str
    person: Person | None
    is_reachable: bool
    asked: str | None
    offered: list[list[str]]
    is_lettered: bool
    shown_id: int | None
    draft: OpenDraft | None
    heard_at: datetime | None = None
    """When the person wrote before this message."""


_draft_columns = (
    draft.c.id.label("draft_id"),
    draft.c.flow,
    draft.c.obligation_id,
    draft.c.args,
    draft.c.answers,
    draft.c.version,
    draft.c.closed_at,
)
_person_of = Statement(
    select(
        account.c.id,
        account.c.organization_id,
        account.c.member_id,
        account.c.is_reachable,
        member.c.name,
        organization.c.timezone,
        conversation.c.asked,
        conversation.c.offered,
        conversation.c.is_lettered,
        conversation.c.shown_id,
        conversation.c.heard_at,
        membership.c.role,
        membership.c.unit_id,
        unit.c.name.label("unit_name"),
        *_draft_columns,
    )
    .join(conversation, conversation.c.account_id == account.c.id)
    .outerjoin(member, member.c.id == account.c.member_id)
    .outerjoin(organization, organization.c.id == account.c.organization_id)
    .outerjoin(draft, draft.c.id == conversation.c.draft_id)
    .outerjoin(membership, membership.c.member_id == account.c.member_id)
    .outerjoin(unit, unit.c.id == membership.c.unit_id)
    .where(account.c.channel == bindparam("channel"), account.c.chat_id == bindparam("chat_id"))
    .order_by(membership.c.id)
)
"""One row for each role of the person; the rest is the same in all."""
_lock = Statement(
    select(conversation.c.account_id)
    .join(account, account.c.id == conversation.c.account_id)
    .where(account.c.channel == bindparam("channel"), account.c.chat_id == bindparam("chat_id"))
    .with_for_update(of=conversation)
)
_lock_draft = Statement(select(draft.c.version).where(draft.c.id == bindparam("id")).with_for_update())
_draft_of_obligation = Statement(
    select(*_draft_columns)
    .where(
        draft.c.flow == bindparam("flow"),
        draft.c.obligation_id == bindparam("obligation_id"),
        draft.c.closed_at.is_(None),
    )
    .with_for_update()
)
_draft_of_account = Statement(
    select(*_draft_columns)
    .where(
        draft.c.flow == bindparam("flow"),
        draft.c.account_id == bindparam("account_id"),
        draft.c.obligation_id.is_(None),
        draft.c.closed_at.is_(None),
    )
    .with_for_update()
)
_new_draft = adding_new(
    draft,
    *("organization_id", "flow", "obligation_id", "account_id", "args", "answers", "version", "updated_at"),
)
_add_draft = Statement({name: insert.returning(draft.c.id) for name, insert in _new_draft.items()})
_roles_of = Statement(
    select(membership.c.role, membership.c.unit_id, unit.c.name)
    .outerjoin(unit, unit.c.id == membership.c.unit_id)
    .where(membership.c.member_id == bindparam("member_id"))
    .order_by(membership.c.id)
)
_keep_conversation = Statement(
    update(conversation)
    .where(conversation.c.account_id == bindparam("key"))
    .values(
        draft_id=bindparam("draft_id"),
        asked=bindparam("asked"),
        offered=bindparam("offered"),
        is_lettered=bindparam("is_lettered"),
        shown_id=bindparam("shown_id"),
        heard_at=bindparam("now"),
    )
)
_offer = Statement(
    update(conversation)
    .where(conversation.c.account_id == bindparam("key"), conversation.c.asked.is_(None))
    .values(offered=bindparam("offered"), is_lettered=False)
)
_keep_draft = Statement(
    update(draft)
    .where(draft.c.id == bindparam("key"))
    .values(
        answers=bindparam("answers"),
        version=bindparam("version"),
        updated_at=bindparam("now"),
        closed_at=bindparam("closed_at"),
    )
)
_keep_args = Statement(update(draft).where(draft.c.id == bindparam("key")).values(args=bindparam("args")))
_take = Statement(adding_new(seen, "channel", "message_key", "at"))
_audit = Statement(adding(table(Audit), "organization_id", "member_id", "action", "subject", "at"))
_set_reachable = Statement(
    update(account)
    .where(account.c.id == bindparam("key"), account.c.is_reachable != bindparam("reachable"))
    .values(is_reachable=bindparam("reachable"))
)
_member_of = Statement(
    select(account.c.organization_id, account.c.member_id).where(
        account.c.id == bindparam("key"), account.c.member_id.is_not(None)
    )
)
_chat_of_member = Statement(
    select(account.c.id)
    .join(conversation, conversation.c.account_id == account.c.id)
    .where(account.c.member_id == bindparam("member_id"), account.c.is_reachable)
    .order_by(conversation.c.heard_at.desc().nulls_last(), account.c.id.desc())
)


def take(db: Session, channel: str, message_key: str, at: datetime) -> bool:
    """True the first time this message is seen; the database keeps the key, so a redelivery is False."""
    return _take.change(db, channel=channel, message_key=message_key, at=at) == 1


def open_chat(db: Session, channel: str, chat_id: str) -> Chat:
    """Load the chat, made new for a stranger; on PostgreSQL its row stays locked until the commit."""
    key = {"channel": channel, "chat_id": chat_id}
    is_shared = connection(db).dialect.name != "sqlite"
    if is_shared:
        _lock.all(db, **key)
    rows = _person_of.all(db, **key)
    if not rows:
        _add_chat(db, channel, chat_id)
        rows = _person_of.all(db, **key)
    if is_shared and rows[0].draft_id is not None:  # a colleague may be answering the same draft
        _lock_draft.all(db, id=rows[0].draft_id)
        rows = _person_of.all(db, **key)
    return _chat(rows)


def _add_chat(db: Session, channel: str, chat_id: str) -> None:
    new = Account(channel=channel, chat_id=chat_id)
    db.add(new)
    db.flush()
    assert new.id is not None
    db.add(Conversation(account_id=new.id))
    db.flush()


def _chat(rows: Sequence[Any]) -> Chat:
    row = rows[0]
    return Chat(
        row.id,
        row.organization_id,
        row.timezone or "Asia/Ho_Chi_Minh",
        _person(rows) if row.member_id else None,
        row.is_reachable,
        row.asked,
        row.offered,
        row.is_lettered,
        row.shown_id,
        _open_draft(row) if row.draft_id else None,
        row.heard_at,
    )


def _person(rows: Sequence[Any]) -> Person:
    roles = tuple(Role(row.role, row.unit_id, row.unit_name) for row in rows if row.role)
    return Person(rows[0].member_id, rows[0].name, rows[0].organization_id, roles)


def _open_draft(row: Any) -> OpenDraft:
    is_closed = row.closed_at is not None
    return OpenDraft(row.draft_id, row.flow, row.obligation_id, row.args, row.answers, row.version, is_closed)


def person_of(db: Session, member_id: int, name: str, organization_id: int) -> Person:
    """The member with all roles held now."""
    rows = _roles_of.all(db, member_id=member_id)
    return Person(member_id, name, organization_id, tuple(Role(*row) for row in rows))


def keep_chat(db: Session, chat: Chat, now: datetime) -> None:
    """Write what the message changed: the draft, what is asked here now, and that the person wrote."""
    if chat.draft is not None and chat.draft.changed:
        keep_draft(db, chat.draft, now)
    _keep_conversation.change(
        db,
        key=chat.account_id,
        draft_id=chat.draft.id if chat.draft else None,
        asked=chat.asked,
        offered=chat.offered,
        is_lettered=chat.is_lettered,
        shown_id=chat.shown_id,
        now=now,
    )
    if not chat.is_reachable:
        set_reachable(db, chat.account_id, True)


def keep_draft(db: Session, opened: OpenDraft, now: datetime) -> None:
    """Write a draft's answers."""
    _keep_draft.change(
        db,
        key=opened.id,
        answers=opened.answers,
        version=opened.version,
        now=now,
        closed_at=now if opened.is_closed else None,
    )
    if opened.has_new_args:
        _keep_args.change(db, key=opened.id, args=opened.args)
    opened.changed = opened.has_new_args = False


def erase_draft(db: Session, opened: OpenDraft, now: datetime) -> None:
    """Close a draft for good and wipe what was answered in it."""
    opened.answers, opened.is_closed = {}, True
    opened.version += 1
    keep_draft(db, opened, now)


def find_draft(db: Session, flow: str, obligation_id: int | None, account_id: int) -> OpenDraft | None:
    """The open draft of an obligation, or else of this account and flow."""
    if obligation_id is not None:
        row = _draft_of_obligation.first(db, flow=flow, obligation_id=obligation_id)
    else:
        row = _draft_of_account.first(db, flow=flow, account_id=account_id)
    return _open_draft(row) if row else None


def add_draft(
    db: Session,
    chat: Chat,
    flow: str,
    obligation_id: int | None,
    args: dict[str, Any],
    answers: dict[str, Any],
    now: datetime,
) -> OpenDraft:
    """A new draft, with answers already known; the colleague's where one was opened in the same instant."""
    row = _add_draft.first(
        db,
        organization_id=chat.organization_id,
        flow=flow,
        obligation_id=obligation_id,
        account_id=None if obligation_id else chat.account_id,
        args=args,
        answers=answers,
        version=0,
        updated_at=now,
    )
    if row is not None:
        return OpenDraft(row.id, flow, obligation_id, args, answers, 0, False)
    found = find_draft(db, flow, obligation_id, chat.account_id)
    assert found is not None
    return found


def offer(db: Session, account_id: int, choices: list[list[str]]) -> None:
    """What a message of ours that nobody asked for offers can be typed too, unless a question is open."""
    _offer.change(db, key=account_id, offered=choices)


def audit(db: Session, chat: Chat, action: str, now: datetime, subject: str | None = None) -> None:
    """One line of who did what in a chat; never what was written."""
    member_id = chat.person.member_id if chat.person else None
    record(db, chat.organization_id, member_id, action, subject, now)


def record(
    db: Session,
    organization_id: int | None,
    member_id: int | None,
    action: str,
    subject: str | None,
    now: datetime,
) -> None:
    """One line of who did what; without a member, somebody at the command line."""
    _audit.change(db, organization_id=organization_id, member_id=member_id, action=action, subject=subject, at=now)


def set_reachable(db: Session, account_id: int, is_reachable: bool) -> None:
    """Mark whether the bot may write to this chat; who can be reached again, or their head when they cannot, may
    have to hear of something."""
    is_new = _set_reachable.change(db, key=account_id, reachable=is_reachable) == 1
    if is_new and (mine := _member_of.first(db, key=account_id)):
        wake_of_member(db, mine.organization_id, mine.member_id)


def chat_of_member(db: Session, member_id: int) -> int | None:
    """The account a member wrote from last and can be reached by; None when there is none."""
    row = _chat_of_member.first(db, member_id=member_id)
    return row.id if row else None


def forget_set_aside(db: Session, before: datetime) -> int:
    """Drop what was set aside before then; returns how many."""
    return connection(db).execute(set_aside.delete().where(set_aside.c.at < before)).rowcount


def forget_seen(db: Session, before: datetime) -> int:
    """Drop keys older than `before`; returns how many."""
    return connection(db).execute(seen.delete().where(seen.c.at < before)).rowcount
