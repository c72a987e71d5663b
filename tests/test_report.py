"""/report: figures asked one by one, read back, checked, filed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlmodel import select

from storage.tables import Obligation, Organization, Plan
from tests.commune import Commune, Phone
from tests.people import figures, filings, joined, kept, obligation, obligation_id, set_state
from tests.test_digest import edit_day


def at_total(commune: Commune) -> Phone:
    """Thảo is asked how many files were settled: 2.875 so far in H1, cumulative, nothing recorded yet."""
    thao = commune.person("thao")
    assert "1/2. Số hồ sơ TTHC đã giải quyết?" in thao.says("/baocao 2.5")
    return thao


def at_part(commune: Commune) -> Phone:
    """Thảo is asked how many of 3.390 were settled on time."""
    thao = at_total(commune)
    assert "2/2. " in thao.says("3390")
    return thao


def at_money(commune: Commune) -> Phone:
    """Tuấn is asked for the year's investment plan, in million đồng: 18.500 in H1."""
    tuan = commune.person("tuan")
    assert "1/2. " in tuan.says("/baocao 2.9")
    return tuan


def test_a_clerk_files_a_task_in_a_few_messages(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(
        ("báo cáo 2.5", "1/2. Số hồ sơ TTHC đã giải quyết?"),
        ("3.390", "Đã ghi: 3.390 hồ sơ (ba nghìn ba trăm chín mươi)"),
        ("3330", "98,23%, đạt mục tiêu"),
        ("[Gửi]", "Đã gửi mục 2.5"),
    )
    assert figures(commune, obligation_id(commune, "TTPVHCC", "2.5")) == {"settled": "3390", "on_time": "3330"}
    assert "• 2.5" not in thao.says("/tasks")


@pytest.mark.parametrize("typed", ["/baocao 2.5", "/report 2.5", "báo cáo 2.5", "BAO CAO 2.5", "2.5"])
def test_a_report_is_opened_by_its_number(commune: Commune, typed: str) -> None:
    assert "<b>2.5 Kết quả giải quyết hồ sơ TTHC</b>" in commune.person("thao").says(typed)


@pytest.mark.parametrize("code", ["2.9", "2,9", "III.2", "iii.2"])
def test_what_the_unit_does_not_report_is_said_so(commune: Commune, code: str) -> None:
    heard = f"không phải báo cáo mục {code.replace(',', '.')}"
    assert heard in commune.person("thao").says(f"/baocao {code}")


@pytest.mark.parametrize("code", ["99", "25", "9.9", "2.99", "kt", "III.9"])
def test_a_number_the_plan_does_not_have_is_told_with_what_to_type(commune: Commune, code: str) -> None:
    thao = commune.person("thao")
    assert f"Kế hoạch không có mục {code}. Xin gõ số mục, ví dụ /baocao 2.5" in thao.says(f"/baocao {code}")
    assert "việc cần báo cáo" in thao.labels[0]
    thao.plays(("/baocao 2.5", "1/2. Số hồ sơ TTHC đã giải quyết?"))


def test_a_question_shows_its_window_its_unit_and_the_last_figure(commune: Commune) -> None:
    heard = commune.person("thao").says("/baocao 2.5")
    assert "Luỹ kế từ 15/12/2024 đến 14/9/2025. Đơn vị tính: hồ sơ." in heard
    assert "6 tháng đầu năm 2025: 2.875 hồ sơ." in heard
    lan = commune.person("lan")
    lan.plays(("/baocao 1.1", "Gửi báo cáo này?"), ("sửa", "Sửa số nào?"), ("1", "Trong kỳ 15/6–14/9/2025"))


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("3390", "Đã ghi: 3.390 hồ sơ (ba nghìn ba trăm chín mươi)."),
        ("3.390 hồ sơ", "Đã ghi: 3.390 hồ sơ"),
        ("３３９０", "Đã ghi: 3.390 hồ sơ"),
        ("3\u00a0390", "Đã ghi: 3.390 hồ sơ"),
        ("3330/3390", "3.330 hồ sơ (ba nghìn ba trăm ba mươi)"),
        ("3390/3330", "lớn hơn tổng"),
        ("99,5", "phải là số nguyên"),
        ("-5", "không thể âm"),
        ("ba nghìn", "bằng chữ số"),
        ("khoảng 3400", "chính xác"),
        ("98%", "không phải tỷ lệ"),
        ("5 triệu", "không phải số tiền"),
        ("3390 văn bản", "Câu này tính bằng hồ sơ"),
        ("chịu", "Chưa đọc được số"),
        ("9" * 12, "lớn quá mức"),
        ("2000", "thấp hơn số luỹ kế 6 tháng đầu năm 2025 (2.875 hồ sơ). Số này có đúng không ạ?"),
        ("1", "1 hồ sơ, thấp hơn số luỹ kế"),
        ("2", "2 hồ sơ, thấp hơn số luỹ kế"),
        ("33900", "khác xa số 6 tháng đầu năm 2025"),
        ("Không phát sinh", "Không phát sinh, thấp hơn số luỹ kế"),
        ("khong phat sinh", "Không phát sinh, thấp hơn số luỹ kế"),
        ("a", "Không phát sinh, thấp hơn số luỹ kế"),
        ("b", "Ngày nào sẽ có số liệu này?"),
        ("CHƯA CÓ SỐ LIỆU.", "Ngày nào sẽ có số liệu này?"),
        ("c", "Đã ghi: không thuộc đơn vị."),
        ("không thuộc đơn vị tôi", "Đã ghi: không thuộc đơn vị."),
        ("chưa", "Ngày nào sẽ có số liệu này?"),
        ("không", "bằng chữ số"),
        ("bỏ qua", "không bỏ qua được"),
    ],
)
def test_what_is_typed_for_a_count_is_read_as_one_would(commune: Commune, typed: str, heard: str) -> None:
    assert heard in at_total(commune).says(typed)


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("3330", "Đã ghi: 3.330 hồ sơ"),
        ("3330/3390", "3.330 hồ sơ (ba nghìn ba trăm ba mươi)"),
        ("3330/3400", "Tổng đã ghi là 3.390 hồ sơ"),
        ("3400", "3.400 hồ sơ lớn hơn tổng đã ghi (3.390 hồ sơ)"),
        ("quay lại", "1/2. "),
        ("d", "1/2. "),
    ],
)
def test_what_is_typed_for_a_part_is_held_against_its_total(commune: Commune, typed: str, heard: str) -> None:
    assert heard in at_part(commune).says(typed)


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("19000", "Đã ghi: 19.000.000.000 đồng (mười chín tỷ đồng)."),
        ("19 tỷ", "Đã ghi: 19.000.000.000 đồng"),
        ("19.000 tr", "Con số này có thể hiểu hai cách"),
        ("19,5 tỷ", "Đã ghi: 19.500.000.000 đồng (mười chín tỷ năm trăm triệu đồng)."),
        ("19.500.000.000 đồng", "Đã ghi: 19.500.000.000 đồng"),
        ("12/19 tỷ", "Chưa rõ hai con số"),
        ("12 tỷ/19 tỷ", "12.000.000.000 đồng (mười hai tỷ đồng)"),
        ("20.000", "Con số này có thể hiểu hai cách"),
    ],
)
def test_what_is_typed_for_money_is_read_back_in_full_dong(commune: Commune, typed: str, heard: str) -> None:
    assert heard in at_money(commune).says(typed)


