"""Every step of every conversation has a way back and a way out, by a word and by a button."""

from __future__ import annotations

import pytest

from tests.commune import Commune
from tests.test_case import DOCUMENT, opened
from tests.test_snooze import only, reminded

STEPS: dict[str, tuple[str, ...]] = {
    "thao: a figure": ("/baocao 2.5", "3390", "3330", "sửa"),
    "thao: a doubt": ("/baocao 2.5", "2000"),
    "thao: a promise": ("/baocao 2.5", "chưa có số liệu", "22/9"),
    "tuan: an amount read two ways": ("/baocao 2.9", "20.000"),
    "yen: a case": ("/vuviec new", "1", DOCUMENT, "Sở Tư pháp", "3/9", "sửa"),
    "yen: words with a number": ("/vuviec new", "1", "Hồ sơ 000123456789"),
    "thao: a limit that is named": ("/vuviec new", "2", "Quyết định 99", "8/9", "22/9"),
    "yen: progress": ("/case {case} update", "ghi diễn biến"),
    "yen: another day of the event": ("/case {case} update", "4", "10/9"),
    "yen: a case that is done": ("/case {case} close", "hôm nay", "bỏ qua"),
    "thao: an absence": ("/vangmat", "mai", "19/9", "khoa"),
    "lan: somebody's absence": ("/vangmat", "cho người khác", "phòng kinh tế", "tuấn", "mai", "19/9"),
    "mai: a reminder put off": ("/nhaclai", "chọn ngày", "26/9"),
    "lan: a day off": ("/lich off", "18/9", "Bão"),
    "lan: a day taken out": ("/lich remove", "16/2"),
    "lan: the day of the province": ("/lich province", "1", "26/9"),
    "lan: a code": ("/moi", "cán bộ đầu mối", "phòng kinh tế"),
}


@pytest.mark.parametrize("name", STEPS)
def test_every_step_leads_back_and_out(commune: Commune, name: str) -> None:
    case = opened(commune)
    only(commune)
    reminded(commune)
    phone = commune.person(name.partition(":")[0])
    said = [text.format(case=case) for text in STEPS[name]]
    phone.says(said[0])
    assert phone.labels[-1] == "Dừng"
    assert 'Đây là câu đầu tiên. Gõ "huỷ" để dừng.' in phone.says("quay lại")
    for text in said[1:]:
        before = phone.last.split("\n")[-1]
        phone.says(text)
        assert "Quay lại" in phone.labels, phone.last
        assert before in phone.says("quay lại")
        phone.says("giữ nguyên" if "Giữ nguyên" in phone.labels else text)
        shown = phone.last.split("\n")[-1]
        assert before in phone.taps("Quay lại")
        phone.says("giữ nguyên" if "Giữ nguyên" in phone.labels else text)
        assert phone.last.split("\n")[-1] == shown
    assert "Đã dừng" in phone.says("huỷ")


@pytest.mark.parametrize(
    ("who", "said"),
    [
        *(("thao", said) for said in ("/baocao 2.5", "/vangmat", "/vuviec new", "/nhaclai")),
        ("lan", "/lich off"),
    ],
)
def test_a_first_question_is_left_by_its_button(commune: Commune, who: str, said: str) -> None:
    phone = commune.person(who)
    phone.says(said)
    assert phone.taps("Dừng").startswith("Đã dừng.")
    assert "Không có việc nào đang làm dở" in phone.says("/huy")
