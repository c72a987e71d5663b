"""/calendar: everybody sees the days off to come; the coordinator changes them, and sees first what that moves."""

from __future__ import annotations

from datetime import date

import pytest
from sqlmodel import col, select

from storage.calendar import calendar_of
from storage.tables import NEXT_TICK, Audit, CalendarDay, Obligation, Period
from tests.commune import Commune
from tests.people import joined, obligation, obligation_id


def period(commune: Commune, code: str = "2025-Q3") -> Period:
    with commune.store.reading() as db:
        return db.exec(select(Period).where(Period.code == code)).one()


def days_of(commune: Commune, code: str = "2025-Q3") -> tuple[str, str, str]:
    """When the units report, when it goes to the province, when it is locked."""
    found = period(commune, code)
    return found.unit_due.isoformat(), found.province_due.isoformat(), found.lock.isoformat()


def rows(commune: Commune, first: str, last: str) -> list[tuple[str, bool, str]]:
    days = col(CalendarDay.day).between(date.fromisoformat(first), date.fromisoformat(last))
    with commune.store.reading() as db:
        found = db.exec(select(CalendarDay).where(days).order_by(col(CalendarDay.day))).all()
        return [(row.day.isoformat(), row.is_working, row.name) for row in found]


def everything(commune: Commune) -> object:
    with commune.store.reading() as db:
        due = {row.id: row.due_on for row in db.exec(select(Obligation))}
        days = {(row.day, row.is_working, row.name, row.is_official) for row in db.exec(select(CalendarDay))}
    return due, days, [days_of(commune, f"2025-{kind}") for kind in ("Q1", "H1", "Q3", "Y")]


@pytest.mark.parametrize("chat", ["thao", "dung", "chutich", "mttq"])
def test_everybody_may_look_and_only_the_coordinator_change(commune: Commune, chat: str) -> None:
    joined(commune, "mttq", "observer", None)
    phone = commune.person(chat)
    heard = phone.says("/lich")
    assert "• 14/2–22/2/2026: Tết Nguyên đán Bính Ngọ" in heard
    assert "• thứ Bảy, 10/1/2026, đi làm: Làm bù cho ngày 2/1" in heard
    assert "đơn vị báo cáo thứ Tư, 17/9, gửi tỉnh thứ Sáu, 19/9" in heard
    assert phone.labels == ["Xem thêm 9"]
    before = everything(commune)
    for edit in ("off", "working", "remove", "province", "official 2027"):
        assert "chưa có quyền" in phone.says(f"/calendar {edit}")
    assert everything(commune) == before


def test_the_periods_still_to_come_are_shown(commune: Commune) -> None:
    thao = commune.person("thao")
    year = "Năm 2025: đơn vị báo cáo thứ Tư, 17/12, gửi tỉnh thứ Sáu, 19/12."
    assert f"gửi tỉnh thứ Sáu, 19/9.\n{year}" in thao.says("/lich")
    commune.moves(days=5)  # Saturday 20/9: the quarter went to the province yesterday
    heard = thao.says("/lich")
    assert "Quý III" not in heard
    assert year in heard
    commune.moves(days=120)
    assert "báo cáo" not in thao.says("/lich")


def test_a_stranger_sees_nothing(commune: Commune) -> None:
    assert "cần mã mời" in commune.person("stranger").says("/lich")


