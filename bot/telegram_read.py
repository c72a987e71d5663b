"""A Telegram update as the core reads it."""

from __future__ import annotations

import logging
import re
from datetime import datetime
from typing import Any, Final

from telegram import CallbackQuery, Chat, ChatMemberUpdated, Update
from telegram import Message as Post

from handlers.incoming import Incoming, Kind

log = logging.getLogger("dondoc.telegram")

Json = dict[str, Any]

CHANNEL: Final = "telegram"
UPDATES: Final = ["message", "edited_message", "callback_query", "my_chat_member"]
OTHERS: Final = ("sticker", "voice", "photo", "document", "contact", "location", "video")
LONGEST_ANSWER: Final = 4000


def incoming_from(raw: Json, now: datetime) -> Incoming | None:
    """One update as the core reads it; None for what the bot leaves alone (groups, channels)."""
    try:
        return _read(Update.de_json(raw, None), now)
    except Exception as error:  # whatever the library's constructors raise: it must not block the line
        log.warning("action=telegram_unparsable update=%s error=%s", raw.get("update_id"), type(error).__name__)
        return _unparsable(raw, now)


def _read(update: Update, now: datetime) -> Incoming | None:
    chat = update.effective_chat
    if chat is None or chat.type != Chat.PRIVATE:
        return None
    key, chat_id = str(update.update_id), str(chat.id)
    if update.callback_query:
        return _tap(update.callback_query, chat_id, key, now)
    if update.message:
        return _post(update.message, chat_id, key)
    if update.edited_message:  # what was answered stays: say so, rather than let the person believe otherwise
        return Incoming(CHANNEL, chat_id, key, "other", "edited", now)
    if update.my_chat_member:
        return _membership(update.my_chat_member, chat_id, key)
    return None


def _tap(query: CallbackQuery, chat_id: str, key: str, now: datetime) -> Incoming:
    on = str(query.message.message_id) if query.message else None
    return Incoming(CHANNEL, chat_id, key, "choice", query.data or "", now, on, query.from_user.full_name)


def _post(post: Post, chat_id: str, key: str) -> Incoming:
    kind, text = _content(post)
    name = post.from_user.full_name if post.from_user else None
    return Incoming(CHANNEL, chat_id, key, kind, text, post.date, sender_name=name)


def _content(post: Post) -> tuple[Kind, str]:
    if post.forward_origin or "forward_date" in post.api_kwargs:  # the latter from older servers
        return "other", "forward"
    if post.text is None:
        return "other", next((name for name in OTHERS if getattr(post, name)), "other")
    if len(post.text) > LONGEST_ANSWER:
        return "other", "too_long"
    return "text", re.sub(r"^(/\w+)@\w+", r"\1", post.text)


def _membership(change: ChatMemberUpdated, chat_id: str, key: str) -> Incoming:
    kind: Kind = "back" if change.new_chat_member.status == "member" else "gone"
    return Incoming(CHANNEL, chat_id, key, kind, "", change.date, sender_name=change.from_user.full_name)


def _unparsable(raw: Json, now: datetime) -> Incoming | None:
    """Something that cannot be read, when it can be told whose it is."""
    try:
        chat = (raw.get("message") or raw["callback_query"]["message"])["chat"]
        if chat.get("type", Chat.PRIVATE) == Chat.PRIVATE:
            return Incoming(CHANNEL, str(chat["id"]), str(raw["update_id"]), "other", "unparsable", now)
    except (KeyError, TypeError, AttributeError):
        pass
    return None


def tap_id(raw: Json) -> str | None:
    """What answerCallbackQuery needs, when the update is a tap."""
    query = raw.get("callback_query")
    return query.get("id") if isinstance(query, dict) else None