@pytest.mark.parametrize(
    ("picked", "heard"),
    [
        ("[20.000 triệu đồng]", "Đã ghi: 20.000.000.000 đồng"),
        ("a", "Đã ghi: 20.000.000.000 đồng"),
        ("20000", "Đã ghi: 20.000.000.000 đồng"),
        ("20.000", "vẫn chưa rõ"),
        ("1", "Đã ghi: 1.000.000 đồng"),
        ("không biết", "chọn một nút dưới đây, hoặc gõ lại con số"),
        ("quay lại", "1/2. "),
    ],
)
def test_an_ambiguous_amount_is_picked_or_typed_again(commune: Commune, picked: str, heard: str) -> None:
    tuan = at_money(commune)
    tuan.says("20.000")
    came = tuan.taps(picked[1:-1]) if picked.startswith("[") else tuan.says(picked)
    if "Số này có đúng" in came:  # far from the last one
        came += tuan.says("đúng, ghi số này")
    assert heard in came


def test_a_doubtful_figure_is_kept_typed_again_or_asked_again(commune: Commune) -> None:
    at_total(commune).plays(
        ("2000", "Số này có đúng không ạ?"),
        ("gõ lại", "1/2. "),
        ("2001", "2.001 hồ sơ"),
        ("2002", "2.002 hồ sơ"),
        ("230/250", "Con số vừa gõ vẫn chưa rõ"),
        ("[Đúng, ghi số này]", "Đã ghi: 2.002 hồ sơ"),
    )


