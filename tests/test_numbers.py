"""Figures are read the Vietnamese way, and what has two meanings is asked, never guessed."""

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.numbers import (
    Ambiguous,
    Figure,
    Kind,
    NotANumber,
    Pair,
    Reading,
    check,
    digits,
    read,
    read_back,
    scale,
    show,
    spell,
)

UNITS: dict[Kind, str] = {"int": "hồ sơ", "money": "triệu đồng", "pct": "%"}
KINDS = st.sampled_from(list(UNITS))
MONEY_UNITS = ["đồng", "nghìn đồng", "triệu đồng", "tỷ đồng"]


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("0", 0),
        ("12", 12),
        ("05", 5),
        ("1250", 1250),
        ("1.250", 1250),
        ("1,250", 1250),
        ("1 250", 1250),
        ("1.000.000", 1_000_000),
        ("12,0", 12),
        ("1.250,0", 1250),
        ("１．２５０", 1250),
        ("1\u00a0250", 1250),
        ("1\u202f250", 1250),
        ("12 hồ sơ", 12),
        ("12 ho so", 12),
        ("12HỒ SƠ.", 12),
        (" 12. ", 12),
        ("Dạ, 12 hồ sơ ạ", 12),
    ],
)
def test_a_count_is_read(typed: str, value: int) -> None:
    assert read(typed, "int", "hồ sơ") == Figure(Decimal(value))


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("350", 350_000_000),
        ("0,5", 500_000),
        ("350 tr", 350_000_000),
        ("350 triệu", 350_000_000),
        ("350TRIEU DONG", 350_000_000),
        ("350 trđ", 350_000_000),
        ("1,2 tỷ", 1_200_000_000),
        ("1.2 tỉ", 1_200_000_000),
        ("1,2 ty", 1_200_000_000),
        ("1 tỷ 200 triệu", 1_200_000_000),
        ("1tỷ200tr", 1_200_000_000),
        ("1 tỷ 200,5 triệu đồng", 1_200_500_000),
        ("1 triệu 500.000 đồng", 1_500_000),
        ("500 nghìn", 500_000),
        ("500 ngan", 500_000),
        ("500k", 500_000),
        ("350.000.000 đồng", 350_000_000),
        ("350.000.000 đ", 350_000_000),
        ("350,000,000 VND", 350_000_000),
        ("350 000 000₫", 350_000_000),
        ("350.000 đồng", 350_000),
        ("1.234,5", 1_234_500_000),
        ("1,234.5", 1_234_500_000),
        ("1.234.567", 1_234_567_000_000),
    ],
)
def test_money_is_read_as_whole_dong(typed: str, value: int) -> None:
    assert read(typed, "money", "triệu đồng") == Figure(Decimal(value))


@pytest.mark.parametrize("typed", ["98,5", "98.5", "98,50", "98,5%", "98,5 %", "98.5 phần trăm", "９８，５％"])
def test_a_rate_is_read(typed: str) -> None:
    assert read(typed, "pct", "%") == Figure(Decimal("98.5"))


@pytest.mark.parametrize("typed", ["1.250", "1,250"])
def test_one_mark_before_three_digits_is_asked_where_both_are_possible(typed: str) -> None:
    assert read(typed, "pct", "%") == Ambiguous((Decimal(1250), Decimal("1.25")))
    assert read(typed, "money", "triệu đồng") == Ambiguous((Decimal(1_250_000_000), Decimal(1_250_000)))
    assert read(typed + " tỷ", "money", "triệu đồng") == Ambiguous((Decimal(125 * 10**10), Decimal(125 * 10**7)))


def test_a_mark_is_no_question_where_only_one_reading_is_possible() -> None:
    assert read("0.250", "pct", "%") == Figure(Decimal("0.25"))
    assert read("1.250", "money", "đồng") == Figure(Decimal(1250))


@pytest.mark.parametrize("typed", ["230/250", "230 / 250", "230 trên 250", "230 TREN 250", "230 hồ sơ/250 hồ sơ"])
def test_two_figures_can_come_at_once(typed: str) -> None:
    assert read(typed, "int", "hồ sơ") == Pair(Decimal(230), Decimal(250))


