"""/start and /invite: codes, consent, names, roles."""

from __future__ import annotations

import sqlite3
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from storage.tables import Account, Audit, Draft, Invite, Member, Organization, Outgoing
from tests.commune import Commune
from tests.people import code_for, code_in, joined, kept, obligation_id


def roles(commune: Commune, chat_id: str) -> set[str]:
    heard = commune.person(chat_id).says("/trogiup").casefold()
    named = ("Cán bộ đầu mối", "Thủ trưởng", "Cán bộ tổng hợp", "Lãnh đạo", "Người theo dõi")
    return {name for name in named if name.casefold() in heard}


def test_a_person_joins_with_a_code(commune: Commune) -> None:
    code = code_for(commune, "staff", "KT", "Trần Thị Mới")
    new = commune.person("new")
    new.plays(
        (f"/start {code}", "lưu họ tên, đơn vị, vai trò"),
        ("[Đồng ý]", "Chào Trần Thị Mới. Anh/chị đã tham gia với vai trò cán bộ đầu mối, Phòng Kinh tế."),
        ("/nhiemvu", "2.9"),
    )
    assert roles(commune, "new") == {"Cán bộ đầu mối"}


@pytest.mark.parametrize(
    "typed", ["{code}", "/start {code}", "/batdau {code}", "{slow}", "/START {slow}", " {code} "]
)
def test_a_code_is_read_however_it_is_typed(commune: Commune, typed: str) -> None:
    code = code_for(commune, "staff", "KT")
    slow = f"{code[:4].lower()} - {code[4:].lower()}"
    heard = commune.person("new").says(typed.format(code=code, slow=slow))
    assert "<b>Phòng Kinh tế</b>" in heard


@pytest.mark.parametrize(
    "typed", ["/start ABCD2345", "ABCD2345", "/start x", "/start '; drop table invite", "/start ²"]
)
def test_a_wrong_code_is_refused(commune: Commune, typed: str) -> None:
    before = kept(commune)
    assert "không đúng, đã dùng hoặc đã hết hạn" in commune.person("new").says(typed)
    assert kept(commune) == before


def test_a_code_serves_one_person(commune: Commune) -> None:
    code = code_for(commune, "staff", "KT")
    first, second = commune.person("first"), commune.person("second")
    assert "Đồng ý" in (first.says(f"/start {code}"), first.labels)[1]
    assert "Đồng ý" in (second.says(f"/start {code}"), second.labels)[1]
    assert "đã tham gia" in first.says("đồng ý")
    assert "không đúng, đã dùng" in second.says("đồng ý")
    assert "cần mã mời" in second.says("/nhiemvu")


def test_a_code_ends_after_two_weeks(commune: Commune) -> None:
    code = code_for(commune, "staff", "KT")
    new = commune.person("new")
    commune.moves(days=13)
    new.says(f"/start {code}")
    commune.moves(days=2)
    assert "đã hết hạn" in new.says("đồng ý")
    assert "đã hết hạn" in commune.person("other").says(code)


def test_the_name_is_proposed_and_can_be_corrected(commune: Commune) -> None:
    new = commune.person("new")
    new.plays(
        (f"/start {code_for(commune, 'head', 'VP')}", "<b>Tên Trên Máy</b>"),
        ("sửa họ tên", "Xin gõ họ và tên"),
        ("0909 123 456", "không có chữ số"),
        ("x", "từ 2 đến 60 chữ cái"),
        ("L" * 61, "từ 2 đến 60 chữ cái"),
        ("quay lại", "đồng ý tham gia không?"),
        ("2", "Xin gõ họ và tên"),
        ("  Lê   Thị <b>Hoa</b> ", "Chào Lê Thị &lt;b&gt;Hoa&lt;/b&gt;. Anh/chị đã tham gia"),
    )
    with commune.store.reading() as db:
        assert db.exec(select(Member).where(Member.name == "Lê Thị <b>Hoa</b>")).one()