def test_nothing_of_nothing_is_not_asked(commune: Commune) -> None:
    at_total(commune).plays(
        ("0", "Số này có đúng không ạ?"),
        ("a", "Gửi báo cáo này?"),
        ("gửi", "Đã gửi mục 2.5"),
    )
    assert figures(commune, obligation_id(commune, "TTPVHCC", "2.5")) == {"settled": "0", "on_time": "0"}


def test_what_followed_by_itself_is_asked_once_its_total_is_corrected(commune: Commune) -> None:
    thao = at_total(commune)
    thao.plays(("không phát sinh", "Số này có đúng"), ("a", "Gửi báo cáo này?"), ("gửi", "Đã gửi"))
    thao.plays(
        ("[Sửa mục vừa gửi]", "Gửi báo cáo này?"),
        ("sửa", "Sửa số nào?"),
        ("1", "1/2. "),
        ("3390", "2/2. "),
        ("3330", "98,23%"),
        ("gửi", "Đã gửi"),
    )
    assert figures(commune, obligation_id(commune, "TTPVHCC", "2.5")) == {"settled": "3390", "on_time": "3330"}


def test_only_what_was_asked_can_be_corrected(commune: Commune) -> None:
    thao = at_total(commune)
    thao.plays(("c", "Gửi báo cáo này?"), ("sửa", "Sửa số nào?"))
    assert thao.labels == ["Số hồ sơ TTHC đã giải quyết", "Quay lại"]
    assert "Gửi báo cáo này?" in thao.says("quay lại")


def test_a_lowered_total_asks_for_its_part_again_and_says_each_thing_once(commune: Commune) -> None:
    thao = at_part(commune)
    thao.plays(("3380", "Gửi báo cáo này?"), ("sửa", "Sửa số nào?"), ("1", "1/2. "))
    heard = thao.says("3370")
    assert heard.count("Đã ghi: 3.370") == 1
    assert "3.380 hồ sơ lớn hơn tổng đã ghi (3.370 hồ sơ)" in heard
    assert "2/2. " in heard


def test_a_figure_to_correct_is_shown_and_kept_by_going_back(commune: Commune) -> None:
    thao = at_part(commune)
    thao.plays(("3380", "Gửi báo cáo này?"), ("sửa", "Sửa số nào?"), ("2", "Đang ghi: <b>3.380 hồ sơ</b>"))
    thao.plays(("quay lại", "trước hạn và đúng hạn: <b>3.380 hồ sơ</b>"))
    thao.plays(("sửa", "Sửa số nào?"), ("1", "1/2. "), ("[Quay lại]", "Gửi báo cáo này?"), ("gửi", "Đã gửi"))
    report = obligation_id(commune, "TTPVHCC", "2.5")
    assert figures(commune, report) == {"settled": "3390", "on_time": "3380"}


