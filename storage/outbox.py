"""The outbox: what is to be sent, claimed with a lease, recorded when sent.

A row is claimed only when nothing before it waits in the same chat, so a chat stays in order on any number of
processes; replies go before reminders. A claim ends by itself when its holder dies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnClause,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlmodel import Session

from storage.statement import Statement, adding, among
from storage.tables import Account, Conversation, Outgoing
from storage.tables.core import connection, table

outgoing, account, conversation = table(Outgoing), table(Account), table(Conversation)
_earlier, _target = outgoing.alias(), outgoing.alias()
_WAITING: ColumnClause[str] = literal_column("'waiting'")
"""Written out, not a parameter: else the indexes of waiting rows would not be used, and every row sent be read."""

REPLY, REMINDER = 0, 1


@dataclass(frozen=True, slots=True)
class Claimed:
    """One row to send now. `target` is the platform's id of the message it edits or whose buttons it ends."""

    id: int
    organization_id: int | None
    account_id: int
    channel: str
    chat_id: str
    kind: str
    priority: int
    body: dict[str, Any] | None
    maker: str | None
    args: dict[str, Any] | None
    target: str | None
    attempts: int
    created_at: datetime
    expires_at: datetime | None
    not_before: datetime | None = None


_put = Statement(
    adding(
        outgoing,
        *("organization_id", "account_id", "kind", "priority", "body", "maker", "args", "is_secret", "target_id"),
        *("not_before", "expires_at", "created_at", "state", "attempts"),
    ).returning(outgoing.c.id)
)
_UNSET: dict[str, Any] = {
    **dict.fromkeys(("organization_id", "body", "maker", "args", "target_id", "not_before", "expires_at")),
    **{"priority": REPLY, "is_secret": False, "state": "waiting", "attempts": 0},
}
_WIPED: dict[str, Any] = {
    name: case((outgoing.c.is_secret, null()), else_=outgoing.c[name]) for name in ("body", "args")
}
"""A joining code does not outlive its message."""
_now: BindParameter[datetime] = bindparam("now")
_in_the_way = (
    select(_earlier.c.id)
    .where(
        _earlier.c.account_id == outgoing.c.account_id,
        _earlier.c.state == _WAITING,
        _earlier.c.id != outgoing.c.id,
        or_(
            _earlier.c.claimed_until > _now,
            and_(
                or_(_earlier.c.not_before.is_(None), _earlier.c.not_before <= _now),
                or_(
                    _earlier.c.priority < outgoing.c.priority,
                    and_(_earlier.c.priority == outgoing.c.priority, _earlier.c.id < outgoing.c.id),
                ),
            ),
        ),
    )
    .exists()
)
_is_ready = and_(
    outgoing.c.state == _WAITING,
    or_(outgoing.c.not_before.is_(None), outgoing.c.not_before <= _now),
    or_(outgoing.c.claimed_until.is_(None), outgoing.c.claimed_until <= _now),
    ~_in_the_way,
)
_ready = Statement(
    select(
        outgoing.c.id,
        outgoing.c.organization_id,
        outgoing.c.account_id,
        account.c.channel,
        account.c.chat_id,
        outgoing.c.kind,
        outgoing.c.priority,
        outgoing.c.body,
        outgoing.c.maker,
        outgoing.c.args,
        _target.c.platform_id,
        outgoing.c.attempts,
        outgoing.c.created_at,
        outgoing.c.expires_at,
        outgoing.c.not_before,
    )
    .join(account, account.c.id == outgoing.c.account_id)
    .outerjoin(_target, _target.c.id == outgoing.c.target_id)
    .where(_is_ready, outgoing.c.priority == bindparam("priority"))
    .order_by(outgoing.c.id)
    .limit(bindparam("limit"))
    .with_for_update(of=outgoing, skip_locked=True)
)
_claim = Statement(
    update(outgoing)
    .where(outgoing.c.id == bindparam("key"))
    .values(claimed_until=bindparam("until"), attempts=outgoing.c.attempts + 1)
)
_sent = Statement(
    update(outgoing)
    .where(outgoing.c.id == bindparam("key"))
    .values(
        state="sent", sent_at=bindparam("now"), platform_id=bindparam("platform_id"), claimed_until=None, **_WIPED
    )
)
_edit_anew = Statement(
    update(outgoing)
    .where(
        outgoing.c.account_id == bindparam("account"),
        outgoing.c.target_id == bindparam("target"),
        outgoing.c.kind == "edit",
        outgoing.c.state == _WAITING,
        outgoing.c.claimed_until.is_(None),
    )
    .values(body=bindparam("body"), is_secret=bindparam("is_secret"))
)
_soonest = Statement(
    select(func.min(func.coalesce(outgoing.c.claimed_until, outgoing.c.not_before)).label("at")).where(
        outgoing.c.state == _WAITING,
        or_(outgoing.c.claimed_until > bindparam("now"), outgoing.c.not_before > bindparam("now")),
    )
)
_for_later = Statement(
    select(outgoing.c.id, outgoing.c.args, outgoing.c.not_before)
    .join(account, account.c.id == outgoing.c.account_id)
    .where(
        account.c.member_id == bindparam("member_id"),
        outgoing.c.state == _WAITING,
        outgoing.c.maker == bindparam("maker"),
        outgoing.c.expires_at > bindparam("now", type_=outgoing.c.expires_at.type),
    )
    .order_by(outgoing.c.id)
)
_is_shown = (
    outgoing.c.account_id == bindparam("account_id"),
    among(outgoing.c.kind, ("text", "picture", "document")),
)
_newest_to_come = Statement(
    select(outgoing.c.id, outgoing.c.platform_id)
    .where(*_is_shown, outgoing.c.state == _WAITING, outgoing.c.priority == REPLY)
    .order_by(outgoing.c.id.desc())
    .limit(1)
)
_newest_sent = Statement(
    select(outgoing.c.id, outgoing.c.platform_id)
    .where(*_is_shown, outgoing.c.sent_at.is_not(None))
    .order_by(outgoing.c.sent_at.desc(), outgoing.c.id.desc())
    .limit(1)
)