@pytest.mark.parametrize("typed", ["800/1200", "800 tr/1,2 tỷ", "800/1200 triệu", "800 triệu trên 1 tỷ 200 triệu"])
def test_two_amounts_can_come_at_once(typed: str) -> None:
    assert read(typed, "money", "triệu đồng") == Pair(Decimal(800_000_000), Decimal(1_200_000_000))


def test_a_unit_may_hold_a_digit_or_a_stroke() -> None:
    assert read("12 m2", "int", "m²") == read("12 m²", "int", "m²") == Figure(Decimal(12))
    assert read("12 giờ/tuần", "int", "giờ/tuần") == Figure(Decimal(12))


@pytest.mark.parametrize(
    ("kind", "typed", "code"),
    [
        ("int", "", "not_a_number"),
        ("int", "không biết", "not_a_number"),
        ("int", "không phát sinh", "not_a_number"),
        ("int", "mười hai", "in_words"),
        ("int", "muoi hai ho so", "in_words"),
        ("money", "mười triệu đồng", "in_words"),
        ("int", "khoảng 12", "approximate"),
        ("int", "gần 12 hồ sơ", "approximate"),
        ("int", "trên 250", "approximate"),
        ("int", "~12", "approximate"),
        ("int", ">= 12", "approximate"),
        ("int", "-5", "negative"),
        ("int", "\u22125", "negative"),
        ("int", "– 5", "negative"),
        ("int", "âm 5", "negative"),
        ("money", "-1,2 tỷ", "negative"),
        ("int", "98,5", "not_whole"),
        ("int", "98.5", "not_whole"),
        ("int", "0.250", "not_whole"),
        ("money", "1,23456789012 tỷ", "not_whole"),
        ("int", "12 30", "two_numbers"),
        ("int", "10-12", "two_numbers"),
        ("int", "1\n250", "two_numbers"),
        ("int", "1\t250", "two_numbers"),
        ("int", "14/9/2025", "two_numbers"),
        ("pct", "230/250", "two_numbers"),
        ("money", "1 tỷ 200", "two_numbers"),
        ("money", "1,2 tỷ 300 triệu", "two_numbers"),
        ("money", "200 triệu 1 tỷ", "two_numbers"),
        ("money", "1/2 tỷ", "unclear_pair"),
        ("money", "1.250/1.300", "unclear_pair"),
        ("int", "1000000000", "too_large"),
        ("int", "9" * 50, "too_large"),
        ("money", "350.000.000", "too_large"),
        ("pct", "100,01", "over_100"),
        ("pct", "123.456", "over_100"),
        ("int", "98%", "percent_not_asked"),
        ("money", "98 phần trăm", "percent_not_asked"),
        ("int", "350 triệu", "money_unit_in_count"),
        ("int", "2k", "money_unit_in_count"),
        ("int", "12 người", "other_unit"),
        ("money", "12 hồ sơ", "other_unit"),
        ("int", "0912345678", "not_a_number"),
        ("int", "1.25.000", "not_a_number"),
        ("int", "12?", "not_a_number"),
        ("int", "12...", "not_a_number"),
        ("int", "12,", "not_a_number"),
        ("int", "12+", "not_a_number"),
        ("int", "10²", "not_a_number"),
        ("int", "2½", "not_a_number"),
        ("int", "١٢", "not_a_number"),
        ("int", "số 12", "not_a_number"),
        ("pct", "98%%", "not_a_number"),
        ("int", "12 " + "x" * 200, "not_a_number"),
    ],
)
def test_anything_else_is_refused_with_its_reason(kind: Kind, typed: str, code: str) -> None:
    with pytest.raises(NotANumber) as refused:
        read(typed, kind, UNITS[kind])
    assert refused.value.code == code


def test_a_refusal_tells_the_figure_it_read() -> None:
    with pytest.raises(NotANumber) as refused:
        read("1.234,5", "int", "hồ sơ")
    assert refused.value.facts == {"value": "1.234,5"}