def test_going_back_offers_the_figure_given(commune: Commune) -> None:
    thao = at_part(commune)
    thao.plays(("quay lại", 'Đang ghi: <b>3.390 hồ sơ</b>. Gõ lại, hoặc chọn "Giữ nguyên".'))
    thao.plays(("[Giữ nguyên]", "2/2. "), ("3330", "Gửi báo cáo này?"))
    thao.plays(("[Quay lại]", "Đang ghi: <b>3.330 hồ sơ</b>"), ("[Quay lại]", "Đang ghi: <b>3.390 hồ sơ</b>"))
    thao.plays(("3400", "Đã ghi: 3.400 hồ sơ"))
    thao.plays(("giữ nguyên", "<b>3.330 hồ sơ</b>"), ("gửi", "Đã gửi mục 2.5"))
    assert figures(commune, obligation_id(commune, "TTPVHCC", "2.5")) == {"settled": "3400", "on_time": "3330"}


def test_going_back_from_a_doubt_offers_the_figure_doubted(commune: Commune) -> None:
    at_total(commune).plays(
        ("2000", "Số này có đúng không ạ?"),
        ("quay lại", "Đang ghi: <b>2.000 hồ sơ</b>"),
        ("giữ nguyên", "Số này có đúng không ạ?"),
        ("[Quay lại]", "1/2. "),
        ("3390", "2/2. "),
    )


def test_going_back_from_the_promised_day_keeps_the_figure_that_was_there(commune: Commune) -> None:
    thao = at_part(commune)
    thao.plays(("3380", "Gửi báo cáo này?"), ("sửa", "Sửa số nào?"), ("2", "Đang ghi: <b>3.380 hồ sơ</b>"))
    thao.plays(("b", "Ngày nào sẽ có"), ("quay lại", "Đang ghi: <b>3.380 hồ sơ</b>"))
    thao.plays(("giữ nguyên", "trước hạn và đúng hạn: <b>3.380 hồ sơ</b>"), ("gửi", "Đã gửi mục 2.5"))


def test_going_back_past_a_settled_doubt_keeps_the_figure_confirmed(commune: Commune) -> None:
    thao = at_part(commune)
    thao.plays(("2700", "Số này có đúng"), ("a", "Gửi báo cáo này?"), ("sửa", "Sửa số nào?"), ("1", "1/2. "))
    thao.plays(("2800", "Số này có đúng"), ("a", "Gửi báo cáo này?"))
    thao.plays(("quay lại", "Số này có đúng"), ("quay lại", "2.700"), ("quay lại", "2.800 hồ sơ"))
    thao.plays(("quay lại", "Đang ghi: <b>2.800 hồ sơ</b>"), ("giữ nguyên", "2.800 hồ sơ"))


def test_going_back_to_a_promise_offers_its_day(commune: Commune) -> None:
    thao = at_part(commune)
    thao.plays(("b", "Ngày nào"), ("22/9", "Gửi báo cáo này?"), ("quay lại", "Đang ghi: <b>22/9/2025</b>"))
    thao.plays(("[Giữ nguyên]", "hẹn ngày 22/9"), ("quay lại", "?"), ("[Quay lại]", "chưa có số liệu</b>"))
    thao.plays(("3330", "<b>3.330 hồ sơ</b>"))


def test_going_back_from_an_amount_read_two_ways_offers_both(commune: Commune) -> None:
    at_money(commune).plays(
        ("20.000", "hai cách"), ("[Quay lại]", "20.000 triệu đồng hoặc "), ("18,5 tỷ", "Đã ghi")
    )


def test_a_figure_to_correct_may_be_answered_in_every_way(commune: Commune) -> None:
    thao = at_part(commune)
    thao.plays(("3380", "Gửi báo cáo này?"), ("sửa", "Sửa số nào?"), ("2", "2/2. "), ("nhiều", "Chưa đọc được số"))
    assert "Đang ghi: <b>3.380 hồ sơ</b>" in thao.last
    thao.plays(("b", "Ngày nào"), ("mai", "hẹn ngày 16/9"), ("gửi", "Đã gửi"))


