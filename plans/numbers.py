"""Figures as Vietnamese clerks type them, and as they are shown and read back.

A figure is never guessed: what has one meaning is read, what has two is Ambiguous, the rest is NotANumber.
Dot and comma both occur as the thousands mark and as the decimal mark, so "1.250" alone is 1250 or 1,25; only
a count settles it, because a count is whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from plans.text import plain

Kind = Literal["int", "money", "pct"]
Code = Literal[
    "not_a_number",
    "in_words",
    "approximate",
    "negative",
    "not_whole",
    "two_numbers",
    "unclear_pair",
    "too_large",
    "over_100",
    "percent_not_asked",
    "money_unit_in_count",
    "other_unit",
]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: a count, whole đồng, or percent."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Pair:
    """Two figures at once ("230/250"). Whether the part exceeds the total is for the caller to check."""

    part: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Every value the text can mean; ask, then `check` the one chosen."""

    readings: tuple[Decimal, ...]


Reading = Figure | Pair | Ambiguous


class NotANumber(Exception):
    """No figure for this question: `code` says why, `facts` may hold the `value` that was read."""

    def __init__(self, code: Code, **facts: str) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


_LIMITS: dict[Kind, int] = {"int": 10**9, "money": 10**13}
"""No commune handles 10.000 tỷ: a bare "350.000.000" where million are asked was meant in đồng."""
_LONGEST = 100
_MOST_DIGITS = 18

_NUMERAL = r"[0-9]{1,3}(?: [0-9]{3})+(?![0-9])(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)*"
_PIECE = re.compile(rf"({_NUMERAL})([^0-9]*)")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}([., ])[0-9]{3}(?:\1[0-9]{3})*(?:(?!\1)[.,][0-9]+)?")
_PLAIN = re.compile(r"(?:0?[0-9]|[1-9][0-9]*)(?:[.,][0-9]+)?")
"""One leading zero is the office's own style ("05 hồ sơ"); more of them is a telephone number."""
_BETWEEN_PAIR = re.compile(r"(?<=.)(?: ?/ ?| tren )(?=[0-9])")
_POLITE = re.compile(r"^da,? (?=[0-9])| a$")
_LINE_OR_CELL = re.compile(r"[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]+")

_MONEY = re.compile(r"(ty|ti|trieu|tr|nghin|ngan|k)? ?(dong|d|vnd|₫)?")
_SCALES = {"ty": 10**9, "ti": 10**9, "trieu": 10**6, "tr": 10**6, "nghin": 1000, "ngan": 1000, "k": 1000}

_ROUGHLY = re.compile(
    r"(?:khoang|gan|hon|tren|duoi|tam|chung|uoc|do|it nhat|nhieu nhat|toi thieu|toi da)\b|[~≈<>≤≥±]"
)
_IN_WORDS = re.compile(
    r"(?:(?:khong|mot|hai|ba|bon|tu|nam|lam|sau|bay|tam|chin|muoi|chuc|linh|le|phay|ruoi"
    r"|tram|nghin|ngan|trieu|ty|ti|dong)\b ?)+"
)


def read(text: str, kind: Kind, unit: str) -> Reading:
    """What the text says, in the question's own unit; money always in whole đồng.

    `unit` is the question's unit of measure as shown to people ("hồ sơ", "triệu đồng", "%"): it may be typed
    after the figure, and a bare figure of money is counted in it. Raises NotANumber; ValueError when money is
    asked in a unit that is not one of money (`scale`).
    """
    typed, own = _cleaned(text, unit), plain(unit)
    sides = [_pieces(side, kind, own) for side in _BETWEEN_PAIR.split(typed)]
    if len(sides) == 1:
        return _one(_values(sides[0], kind, own), kind)
    if len(sides) == 2 and kind != "pct":
        return _pair(sides, kind, own)
    raise NotANumber("two_numbers")


def check(value: Decimal, kind: Kind) -> Decimal:
    """The value when a question of this kind can take it; otherwise NotANumber (too_large, over_100)."""
    if kind == "pct" and value > 100:
        raise NotANumber("over_100", value=digits(value))
    if kind in _LIMITS and value >= _LIMITS[kind]:
        raise NotANumber("too_large", value=digits(value))
    return value


def scale(unit: str) -> int:
    """How many đồng one of the unit is ("triệu đồng": 1000000). ValueError when it is no unit of money."""
    words = plain(unit)
    if not words or not _MONEY.fullmatch(words):
        raise ValueError(f"not a unit of money: {unit!r}")
    return _stated(words) or 1