def put(db: Session, **row: Any) -> int:
    """Lay one message down; returns its id. Columns as in tables.Outgoing."""
    return int(_put.first(db, **{**_UNSET, **row}).id)


def put_edit(db: Session, account_id: int, target_id: int, body: dict[str, Any], **row: Any) -> None:
    """An edit of a sent message; one that still waits for the same message takes the new content instead."""
    is_secret = row.get("is_secret", False)
    if not _edit_anew.change(db, account=account_id, target=target_id, body=body, is_secret=is_secret):
        put(db, account_id=account_id, target_id=target_id, body=body, **row)


def for_later(db: Session, member_id: int, maker: str, now: datetime) -> list[Any]:
    """What this maker has yet to say to a person, in whichever chat: (id, args, not_before)."""
    return _for_later.all(db, member_id=member_id, maker=maker, now=now)


def change_args(db: Session, row_id: int, args: dict[str, Any]) -> None:
    """Let it be made of other facts."""
    connection(db).execute(update(outgoing).where(outgoing.c.id == row_id).values(args=args))


def claim(db: Session, priority: int, now: datetime, lease: timedelta, limit: int) -> list[Claimed]:
    """At most `limit` rows ready to send, ours until `now + lease`; the caller commits before sending."""
    rows = [Claimed(*row) for row in _ready.all(db, priority=priority, now=now, limit=limit)]
    if rows:
        _claim.change_each(db, [{"key": row.id, "until": now + lease} for row in rows])
    return rows


def record_sent(db: Session, sent: Sequence[tuple[int, str | None]], now: datetime) -> None:
    """Rows the platform has taken, with its ids of them; joining codes in them are wiped."""
    keys = [{"key": row_id, "platform_id": platform_id, "now": now} for row_id, platform_id in sent]
    _sent.change_each(db, keys)


def record_made(db: Session, row_id: int, body: dict[str, Any]) -> None:
    """What a maker said when the row was sent: so it can be looked up, and shown again."""
    connection(db).execute(update(outgoing).where(outgoing.c.id == row_id).values(body=body))


def record_later(db: Session, row_id: int, until: datetime, counts: bool = True) -> None:
    """Try again at `until`; till then the chat waits behind it. Without `counts`, the attempt is not held
    against it."""
    changed = update(outgoing).where(outgoing.c.id == row_id, outgoing.c.state == _WAITING)
    attempts = outgoing.c.attempts if counts else outgoing.c.attempts - 1
    connection(db).execute(changed.values(claimed_until=until, attempts=attempts))


def postpone(db: Session, row_id: int, until: datetime) -> None:
    """Not before `until`; the chat goes on meanwhile."""
    changed = update(outgoing).where(outgoing.c.id == row_id)
    connection(db).execute(changed.values(claimed_until=None, not_before=until))