def test_a_second_look_belongs_to_one_figure_and_not_to_the_next(commune: Commune) -> None:
    at_total(commune).plays(
        ("2400/3390", "Số này có đúng không ạ?"),
        ("a", "Gửi báo cáo này?"),
        ("sửa", "Sửa số nào?"),
        ("1", "1/2. "),
        ("2300/3390", "2.300 hồ sơ (hai nghìn ba trăm), thấp hơn"),
    )


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("22/9", "hẹn ngày 22/9"),
        ("22/9/2025", "hẹn ngày 22/9"),
        ("ngày 22", "hẹn ngày 22/9"),
        ("22.9", "hẹn ngày 22/9"),
        ("3", "hẹn ngày 3/10"),
        ("mai", "hẹn ngày 16/9"),
        ("ngày kia", "hẹn ngày 17/9"),
        ("hôm nay", "hẹn ngày 15/9"),
        ("20/9", 'Thứ Bảy, 20/9 là ngày nghỉ. Ngày làm việc sau đó là thứ Hai, 22/9, xin gõ "22/9"'),
        ("14/9/2025", "Ngày 14/9/2025 đã qua"),
        ("20/2", "quá xa. Xin gõ một ngày từ hôm nay (15/9/2025) đến 13/1/2026."),
        ("30/2", "Không có ngày 30/2: tháng 2 có nhiều nhất 29 ngày. Xin gõ lại ngày."),
        ("29/2", "Không có ngày 29/2/2026: năm 2026 không nhuận"),
        ("sớm thôi", "Chưa đọc được ngày. Xin gõ ngày và tháng, ví dụ 19/9"),
        ("quay lại", "1/2. "),
    ],
)
def test_a_promised_figure_names_its_day(commune: Commune, typed: str, heard: str) -> None:
    thao = at_total(commune)
    thao.says("b")
    assert heard in thao.says(typed)


def test_a_figure_can_be_promised_for_a_saturday_that_is_worked(commune: Commune) -> None:
    thao = at_total(commune)
    thao.plays(("b", "Ngày nào"), ("20/9", "là ngày nghỉ"))
    assert "Ngày nào sẽ có số liệu này?" in thao.last
    edit_day(commune, date(2025, 9, 20), is_working=True)
    assert "hẹn ngày 20/9" in thao.says("20/9")


def test_who_promises_a_figure_for_after_the_due_day_is_told_that_it_is_seen(commune: Commune) -> None:
    thao = at_total(commune)
    thao.plays(("b", "Ngày nào"), ("13/1", "Gửi báo cáo này?"))
    assert "hẹn ngày 13/1/2026, sau hạn 17/9: cán bộ tổng hợp sẽ thấy." in thao.says("gửi")


def test_a_promised_figure_stays_owed_and_is_asked_again(commune: Commune) -> None:
    thao = at_total(commune)
    thao.plays(("b", "Ngày nào"), ("22/9", "Gửi báo cáo này?"), ("gửi", "Còn thiếu số, hẹn ngày 22/9"))
    row = obligation(commune, obligation_id(commune, "TTPVHCC", "2.5"))
    assert (row.state, row.promised_on) == ("submitted", date(2025, 9, 22))
    assert "hẹn 22/9" in thao.says("/nhiemvu")
    thao.plays(
        ("báo cáo 2.5", "1/2. "),
        ("3330/3390", "Gửi báo cáo này?"),
        ("gửi", "Đã gửi mục 2.5"),
    )
    assert obligation(commune, obligation_id(commune, "TTPVHCC", "2.5")).promised_on is None


def test_a_promised_day_that_passed_before_it_was_sent_is_asked_anew(commune: Commune) -> None:
    thao = at_part(commune)
    thao.plays(("b", "Ngày nào"), ("16/9", "Gửi báo cáo này?"))
    commune.clock.moment = datetime(2025, 9, 17, 2, 0, tzinfo=UTC)
    thao.plays(("gửi", "Ngày 16/9/2025 đã qua. Xin gõ một ngày từ hôm nay"), ("tiếp", "Ngày nào sẽ có số liệu"))
    assert filings(commune, obligation_id(commune, "TTPVHCC", "2.5")) == []
    thao.plays(("22/9", "hẹn ngày 22/9"), ("gửi", "Còn thiếu số, hẹn ngày 22/9"))