def test_a_name_typed_in_pieces_is_kept_whole(commune: Commune) -> None:
    new = commune.person("new")
    new.says(f"/start {code_for(commune, 'staff', 'VP')}")
    new.says("sửa họ tên")
    new.says(unicodedata.normalize("NFD", "Nguyễn Thị Ngọc Ánh"))
    with commune.store.reading() as db:
        assert db.exec(select(Member).where(Member.name == "Nguyễn Thị Ngọc Ánh")).one()


def test_who_refuses_is_not_stored(commune: Commune) -> None:
    code = code_for(commune, "staff", "KT", "Trần Thị Mới")
    new = commune.person("new")
    new.plays((code, "Trần Thị Mới"), ("không tham gia", "không lưu họ tên"), ("/nhiemvu", "cần mã mời"))
    with commune.store.reading() as db:
        assert not any("Trần Thị Mới" in str((row.args, row.answers)) for row in db.exec(select(Draft)))
        assert not db.exec(select(Member).where(Member.name == "Trần Thị Mới")).all()
    assert "đồng ý tham gia không?" in new.says(code)


def test_a_second_code_asks_for_consent_anew(commune: Commune) -> None:
    new = commune.person("new")
    new.says(f"/start {code_for(commune, 'staff', 'KT')}")
    new.says("sửa họ tên")
    heard = new.says(f"/start {code_for(commune, 'leader', None)}")
    assert "<b>lãnh đạo UBND</b>" in heard
    assert "đồng ý tham gia không?" in heard


def test_a_second_role_is_added_to_the_first(commune: Commune) -> None:
    tuan = commune.person("tuan")
    assert not commune.person("tuan").says("/moi").startswith("Mời")
    tuan.plays(
        (f"/start {code_for(commune, 'coordinator', 'VHXH')}", "Phạm Minh Tuấn"),
        ("đồng ý", "Chào Phạm Minh Tuấn"),
        ("/moi", "Mời người tham gia"),
    )
    assert roles(commune, "tuan") == {"Cán bộ đầu mối", "Cán bộ tổng hợp"}
    with commune.store.reading() as db:
        assert len(db.exec(select(Member).where(Member.name == "Phạm Minh Tuấn")).all()) == 1


def test_a_member_who_joins_again_can_correct_their_name(commune: Commune) -> None:
    commune.person("tuan").plays(
        (f"/start {code_for(commune, 'head', 'KT')}", "Phạm Minh Tuấn"),
        ("sửa họ tên", "Xin gõ họ và tên"),
        ("Phạm Minh Tuân", "Chào Phạm Minh Tuân"),
    )


def test_the_same_role_twice_is_one(commune: Commune) -> None:
    joined(commune, "new", "staff", "KT")
    joined(commune, "new", "staff", "KT")
    assert commune.person("new").says("/trogiup").count("Cán bộ đầu mối") == 1


def test_a_stranger_can_do_nothing_but_join(commune: Commune) -> None:
    stranger, before = commune.person("stranger"), kept(commune)
    report = obligation_id(commune, "KT", "2.9")
    for said in (
        "/nhiemvu",
        "/baocao",
        f"/report {report}",
        "/tonghop",
        "/moi",
        "/trogiup",
        "xin chào",
        "tiếp",
        "1",
    ):
        assert "cần mã mời" in stranger.says(said), said
    assert "Không có việc nào" in stranger.says("/huy")
    assert kept(commune) == before


def test_the_command_menu_follows_the_role(commune: Commune) -> None:
    joined(commune, "new", "leader", None)
    (menu,) = [row for row in commune.outbox() if row.kind == "menu"]
    assert [name for name, _ in (menu.args or {})["commands"]] == [
        "summary",
        "absence",
        "calendar",
        "help",
        "cancel",
    ]


def test_who_joined_under_an_earlier_release_gets_the_new_menu_once(commune: Commune) -> None:
    mai = commune.person("mai")
    mai.says("/nhiemvu")
    commune.moves(hours=1)
    commune.restart()
    commune.intake.menu_since = commune.clock.now()
    for said in ("/nhiemvu", "2.8", "/huy"):
        commune.moves(minutes=1)
        mai.says(said)
    commune.person("stranger").says("xin chào")
    (menu,) = [row for row in commune.outbox() if row.kind == "menu"]
    assert menu.account_id == commune.account_id("mai")
    assert ["snooze", "Xin nhắc lại sau"] in (menu.args or {})["commands"]


