"""A message as the parameters of a Bot API call."""

from __future__ import annotations

import html
import re
from typing import Any, Final

from bot.platform import Choice, Message

Json = dict[str, Any]

TAG: Final = re.compile(r"<(/?)([bi])>")
TEXT_LIMIT: Final = 4096  # UTF-16 units
ROOM_FOR_TAGS: Final = 16
SHORT_LABEL: Final = 14


def text_params(message: Message, text: str, name: str = "text") -> Json:
    """Whom `text` goes to, with its markup or, on the second try, without."""
    params: Json = {"chat_id": message.chat_id}
    if name == "text":
        params["link_preview_options"] = {"is_disabled": True}
    if message.plain:
        return params | {name: html.unescape(TAG.sub("", text))}
    return params | {name: text, "parse_mode": "HTML"}


def keyboard(choices: tuple[Choice, ...]) -> Json:
    """One button a row, two where both are short. No choices: none, and an edit takes the old ones away."""
    rows: list[list[Json]] = []
    for choice in choices:
        button = {"text": choice.label, "callback_data": choice.token}
        has_room = rows and len(rows[-1]) == 1 and len(rows[-1][0]["text"]) <= SHORT_LABEL
        if has_room and len(choice.label) <= SHORT_LABEL:
            rows[-1].append(button)
        else:
            rows.append([button])
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def split(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """The text in pieces that a message can hold, cut after a line if possible; markup goes on across it."""
    pieces = []
    while len(text.encode("utf-16-le")) // 2 > limit:
        head = text[: _cut(text, limit - ROOM_FOR_TAGS)]
        is_open = _open_tags(head)
        pieces.append(head.rstrip() + "".join(f"</{tag}>" for tag in reversed(is_open)))
        text = "".join(f"<{tag}>" for tag in is_open) + text[len(head) :].lstrip()
    return [*pieces, text]


def _cut(text: str, units: int) -> int:
    """Where to cut, at most so many UTF-16 units on: after a line, else a word; not in a tag or entity."""
    head = text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")
    for end in ("\n", " "):
        if (at := head.rfind(end)) > ROOM_FOR_TAGS:
            return at
    broken = re.search(r"(<[^>]{0,3}|&[^;]{0,8})$", head)
    return broken.start() if broken else len(head)


def _open_tags(text: str) -> list[str]:
    is_open: list[str] = []
    for closing, tag in TAG.findall(text):
        if not closing:
            is_open.append(tag)
        elif is_open:
            is_open.pop()
    return is_open
