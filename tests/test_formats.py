"""Days, times and counts as Vietnamese offices write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from messages import formats
from plans.indicators import judge
from plans.model import Indicator, Target

COUNT = {"type": "int", "unit": "hồ sơ"}
MONEY = {"type": "money", "unit": "triệu đồng"}


@pytest.mark.parametrize(
    ("made", "written"),
    [
        (formats.day(date(2025, 9, 7)), "7/9/2025"),
        (formats.short_day(date(2025, 12, 17)), "17/12"),
        (formats.weekday(date(2025, 9, 15)), "Thứ Hai, 15/9"),
        (formats.weekday(date(2025, 9, 20)), "Thứ Bảy, 20/9"),
        (formats.weekday(date(2025, 9, 21)), "Chủ nhật, 21/9"),
        (formats.lower_first("Thứ Hai"), "thứ Hai"),
        (formats.capital("quý III năm 2025"), "Quý III năm 2025"),
        (formats.capital("đơn vị"), "Đơn vị"),
        (formats.capital(Markup("<b>quá hạn</b>")), Markup("<b>Quá hạn</b>")),
        (formats.capital(""), ""),
        (formats.iso("2025-09-14"), date(2025, 9, 14)),
        (formats.shown({"n": "1250"}, COUNT), "1.250 hồ sơ"),
        (formats.shown({"n": "1200000000"}, MONEY), "1.200 triệu đồng"),
        (formats.read_back({"n": "1250"}, COUNT), "1.250 hồ sơ (một nghìn hai trăm năm mươi)"),
        (formats.read_back({"n": "15000000"}, MONEY), "15.000.000 đồng (mười lăm triệu đồng)"),
    ],
)
def test_it_is_written_as_in_an_office(made: object, written: object) -> None:
    assert made == written


@pytest.mark.parametrize(
    ("at", "there"),
    [
        (datetime(2025, 9, 15, 1, 5, tzinfo=UTC), "15/9 lúc 08:05"),
        (datetime(2025, 9, 15, 17, 0, tzinfo=UTC), "16/9 lúc 00:00"),
        (datetime(2025, 12, 31, 18, 30, tzinfo=UTC), "1/1 lúc 01:30"),
    ],
)
def test_an_instant_is_shown_in_the_communes_zone(at: datetime, there: str) -> None:
    assert formats.local(at, "Asia/Ho_Chi_Minh") == there
    assert formats.clock(at, "Asia/Ho_Chi_Minh") == there[-5:]


def test_an_instant_is_shown_rightly_over_a_clock_change() -> None:
    before, after = datetime(2025, 10, 26, 0, 30, tzinfo=UTC), datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    assert formats.clock(before, "Europe/Berlin") == formats.clock(after, "Europe/Berlin") == "02:30"


@pytest.mark.parametrize(
    ("text", "length", "cut"),
    [
        ("ngắn", 10, "ngắn"),
        ("vừa đúng mười", 13, "vừa đúng mười"),
        ("Công khai tiến độ, kết quả", 18, "Công khai tiến…"),
        ("Tỷ lệ, số liệu – và nữa", 18, "Tỷ lệ, số liệu…"),
        ("mộttừrấtdàikhôngcódấucách", 8, "mộttừrấ…"),
    ],
)
def test_a_long_title_is_cut_at_a_word(text: str, length: int, cut: str) -> None:
    assert formats.clip(text, length) == cut
    assert len(formats.clip(text, length)) <= length


def judged(op: Any, value: str, unit: str, done: int, total: int) -> tuple[str, str, str]:
    target = Target(op=op, value=Decimal(value), unit=unit)
    indicator = Indicator(code="x", label="x", formula="done / total", target=target)
    verdict = judge(indicator, {"done": Decimal(done), "total": Decimal(total)}, {})
    return (
        formats.rate(verdict, indicator),
        formats.distance(verdict, indicator),
        formats.target(indicator, verdict),
    )


@pytest.mark.parametrize(
    ("op", "value", "unit", "done", "total", "written"),
    [
        (">=", "98", "%", 3330, 3390, ("98,23%", "0,23%", "≥ 98%")),
        (">=", "98", "%", 97999, 100000, ("97,99%", "0,01%", "≥ 98%")),
        ("=", "100", "%", 445, 450, ("98,88%", "1,12%", "= 100%")),
        ("<=", "0", "vụ", 2, 1, ("2 vụ", "2 vụ", "≤ 0 vụ")),
        (">", "50", "%", 1, 3, ("33,33%", "16,67%", "> 50%")),
    ],
)
def test_a_rate_is_never_rounded_past_its_target(
    op: str, value: str, unit: str, done: int, total: int, written: tuple[str, str, str]
) -> None:
    assert judged(op, value, unit, done, total) == written


def test_a_rate_and_its_distance_make_the_target() -> None:
    assert Fraction("55.31") + Fraction("44.69") == 100
    assert judged("=", "100", "%", 26, 47)[:2] == ("55,31%", "44,69%")


@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_the_day_of_an_example_is_a_weekday_near(today: date) -> None:
    assert formats.soon(today).weekday() < 5
    assert 4 <= (formats.soon(today) - today).days <= 6
    assert formats.recent(today).weekday() < 5
    assert 4 <= (today - formats.recent(today)).days <= 6