def test_the_reading_chosen_among_two_is_checked_again() -> None:
    assert check(Decimal("1.25"), "pct") == Decimal("1.25")
    with pytest.raises(NotANumber, match="over_100"):
        check(Decimal(1250), "pct")


def test_money_is_asked_in_units_of_money_only() -> None:
    assert [scale(unit) for unit in MONEY_UNITS] == [1, 10**3, 10**6, 10**9]
    for unit in ("hồ sơ", "", "%"):
        with pytest.raises(ValueError, match="not a unit of money"):
            scale(unit)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "không"),
        (5, "năm"),
        (10, "mười"),
        (11, "mười một"),
        (14, "mười bốn"),
        (15, "mười lăm"),
        (20, "hai mươi"),
        (21, "hai mươi mốt"),
        (24, "hai mươi tư"),
        (25, "hai mươi lăm"),
        (100, "một trăm"),
        (104, "một trăm linh bốn"),
        (105, "một trăm linh năm"),
        (111, "một trăm mười một"),
        (1021, "một nghìn không trăm hai mươi mốt"),
        (57_602_511, "năm mươi bảy triệu sáu trăm linh hai nghìn năm trăm mười một"),
        (500_209_037, "năm trăm triệu hai trăm linh chín nghìn không trăm ba mươi bảy"),
        (700_000_231, "bảy trăm triệu không nghìn hai trăm ba mươi mốt"),
        (1_000_005, "một triệu không nghìn không trăm linh năm"),
        (1_200_000_000, "một tỷ hai trăm triệu"),
        (1_005_000_000, "một tỷ không trăm linh năm triệu"),
        (10**12, "một nghìn tỷ"),
    ],
)
def test_numbers_are_spelled_as_schoolbooks_do(value: int, words: str) -> None:
    assert spell(value) == words


@pytest.mark.parametrize("value", [-1, 10**18])
def test_what_has_no_words_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="no words"):
        spell(value)


DIGIT_WORDS = {
    "không": 0,
    "một": 1,
    "hai": 2,
    "ba": 3,
    "bốn": 4,
    "năm": 5,
    "sáu": 6,
    "bảy": 7,
    "tám": 8,
    "chín": 9,
}
DIGIT_WORDS |= {"mốt": 1, "tư": 4, "lăm": 5, "mười": 10, "linh": 0}
ORDERS = {"mươi": 10, "trăm": 100, "nghìn": 10**3, "triệu": 10**6}


def heard(words: str) -> int:
    """What a listener writes down: a digit waits for its place, a group of three for its order."""
    billions = total = group = last = 0
    for word in words.split():
        if word in DIGIT_WORDS:
            last = DIGIT_WORDS[word] + (10 if last == 10 else 0)
        elif word == "tỷ":
            billions, total, group, last = total + group + last, 0, 0, 0
        elif ORDERS[word] > 100:
            total, group, last = total + (group + last) * ORDERS[word], 0, 0
        else:
            group, last = group + last * ORDERS[word], 0
    return billions * 10**9 + total + group + last


@given(st.integers(0, 18).flatmap(lambda length: st.integers(0, 10**length - 1)))
def test_whoever_hears_the_words_writes_down_the_number(value: int) -> None:
    assert heard(spell(value)) == value