def _cleaned(text: str, unit: str) -> str:
    """The typed text made plain; refused where its form already says it is no single figure."""
    if len(text) > _LONGEST:
        raise NotANumber("not_a_number")
    if sum(any(map(str.isdigit, line)) for line in _LINE_OR_CELL.split(text)) > 1:
        raise NotANumber("two_numbers")
    # Made plain, "10²" would be 102 and "2½" 21/2.
    if any(char.isnumeric() and not char.isdecimal() for char in set(text) - set(unit)):
        raise NotANumber("not_a_number")
    typed = _POLITE.sub("", plain(text).removesuffix("."))
    if sum(map(str.isdigit, typed)) > _MOST_DIGITS:
        raise NotANumber("too_large")
    return typed


def _pieces(side: str, kind: Kind, own: str) -> list[tuple[str, str]]:
    """Each numeral with the words after it; the question's own unit is dropped, save one of money."""
    units = {"int": [own], "money": [], "pct": [own, "%", "phan tram"]}[kind]
    side = next((side.removesuffix(unit).rstrip() for unit in units if side.endswith(unit)), side)
    pieces = [(numeral, tail.strip()) for numeral, tail in _PIECE.findall(side)]
    if not pieces:
        raise NotANumber("in_words" if _IN_WORDS.fullmatch(side) else "not_a_number")
    if head := side[: side.index(pieces[0][0])].strip():
        raise NotANumber(_why_not_after(head))
    return pieces


def _why_not_after(head: str) -> Code:
    """What is wrong with a figure that this stands before."""
    if head in ("-", "am"):
        return "negative"
    return "approximate" if _ROUGHLY.match(head) else "not_a_number"


def _why_not_before(tail: str) -> Code:
    """What is wrong with a figure that this stands after."""
    if tail.startswith("%") or tail == "phan tram":
        return "percent_not_asked"
    if _MONEY.fullmatch(tail):
        return "money_unit_in_count"
    return "other_unit" if tail.replace(" ", "").isalpha() else "not_a_number"


def _values(pieces: list[tuple[str, str]], kind: Kind, own: str) -> list[Decimal]:
    """Every value these pieces can have in the question's unit (money: đồng); never an empty list."""
    if kind == "money":
        return _whole(_money(pieces, scale(own)))
    (numeral, tail), *more = pieces
    if more:
        raise NotANumber("two_numbers")
    if tail:
        raise NotANumber("not_a_number" if kind == "pct" and "%" in tail else _why_not_before(tail))
    return _whole(_readings(numeral, whole=True)) if kind == "int" else _readings(numeral)


def _readings(numeral: str, *, whole: bool = False) -> list[Decimal]:
    """The numeral with its first mark as thousands, and with it as decimal mark, where the form allows.

    `whole`: what is counted comes in ones, so a mark that can be one of thousands is.
    """
    found = []
    if grouped := _GROUPED.fullmatch(numeral):
        found.append(Decimal(numeral.replace(grouped[1], "").replace(",", ".")))
    if _PLAIN.fullmatch(numeral):
        found.append(Decimal(numeral.replace(",", ".")))
    if not found:
        raise NotANumber("not_a_number")
    return found[:1] if whole else found


def _whole(values: list[Decimal]) -> list[Decimal]:
    whole = [Decimal(int(value)) for value in values if value == int(value)]
    if not whole:
        raise NotANumber("not_whole", value=digits(values[0]))
    return whole


def _stated(words: str) -> int | None:
    """How many đồng the words after a numeral stand for, None without words; NotANumber if not money."""
    found = _MONEY.fullmatch(words)
    if not found:
        raise NotANumber(_why_not_before(words))
    if found[1]:
        return _SCALES[found[1]]
    return 1 if found[2] else None


def _money(pieces: list[tuple[str, str]], own: int) -> list[Decimal]:
    """Đồng: one amount ("350 tr"), or a chain of falling units ("1 tỷ 200 triệu")."""
    if len(pieces) == 1:
        numeral, tail = pieces[0]
        size = _stated(tail) or own
        return [value * size for value in _readings(numeral, whole=size == 1)]
    total, above = Decimal(0), 0
    for numeral, tail in pieces:
        size = _stated(tail) or 0
        values = _readings(numeral, whole=size == 1)
        # "1 tỷ 200" may mean 200 million, "1,2 tỷ 300 triệu" may be a slip: neither is taken.
        if not size or len(values) > 1 or (above and (total % above or values[0] * size >= above)):
            raise NotANumber("two_numbers")
        total, above = total + values[0] * size, size
    return [total]


