"""A Telegram update as the core reads it.

Only the fields we use are looked at, so that nothing else can make a message unreadable. The library's
Update.de_json takes fifteen times as long: a twelfth of all that an update costs.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Final

from handlers.incoming import Incoming, Kind

log = logging.getLogger("dondoc.telegram")

Json = dict[str, Any]

CHANNEL: Final = "telegram"
UPDATES: Final = ["message", "edited_message", "callback_query", "my_chat_member"]
OTHERS: Final = ("sticker", "voice", "photo", "document", "contact", "location", "video")
FORWARDED: Final = ("forward_origin", "forward_date")  # the latter from older servers
LONGEST_ANSWER: Final = 4000


def incoming_from(raw: Json, now: datetime) -> Incoming | None:
    """One update as the core reads it; None for what the bot leaves alone (groups, channels)."""
    try:
        return _read(raw, str(raw["update_id"]), now)
    except Exception:  # an unknown shape, whatever it breaks, must not block the line
        return _unreadable(raw, now)


def _read(raw: Json, key: str, now: datetime) -> Incoming | None:
    match raw:
        case {"callback_query": {"from": sender, "message": {"chat": {"type": "private", "id": int(chat)}} as on}}:
            token, shown = str(raw["callback_query"].get("data", "")), str(on["message_id"])
            return Incoming(CHANNEL, str(chat), key, "choice", token, now, shown, _name(sender))
        case {
            "message": {"chat": {"type": "private", "id": int(chat)}, "date": int(date), "from": sender} as post
        }:
            kind, text = _content(post)
            at = datetime.fromtimestamp(date, UTC)
            return Incoming(CHANNEL, str(chat), key, kind, text, at, sender_name=_name(sender))
        case {"edited_message": {"chat": {"type": "private", "id": int(chat)}}}:
            # What was answered stays: say so, rather than let the person believe otherwise.
            return Incoming(CHANNEL, str(chat), key, "other", "edited", now)
        case {
            "my_chat_member": {"chat": {"type": "private", "id": int(chat)}, "new_chat_member": {"status": status}}
        }:
            return Incoming(CHANNEL, str(chat), key, "back" if status == "member" else "gone", "", now)
        case _:
            return _unreadable(raw, now)


def _content(post: Json) -> tuple[Kind, str]:
    if any(name in post for name in FORWARDED):
        return "other", "forward"
    text = post.get("text")
    if text is None:
        return "other", next((name for name in OTHERS if name in post), "other")
    if len(text) > LONGEST_ANSWER:
        return "other", "too_long"
    return "text", re.sub(r"^(/\w+)@\w+", r"\1", text)


def _name(sender: Json) -> str:
    """How the person is called on Telegram."""
    return " ".join(filter(None, (sender.get("first_name"), sender.get("last_name"))))


def _unreadable(raw: Json, now: datetime) -> Incoming | None:
    """None for groups, and for kinds of updates the bot did not ask for. Anything else is set aside, and answered
    where it is known whose it is."""
    about = next((raw[name] for name in UPDATES if name in raw), None)
    if about is None:
        return None
    message = about.get("message", about) if isinstance(about, dict) else None
    chat = message.get("chat") if isinstance(message, dict) else None
    known = chat if isinstance(chat, dict) else {}
    if known.get("type", "private") != "private":
        return None
    log.warning("action=telegram_unreadable update=%s", raw["update_id"])
    whose = str(known["id"]) if isinstance(known.get("id"), int) else ""
    unread = json.dumps(_shape(raw))
    return Incoming(CHANNEL, whose, str(raw["update_id"]), "other", "unparsable", now, unread=unread)


def _shape(value: object) -> object:
    """Names and types, without what people wrote: enough to learn to read it."""
    if isinstance(value, dict):
        return {str(name): _shape(one) for name, one in value.items()}
    return [_shape(one) for one in value[:3]] if isinstance(value, list) else type(value).__name__


def tap_id(raw: Json) -> str | None:
    """What answerCallbackQuery needs, when the update is a tap."""
    query = raw.get("callback_query")
    return query.get("id") if isinstance(query, dict) else None
