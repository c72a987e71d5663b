"""Taking a message for good: handled, answered and committed, in one transaction."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from bot.clock import Clock
from bot.transactions import Transactions
from handlers.desk import Desk, Reply, Told
from handlers.help import menu
from handlers.incoming import Incoming
from handlers.router import hear
from messages import say
from plans.calendar import office_time
from storage import outbox
from storage.calendar import calendar_of
from storage.chats import Chat, audit, chat_of_member, keep_chat, open_chat, set_reachable, take
from storage.tables import Organization, SetAside

log = logging.getLogger("dondoc.intake")

QUOTED = re.compile(r"^(?:DETAIL|CONTEXT|LINE \d+):.*\n?", re.MULTILINE)
"""Where PostgreSQL's errors quote values: what people wrote."""
TRIES = 5
"""A message that failed this often while others succeeded is set aside."""


class Intake:
    """`accept` of the platforms. `woken` is called when something may be left to send."""

    def __init__(self, transactions: Transactions, clock: Clock, woken: Callable[[], None]) -> None:
        self._transactions = transactions
        self._clock = clock
        self._woken = woken
        self.menu_since: datetime | None = None
        """Since when menus are what they are: who last wrote before gets the new one with the answer."""

    async def accept(self, incoming: Incoming) -> None:
        """See bot.platform.Accept."""
        self._woken()  # delivery claims the answer in the commit that writes it
        try:
            await self._transactions.write(
                lambda db: self._take(db, incoming), bears=lambda tries, others: tries < TRIES or not others
            )
        except Exception:
            await self._set_aside(incoming, QUOTED.sub("", traceback.format_exc()))
        self._woken()

    def _take(self, db: Session, incoming: Incoming) -> None:
        now = self._clock.now()
        if not take(db, incoming.channel, incoming.message_key, now):
            return
        if incoming.unread is not None:
            db.add(_aside(incoming, now, incoming.unread))
        if not incoming.chat_id:
            return
        chat = open_chat(db, incoming.channel, incoming.chat_id)
        if incoming.kind == "gone":
            return set_reachable(db, chat.account_id, False)
        desk = Desk(db, chat, incoming, now)
        has_old_menu = chat.person is not None and self._is_before_menu(chat.heard_at)
        if incoming.kind != "back":
            hear(desk)
        if has_old_menu:
            desk.replies.append(menu(desk.person))
        for reply in desk.replies:
            lay_down(db, chat, reply, incoming, now)
        for told in desk.told:
            lay_elsewhere(db, desk.person.organization_id, told, now)
        for action, subject in desk.audited:
            audit(db, chat, action, now, subject)
        keep_chat(db, chat, now)

    def _is_before_menu(self, heard_at: datetime | None) -> bool:
        return heard_at is not None and self.menu_since is not None and heard_at < self.menu_since

    async def _set_aside(self, incoming: Incoming, trace: str) -> None:
        log.error("action=set_aside channel=%s key=%s\n%s", incoming.channel, incoming.message_key, trace)
        try:
            await self._transactions.write(lambda db: self._apologize(db, incoming, trace))
        except DBAPIError:
            raise  # nothing of it is kept: it must not be acknowledged
        except Exception:
            log.exception("action=set_aside_failed channel=%s key=%s", incoming.channel, incoming.message_key)

    def _apologize(self, db: Session, incoming: Incoming, trace: str) -> None:
        now = self._clock.now()
        if not take(db, incoming.channel, incoming.message_key, now):
            return
        db.add(_aside(incoming, now, trace))
        chat = open_chat(db, incoming.channel, incoming.chat_id)
        outbox.put(db, **_row(chat, Reply(say("talk.failed")), now))


def _aside(incoming: Incoming, at: datetime, why: str) -> SetAside:
    return SetAside(
        channel=incoming.channel,
        chat_id=incoming.chat_id,
        message_key=incoming.message_key,
        kind=incoming.kind,
        at=at,
        traceback=why,
    )


def lay_down(db: Session, chat: Chat, reply: Reply, incoming: Incoming, now: datetime) -> None:
    """Put a reply in the outbox: in the place of the tapped message where that is the newest one, else as a new
    message that ends the buttons of the step before."""
    row = _row(chat, reply, now)
    is_step = any(token.startswith("=") for token, _ in reply.choices)
    if reply.kind == "menu" or reply.is_aside:
        outbox.put(db, **row)
        return
    newest = outbox.newest_shown(db, chat.account_id) if reply.replaces and incoming.on_message else None
    if newest is not None and newest[1] == incoming.on_message:
        outbox.put_edit(db, target_id=newest[0], **(row | {"kind": "edit"}))
        chat.shown_id = newest[0] if is_step else None
    else:
        shown_id = outbox.put(db, **row, target_id=chat.shown_id)
        chat.shown_id = shown_id if is_step else None


def lay_elsewhere(db: Session, organization_id: int, told: Told, now: datetime) -> None:
    """Put what another member is told in the outbox, for the chat they used last and for office hours.

    Behind their own replies, like a reminder; who cannot be reached is not told.
    """
    account_id = chat_of_member(db, told.member_id)
    if account_id is None:
        return
    organization = db.get_one(Organization, organization_id)
    local = now.astimezone(ZoneInfo(organization.timezone))
    hours = organization.office_from, organization.office_to
    at = office_time(local, *hours, calendar_of(db, organization_id)).astimezone(UTC)
    outbox.put(
        db,
        organization_id=organization_id,
        account_id=account_id,
        kind="text",
        priority=outbox.REMINDER,
        body={"text": str(told.text), "choices": [], "lettered": False},
        not_before=at if at > now else None,
        created_at=now,
    )


def _row(chat: Chat, reply: Reply, now: datetime) -> dict[str, Any]:
    return {
        "organization_id": chat.organization_id,
        "account_id": chat.account_id,
        "kind": reply.kind,
        "priority": outbox.REPLY,
        "body": {"text": str(reply.text), "choices": reply.choices, "lettered": reply.is_lettered},
        "maker": reply.made_by,
        "args": reply.args,
        "is_secret": reply.is_secret,
        "created_at": now,
    }