def _one(values: list[Decimal], kind: Kind) -> Figure | Ambiguous:
    if len(values) > 1:
        check(min(values), kind)
        return Ambiguous(tuple(values))
    return Figure(check(values[0], kind))


def _pair(sides: list[list[tuple[str, str]]], kind: Kind, own: str) -> Pair:
    part, total = ([check(value, kind) for value in _values(side, kind, own)] for side in sides)
    if len(part) > 1 or len(total) > 1:
        raise NotANumber("unclear_pair")
    if kind == "money":
        stated = {_stated(side[-1][1]) for side in sides}
        if None in stated and stated - {None, scale(own)}:  # "1/2 tỷ": 1 of what?
            raise NotANumber("unclear_pair")
    return Pair(part[0], total[0])


def digits(value: Decimal) -> str:
    """The figure with a dot for thousands and a comma for decimals, nothing rounded: "1.234,5"."""
    whole, _, decimals = f"{value:,f}".partition(".")
    decimals = decimals.rstrip("0")
    return whole.replace(",", ".") + (f",{decimals}" if decimals else "")


def show(value: Decimal, kind: Kind, unit: str) -> str:
    """A stored value for people: "1.250 hồ sơ", "98,5%", "1.200 triệu đồng".

    Money is stored in đồng and shown in the question's unit while two decimals hold it; otherwise in đồng,
    for "1,234 triệu" could be taken for 1234 million.
    """
    if kind != "money":
        return f"{digits(value)}%" if unit == "%" else f"{digits(value)} {unit}".rstrip()
    size = scale(unit)
    if value % max(size // 100, 1):
        return f"{digits(value)} đồng"
    return f"{digits(value / size)} {unit}"


def read_back(value: Decimal, kind: Kind, unit: str) -> str:
    """`show`, with words beside the digits so that a misplaced mark is heard; money in full đồng."""
    if kind == "money":
        return f"{digits(value)} đồng ({spell(int(value))} đồng)"
    if kind == "pct":
        return f"{show(value, kind, unit)} ({_spoken(value)} {'phần trăm' if unit == '%' else unit})"
    return show(value, kind, unit) + (f" ({spell(int(value))})" if value >= 10 else "")


def _spoken(value: Decimal) -> str:
    """98,05 as "chín mươi tám phẩy không năm"."""
    whole, _, decimals = digits(value).replace(".", "").partition(",")
    if not decimals:
        return spell(int(whole))
    zeros = len(decimals) - len(decimals.lstrip("0"))
    return " ".join([spell(int(whole)), "phẩy", *["không"] * zeros, spell(int(decimals))])


_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_AFTER_TENS = {1: "mốt", 4: "tư", 5: "lăm"}


def spell(value: int) -> str:
    """A whole number from 0 below 10^18 in words, as schoolbooks teach it (Toán 4); otherwise ValueError.

    Orders left empty inside a number are said ("bảy trăm triệu không nghìn hai trăm ba mươi mốt"): without it
    "một triệu năm trăm" would be heard as 1.500.000.
    """
    if not 0 <= value < 10**18:
        raise ValueError(f"no words for {value}")
    billions, rest = divmod(value, 10**9)
    if not billions:
        return " ".join(_below_billion(rest, inside=False)) or _DIGITS[0]
    return " ".join([spell(billions), "tỷ", *_below_billion(rest, inside=True)])


def _below_billion(rest: int, *, inside: bool) -> list[str]:
    """Words for up to nine digits; none for zero. `inside`: higher orders were said before."""
    words: list[str] = []
    for size, name in (10**6, ["triệu"]), (10**3, ["nghìn"]), (1, []):
        if not rest:
            break
        group, rest = divmod(rest, size)
        if group:
            words += [*_below_thousand(group, inside=inside), *name]
        elif inside:
            words += [_DIGITS[0], *name]
        inside = inside or group > 0
    return words


def _below_thousand(group: int, *, inside: bool) -> list[str]:
    hundreds, rest = divmod(group, 100)
    tens, ones = divmod(rest, 10)
    words = [_DIGITS[hundreds], "trăm"] if hundreds or inside else []
    if not tens:
        return words + (["linh"] if words and ones else []) + ([_DIGITS[ones]] if ones else [])
    words += ["mười"] if tens == 1 else [_DIGITS[tens], "mươi"]
    if not ones:
        return words
    return [*words, _DIGITS[ones] if tens == 1 and ones != 5 else _AFTER_TENS.get(ones, _DIGITS[ones])]