def test_a_promised_day_that_became_a_day_off_is_asked_anew(commune: Commune) -> None:
    thao = at_part(commune)
    thao.plays(("b", "Ngày nào"), ("16/9", "Gửi báo cáo này?"))
    edit_day(commune, date(2025, 9, 16), is_working=False)
    thao.plays(("gửi", "là ngày nghỉ. Ngày làm việc sau đó là thứ Tư, 17/9"), ("17/9", "hẹn ngày 17/9"))


def test_the_last_report_with_a_promise_is_not_called_the_end(commune: Commune) -> None:
    phuc = commune.person("phuc")
    set_state(commune, obligation_id(commune, "VPDKDD", "2.5"), "not_started")
    phuc.plays(("/baocao", "Gửi báo cáo này?"), ("sửa", "Sửa số nào?"), ("1", "1/2. "), ("b", "Ngày nào"))
    phuc.says("mai")
    heard = phuc.says("gửi")
    assert "hẹn ngày 16/9" in heard
    assert "đã xong" not in heard


def test_an_outside_body_is_asked_and_not_reminded_of_lateness(commune: Commune) -> None:
    set_state(commune, obligation_id(commune, "VPDKDD", "2.5"), "not_started")
    commune.moves(days=10)
    heard = commune.person("phuc").says("/nhiemvu")
    assert "2.5" in heard
    assert "quá hạn" not in heard


def test_a_filed_report_keeps_its_figures_and_becomes_a_second_version(commune: Commune) -> None:
    thao = at_part(commune)
    thao.plays(("3330", "Gửi báo cáo này?"), ("gửi", "Đã gửi"))
    thao.plays(("báo cáo 2.5", "Gửi báo cáo này?"), ("sửa", "Sửa số nào?"), ("2", "2/2. "))
    thao.plays(("3340", "<b>3.340 hồ sơ</b>"), ("gửi", "Đã gửi mục 2.5"))
    versions = filings(commune, obligation_id(commune, "TTPVHCC", "2.5"))
    assert [(row.version, row.answers["on_time"]["n"]) for row in versions] == [(1, "3330"), (2, "3340")]


def test_every_filed_report_of_the_example_can_be_opened_again(commune: Commune) -> None:
    for chat, unit, task in (("tuan", "KT", "1.2"), ("yen", "VP", "1.4"), ("phuc", "VPDKDD", "2.5")):
        assert "?" in commune.person(chat).says(f"/report {obligation_id(commune, unit, task)}")


def test_before_the_period_is_over_it_asks_whether_the_figures_are_final(commune: Commune) -> None:
    commune.clock.moment = datetime(2025, 9, 12, 3, 0, tzinfo=UTC)
    at_total(commune).plays(
        ("3330/3390", "Gửi báo cáo này?"),
        ("gửi", "Mục 2.5: kỳ số liệu đến hết ngày 14/9/2025"),
        ("để sau", "Đã giữ những gì anh/chị vừa gõ"),
        ("[Tiếp tục]", "Gửi báo cáo này?"),
        ("gửi", "kỳ số liệu đến hết ngày 14/9/2025"),
        ("đã chốt", "Đã gửi mục 2.5"),
    )


def test_a_button_of_a_question_never_answers_the_next_one(commune: Commune) -> None:
    commune.clock.moment = datetime(2025, 9, 12, 3, 0, tzinfo=UTC)
    thao = at_total(commune)
    thao.plays(("3330/3390", "Gửi báo cáo này?"), ("sửa", "Sửa số nào?"))
    old = thao.tokens[0]
    thao.says("quay lại")
    thao.taps_token(old)
    assert "Gửi báo cáo này?" in thao.last
    assert filings(commune, obligation_id(commune, "TTPVHCC", "2.5")) == []


