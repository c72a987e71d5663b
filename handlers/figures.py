"""Figures in a talk: what was typed, what follows from other answers, what deserves a second look.

An answer is {"kind": "figure", "n": "1250"} (money in whole đồng), or none (không phát sinh), promised (with "on",
the day it will come), not_ours (không thuộc đơn vị tôi).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from handlers.talk import Misunderstood
from plans import numbers
from storage.standing import figure_of

NOTHING = ("none", "not_yet", "not_ours")
"""The answers that are not figures."""
FAR = 5
"""A figure this many times above or below the last one is asked about."""
FAR_AT_LEAST = 20

Asked = dict[str, Any]
Value = dict[str, Any]


def reads(question: Asked, questions: list[Asked], values: dict[str, Value]) -> Callable[[str], Value]:
    """A reader of what is typed for this question; "230/250" also answers its other half."""

    def read(text: str) -> Value:
        try:
            reading = numbers.read(text, question["type"], question["unit"])
        except numbers.NotANumber as error:
            raise Misunderstood(f"numbers.{error.code}", question=question, **error.facts) from None
        match reading:
            case numbers.Figure(value):
                return figure(value)
            case numbers.Ambiguous(readings):
                return _ambiguous(question, readings)
            case numbers.Pair(part, total):
                return _pair(question, questions, values, part, total)

    return read


def retyped(question: Asked) -> Callable[[str], str]:
    """A reader of a figure typed where a choice was offered; it must be clear by itself."""

    def read(text: str) -> str:
        try:
            reading = numbers.read(text, question["type"], question["unit"])
        except numbers.NotANumber:
            raise Misunderstood("report.choose_or_retype") from None
        if not isinstance(reading, numbers.Figure):
            raise Misunderstood("report.still_ambiguous")
        return str(reading.value)

    return read


def figure(value: Decimal) -> Value:
    """The stored form of a figure."""
    return {"kind": "figure", "n": str(value)}


def _ambiguous(question: Asked, readings: tuple[Decimal, ...]) -> Value:
    """Asked which is meant, unless only one reading can be the answer."""
    labels = _labels(question, readings)
    if len(labels) == 1:
        return figure(Decimal(next(iter(labels))))
    return {"kind": "ambiguous", "labels": labels}


def _labels(question: Asked, readings: tuple[Decimal, ...]) -> dict[str, str]:
    """What each reading would mean, without those that cannot be the answer."""
    labels = {}
    for value in readings:
        with suppress(numbers.NotANumber):
            checked = numbers.check(value, question["type"])
            labels[str(checked)] = numbers.show(checked, question["type"], question["unit"])
    return labels


def _pair(
    question: Asked, questions: list[Asked], values: dict[str, Value], part: Decimal, total: Decimal
) -> Value:
    if part > total:
        raise Misunderstood("numbers.pair_above", question=question, part=figure(part), total=figure(total))
    partner = next((other for other in questions if other["part_of"] == question["code"]), None)
    if partner is not None:
        return figure(total) | {"pair": {"code": partner["code"], "value": figure(part)}}
    known = values.get(question["part_of"] or "")
    if known is None:
        raise Misunderstood("numbers.one_figure", question=question)
    if figure_of(known) != total:
        raise Misunderstood("numbers.other_total", question=question, total=known)
    return figure(part)


def derived(question: Asked, values: dict[str, Value]) -> Value | None:
    """What follows without asking: the part of nothing is nothing, of zero zero, of a missing total missing."""
    total = values.get(question["part_of"] or "")
    if total is None or (total["kind"] == "figure" and figure_of(total) != 0):
        return None
    return total


def above_total(question: Asked, value: Value, values: dict[str, Value]) -> bool:
    """True for a part that exceeds its total."""
    total = values.get(question["part_of"] or "")
    if total is None or value["kind"] != "figure" or total["kind"] != "figure":
        return False
    return Decimal(value["n"]) > Decimal(total["n"])


def doubt(question: Asked, value: Value) -> str | None:
    """Why a figure deserves a second look beside the last one: "below" for a cumulative one, or "far".

    Nothing arisen counts as zero: a total that began with figures cannot have come to nothing.
    """
    new, old = figure_of(value), figure_of(question["last"] or {"kind": "missing"})
    if new is None or old is None:
        return None
    if question["mode"] == "C" and new < old:
        return "below"
    if value["kind"] != "figure":
        return None
    least = FAR_AT_LEAST * (numbers.scale(question["unit"]) if question["type"] == "money" else 1)
    is_far = max(new, old) > FAR * min(new, old)
    return "far" if is_far and abs(new - old) > least else None
