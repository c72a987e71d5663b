"""What a digest says to its different readers: those who report, their head, who stands in for somebody."""

from __future__ import annotations

from datetime import date

import pytest
from sqlmodel import col, delete, select

from storage.absences import add_absence
from storage.chats import set_reachable
from storage.tables import Membership, Obligation
from tests.commune import Commune
from tests.fakes import account, local
from tests.people import joined
from tests.test_case import opened
from tests.test_digest import file, give_role, obligations, owe, ticks_at
from tests.test_silence import quiet

CLERKS_WORDS = "Chưa có số"


def member(commune: Commune, chat_id: str) -> int:
    return account(commune.store, chat_id).member_id or 0


def away(commune: Commune, chat_id: str, stand_in: str | None, last: int = 30) -> None:
    days = (date(2025, 9, 1), date(2025, 9, last))
    with commune.store.writing() as db:
        substitute = member(commune, stand_in) if stand_in else None
        add_absence(db, 1, member(commune, chat_id), *days, substitute)


def loses_chat(commune: Commune, chat_id: str) -> None:
    with commune.store.writing() as db:
        set_reachable(db, commune.account_id(chat_id), False)


def leaves(commune: Commune, chat_id: str) -> None:
    """Loses every role."""
    with commune.store.writing() as db:
        db.exec(delete(Membership).where(col(Membership.member_id) == member(commune, chat_id)))


def reads(commune: Commune, chat_id: str, day: int, month: int = 9) -> str:
    """This person's digest of a day, of September where nothing else is said."""
    assert chat_id in ticks_at(commune, local(day, 7, 30, month))
    return commune.person(chat_id).last


def burden(commune: Commune) -> None:
    """All that can come together on 1/10: Phòng Kinh tế and TTPVHCC late in many ways, nothing heard of the year's
    work since March, two people out of reach, and the coordinator of the staff of Phòng Kinh tế."""
    give_role(commune, "lan", "KT", "staff")
    with commune.store.writing() as db:
        for row in db.exec(select(Obligation)):
            row.alive_at = local(1, month=3)
        late = [row for unit in ("KT", "TTPVHCC") for row in obligations(db, unit) if row.state == "not_started"]
        for number, row in enumerate(late):
            row.state, row.due_on = ("draft", "returned")[number % 2], date(2025, 9, 15 + number % 5)
    for chat_id in ("mai", "phuc"):
        loses_chat(commune, chat_id)


def test_the_head_reads_who_has_it_and_is_asked_to_urge_not_to_report(commune: Commune) -> None:
    heard = reads(commune, "dung", 18)
    assert "Phòng Kinh tế còn 5 báo cáo" in heard
    assert "quá hạn 1 ngày lịch" in heard
    assert heard.endswith("Cán bộ đầu mối: Phạm Minh Tuấn. Xin anh/chị đôn đốc.")
    assert "Báo cáo 2.9" in commune.person("dung").labels
    assert "Cán bộ đầu mối" not in commune.person("tuan").last


def test_what_a_message_is_written_for_is_never_among_the_others(commune: Commune) -> None:
    owe(commune, "KT", due_on=date(2025, 9, 10))
    with commune.store.writing() as db:
        obligations(db, "KT")[-1].due_on = date(2025, 9, 16)
    assert "2.17" in reads(commune, "tuan", 16)
    heard = reads(commune, "tuan", 17)  # for that one alone
    assert heard.count("• ") == 5
    assert "• 2.17 " in heard
    assert "và 2 việc khác." in heard
    assert "Báo cáo 2.17" in commune.person("tuan").labels


def test_of_many_staff_the_head_reads_three_names(commune: Commune) -> None:
    for number in range(4):
        joined(commune, f"new{number}", "staff", "KT")
    assert "Cán bộ đầu mối: Phạm Minh Tuấn, Trần Thị Mới, Trần Thị Mới và 2 người khác." in reads(
        commune, "dung", 18
    )


def test_the_head_reads_who_stands_in_for_the_staff(commune: Commune) -> None:
    away(commune, "thao", "yen")
    heard = reads(commune, "khoa", 18)
    assert "Cán bộ đầu mối: Huỳnh Thanh Thảo (vắng, Bùi Hải Yến làm thay). Xin anh/chị đôn đốc." in heard


