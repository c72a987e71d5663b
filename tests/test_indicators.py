"""Targets are judged on exact fractions; rounding never shows one as reached or missed wrongly."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.indicators import NothingArisen, Verdict, evaluate, judge, names_in, show_rate
from plans.model import Indicator, Target


def indicator(formula: str | None, op: Any = None, value: Any = 0, unit: str = "%") -> Indicator:
    target = op and Target(op=op, value=value, unit=unit, baseline="before" if value == "baseline" else None)
    return Indicator(code="x", label="x", formula=formula, target=target)


@pytest.mark.parametrize(
    ("formula", "names", "value"),
    [
        ("done / total", {"done", "total"}, Fraction(1, 3)),
        ("(early + done) / total", {"early", "done", "total"}, Fraction(1)),
        ("1 - late / total", {"late", "total"}, Fraction(1)),
        ("done / max(total, early)", {"done", "total", "early"}, Fraction(1, 3)),
        ("min(done, early, 7) * -1", {"done", "early"}, Fraction(-1)),
        ("total - done", {"total", "done"}, Fraction(2)),
        ("half", {"half"}, Fraction(1, 2)),
        ("-" * 299 + "1", set(), Fraction(-1)),
    ],
)
def test_formulas_are_exact_arithmetic_over_codes(formula: str, names: set[str], value: Fraction) -> None:
    figures: dict[str, Fraction | int | Decimal] = {
        "done": Decimal(1),
        "early": 2,
        "total": Decimal("3.0"),
        "late": 0,
        "half": Fraction(1, 2),
    }
    assert names_in(formula) == names
    assert evaluate(formula, figures) == value


@pytest.mark.parametrize(
    "formula",
    [
        "",
        "done +",
        "done total",
        "2 ** 99",
        "done // total",
        "done % 2",
        "+done",
        "0.5 * done",
        "True",
        "'a'",
        "done.real",
        "done[0]",
        "abs(done)",
        "min",
        "min()",
        "min(*done)",
        "max(done, key=done)",
        "__import__('os')",
        "done if total else 0",
        "done > 1",
        "lambda: 1",
        "done\x00",
        "(" * 150 + "1" + ")" * 150,
        "1+" * 500 + "1",
    ],
)
def test_a_formula_is_nothing_but_arithmetic(formula: str) -> None:
    with pytest.raises(ValueError, match="formula"):
        names_in(formula)


@given(st.text("abdone12+-*/(), .minax"))
def test_any_text_is_a_formula_or_a_value_error(text: str) -> None:
    try:
        names = names_in(text)
    except ValueError:
        return
    assert all(name.isidentifier() for name in names)


def test_a_zero_denominator_says_that_nothing_arose() -> None:
    with pytest.raises(NothingArisen):
        evaluate("done / total", {"done": 0, "total": Decimal(0)})


@pytest.mark.parametrize(
    ("op", "target", "done", "total", "kind", "distance"),
    [
        (">=", 98, 98, 100, "met", 0),
        (">=", 98, 97, 100, "missed", 1),
        (">=", 98, 979_999, 1_000_000, "missed", Fraction(1, 10_000)),
        ("=", 100, 450, 450, "met", 0),
        ("=", 100, 449, 450, "missed", Fraction(100, 450)),
        (">", 98, 98, 100, "missed", 0),
        (">", 98, 980_001, 1_000_000, "met", 0),
        ("<=", 5, 5, 100, "met", 0),
        ("<=", 5, 6, 100, "missed", 1),
        ("<", 5, 5, 100, "missed", 0),
        (">=", Decimal("33.33"), 1, 3, "met", 0),
    ],
)
def test_a_rate_is_judged_exactly(
    op: str, target: Decimal, done: int, total: int, kind: str, distance: Fraction
) -> None:
    verdict = judge(indicator("done / total", op, target), {"done": Decimal(done), "total": Decimal(total)}, {})
    assert (verdict.kind, verdict.distance) == (kind, distance)
    assert (verdict.value, verdict.target) == (Fraction(done, total) * 100, Fraction(target))


def test_a_count_is_compared_as_it_is() -> None:
    none_wanted = indicator("cases", "=", 0, "vụ")
    assert judge(none_wanted, {"cases": Decimal(0)}, {}).kind == "met"
    assert judge(none_wanted, {"cases": Decimal(2)}, {}) == Verdict(
        "missed", Fraction(2), Fraction(0), Fraction(2)
    )


def test_nothing_arisen_is_a_verdict_of_its_own_unless_nothing_meets() -> None:
    nothing = {"done": Decimal(0), "total": Decimal(0)}
    rate = indicator("done / total", "=", 100)
    assert judge(rate, nothing, {}) == Verdict("none_arisen", None, Fraction(100), None)
    meets = rate.model_copy(update={"nothing_meets": True})
    assert judge(meets, nothing, {}) == Verdict("met", None, Fraction(100), Fraction(0))


@pytest.mark.parametrize("values", [{}, {"done": Decimal(1)}, {"done": Decimal(1), "total": None}])
def test_a_missing_figure_leaves_the_verdict_open(values: dict[str, Decimal | None]) -> None:
    assert judge(indicator("done / total", ">=", 98), values, {}) == Verdict("unknown", None, Fraction(98), None)


def test_an_empty_baseline_leaves_the_verdict_open_with_its_value() -> None:
    above_last_year = indicator("done / total", ">", "baseline")
    values = {"done": Decimal(1), "total": Decimal(3)}
    value = Fraction(100, 3)
    assert judge(above_last_year, values, {}) == Verdict("unknown", value, None, None)
    assert judge(above_last_year, values, {"before": None}) == Verdict("unknown", value, None, None)
    before = Decimal("33.33")
    assert judge(above_last_year, values, {"before": before}).kind == "met"


def test_a_formula_may_read_a_baseline() -> None:
    fewer = indicator("(before - now) / before", ">=", 10)
    assert judge(fewer, {"now": Decimal(9)}, {"before": Decimal(10)}).kind == "met"
    assert judge(fewer, {"now": Decimal(9)}, {"before": None}).kind == "unknown"


def test_without_formula_or_target_there_is_no_verdict() -> None:
    assert judge(indicator(None, "=", 100), {}, {}) == Verdict("unknown", None, Fraction(100), None)
    assert judge(indicator("done"), {"done": Decimal(3)}, {}) == Verdict("unknown", Fraction(3), None, None)


@pytest.mark.parametrize(
    ("value", "unit", "target", "shown"),
    [
        (Fraction(44500, 450), "%", None, "98,88%"),
        (Fraction(44500, 450), "%", 98, "98,88%"),
        (Fraction("97.996"), "%", 98, "97,99%"),
        (Fraction("98.004"), "%", 98, "98,01%"),
        (Fraction("5.004"), "%", 5, "5,01%"),
        (Fraction("4.996"), "%", 5, "4,99%"),
        (Fraction("0.001"), "%", 0, "0,01%"),
        (Fraction("-3.335"), "%", 10, "-3,34%"),
        (Fraction(98), "%", 98, "98%"),
        (Fraction(197, 2), "%", 98, "98,5%"),
        (Fraction(1250), "đơn vị", None, "1.250 đơn vị"),
    ],
)
def test_a_rate_is_shown_at_two_decimals(value: Fraction, unit: str, target: int | None, shown: str) -> None:
    assert show_rate(value, unit, None if target is None else Fraction(target)) == shown


@given(st.fractions(-200, 200, max_denominator=10**6), st.decimals(0, 100, places=2, allow_nan=False))
def test_rounding_keeps_a_figure_on_its_side_of_the_target(value: Fraction, hundredths: Decimal) -> None:
    target = Fraction(hundredths)
    shown = Fraction(show_rate(value, "", target).replace(".", "").replace(",", "."))
    assert (shown > target, shown == target) == (value > target, value == target)
    assert abs(shown - value) < Fraction(1, 100)
