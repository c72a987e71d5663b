"""Typed words made comparable: the same word whatever the keyboard, the phone or the haste."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MARKS = (0x0300, 0x0370), (0xFE00, 0xFE10)
"""Combining marks, and the selectors that only choose how an emoji looks."""
_INVISIBLE = (0xAD, 0xAE), (0x200C, 0x2010), (0x202A, 0x202F), (0x2060, 0x2070), (0xFEFF, 0xFF00)
"""Soft hyphen, joiners, directions of writing, byte order mark. U+200B is apart: it stands between words."""
_DASHES = (0x2010, 0x2016), (0x2212, 0x2213)

_COMMA = re.compile(r"(\d|iii),(\d{1,2})", re.IGNORECASE)

_TABLE: dict[int, str | None] = {
    **{code: None for start, end in _MARKS + _INVISIBLE for code in range(start, end)},
    **{code: "-" for start, end in _DASHES for code in range(start, end)},
    ord("đ"): "d",
    ord("ð"): "d",  # its capital looks like Đ and is typed for it
    0x200B: " ",
}


def plain(text: str) -> str:
    """Lower case without diacritics, full-width forms as ASCII, every dash as "-", single spaces, trimmed."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return " ".join(text.lower().translate(_TABLE).split())


@lru_cache(maxsize=512)
def fold(text: str) -> str:
    """`plain` without closing punctuation: what typed words, labels and commands are compared by.

    "Gửi!", "GUI" and "gửi " are one. A text of nothing but punctuation folds to "".
    """
    return plain(text).rstrip(" .,;:!?")


def clause(text: str) -> str:
    """A clause number with its point, where it was typed with a comma as Vietnamese numbers are: "2,9" is 2.9."""
    typed = _COMMA.fullmatch(text)
    return f"{typed[1]}.{typed[2]}" if typed else text
