"""A day is read alike, and refused in the same words, wherever it is asked for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest

from tests.commune import Commune, Phone
from tests.test_case import DOCUMENT, after_event
from tests.test_snooze import only, reminded

Ask = Callable[[Commune], Phone]


def promise(commune: Commune) -> Phone:
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "1/2. "), ("chưa có số liệu", "Ngày nào sẽ có"))
    return thao


def snooze(commune: Commune) -> Phone:
    only(commune)
    mai = reminded(commune)
    mai.plays(("[Nhắc lại sau]", "?"), ("[Chọn ngày]", "Nhắc lại vào ngày nào?"))
    return mai


def first_day_away(commune: Commune) -> Phone:
    thao = commune.person("thao")
    thao.plays(("/vangmat", "vắng từ ngày nào?"))
    return thao


def last_day_away(commune: Commune) -> Phone:
    thao = first_day_away(commune)
    thao.plays(("hôm nay", "đến hết ngày nào?"))
    return thao


def event(commune: Commune) -> Phone:
    yen = commune.person("yen")
    yen.plays(("/vuviec new", "?"), ("1", "?"), (DOCUMENT, "?"), ("Sở Tư pháp", "Ngày cơ quan"))
    return yen


def named_limit(commune: Commune) -> Phone:
    thao = commune.person("thao")
    after_event(thao, "8/9", "tiếp")
    return thao


def day_off(commune: Commune) -> Phone:
    lan = commune.person("lan")
    lan.plays(("/lich off", "Nghỉ ngày nào?"))
    return lan


def day_of_the_province(commune: Commune) -> Phone:
    lan = commune.person("lan")
    lan.plays(("/lich province", "kỳ nào?"), ("1", "Xin gõ ngày mới"))
    return lan


def day_done(commune: Commune) -> Phone:
    yen = event(commune)
    yen.plays(("3/9", "Mở vụ việc"), ("mở", "Đã mở"), ("[Xem vụ việc]", "Hạn"), ("[Đã xong]", "xong ngày nào?"))
    return yen


TO_COME = [promise, snooze, first_day_away, named_limit, day_off, day_of_the_province]


@pytest.mark.parametrize("ask", [*TO_COME, last_day_away, event])
@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("31/2", "Không có ngày 31/2: tháng 2 có nhiều nhất 29 ngày. Xin gõ lại ngày."),
        ("31 tháng 9", "Không có ngày 31/9: tháng 9 có 30 ngày. Xin gõ lại ngày."),
        ("1/13", "Không có ngày 1/13: một năm có 12 tháng. Xin gõ lại ngày."),
        ("29/2/25", "Không có ngày 29/2/2025: năm 2025 không nhuận, tháng 2 có 28 ngày. Xin gõ lại ngày."),
        ("cuối tuần", "Chưa đọc được ngày. Xin gõ ngày và tháng, ví dụ "),
        ("19 hoặc 22", "Chưa đọc được ngày. Xin gõ ngày và tháng, ví dụ "),
    ],
)
def test_what_is_no_day_is_refused_in_the_same_words(commune: Commune, ask: Ask, typed: str, heard: str) -> None:
    phone = ask(commune)
    question = phone.last.split("\n\n")[-1]
    came = phone.says(typed)
    assert heard in came
    assert question in came


@pytest.mark.parametrize("ask", TO_COME)
@pytest.mark.parametrize(
    "typed",
    [
        *("thứ sáu tuần sau", "THU SAU TUAN SAU", unicodedata.normalize("NFD", "thứ sáu tuần sau ạ")),
        *("26/9", "26-9-25", "ngày 26 tháng 9 năm 2025", "2025-09-26"),
    ],
)
def test_a_day_to_come_is_read_however_it_is_typed(commune: Commune, ask: Ask, typed: str) -> None:
    assert "26/9" in ask(commune).says(typed)


@pytest.mark.parametrize("ask", [promise, snooze, first_day_away, day_off, day_of_the_province])
def test_a_day_that_has_passed_is_told_so(commune: Commune, ask: Ask) -> None:
    assert "Ngày 12/9/2025 đã qua." in ask(commune).says("12/9")


@pytest.mark.parametrize("ask", [promise, snooze, first_day_away, last_day_away, named_limit])
def test_a_day_too_far_is_told_with_the_last_that_can_be(commune: Commune, ask: Ask) -> None:
    assert "Ngày 20/12/2027 quá xa. Xin gõ một ngày từ " in ask(commune).says("20/12/2027")


@pytest.mark.parametrize("ask", [*TO_COME, last_day_away, event])
@pytest.mark.parametrize("typed", ["1", "2", "3"])
def test_a_day_typed_as_one_number_is_that_day_and_no_choice(commune: Commune, ask: Ask, typed: str) -> None:
    phone = ask(commune)
    for _ in ("asked", "asked again, with one choice more"):
        phone.says(typed)
        assert re.search(rf"Đang ghi: <b>(thứ \w+, )?{typed}/", phone.says("quay lại"))


def test_a_number_before_the_first_day_there_can_be_is_refused_as_a_day(commune: Commune) -> None:
    day_done(commune).plays(("2", "Ngày 2/9/2025 trước ngày bắt đầu"), ("3", "Kết quả"), ("a", "hạn"))