def test_a_draft_is_kept_when_the_talk_is_closed(commune: Commune) -> None:
    at_part(commune).plays(
        ("/huy", "1 câu đã trả lời vẫn được giữ"),
        ("[Tiếp tục]", "<b>2.5 Kết quả giải quyết hồ sơ TTHC</b>"),
        ("3330", "98,23%"),
        ("để sau", "Đã giữ"),
        ("/baocao 2.5", "Gửi báo cáo này?"),
    )


def test_what_was_sent_up_is_locked(commune: Commune) -> None:
    set_state(commune, obligation_id(commune, "TTPVHCC", "2.5"), "sent_up")
    assert "gửi cấp trên" in commune.person("thao").says("/baocao 2.5")


def test_what_is_locked_while_it_was_being_typed_is_not_lost(commune: Commune) -> None:
    report = obligation_id(commune, "TTPVHCC", "2.5")
    thao = at_part(commune)
    thao.says("3330")
    set_state(commune, report, "sent_up")
    assert "không còn nhận số liệu" in thao.says("gửi")
    assert filings(commune, report) == []
    set_state(commune, report, "returned", "số chưa khớp")
    thao.plays((f"/report {report}", "Gửi báo cáo này?"), ("gửi", "Đã gửi mục 2.5"))


def test_another_units_report_is_refused(commune: Commune) -> None:
    before = kept(commune)
    assert "chưa có quyền làm việc này" in commune.person("tuan").says(
        f"/report {obligation_id(commune, 'TTPVHCC', '2.5')}"
    )
    assert kept(commune) == before


def test_the_coordinator_reports_on_a_units_behalf(commune: Commune) -> None:
    report = obligation_id(commune, "TTPVHCC", "2.5")
    commune.person("lan").plays((f"/report {report}", "1/2. "), ("3330/3390", "98,23%"), ("gửi", "Đã gửi mục 2.5"))
    (filed,) = filings(commune, report)
    assert filed.on_behalf
    joined(commune, "new", "staff", "VHXH").says("/baocao 2.1")
    assert not filings(commune, obligation_id(commune, "VHXH", "2.1"))


def test_a_clerk_files_in_the_units_own_name(commune: Commune) -> None:
    at_part(commune).plays(("3330", "Gửi"), ("gửi", "Đã gửi"))
    assert not filings(commune, obligation_id(commune, "TTPVHCC", "2.5"))[0].on_behalf


def test_another_communes_report_is_not_found(commune: Commune) -> None:
    report = obligation_id(commune, "TTPVHCC", "2.5")
    with commune.store.writing() as db:
        there = Organization(
            code="khac",
            name="UBND xã Khác",
            superior="UBND tỉnh",
            coordinator_code="X",
            timezone="Asia/Ho_Chi_Minh",
        )
        db.add(there)
        db.flush()
        owed = db.get_one(type(obligation(commune, report)), report)
        owed.organization_id = there.id or 0
    assert "Không tìm thấy báo cáo này" in commune.person("lan").says(f"/report {report}")
    assert "Không tìm thấy báo cáo này" in commune.person("thao").says(f"/report {report}")
    with commune.store.reading() as db:
        assert len(db.exec(select(Organization)).all()) == 2


@pytest.mark.parametrize("argument", ["0", "999999", "9" * 30, "٣", "2.99", "x", "1 OR 1=1"])
def test_a_report_that_does_not_exist_is_answered_kindly(commune: Commune, argument: str) -> None:
    heard = commune.person("thao").says(f"/report {argument}")
    assert heard
    assert "gặp lỗi" not in heard


def test_every_report_of_the_period_can_be_gone_through_on_a_phone(commune: Commune) -> None:
    chats = {"VHXH": "mai", "KT": "tuan", "TTPVHCC": "thao", "VP": "yen", "VPDKDD": "phuc"}
    for chat in chats.values():
        phone = commune.person(chat)
        phone.says("/nhiemvu")
        for _ in range(60):
            first = phone.labels[0] if phone.labels else ""
            if not first.startswith(("Báo cáo", "Không phát sinh", "Đúng", "Gửi")):
                break
            heard = phone.taps(first)
            assert len(heard.splitlines()) <= 14, heard
            assert len(heard) <= 700, heard
        assert "Đơn vị đã xong" in phone.last or "đã báo cáo đủ" in phone.last, phone.last