def record_end(db: Session, row_id: int, state: str) -> None:
    """`dropped` or `refused`: it will not be sent."""
    ended = update(outgoing).where(outgoing.c.id == row_id)
    connection(db).execute(ended.values(state=state, claimed_until=None, **_WIPED))


def drop_chat(db: Session, account_id: int) -> None:
    """The recipient is gone: nothing more is sent there."""
    waiting = update(outgoing).where(outgoing.c.account_id == account_id, outgoing.c.state == _WAITING)
    connection(db).execute(waiting.values(state="dropped", claimed_until=None, **_WIPED))


def move_chat(db: Session, account_id: int, chat_id: str) -> None:
    """The chat goes on under another id; where that one has written already, what waits goes there."""
    link, old = connection(db), account.c.id == account_id
    channel = select(account.c.channel).where(old).scalar_subquery()
    known = select(account.c.id).where(account.c.chat_id == chat_id, account.c.channel == channel, ~old)
    other_id = link.execute(known).scalar()
    if other_id is None:
        link.execute(update(account).where(old).values(chat_id=chat_id))
        return
    waiting = update(outgoing).where(outgoing.c.account_id == account_id, outgoing.c.state == _WAITING)
    link.execute(waiting.values(account_id=other_id))
    link.execute(update(account).where(old).values(is_reachable=False))


def renew(db: Session, row_ids: Sequence[int], until: datetime) -> None:
    """Claimed rows stay ours until `until`."""
    if row_ids:
        held = update(outgoing).where(outgoing.c.id.in_(row_ids), outgoing.c.state == _WAITING)
        connection(db).execute(held.values(claimed_until=until))


def release_all(db: Session) -> None:
    """End every claim: right after a start, when no other process delivers from this database."""
    claimed = update(outgoing).where(outgoing.c.state == _WAITING, outgoing.c.claimed_until.is_not(None))
    connection(db).execute(claimed.values(claimed_until=None))


def release(db: Session, row_ids: Sequence[int]) -> None:
    """Give claimed rows back unsent."""
    if row_ids:
        freed = update(outgoing).where(outgoing.c.id.in_(row_ids), outgoing.c.state == _WAITING)
        connection(db).execute(freed.values(claimed_until=None, attempts=outgoing.c.attempts - 1))


def next_ready_at(db: Session, now: datetime) -> datetime | None:
    """When the next waiting row may become ready; None when nothing waits for a time."""
    at: datetime | None = _soonest.first(db, now=now).at
    return at


def newest_shown(db: Session, account_id: int) -> tuple[int, str | None] | None:
    """The lowest message of ours in a chat: (outbox id, the platform's id once sent). A reply on its way will be
    the lowest; a reminder held back is not there yet."""
    row = _newest_to_come.first(db, account_id=account_id) or _newest_sent.first(db, account_id=account_id)
    return (row.id, row.platform_id) if row else None


def follow(db: Session, edit_id: int, platform_id: str | None) -> None:
    """The edit could only be sent as a new message: from now on that is what the edited one is."""
    target = select(_earlier.c.target_id).where(_earlier.c.id == edit_id).scalar_subquery()
    now_there = update(outgoing).where(outgoing.c.id == target)
    connection(db).execute(now_there.values(platform_id=platform_id))


def forget(db: Session, before: datetime, at_once: int = 500) -> int:
    """Delete the oldest messages done with before then, at most so many; returns how many.

    The ids grow with time: only the first rows are looked at.
    """
    link = connection(db)
    oldest = select(outgoing.c.id, outgoing.c.created_at, outgoing.c.state).order_by(outgoing.c.id).limit(at_once)
    old = [row.id for row in link.execute(oldest) if row.created_at < before and row.state != "waiting"]
    if old:
        shown, pointing = conversation.c.shown_id.in_(old), outgoing.c.target_id.in_(old)
        link.execute(update(conversation).where(shown).values(shown_id=None))
        link.execute(update(outgoing).where(pointing).values(target_id=None))
        link.execute(outgoing.delete().where(outgoing.c.id.in_(old)))
    return len(old)


def oldest_waiting(db: Session, now: datetime) -> datetime | None:
    """Since when the oldest message that could be sent has waited: one held back, since it may go."""
    held_back = outgoing.c.not_before > outgoing.c.created_at
    since = case((held_back, outgoing.c.not_before), else_=outgoing.c.created_at)
    waiting = select(func.min(since)).where(
        outgoing.c.state == _WAITING, or_(outgoing.c.not_before.is_(None), outgoing.c.not_before <= now)
    )
    return connection(db).execute(waiting).scalar()