@pytest.mark.parametrize(
    ("day", "why"),
    [(8, "không nhận được tin"), (16, "không nhận được tin"), (16, "vắng")],
)
def test_a_head_who_alone_hears_is_told_so(commune: Commune, day: int, why: str) -> None:
    asked = "giao người khác" if why == "vắng" else "nhắc trực tiếp"
    if why == "vắng":
        away(commune, "tuan", None)
    else:
        loses_chat(commune, "tuan")
    heard = reads(commune, "dung", day)
    assert f"Cán bộ đầu mối: Phạm Minh Tuấn ({why}). Chỉ anh/chị nhận tin, xin {asked}." in heard
    assert CLERKS_WORDS not in heard


def test_the_head_of_a_unit_without_staff_is_told_so(commune: Commune) -> None:
    leaves(commune, "tuan")
    assert "Đơn vị chưa có cán bộ đầu mối, chỉ anh/chị nhận tin." in reads(commune, "dung", 16)


def test_who_is_head_and_staff_of_one_unit_reads_what_staff_read(commune: Commune) -> None:
    give_role(commune, "dung", "KT", "staff")
    heard = reads(commune, "dung", 16)
    assert CLERKS_WORDS in heard
    assert "Cán bộ đầu mối" not in heard


def test_a_head_of_two_units_reads_who_has_it_in_each(commune: Commune) -> None:
    give_role(commune, "dung", "VHXH", "head")
    heard = reads(commune, "dung", 18)
    assert "Cán bộ đầu mối Phòng Kinh tế: Phạm Minh Tuấn." in heard
    assert "Cán bộ đầu mối Phòng VH-XH: Lê Ngọc Mai." in heard


def test_a_head_asked_about_silence_alone_is_told_why_and_only_once(commune: Commune) -> None:
    quiet(commune, local(1, month=4))
    loses_chat(commune, "mai")
    why = "Cán bộ đầu mối: Lê Ngọc Mai (không nhận được tin)."
    assert "hung" in ticks_at(commune, local(2, 9, month=6))
    assert "Lâu chưa có tin" in commune.person("hung").last
    assert commune.person("hung").last.count(why) == 1


def test_a_head_of_two_units_reads_who_has_what_is_late_and_who_has_what_is_silent(commune: Commune) -> None:
    give_role(commune, "dung", "VHXH", "head")
    quiet(commune, local(1, month=4))
    loses_chat(commune, "mai")
    with commune.store.writing() as db:
        late = obligations(db, "KT")[0]
        late.state, late.due_on = "not_started", date(2025, 5, 28)
    heard = reads(commune, "dung", 2, 6)
    who = [line.split(".")[0] for line in heard.splitlines() if line.startswith("Cán bộ đầu mối")]
    assert who == ["Cán bộ đầu mối: Phạm Minh Tuấn", "Cán bộ đầu mối: Lê Ngọc Mai (không nhận được tin)"]


def test_a_stand_in_who_is_back_reads_what_nobody_could_read_at_once(commune: Commune) -> None:
    file(commune, "VHXH")
    away(commune, "tuan", "mai")
    for chat_id in ("mai", "dung"):
        loses_chat(commune, chat_id)
    assert "mai" not in ticks_at(commune, local(16, 7, 30))
    with commune.store.writing() as db:
        set_reachable(db, commune.account_id("mai"), True)
    assert ticks_at(commune, local(16, 9)) == ["mai"]
    assert "Phòng Kinh tế còn" in commune.person("mai").last


def heading(commune: Commune, chat_id: str, day: int) -> str:
    return reads(commune, chat_id, day).splitlines()[0]


def test_who_stands_in_reads_in_whose_place_and_in_which_unit(commune: Commune) -> None:
    away(commune, "thao", "yen")
    assert heading(commune, "yen", 16) == (
        "<b>Nhắc việc thứ Ba, 16/9</b>, có việc làm thay Huỳnh Thanh Thảo (TTPVHCC)"
    )
    assert "làm thay" not in heading(commune, "mai", 17)


def test_whose_part_is_empty_is_not_named(commune: Commune) -> None:
    away(commune, "thao", "yen")
    file(commune, "TTPVHCC")
    assert "làm thay" not in heading(commune, "yen", 16)


def test_a_head_reads_whose_work_they_do_and_is_not_asked_to_urge(commune: Commune) -> None:
    away(commune, "tuan", "dung")
    heard = reads(commune, "dung", 18)
    assert heard.splitlines()[0].endswith(", có việc làm thay Phạm Minh Tuấn (Phòng Kinh tế)")
    assert "Cán bộ đầu mối" not in heard