@pytest.mark.parametrize(
    ("value", "kind", "unit", "shown", "back"),
    [
        ("0", "int", "hồ sơ", "0 hồ sơ", "0 hồ sơ"),
        ("5", "int", "hồ sơ", "5 hồ sơ", "5 hồ sơ"),
        ("1250", "int", "hồ sơ", "1.250 hồ sơ", "1.250 hồ sơ (một nghìn hai trăm năm mươi)"),
        ("98.50", "pct", "%", "98,5%", "98,5% (chín mươi tám phẩy năm phần trăm)"),
        ("98.05", "pct", "%", "98,05%", "98,05% (chín mươi tám phẩy không năm phần trăm)"),
        ("98.25", "pct", "%", "98,25%", "98,25% (chín mươi tám phẩy hai mươi lăm phần trăm)"),
        ("100", "pct", "%", "100%", "100% (một trăm phần trăm)"),
        ("12.5", "pct", "điểm", "12,5 điểm", "12,5 điểm (mười hai phẩy năm điểm)"),
        (
            "1200000000",
            "money",
            "triệu đồng",
            "1.200 triệu đồng",
            "1.200.000.000 đồng (một tỷ hai trăm triệu đồng)",
        ),
        (
            "350000000",
            "money",
            "triệu đồng",
            "350 triệu đồng",
            "350.000.000 đồng (ba trăm năm mươi triệu đồng)",
        ),
        ("350500000", "money", "tỷ đồng", "350.500.000 đồng", None),
        ("1250000", "money", "triệu đồng", "1,25 triệu đồng", None),
        ("1234000", "money", "triệu đồng", "1.234.000 đồng", None),
        ("1234567", "money", "triệu đồng", "1.234.567 đồng", None),
        ("1234567", "money", "đồng", "1.234.567 đồng", None),
    ],
)
def test_figures_are_shown_and_read_back(value: str, kind: Kind, unit: str, shown: str, back: str | None) -> None:
    assert show(Decimal(value), kind, unit) == shown
    assert back is None or read_back(Decimal(value), kind, unit) == back


def readings(reading: Reading) -> tuple[Decimal, ...]:
    match reading:
        case Figure(value):
            return (value,)
        case Ambiguous(values):
            return values
        case Pair(part, total):
            return part, total


SHOWN = st.one_of(
    st.tuples(st.integers(0, 10**9 - 1).map(Decimal), st.just("int"), st.sampled_from(["hồ sơ", "TTHC", "m²"])),
    st.tuples(st.integers(0, 10**13 - 1).map(Decimal), st.just("money"), st.sampled_from(MONEY_UNITS)),
    st.tuples(st.decimals(0, 100, allow_nan=False, places=4), st.just("pct"), st.just("%")),
)


@given(SHOWN)
def test_what_is_shown_can_be_typed_back(shown: tuple[Decimal, Kind, str]) -> None:
    value, kind, unit = shown
    assert value in readings(read(show(value, kind, unit), kind, unit))


@given(SHOWN)
def test_what_is_shown_without_its_unit_can_be_typed_back(shown: tuple[Decimal, Kind, str]) -> None:
    value, kind, _ = shown
    bare = digits(value if kind != "money" else value / 10**6 % 10**6)
    assert Decimal(bare.replace(".", "").replace(",", ".")) * (10**6 if kind == "money" else 1) in readings(
        read(bare, kind, UNITS[kind])
    )


def outcome(typed: str, kind: Kind) -> Reading | str:
    try:
        return read(typed, kind, UNITS[kind])
    except NotANumber as refused:
        return refused.code


TYPED = st.text("0123456789.,/-+% \u00a0\n\u200b²½tTrRỷYđĐồngkiệutănhsơ", max_size=20)


@given(st.one_of(TYPED, st.text()), KINDS)
def test_garbage_is_refused_and_never_breaks(typed: str, kind: Kind) -> None:
    heard = outcome(typed, kind)
    if not isinstance(heard, str):
        values = readings(heard)
        assert all(value >= 0 for value in values)
        assert kind == "pct" or all(value == int(value) for value in values)


FIGURES = st.sampled_from(["1", "250", "1.250", "98,5", "0", "mười"])
AROUND = st.sampled_from(
    ["/", "trên", "%", "-", "khoảng", "Hồ sơ", "sơ", "tỷ", "triệu", "Đồng", "phần trăm", "ạ", "."]
)
PHRASES = st.lists(FIGURES | AROUND, max_size=5).map(" ".join)


def full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


@given(PHRASES, KINDS)
def test_the_keyboard_changes_nothing(typed: str, kind: Kind) -> None:
    heard = outcome(typed, kind)
    decomposed = unicodedata.normalize("NFD", typed)
    assert outcome(decomposed, kind) == outcome(typed.upper(), kind) == outcome(full_width(typed), kind) == heard
    for space in ("\u00a0", "\u202f", "\u2009", "\u3000", "  "):
        assert outcome(typed.replace(" ", space), kind) == heard