def test_days_not_yet_announced_are_marked_until_they_are(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.plays(("lịch", "Ngày nghỉ"), ("[Xem thêm]", "• 4/2–10/2/2027: Tết Nguyên đán Đinh Mùi (dự kiến)"))
    lan.plays(("[Lịch 2027 đã công bố]", "đã đúng theo thông báo"), ("[Đã đúng]", "không còn là dự kiến"))
    assert "dự kiến" not in lan.says("/lich 1")
    assert "Lịch 2027 đã công bố" not in lan.labels
    assert "Ngày nghỉ, ngày làm bù sắp tới" in lan.says("/lich official 2027")


def test_a_day_off_is_shown_with_what_it_moves_before_it_holds(commune: Commune) -> None:
    lan, moved = commune.person("lan"), obligation_id(commune, "KT", "2.11")
    lan.plays(
        ("/lich", "sắp tới"),
        ("[Thêm ngày nghỉ]", "Nghỉ ngày nào?"),
        ("18/9", "nghỉ dịp gì?"),
        ("Bão số 9", "Quý III năm 2025: đơn vị báo cáo 17/9 → <b>thứ Ba, 16/9</b>, 14 báo cáo chưa nộp"),
    )
    assert days_of(commune)[0] == "2025-09-17"
    assert rows(commune, "2025-09-18", "2025-09-18") == []
    assert "Lời nhắc đã gửi vẫn giữ nguyên" in lan.last
    assert "Đã ghi vào lịch" in lan.taps("Áp dụng")
    assert days_of(commune) == ("2025-09-16", "2025-09-19", "2025-09-20")
    assert obligation(commune, moved).due_on == date(2025, 9, 16)
    assert obligation(commune, moved).look_on == NEXT_TICK
    assert "• thứ Năm, 18/9: Bão số 9" in lan.taps("Xem lịch")
    with commune.store.reading() as db:
        assert ("calendar_set", "2025-09-18..2025-09-18") in [
            (r.action, r.subject) for r in db.exec(select(Audit))
        ]


def test_what_is_not_applied_changes_nothing(commune: Commune) -> None:
    before = everything(commune)
    lan = commune.person("lan")
    lan.plays(
        ("/lich off", "Nghỉ ngày nào?"), ("18/9", "dịp gì?"), ("Bão", "17/9 → "), ("[Không", "Không thay đổi")
    )
    lan.plays(
        ("/lich province", "kỳ nào?"), ("quý iii", "Xin gõ ngày mới"), ("26/9", "→"), ("2", "Không thay đổi")
    )
    lan.plays(("/lich remove", "Xoá ngày nào"), ("14/2-22/2", "Tết"), ("không thay đổi", "Không thay đổi"))
    assert everything(commune) == before


def test_a_day_removed_gives_the_days_back(commune: Commune) -> None:
    lan, before = commune.person("lan"), everything(commune)
    lan.plays(("/lich off", "Nghỉ"), ("18/9-19/9", "dịp gì?"), ("Bão", "→ <b>thứ Hai, 15/9</b>"), ("2", "Đã ghi"))
    lan.plays(
        ("/lich remove", "Xoá ngày nào"),
        ("[Bão: 18/9–19/9/2025]", "đơn vị báo cáo 15/9 → <b>thứ Tư, 17/9</b>"),
        ("[Xoá]", "Đã xoá khỏi lịch:\n• 18/9–19/9/2025: Bão\nQuý III năm 2025: đơn vị"),
    )
    assert everything(commune) == before


def test_one_day_of_a_range_is_removed_alone(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.plays(("/lich remove", "Xoá ngày nào"), ("16/2", "thứ Hai, 16/2/2026: Tết"), ("xoá", "Đã xoá"))
    assert "• 14/2–15/2/2026: Tết Nguyên đán Bính Ngọ\n• 17/2–22/2/2026" in lan.says("/lich")


def test_a_saturday_is_worked_instead(commune: Commune) -> None:
    lan = commune.person("lan")
    heard = ("Làm bù cho ngày 22/9", "Đi làm bù <b>thứ Bảy, 20/9/2025</b>")
    lan.plays(
        ("/lich", "sắp"), ("[Thêm ngày làm bù]", "ví dụ 20/9"), ("20/9", "làm bù cho"), heard, ("1", "Đã ghi")
    )
    assert "• thứ Bảy, 20/9, đi làm: Làm bù cho ngày 22/9" in lan.says("/lich")
    with commune.store.reading() as db:
        assert calendar_of(db, 1).is_working(date(2025, 9, 20))


@pytest.mark.parametrize(
    ("edit", "typed", "heard"),
    [
        ("off", "31/2", "Không có ngày 31/2: tháng 2 có nhiều nhất 29 ngày. Xin gõ lại ngày."),
        ("off", "29/2", "Không có ngày 29/2/2026: năm 2026 không nhuận, tháng 2 có 28 ngày."),
        ("off", "10/13", "Không có ngày 10/13: một năm có 12 tháng."),
        ("off", "14/9", "từ hôm nay, 15/9/2025; nếu là năm khác xin gõ cả năm."),
        ("off", "14/9/2025", "Ngày 14/9/2025 đã qua. Lịch chỉ sửa được từ hôm nay, 15/9/2025.\n"),
        ("off", "22/2/2026-14/2/2026", "Ngày đầu (22/2/2026) sau ngày cuối"),
        ("off", "1/10-31/10", "là 31 ngày. Mỗi lần sửa được nhiều nhất 30 ngày"),
        ("off", "14/2/2026-14/2/9926", "nhiều nhất 30 ngày"),
        ("remove", "14/2/2026-14/2/9926", "nhiều nhất 30 ngày"),
        ("off", "20/9", "vốn là ngày nghỉ"),
        ("off", "tết", "Chưa đọc được ngày"),
        ("working", "18/9", "Thứ Năm, 18/9 vốn là ngày làm việc"),
        ("working", "19/9-21/9", "Thứ Sáu, 19/9 vốn là ngày làm việc"),
        ("remove", "18/9", "Trong lịch không có thứ Năm, 18/9/2025"),
        ("remove", "2/9", "Ngày 2/9/2025 đã qua"),
        ("remove", "mai kia", "Chưa đọc được ngày"),
    ],
)
def test_a_wrong_day_is_told_and_asked_again(commune: Commune, edit: str, typed: str, heard: str) -> None:
    before = everything(commune)
    lan = commune.person("lan")
    question = lan.says(f"/calendar {edit}")
    came = lan.says(typed)
    assert heard in came
    assert question in came
    assert everything(commune) == before


@pytest.mark.parametrize("name", ["x", "18", "x" * 61, " "])
def test_a_name_that_is_none_keeps_the_day(commune: Commune, name: str) -> None:
    lan = commune.person("lan")
    lan.plays(("/lich off", "Nghỉ"), ("18/9", "dịp gì?"), (name, "Xin gõ tên ngắn"), ("Bão", "thứ Năm, 18/9/2025"))


@pytest.mark.parametrize(("typed", "name"), [("22/9", "22/9"), ("ngày 31/8", "31/8"), ("2025-09-22", "22/9")])
def test_a_day_made_up_for_is_name_enough(commune: Commune, typed: str, name: str) -> None:
    lan = commune.person("lan")
    lan.plays(("/lich working", "làm bù"), ("20/9", "Làm bù cho ngày 31/8"), (typed, f"Làm bù cho ngày {name}."))
    lan.plays(("[Áp dụng]", f"(Làm bù cho ngày {name})"))
    assert rows(commune, "2025-09-20", "2025-09-20") == [("2025-09-20", True, f"Làm bù cho ngày {name}")]


def test_a_refused_name_of_a_make_up_day_has_an_example_of_one(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.plays(("/lich working", "làm bù"), ("20/9", "cho ngày nào?"), ("x", "ký tự, ví dụ: Làm bù cho ngày 31/8."))
    lan.plays(("31/9", "Không có ngày 31/9"), ("22/9", "thứ Bảy, 20/9/2025"))


def test_the_days_of_the_units_follow_the_provinces(commune: Commune) -> None:
    lan, moved = commune.person("lan"), obligation_id(commune, "KT", "2.11")
    lan.plays(("/lich", "sắp tới"), ("[Ngày gửi tỉnh]", "của kỳ nào?"), ("[Quý III", "thứ Sáu, 19/9"))
    heard = lan.says("28/9")
    assert "Gửi tỉnh: 19/9/2025 → <b>28/9/2025</b>" in heard
    assert "Chủ nhật, 28/9 là ngày nghỉ, nên gửi chậm nhất thứ Sáu, 26/9" in heard
    assert "Đơn vị báo cáo: 17/9/2025 → <b>24/9/2025</b>, 14 báo cáo chưa nộp" in heard
    assert "Khoá số liệu: 20/9/2025 → 29/9/2025" in heard
    assert not period(commune).is_edited
    assert "đơn vị báo cáo thứ Tư, 24/9" in lan.taps("Áp dụng")
    assert days_of(commune) == ("2025-09-24", "2025-09-28", "2025-09-29")
    assert period(commune).is_edited
    assert obligation(commune, moved).due_on == date(2025, 9, 24)
    assert obligation(commune, moved).rungs_from == date(2025, 9, 15)


def test_a_day_of_the_province_or_of_the_calendar_too_far_ahead_is_refused(commune: Commune) -> None:
    lan = commune.person("lan")
    far = "Ngày 31/12/9999 quá xa."
    lan.plays(("/lich province", "kỳ nào?"), ("1", "ngày mới"), ("31/12/9999", far), ("huỷ", ""))
    lan.plays(("/lich off", "Nghỉ"), ("31/12/9999", far))


@pytest.mark.parametrize("said", ["[Không thay đổi]", "không thay đổi", "2"])
def test_a_choice_means_what_it_said_also_where_others_are_offered_since(commune: Commune, said: str) -> None:
    lan = commune.person("lan")
    lan.plays(("/lich off", "?"), ("18/9", "?"), ("Bão", "→"))
    commune.moves(days=1)  # now the units would have to report today, and more is offered
    lan.plays((said, "Không thay đổi gì."))
    assert "Bão" not in lan.says("/lich")


def test_moved_there_and_back_all_days_are_as_before(commune: Commune) -> None:
    lan, before = commune.person("lan"), everything(commune)
    for day in ("26/9", "19/9"):
        lan.plays(("/lich province", "kỳ nào?"), ("1", "ngày mới"), (day, "Gửi tỉnh"), ("áp dụng", "Đã đổi"))
    assert everything(commune) == before


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("14/9", "Ngày 14/9/2025 đã qua. Ngày gửi tỉnh sớm nhất là thứ Tư, 17/9"),
        ("16/9", "khi số liệu quý III năm 2025 chưa chốt (14/9/2025). Ngày gửi tỉnh sớm nhất là thứ Tư, 17/9"),
        ("19/9", "19/9/2025 đang là ngày gửi tỉnh"),
        ("20/9-22/9", "Chưa đọc được ngày"),
        ("31/9", "Không có ngày 31/9"),
    ],
)
def test_a_day_the_province_cannot_have_is_told(commune: Commune, typed: str, heard: str) -> None:
    before = everything(commune)
    lan = commune.person("lan")
    lan.plays(("/lich province", "kỳ nào?"), ("1", "Xin gõ ngày mới"), (typed, heard), ("17/9", "15/9/2025</b>"))
    assert everything(commune) == before


def test_units_whose_day_would_have_passed_are_warned_of(commune: Commune) -> None:
    commune.moves(days=2)
    lan = commune.person("lan")
    lan.plays(("/lich province", "kỳ nào?"), ("1", "ngày mới"), ("18/9", "báo cáo chưa nộp sẽ quá hạn ngay"))


def test_what_was_extended_or_filed_keeps_its_day(commune: Commune) -> None:
    extended, filed = obligation_id(commune, "KT", "2.11"), obligation_id(commune, "VHXH", "2.7")
    with commune.store.writing() as db:
        db.get_one(Obligation, extended).extended_to = date(2025, 9, 18)
    assert obligation(commune, filed).state == "submitted"
    lan = commune.person("lan")
    lan.plays(("/lich province", "kỳ nào?"), ("1", "ngày mới"), ("26/9", "13 báo cáo chưa nộp"), ("1", "Đã đổi"))
    assert obligation(commune, extended).due_on == obligation(commune, filed).due_on == date(2025, 9, 17)


def test_a_locked_period_stays_whatever_the_calendar(commune: Commune) -> None:
    commune.moves(days=10)
    before = days_of(commune)
    lan = commune.person("lan")
    lan.plays(("/lich province", "Năm 2025 đang gửi tỉnh thứ Sáu, 19/12"), ("huỷ", "Đã dừng"))
    lan.plays(
        ("/lich off", "Nghỉ"), ("18/12", "dịp gì?"), ("Bão", "Năm 2025: đơn vị báo cáo 17/12 → "), ("1", "Đã ghi")
    )
    assert days_of(commune) == before
    assert days_of(commune, "2025-Y")[0] == "2025-12-16"
    commune.moves(days=90)
    assert "Không có kỳ báo cáo nào chưa khoá" in lan.says("/lich province")


def test_a_period_moved_by_hand_keeps_the_provinces_day_and_never_ends_on_a_day_off(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.plays(("/lich province", "kỳ nào?"), ("1", "ngày mới"), ("26/9", "24/9/2025</b>"), ("1", "Đã đổi"))
    lan.plays(("/lich off", "Nghỉ"), ("24/9", "dịp gì?"), ("Bão", "24/9 → <b>thứ Ba, 23/9</b>"), ("1", "Đã ghi"))
    assert days_of(commune) == ("2025-09-23", "2025-09-26", "2025-09-27")


def test_reminders_already_sent_stay_sent(commune: Commune) -> None:
    first = commune.ticks()
    assert "thao" in first
    lan = commune.person("lan")
    lan.plays(("/lich off", "Nghỉ"), ("18/9", "dịp gì?"), ("Bão", "→"), ("1", "Đã ghi"))
    assert commune.ticks() == {}


def test_days_off_that_leave_the_units_no_day_are_warned_of(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.plays(("/lich off", "Nghỉ"), ("16/9-19/9", "dịp gì?"), ("Lũ", "trước khi số liệu chốt (14/9)"))
    assert "xin đổi ngày gửi tỉnh" in lan.last
    commune.moves(days=2)
    lan.plays(("/lich off", "Nghỉ"), ("18/9", "dịp gì?"), ("Lũ", "<b>thứ Ba, 16/9</b>, đã qua"))
    assert "Báo cáo chưa nộp quá hạn ngay" in lan.last


@pytest.mark.parametrize(
    ("days", "heard"),
    [
        ("15/9-17/9", "<b>thứ Sáu, 12/9</b>, đã qua, 14 báo cáo chưa nộp"),
        ("16/9-17/9", "<b>thứ Hai, 15/9</b>, tức hôm nay, 14 báo cáo chưa nộp"),
    ],
)
def test_a_holiday_that_leaves_the_units_no_time_lets_the_provinces_day_move_first(
    commune: Commune, days: str, heard: str
) -> None:
    lan, moved = commune.person("lan"), obligation_id(commune, "KT", "2.11")
    lan.plays(("/lich off", "Nghỉ"), (days, "dịp gì?"), ("Bão số 5", heard))
    assert lan.labels[:3] == ["Đổi ngày gửi tỉnh", "Áp dụng", "Không thay đổi"]
    lan.plays(("[Đổi ngày gửi tỉnh]", "Lịch nghỉ chưa thay đổi"), ("[Đổi ngày gửi tỉnh]", "kỳ nào?"))
    lan.plays(("quý iii", "ngày mới"), ("26/9", "→"), ("áp dụng", "Đã đổi"))
    lan.plays(("/lich off", "Nghỉ"), (days, "dịp gì?"), ("Bão số 5", "Không hạn báo cáo nào thay đổi"))
    assert lan.labels[:2] == ["Áp dụng", "Không thay đổi"]
    lan.plays(("[Áp dụng]", "Đã ghi vào lịch"))
    assert lan.labels == ["Xem lịch"]
    assert obligation(commune, moved).due_on == date(2025, 9, 24)


def test_a_holiday_that_leaves_the_units_no_time_may_still_be_applied(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.plays(("/lich off", "Nghỉ"), ("15/9-17/9", "dịp gì?"), ("Bão số 5", "→"), ("[Áp dụng]", "Đã ghi vào lịch"))
    assert days_of(commune)[0] == "2025-09-12"
    assert lan.labels == ["Đổi ngày gửi tỉnh", "Xem lịch"]
    lan.plays(("[Đổi ngày gửi tỉnh]", "kỳ nào?"))