def test_who_would_read_it_anyway_reads_no_other_name(commune: Commune) -> None:
    give_role(commune, "yen", "TTPVHCC", "staff")
    away(commune, "thao", "yen")
    assert "làm thay" not in heading(commune, "yen", 16)


def test_who_stands_in_for_several_reads_each_once(commune: Commune) -> None:
    away(commune, "mai", "hung")
    away(commune, "lan", "hung")
    assert heading(commune, "hung", 22).partition(", có việc làm thay ")[2] == (
        "Lê Ngọc Mai (Phòng VH-XH), Nguyễn Thị Lan (cán bộ tổng hợp)"
    )


def test_who_stands_in_for_a_head_who_alone_hears_is_named_once(commune: Commune) -> None:
    away(commune, "tuan", None)
    away(commune, "dung", "son")
    heard = reads(commune, "son", 18)
    assert heard.splitlines()[0].endswith(", có việc làm thay Võ Thị Dung (Phòng Kinh tế)")
    assert "Cán bộ đầu mối Phòng Kinh tế: Phạm Minh Tuấn (vắng). Chỉ anh/chị nhận tin" in heard


@pytest.mark.parametrize(
    ("event", "day", "heard"),
    [
        ("20/8", 15, "Văn phòng HĐND&amp;UBND còn 1 báo cáo quý III năm 2025 và 1 vụ việc:"),
        ("9/8", 8, "Văn phòng HĐND&amp;UBND chuẩn bị 1 báo cáo quý III năm 2025 và xử lý 1 vụ việc:"),
    ],
)
def test_reports_and_cases_are_counted_apart_and_the_quarter_is_the_reports(
    commune: Commune, event: str, day: int, heard: str
) -> None:
    commune.clock.moment = local(8, 6, 0)
    opened(commune, event=event)
    said = reads(commune, "yen", day)
    assert heard in said.splitlines()
    assert "• 2.2 vụ việc: Quyết định 12/QĐ-UBND" in said
    assert ("Số liệu tính đến hết 14/9." in said) is ("chuẩn bị" in heard)


def test_a_case_alone_has_no_quarter(commune: Commune) -> None:
    opened(commune, event="18/8")
    file(commune, "VP")
    assert "Văn phòng HĐND&amp;UBND còn 1 vụ việc, hạn" in reads(commune, "yen", 16)


def test_what_a_phone_does_not_show_at_once_is_said_in_brief_from_the_end(commune: Commune) -> None:
    burden(commune)
    heard = reads(commune, "lan", 1, month=10)
    assert heard.splitlines()[-3:] == [
        "Cả xã có <b>14 việc quá hạn</b>, lâu nhất 16 ngày lịch (Phòng Kinh tế).",
        "Lâu chưa có tin về 3 nhiệm vụ trong năm: 1.2, 2.10…",
        "Chưa liên hệ được: Lê Ngọc Mai và 1 trường hợp khác (/thanhvien).",
    ]
    assert heard.count("• ") == 5
    assert {"Ai chưa báo cáo", "Xem tổng hợp", "Báo cáo 2.8"} < set(commune.person("lan").labels)


def test_buttons_take_room_too(commune: Commune) -> None:
    assert reads(commune, "thao", 1, month=10).endswith("Lâu chưa có tin về 2 nhiệm vụ trong năm: 2.14, 2.15.")
    assert len(commune.person("thao").labels) == 8


def test_the_first_part_is_told_in_full_and_what_fits_with_it(commune: Commune) -> None:
    burden(commune)
    heard = reads(commune, "tuan", 1, month=10)
    assert heard.splitlines()[-1].startswith("Lâu chưa có tin về 3 nhiệm vụ trong năm:")
    file(commune, "KT")
    heard = reads(commune, "lan", 16, month=10)
    assert "• TTPVHCC: 5 việc, lâu nhất quá hạn" in heard
    assert "Lâu chưa có tin" in heard


def test_items_of_several_units_and_days_are_three_for_each_takes_more_lines(commune: Commune) -> None:
    burden(commune)
    give_role(commune, "tuan", "TTPVHCC", "staff")
    assert reads(commune, "tuan", 1, month=10).count("quá hạn") == 3
    assert "Xem cả 10 việc" in commune.person("tuan").labels
