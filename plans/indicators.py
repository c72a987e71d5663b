"""Indicators: formulas kept as data, and targets judged on exact fractions, never on rounded ones."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Literal

from plans.model import Comparison, Indicator, Target
from plans.numbers import digits

VerdictKind = Literal["met", "missed", "none_arisen", "unknown"]


class NothingArisen(Exception):
    """A division by zero: nothing arose that could be counted ("không phát sinh")."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an indicator stands. `value`, `target` and `distance` are in the target's unit: 98 is 98 percent.

    `value` is None when it cannot be computed yet (`unknown`) or nothing arose (`none_arisen`, or `met` where
    the indicator says that nothing meets it). An `unknown` with a value lacks its target. `distance` is how
    much is missing, None where nothing was judged: zero when met, or when a target to be passed is reached.
    """

    kind: VerdictKind
    value: Fraction | None
    target: Fraction | None
    distance: Fraction | None


_LONGEST = 300
_ARITHMETIC: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARE: dict[Comparison, Callable[[Fraction, Fraction], bool]] = {
    ">=": operator.ge,
    "=": operator.eq,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def names_in(formula: str) -> set[str]:
    """The codes a formula reads; ValueError when it is more than + - * / min max over codes and integers."""
    return _names(_parse(formula))


def evaluate(formula: str, values: Mapping[str, Fraction | int | Decimal]) -> Fraction:
    """The formula's exact value.

    Raises NothingArisen on a division by zero, KeyError for a name without a value, ValueError as `names_in`.
    """
    return _value(_parse(formula), values)


def judge(
    indicator: Indicator, values: Mapping[str, Decimal | None], baselines: Mapping[str, Decimal | None]
) -> Verdict:
    """Compares what the commune has with what the plan asks.

    `values` are the figures by question code (money in đồng; "không phát sinh" is 0), `baselines` the
    constants by code; a formula may read both, and None stands for a figure not known. A target in % is
    compared with the formula's value times 100.
    """
    known = {code: value for code, value in {**baselines, **values}.items() if value is not None}
    target = _target(indicator.target, baselines)
    if indicator.formula is None or not names_in(indicator.formula) <= known.keys():
        return Verdict("unknown", None, target, None)
    try:
        value = evaluate(indicator.formula, known)
    except NothingArisen:
        if indicator.nothing_meets:
            return Verdict("met", None, target, Fraction(0))
        return Verdict("none_arisen", None, target, None)
    if indicator.target and indicator.target.unit == "%":
        value *= 100
    if indicator.target is None or target is None:
        return Verdict("unknown", value, None, None)
    if _COMPARE[indicator.target.op](value, target):
        return Verdict("met", value, target, Fraction(0))
    return Verdict("missed", value, target, abs(target - value))


def show_rate(value: Fraction, unit: str, target: Fraction | None = None) -> str:
    """A figure already in its unit, at two decimals at most: 44500/450 in "%" is "98,88%".

    Rounded down, so that 97,996% is never shown as 98%. Only where that would put a value above `target` on
    or below it, it is rounded up: 98,004% beside "> 98%" is "98,01%". Give the target wherever there is one.
    """
    hundredths = floor(value * 100)
    if target is not None and hundredths <= target * 100 < value * 100:
        hundredths = ceil(value * 100)
    figure = digits(Decimal(hundredths) / 100)
    return f"{figure}%" if unit == "%" else f"{figure} {unit}".rstrip()


def _target(target: Target | None, baselines: Mapping[str, Decimal | None]) -> Fraction | None:
    """The number to compare with; None without a target, or with a baseline still empty."""
    if target is None:
        return None
    value = baselines.get(target.baseline or "") if target.value == "baseline" else target.value
    return None if value is None else Fraction(value)


@lru_cache(maxsize=256)
def _parse(formula: str) -> ast.expr:
    """The checked tree; its length is bound so that its depth is."""
    if len(formula) > _LONGEST:
        raise ValueError(f"formula longer than {_LONGEST} characters")
    try:
        tree = ast.parse(formula.strip(), mode="eval").body
        _names(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        raise ValueError(f"not a formula: {formula!r}") from fault
    return tree


def _names(node: ast.expr) -> set[str]:
    """The names under the node; ValueError where it is more than arithmetic."""
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return set()
        case ast.Name(id=name) if name not in ("min", "max"):
            return {name}
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _names(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _names(left) | _names(right)
        case ast.Call(func=ast.Name(id="min" | "max"), args=[_, *_] as parts, keywords=[]):
            return set().union(*map(_names, parts))
    raise ValueError(ast.dump(node))


def _value(node: ast.expr, values: Mapping[str, Fraction | int | Decimal]) -> Fraction:
    match node:
        case ast.Constant(value=int(number)):
            return Fraction(number)
        case ast.Name(id=name):
            return Fraction(values[name])
        case ast.UnaryOp(operand=inner):
            return -_value(inner, values)
        case ast.BinOp(left=left, op=op, right=right):
            try:
                return _ARITHMETIC[type(op)](_value(left, values), _value(right, values))
            except ZeroDivisionError as zero:
                raise NothingArisen from zero
        case ast.Call(func=ast.Name(id=name), args=parts):
            return (min if name == "min" else max)(_value(part, values) for part in parts)
    raise AssertionError(node)  # _parse let nothing else through
