"""Days, times and counts as Vietnamese offices write them. Plain functions, used by templates as filters."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

from plans import numbers
from plans.indicators import Verdict, show_rate
from plans.model import Indicator
from plans.spans import stored_span

WEEKDAYS = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")


def day(value: date) -> str:
    """17/9/2025"""
    return f"{value.day}/{value.month}/{value.year}"


def short_day(value: date) -> str:
    """17/9"""
    return f"{value.day}/{value.month}"


def weekday(value: date) -> str:
    """Thứ Tư, 17/9"""
    return f"{WEEKDAYS[value.weekday()]}, {short_day(value)}"


def soon(value: date) -> date:
    """A weekday a few days on: the day in an example."""
    later = value + timedelta(days=4)
    return later if later.weekday() < 5 else later + timedelta(days=7 - later.weekday())


def recent(value: date) -> date:
    """A weekday a few days back: the day in an example."""
    earlier = value - timedelta(days=4)
    return earlier if earlier.weekday() < 5 else earlier - timedelta(days=earlier.weekday() - 4)


def local(value: datetime, zone: str) -> str:
    """15/9 lúc 08:05, in the commune's zone"""
    here = value.astimezone(ZoneInfo(zone))
    return f"{here.day}/{here.month} lúc {here:%H:%M}"


def clock(value: datetime, zone: str) -> str:
    """08:05, in the commune's zone"""
    return f"{value.astimezone(ZoneInfo(zone)):%H:%M}"


def local_day(value: datetime, zone: str) -> date:
    """The day of an instant in the commune's zone."""
    return value.astimezone(ZoneInfo(zone)).date()


def lower_first(text: str) -> str:
    """First letter in lower case, the rest as it is: thứ Tư, 17/9."""
    return text[:1].lower() + text[1:]


def capital(text: str) -> str:
    """First letter in upper case, also behind <b>, the rest as it is."""
    first = len(text) - len(text.removeprefix("<b>"))
    return text[:first] + text[first : first + 1].upper() + text[first + 1 :]


def clip(text: str, length: int) -> str:
    """At most `length` characters, cut at a word."""
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:–-") + "…"


def iso(value: str) -> date:
    """A stored day."""
    return date.fromisoformat(value)


def instant(value: str) -> datetime:
    """A stored instant."""
    return datetime.fromisoformat(value)


def shown(value: dict[str, Any], question: dict[str, Any]) -> str:
    """A stored figure with its unit of measure: 1.250 hồ sơ."""
    return numbers.show(Decimal(value["n"]), question["type"], question["unit"])


def read_back(value: dict[str, Any], question: dict[str, Any]) -> str:
    """A stored figure with words that cannot be misread: 1.250 hồ sơ (một nghìn hai trăm năm mươi)."""
    return numbers.read_back(Decimal(value["n"]), question["type"], question["unit"])


def rate(verdict: Verdict, indicator: Indicator) -> str:
    """The value of a judged indicator, rounded so that it never seems to pass its target: 97,99%."""
    assert verdict.value is not None
    assert indicator.target is not None
    return show_rate(verdict.value, indicator.target.unit, verdict.target)


def distance(verdict: Verdict, indicator: Indicator) -> str:
    """How far a judged indicator, as `rate` shows it, is from its target: 55,31% and 44,69% make 100%."""
    assert verdict.value is not None
    assert verdict.target is not None
    assert indicator.target is not None
    shown_value = Fraction(floor(verdict.value * 100), 100)
    return show_rate(abs(verdict.target - shown_value), indicator.target.unit)


def target(indicator: Indicator, verdict: Verdict) -> str:
    """A target as an office writes it: ≥ 98%."""
    assert indicator.target is not None
    assert verdict.target is not None
    sign = {">=": "≥", "<=": "≤"}.get(indicator.target.op, indicator.target.op)
    return f"{sign} {show_rate(verdict.target, indicator.target.unit)}"


def phone(value: str) -> str:
    """A stored number as it is read: 0912 345 678."""
    return f"{value[:4]} {value[4:7]} {value[7:]}"


FILTERS: dict[str, Any] = {
    "day": day,
    "short_day": short_day,
    "soon": soon,
    "recent": recent,
    "weekday": weekday,
    "local": local,
    "local_day": local_day,
    "clock": clock,
    "capital": capital,
    "lower_first": lower_first,
    "clip": clip,
    "iso": iso,
    "span": stored_span,
    "instant": instant,
    "shown": shown,
    "read_back": read_back,
    "rate": rate,
    "distance": distance,
    "target": target,
    "phone": phone,
}