def test_who_joins_under_this_release_gets_one_menu(commune: Commune) -> None:
    commune.intake.menu_since = commune.clock.now()
    joined(commune, "new", "staff", "KT").says("/nhiemvu")
    assert [row.kind for row in commune.outbox()].count("menu") == 1


def test_the_coordinator_makes_a_code(commune: Commune) -> None:
    lan, new = commune.person("lan"), commune.person("new")
    lan.plays(
        ("/moi", "vai trò nào?"),
        ("thu truong don vi", "Thuộc đơn vị nào?"),
        ("2", "thủ trưởng đơn vị, Phòng Kinh tế?"),
        ("quay lại", "Thuộc đơn vị nào?"),
        ("Phòng Kinh tế", "Tạo mã mời"),
    )
    code = code_in(lan.says("1"))
    new.plays((code, "<b>thủ trưởng đơn vị</b>, <b>Phòng Kinh tế</b>"), ("1", "đã tham gia"))
    assert "Tạo mã mời: lãnh đạo UBND?" in (lan.says("/moi"), lan.says("4"))[1]
    assert "Không tạo mã" in lan.says("không tạo")


def test_a_code_comes_with_a_link_and_its_picture_where_the_platform_has_them(commune: Commune) -> None:
    with commune.store.writing() as db:
        db.exec(select(Organization)).one().join_link = "https://t.me/ten_bot?start={code}"
    lan = commune.person("lan")
    for said in ("/moi", "1", "1"):
        lan.says(said)
    heard = lan.says("1")
    assert f"https://t.me/ten_bot?start={code_in(heard)}" in heard
    assert [row.kind for row in commune.outbox()][-1] == "picture"


def test_a_code_is_nowhere_in_the_database_once_it_was_sent(commune: Commune, tmp_path: Path) -> None:
    with commune.store.writing() as db:
        db.exec(select(Organization)).one().join_link = "https://t.me/ten_bot?start={code}"
    lan = commune.person("lan")
    for said in ("/moi", "1", "1"):
        lan.says(said)
    code = code_in(lan.says("1"))
    commune.person("new").says(f"/start {code}")
    with commune.store.reading() as db:
        assert all(row.body is None and row.args is None for row in db.exec(select(Outgoing)) if row.is_secret)
        assert all(code not in invite.code_hash for invite in db.exec(select(Invite)))
    commune.store.close()
    dumped = sqlite3.connect(tmp_path / "commune.db")
    assert not any(code in line for line in dumped.iterdump())
    dumped.close()
    assert not any(code.encode() in path.read_bytes() for path in tmp_path.glob("commune.db*"))


def test_the_audit_names_members_by_number_only(commune: Commune) -> None:
    joined(commune, "new", "staff", "KT")
    with commune.store.reading() as db:
        lines = db.exec(select(Audit)).all()
        account = db.exec(select(Account).where(Account.chat_id == "new")).one()
    assert [(line.action, line.subject) for line in lines] == [("joined", f"member {account.member_id}")]


def test_a_code_lives_fourteen_days_from_now(commune: Commune) -> None:
    code_for(commune, "staff", "KT")
    with commune.store.reading() as db:
        (invite,) = db.exec(select(Invite)).all()
    assert invite.expires_at - commune.clock.now() == timedelta(days=14)


def test_a_name_typed_in_haste_gets_its_capitals(commune: Commune) -> None:
    new = commune.person("new")
    new.says(f"/start {code_for(commune, 'staff', 'KT', 'Mới')}")
    new.plays(("sửa họ tên", "Xin gõ họ và tên"), ("nguyễn văn tí", "Chào Nguyễn Văn Tí."))


def test_a_command_while_joining_shows_the_question_again(commune: Commune) -> None:
    new = commune.person("new")
    new.says(f"/start {code_for(commune, 'staff', 'KT', 'Trần Thị Mới')}")
    new.plays(("/baocao", "Anh/chị có đồng ý tham gia không?"), ("đồng ý", "đã tham gia"))
