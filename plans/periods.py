"""Reporting periods, as people name them."""

from __future__ import annotations

import re

from plans.text import fold

_NAMES = {
    "Q1": ("q1", "quy 1", "quy i"),
    # Six months replace the second quarter, and the year the fourth (letter 581/BNV-CCHC).
    "H1": (
        *("h1", "6 thang", "6 thang dau", "6 thang dau nam"),
        *("sau thang", "sau thang dau", "sau thang dau nam", "q2", "quy 2", "quy ii"),
    ),
    "Q3": ("q3", "quy 3", "quy iii"),
    "Y": ("y", "nam", "ca nam", "q4", "quy 4", "quy iv"),
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names}
_NAMED = re.compile(r"(?:(\d{4})-)?(.+?)(?:(?: ?/ ?| nam | )(\d{4}))?")


def read_period(text: str) -> str | None:
    """The code of the period meant, "2025-Q3", or "Q3" where no year is named; None when it is none."""
    found = _NAMED.fullmatch(fold(text))
    if found is None or found[2] not in _KINDS:
        return None
    year = found[1] or found[3]
    return f"{year}-{_KINDS[found[2]]}" if year else _KINDS[found[2]]