def test_a_period_before_the_plan_can_be_entered_for_comparison(commune: Commune) -> None:
    thao = commune.person("thao")
    assert "6 tháng đầu năm 2025 không bắt buộc" in thao.says("/baocao 2025-h1")
    thao.taps("Báo cáo 2.5")
    assert "2.5 " in thao.last


@pytest.mark.parametrize("typed", ["/baocao quý III", "/baocao Q3", "báo cáo quý 3", "/baocao quý 3/2025"])
def test_a_period_may_be_called_by_its_name(commune: Commune, typed: str) -> None:
    assert "báo cáo quý III năm 2025" in commune.person("thao").says(typed)


def test_a_period_named_offers_what_is_owed_in_it(commune: Commune) -> None:
    thao = commune.person("thao")
    heard = thao.says("/baocao 2025-Q3")
    assert f"Còn {len(thao.labels)} báo cáo quý III năm 2025" in heard
    thao.plays(("[Báo cáo 2.5]", "1/2. "), ("3330/3390", "Gửi báo cáo này?"), ("gửi", "Đã gửi"))
    before = len(thao.says("/baocao 2025-Q3").splitlines())
    assert before == 1
    assert "Báo cáo 2.5" not in thao.labels


def test_a_period_reported_in_full_offers_corrections(commune: Commune) -> None:
    with commune.store.writing() as db:
        for owed in db.exec(select(Obligation)):
            owed.state = "submitted" if owed.state == "not_started" else owed.state
    assert "Đã báo cáo đủ quý III năm 2025" in commune.person("thao").says("/baocao 2025-Q3")


def test_a_period_of_an_archived_plan_is_not_called_owed(commune: Commune) -> None:
    with commune.store.writing() as db:
        next(iter(db.exec(select(Plan)))).is_archived = True
    assert "quý III năm 2025 không bắt buộc" in commune.person("thao").says("/baocao quý III")


def test_a_long_period_goes_on_page_by_page(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.says("/baocao 2025-Q3")
    first = lan.labels
    assert first[-1].startswith("Xem thêm ")
    lan.taps("Xem thêm")
    assert not set(first[:-1]) & set(lan.labels)


def test_a_period_that_is_not_there_is_said_so(commune: Commune) -> None:
    assert "Không có số liệu nào để nhập cho kỳ 2031-Q1" in commune.person("thao").says("/baocao 2031-Q1")


@pytest.mark.parametrize("typed", ["gửi", "Gửi ạ", "gửi đi", "GỞI", "goi di a", "1"])
def test_sending_is_said_in_many_ways(commune: Commune, typed: str) -> None:
    at_part(commune).plays(("3330", "Gửi báo cáo này?"), (typed, "Đã gửi mục 2.5"))


def test_who_reports_for_another_unit_sees_which_on_every_screen(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.plays(
        (f"/report {obligation_id(commune, 'KT', '2.8')}", "báo cáo thay Phòng Kinh tế"),
        ("0", "báo cáo thay <b>Phòng Kinh tế</b>"),
        ("gửi", "Đã gửi mục 2.8 thay Phòng Kinh tế"),
    )
    assert "thay" not in commune.person("tuan").says("/baocao 2.9")


def test_opening_a_report_does_not_yet_begin_it(commune: Commune) -> None:
    report = obligation_id(commune, "TTPVHCC", "2.5")
    thao = at_total(commune)
    assert obligation(commune, report).state == "not_started"
    thao.says("3390")
    assert obligation(commune, report).state == "draft"


def test_a_number_typed_with_a_comma_is_the_task(commune: Commune) -> None:
    assert "<b>2.5 " in commune.person("thao").says("báo cáo 2,5")
