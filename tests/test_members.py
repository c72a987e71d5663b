"""/members: who is in which unit, how they are reached, and their work phones."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import select

from handlers.members import a_phone
from handlers.talk import Misunderstood
from storage.absences import add_absence
from storage.chats import set_reachable
from storage.tables import Audit, Member, Membership, Unit
from tests.commune import Commune
from tests.fakes import account
from tests.people import code_for, joined


def close(commune: Commune, *chat_ids: str) -> None:
    with commune.store.writing() as db:
        for chat_id in chat_ids:
            set_reachable(db, commune.account_id(chat_id), False)


def member_id(commune: Commune, chat_id: str) -> int:
    return account(commune.store, chat_id).member_id or 0


def unit_id(commune: Commune, code: str) -> int:
    with commune.store.reading() as db:
        return db.exec(select(Unit.id).where(Unit.code == code)).one() or 0


def phone_of(commune: Commune, chat_id: str) -> str | None:
    with commune.store.reading() as db:
        return db.get_one(Member, member_id(commune, chat_id)).phone


@pytest.mark.parametrize("typed", ["/members", "/thanhvien", "thành viên", "THANH VIEN", "/thanhvien gì đó"])
def test_the_overview_counts_and_offers_the_units(commune: Commune, typed: str) -> None:
    lan = commune.person("lan")
    heard = lan.says(typed)
    assert heard.startswith("<b>12 người</b>, 6 đơn vị có người.")
    assert "Cần liên hệ" not in heard
    assert lan.labels[:2] == ["Phòng Văn hóa – Xã hội", "Phòng Kinh tế"]
    lan.taps("Xem thêm 3")
    assert lan.labels[-1] == "UBND xã"


def test_troubles_come_first(commune: Commune) -> None:
    close(commune, "tuan", "dung")
    code_for(commune, "staff", "VP", "Trần Thị Mới")
    commune.moves(days=8)
    heard = commune.person("lan").says("/thanhvien")
    assert "2 người không nhận được tin" in heard
    assert "• Phòng Kinh tế: chưa có ai nhận tin, còn báo cáo phải gửi\n• Phạm Minh Tuấn (Phòng Kinh tế):" in heard
    assert "• Trần Thị Mới, cán bộ đầu mối (Văn phòng HĐND&amp;UBND): chưa tham gia" in heard


def test_many_troubles_go_on_page_by_page(commune: Commune) -> None:
    close(commune, "tuan", "dung", "thao", "khoa", "yen", "son")
    lan = commune.person("lan")
    heard = lan.says("/thanhvien")
    assert "và 4 trường hợp khác" in heard
    assert len(heard.splitlines()) <= 14
    first = lan.taps("Xem cả 9 trường hợp")
    second = lan.taps("Xem thêm 4")
    lines = [line for line in (first + "\n" + second).splitlines() if line.startswith("•")]
    assert len(set(lines)) == 9
    assert "<b>12 người</b>" in lan.taps("Các đơn vị")


def test_a_unit_says_how_each_is_reached(commune: Commune) -> None:
    close(commune, "dung")
    today = date(2025, 9, 15)
    with commune.store.writing() as db:
        tuan, dung = member_id(commune, "tuan"), member_id(commune, "dung")
        add_absence(db, 1, tuan, today, today + timedelta(days=4), dung)
        db.add(Member(organization_id=1, name="Ai Đó", joined_at=commune.clock.now()))
    lan = commune.person("lan")
    lan.says("/thanhvien")
    heard = lan.taps("Phòng Kinh tế")
    assert "• Phạm Minh Tuấn, cán bộ đầu mối: vắng đến hết 19/9, Võ Thị Dung làm thay" in heard
    assert "• Võ Thị Dung, thủ trưởng đơn vị: không nhận được tin" in heard
    assert "1 người đang vắng" in lan.taps("Các đơn vị")


def test_a_unit_says_who_will_be_away(commune: Commune) -> None:
    first, second = date(2025, 9, 16), date(2025, 10, 6)
    with commune.store.writing() as db:
        mai, hung = member_id(commune, "mai"), member_id(commune, "hung")
        add_absence(db, 1, mai, second, second, None)
        add_absence(db, 1, mai, first, date(2025, 9, 30), hung)
    head = commune.person("hung")
    heard = head.says("/thanhvien")
    assert "• Lê Ngọc Mai, cán bộ đầu mối: vắng từ 16/9 đến hết 30/9, Trần Văn Hùng làm thay" in heard
    assert "Sẽ vắng từ thứ Ba, 16/9 đến thứ Ba, 30/9. Trần Văn Hùng làm thay." in head.taps("Lê Ngọc Mai")
    commune.moves(days=1)
    assert ": vắng đến hết 30/9, Trần Văn Hùng làm thay; vắng ngày 6/10" in head.says("/thanhvien")


def test_a_unit_names_who_was_invited_and_since_when(commune: Commune) -> None:
    code_for(commune, "staff", "TTDVTH", "Trần Thị Mới")
    lan, unit = commune.person("lan"), unit_id(commune, "TTDVTH")
    heard = lan.says(f"/members {unit}")
    assert "Chưa có ai." in heard
    assert "• Trần Thị Mới, cán bộ đầu mối, mời 15/9 lúc 14:00" in heard
    commune.moves(days=15)
    assert "mã đã hết hạn" in lan.says(f"/members {unit}")
    new = joined(commune, "new", "staff", "TTDVTH")
    assert new.bubbles
    assert "• Trần Thị Mới, cán bộ đầu mối\n" in lan.says(f"/members {unit}")


def test_a_big_unit_goes_on_page_by_page_and_namesakes_are_told_apart(commune: Commune) -> None:
    for number in range(6):
        joined(commune, f"new{number}", "staff", "KT")
    lan, seen = commune.person("lan"), []
    lan.says(f"/members {unit_id(commune, 'KT')}")
    seen += lan.labels[:5]
    lan.taps("Xem thêm 3")
    seen += lan.labels[:3]
    assert len(set(seen)) == 8
    assert lan.labels[3:] == ["Các đơn vị"]


def test_the_coordinator_writes_down_a_phone_and_the_person_is_told(commune: Commune) -> None:
    tuan, lan = commune.person("tuan"), commune.person("lan")
    lan.says(f"/members {unit_id(commune, 'KT')}")
    lan.plays(
        ("[Phạm Minh Tuấn]", "Điện thoại: chưa ghi"),
        ("[Ghi số điện thoại]", "Xin gõ số điện thoại công việc của Phạm Minh Tuấn"),
        ("không biết", "cần đủ 10 chữ số"),
        ("+84 912.345.678", "Đã ghi số điện thoại của Phạm Minh Tuấn: 0912 345 678."),
        ("[Phạm Minh Tuấn]", "Điện thoại: 0912 345 678"),
    )
    assert phone_of(commune, "tuan") == "0912345678"
    assert tuan.last.startswith("Nguyễn Thị Lan đã ghi số điện thoại công việc của anh/chị: 0912 345 678.")
    lan.plays(
        ("[Sửa số điện thoại]", "đang ghi là 0912 345 678"),
        ("[Xoá số]", "Đã xoá số điện thoại của Phạm Minh Tuấn."),
    )
    assert phone_of(commune, "tuan") is None
    with commune.store.reading() as db:
        lines = [(row.action, row.subject) for row in db.exec(select(Audit))]
    about = f"member {member_id(commune, 'tuan')}"
    assert lines == [("phone_written", about), ("phone_erased", about)]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("0912345678", "0912345678"),
        (" 0912 345 678 ", "0912345678"),
        ("0912.345.678", "0912345678"),
        ("(0912) 345-678", "0912345678"),
        ("+84912345678", "0912345678"),
        ("+84 912 345 678", "0912345678"),
        ("84912345678", "0912345678"),
        ("０９１２３４５６７８", "0912345678"),
        ("091234567", None),
        ("09123456789", None),
        ("0012345678", None),
        ("+85 912 345 678", None),
        ("912345678", None),
        ("0912 345 67x", None),
        ("", None),
    ],
)
def test_a_number_is_read_however_it_is_spaced(typed: str, read: str | None) -> None:
    if read is not None:
        assert a_phone(typed) == read
        return
    with pytest.raises(Misunderstood):
        a_phone(typed)


def test_a_head_sees_the_own_unit_and_changes_nothing(commune: Commune) -> None:
    dung, kt, vp = commune.person("dung"), unit_id(commune, "KT"), unit_id(commune, "VP")
    tuan = member_id(commune, "tuan")
    assert dung.says("/thanhvien").startswith("<b>Phòng Kinh tế</b>: 2 người")
    assert dung.labels == ["Phạm Minh Tuấn", "Võ Thị Dung"]
    assert "Điện thoại: chưa ghi" in dung.taps("Phạm Minh Tuấn")
    assert dung.labels == ["Về đơn vị"]
    for said in (f"/members {vp}", f"/members {kt} {tuan} phone", "/members 0", f"/members {vp} {tuan}"):
        assert "chưa có quyền" in dung.says(said), said
    assert "0909" not in dung.says("0909 123 456")
    assert phone_of(commune, "tuan") is None


def test_a_head_of_two_units_sees_both_and_no_other(commune: Commune) -> None:
    dung = joined(commune, "dung", "head", "VP")
    heard = dung.says("/thanhvien")
    assert "<b>4 người</b>" in heard
    assert dung.labels == ["Phòng Kinh tế", "Văn phòng HĐND&UBND"]


@pytest.mark.parametrize("chat_id", ["tuan", "chutich", "mattran"])
def test_others_have_no_list_of_people(commune: Commune, chat_id: str) -> None:
    phone, kt = commune.person(chat_id), unit_id(commune, "KT")
    for said in ("/thanhvien", f"/members {kt}", f"/members {kt} {member_id(commune, 'tuan')}"):
        assert "chưa có quyền" in phone.says(said), said
    assert "cần mã mời" in commune.person("stranger").says(f"/members {kt}")


@pytest.mark.parametrize("said", ["999999999", "999 1", "{kt} 999999", "{vp} {tuan}", "{kt} 999999 phone"])
def test_what_is_not_there_is_said(commune: Commune, said: str) -> None:
    ids = {"kt": unit_id(commune, "KT"), "vp": unit_id(commune, "VP"), "tuan": member_id(commune, "tuan")}
    assert commune.person("lan").says(f"/members {said.format(**ids)}").startswith("Không có")


def test_from_a_card_the_person_is_reported_away(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.says(f"/members {unit_id(commune, 'KT')} {member_id(commune, 'tuan')}")
    assert "Phạm Minh Tuấn vắng từ ngày nào?" in lan.taps("Vắng mặt")


def test_a_right_lost_meanwhile_ends_the_talk(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.says(f"/members {unit_id(commune, 'KT')} {member_id(commune, 'tuan')} phone")
    with commune.store.writing() as db:
        db.exec(select(Membership).where(Membership.member_id == member_id(commune, "lan"))).one().role = "staff"
    assert "chưa có quyền" in lan.says("0912 345 678")
    assert phone_of(commune, "tuan") is None
