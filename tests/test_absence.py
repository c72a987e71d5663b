"""/absence: from when to when, who stands in, and how it is ended or changed."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from sqlmodel import col, select

from scheduler.watch import keep_surveys, to_survey
from storage.absences import add_absence, away_on
from storage.chats import set_reachable
from storage.tables import NEXT_TICK, Absence, Audit, Obligation, Unit
from tests.commune import Commune, Phone
from tests.fakes import account, local
from tests.people import joined

TODAY = date(2025, 9, 15)


def absences(commune: Commune) -> list[tuple[date, date, bool]]:
    """(first day, last day, has a stand-in) of every absence kept."""
    with commune.store.reading() as db:
        rows = db.exec(select(Absence).order_by(col(Absence.id))).all()
        return [(row.from_on, row.to_on, row.stand_in is not None) for row in rows]


def member_id(commune: Commune, chat_id: str) -> int:
    found = account(commune.store, chat_id).member_id
    assert found is not None
    return found


def settled(commune: Commune, unit: str) -> None:
    """As if a tick had looked at everything the unit owes."""
    with commune.store.writing() as db:
        unit_id = db.exec(select(Unit.id).where(Unit.code == unit)).one()
        for row in db.exec(select(Obligation).where(Obligation.unit_id == unit_id)):
            row.look_on = date(2025, 12, 1)


def woken(commune: Commune) -> set[str]:
    """Units whose obligations the next tick looks at, of those settled before."""
    with commune.store.reading() as db:
        found = select(Unit.code).join(Obligation, col(Obligation.unit_id) == Unit.id)
        return set(db.exec(found.where(Obligation.look_on == NEXT_TICK)).all())


def away(commune: Commune, chat_id: str = "thao", *days: str) -> Phone:
    """Someone who has said to be away, from tomorrow to Friday; their one colleague stands in."""
    phone = commune.person(chat_id)
    for said in ("/vangmat", *(days or ("mai", "19/9")), "1", "1"):
        phone.says(said)
    assert "Đã ghi" in phone.last
    return phone


def test_who_left_since_the_names_were_shown_is_not_taken_for_another(commune: Commune) -> None:
    for chat_id in ("first", "second"):
        joined(commune, chat_id, "staff", "VHXH")
    mai = commune.person("mai")
    mai.plays(("/vangmat", "?"), ("mai", "?"), ("19/9", "?"))
    assert mai.labels[0] == "Trần Văn Hùng"
    with commune.store.writing() as db:
        hung = account(commune.store, "hung").member_id or 0
        add_absence(db, 1, hung, date(2025, 9, 15), date(2025, 9, 30), None)
    mai.plays(("[Trần Văn Hùng]", "Lựa chọn này đã cũ"))


def test_a_person_says_when_they_are_away_and_who_stands_in(commune: Commune) -> None:
    khoa = commune.person("khoa")
    commune.person("thao").plays(
        ("/vangmat", "Anh/chị vắng từ ngày nào?"),
        ("[Mai]", "Vắng từ thứ Ba, 16/9 đến hết ngày nào?"),
        ("thứ sáu", "Ai làm thay anh/chị trong những ngày đó?"),
        ("dang dang KHOA", "vắng từ thứ Ba, 16/9 đến thứ Sáu, 19/9 (4 ngày).\nĐặng Đăng Khoa làm thay."),
        ("đúng, ghi lại", "Đã ghi: anh/chị vắng từ thứ Ba, 16/9 đến thứ Sáu, 19/9."),
    )
    assert absences(commune) == [(date(2025, 9, 16), date(2025, 9, 19), True)]
    assert khoa.last.startswith("Huỳnh Thanh Thảo vắng từ thứ Ba, 16/9 đến thứ Sáu, 19/9 và nhờ anh/chị làm thay.")
    with commune.store.reading() as db:
        thao, stand_in = member_id(commune, "thao"), member_id(commune, "khoa")
        assert away_on(db, 1, date(2025, 9, 15)) == {}
        assert away_on(db, 1, date(2025, 9, 19)) == {thao: stand_in}
        assert [(row.action, row.subject) for row in db.exec(select(Audit))] == [
            ("absence_added", f"member {thao}")
        ]


def test_nothing_is_kept_before_it_is_confirmed(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(("/vangmat", "?"), ("hôm nay", "?"), ("chỉ một ngày", "?"), ("khoa", "Đúng không ạ?"))
    assert absences(commune) == []
    assert "Không có gì thay đổi" in thao.says("không ghi")
    assert absences(commune) == []
    assert commune.person("khoa").bubbles == []


@pytest.mark.parametrize(
    ("first", "last", "kept"),
    [
        ("hôm nay", "chỉ một ngày", (TODAY, TODAY)),
        ("MAI", "20/9", (date(2025, 9, 16), date(2025, 9, 20))),
        ("17/9", "17/9", (date(2025, 9, 17), date(2025, 9, 17))),
        ("ngày 25", "3/10/2025", (date(2025, 9, 25), date(2025, 10, 3))),
        ("15/9", "13/12", (TODAY, date(2025, 12, 13))),
        ("30/12", "5/1", (date(2025, 12, 30), date(2026, 1, 5))),
    ],
)
def test_days_are_read_as_people_type_them(
    commune: Commune, first: str, last: str, kept: tuple[date, date]
) -> None:
    away(commune, "thao", first, last)
    assert absences(commune) == [(*kept, True)]


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("14/9", "Ngày 14/9/2025 đã qua"),
        ("1/1/2027", "quá xa"),
        ("tuần sau", "Chưa đọc được ngày"),
        ("31/2", "Không có ngày 31/2: tháng 2 có nhiều nhất 29 ngày"),
        ("29/2/2025", "Không có ngày 29/2/2025: năm 2025 không nhuận"),
        ("3390", "Chưa đọc được ngày"),
    ],
)
def test_a_first_day_that_cannot_be_is_explained_and_asked_again(commune: Commune, typed: str, heard: str) -> None:
    thao = commune.person("thao")
    thao.says("/vangmat")
    came = thao.says(typed)
    assert heard in came
    assert "Anh/chị vắng từ ngày nào?" in came


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("16/9", "Ngày 16/9/2025 trước ngày bắt đầu. Xin gõ một ngày từ 17/9/2025 đến 15/12/2025."),
        ("16/12/2025", "quá xa. Xin gõ một ngày từ 17/9/2025 đến 15/12/2025.\n\nVắng từ"),
        ("lâu lắm", "Chưa đọc được ngày"),
        ("31/9", "Không có ngày 31/9: tháng 9 có 30 ngày"),
    ],
)
def test_a_last_day_that_cannot_be_keeps_the_first(commune: Commune, typed: str, heard: str) -> None:
    thao = commune.person("thao")
    thao.plays(("/vangmat", "?"), ("17/9", "nhiều nhất 90 ngày"), (typed, heard))
    assert "Vắng từ thứ Tư, 17/9 đến hết ngày nào?" in thao.last
    thao.plays(("quay lại", "vắng từ ngày nào?"), ("18/9", "Vắng từ thứ Năm, 18/9"))


def test_today_stays_the_day_it_was_said_on(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(("/vangmat", "?"), ("mai", "?"), ("19/9", "Ai làm thay"))
    commune.moves(days=1)
    thao.plays(("khoa", "từ thứ Ba, 16/9"), ("đúng, ghi lại", "Đã ghi"))
    assert absences(commune) == [(date(2025, 9, 16), date(2025, 9, 19), True)]


def test_a_first_day_that_has_passed_meanwhile_is_asked_again(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(("/vangmat", "?"), ("hôm nay", "?"), ("19/9", "Ai làm thay"))
    commune.moves(days=1)
    heard = thao.says("khoa")
    assert "đã qua" in heard
    assert "vắng từ ngày nào?" in heard


@pytest.mark.parametrize(("first", "last"), [("17/9", None), ("hôm nay", "16/9"), ("hôm nay", "30/9")])
def test_absences_of_one_person_do_not_overlap(commune: Commune, first: str, last: str | None) -> None:
    thao = away(commune)
    thao.plays(("/vangmat", "sẽ vắng từ thứ Ba, 16/9"), ("báo lần vắng khác", "từ ngày nào?"))
    heard = thao.says(first)
    if last is not None:
        heard = thao.says(last)
    assert "đã báo vắng từ thứ Ba, 16/9 đến thứ Sáu, 19/9, trùng" in heard
    assert len(absences(commune)) == 1


def test_who_is_away_too_is_named_and_not_offered(commune: Commune) -> None:
    away(commune)
    khoa = commune.person("khoa")
    khoa.plays(
        ("/vangmat", "?"),
        ("18/9", "?"),
        ("20/9", "để làm thay.\nHuỳnh Thanh Thảo cũng vắng từ thứ Ba, 16/9 đến thứ Sáu, 19/9."),
    )
    assert khoa.labels == ["Không có ai", "Quay lại"]
    khoa.plays(
        ("thảo", "Xin chọn một trong các nút"),
        ("không có ai", "Từ thứ Năm, 18/9 đến thứ Sáu, 19/9, Trung tâm Phục vụ hành chính công không còn ai"),
        ("1", "Đã ghi"),
    )


def test_who_leaves_a_unit_without_anybody_is_told_and_for_whom_they_stand_in(commune: Commune) -> None:
    mai, hung = commune.person("mai"), commune.person("hung")
    mai.plays(("/vangmat", "?"), ("hôm nay", "?"), ("30/9", "?"), ("hùng", "?"))
    assert "nhận tin" not in mai.says("1")
    hung.plays(("/vangmat", "?"), ("mai", "?"), ("25/9", "Không còn ai cùng đơn vị"))
    unheard = (
        "Không có ai làm thay.\n"
        "Trong những ngày đó Phòng Văn hóa – Xã hội không còn ai nhận tin; cán bộ tổng hợp sẽ được báo.\n"
        "Anh/chị đang được nhờ làm thay Lê Ngọc Mai (vắng từ thứ Hai, 15/9 đến thứ Ba, 30/9)."
    )
    assert unheard in hung.says("không có ai")
    assert hung.says("1").endswith(unheard)
    commune.clock.moment = local(16, 9)
    with commune.store.writing() as db:
        keep_surveys(db, to_survey(db, commune.clock.now()), commune.clock.now())
    assert "lan" in commune.ticks()
    assert "Phòng Văn hóa – Xã hội: những người nhận tin đều vắng đến hết 25/9" in commune.person("lan").last


def test_a_unit_may_be_without_anybody_on_later_days_only(commune: Commune) -> None:
    mai = commune.person("mai")
    mai.plays(
        ("/vangmat", "?"), ("17/9", "?"), ("18/9", "?"), ("không có ai", "những người khác"), ("1", "Đã ghi")
    )
    hung = commune.person("hung")
    hung.plays(("/vangmat", "?"), ("mai", "?"), ("19/9", "Không còn ai cùng đơn vị"))
    assert "Từ thứ Tư, 17/9 đến thứ Năm, 18/9, Phòng Văn hóa – Xã hội không còn ai nhận tin" in hung.says(
        "không có ai"
    )


def test_who_is_away_on_other_days_is_offered(commune: Commune) -> None:
    away(commune)
    khoa = commune.person("khoa")
    khoa.plays(("/vangmat", "?"), ("20/9", "?"), ("21/9", "Ai làm thay anh/chị trong những ngày đó?"))
    assert khoa.labels[0] == "Huỳnh Thanh Thảo"
    assert "cũng vắng" not in khoa.last


def test_who_leaves_while_they_are_chosen_is_chosen_no_more(commune: Commune) -> None:
    khoa = commune.person("khoa")
    khoa.plays(("/vangmat", "?"), ("18/9", "?"), ("19/9", "?"), ("thảo", "Đúng không ạ?"))
    away(commune, "thao", "19/9", "20/9")
    assert "Huỳnh Thanh Thảo cũng vắng từ thứ Sáu, 19/9" in khoa.says("1")
    assert len(absences(commune)) == 1


def test_a_stand_in_who_cannot_be_reached_is_not_offered(commune: Commune) -> None:
    with commune.store.writing() as db:
        set_reachable(db, commune.account_id("khoa"), False)
    thao = commune.person("thao")
    thao.plays(("/vangmat", "?"), ("mai", "?"), ("19/9", "Đặng Đăng Khoa hiện không nhận được tin."))
    assert thao.labels == ["Không có ai", "Quay lại"]


def offered(commune: Commune, chat_id: str) -> list[str]:
    phone = commune.person(chat_id)
    for said in ("/vangmat", *(("cho tôi",) if chat_id == "lan" else ()), "mai", "19/9"):
        phone.says(said)
    return phone.labels


@pytest.mark.parametrize(
    ("chat_id", "labels"),
    [
        ("mai", ["Trần Văn Hùng", "Không có ai"]),
        ("hung", ["Lê Ngọc Mai", "Không có ai"]),
        ("phuc", ["Không có ai"]),
        ("chutich", ["Không có ai"]),
        ("lan", ["Trần Văn Hùng", "Lê Ngọc Mai", "Không có ai"]),
    ],
)
def test_who_may_stand_in_follows_the_role(commune: Commune, chat_id: str, labels: list[str]) -> None:
    assert [label for label in offered(commune, chat_id) if label != "Quay lại"] == labels


def test_leaders_stand_in_for_one_another(commune: Commune) -> None:
    joined(commune, "pct", "leader", None)
    assert offered(commune, "chutich") == ["Trần Thị Mới", "Không có ai", "Quay lại"]


def test_a_long_list_goes_on_and_a_given_name_is_enough(commune: Commune) -> None:
    for number in range(6):
        joined(commune, f"new{number}", "staff", "TTPVHCC")
    names = offered(commune, "thao")
    assert len(names) == 8
    assert len(set(names)) == 8, "people of one name are told apart"
    assert names[-3:] == ["Xem thêm 2", "Không có ai", "Quay lại"]
    thao = commune.person("thao")
    thao.taps("Xem thêm")
    assert len(thao.labels) == 4
    thao.plays(("quay lại", "Ai làm thay"), ("mới", "Xin chọn một trong các nút"))
    thao.plays((unicodedata.normalize("NFD", "Khoa"), "Đặng Đăng Khoa làm thay"))


def test_a_running_absence_is_ended_today(commune: Commune) -> None:
    away(commune)
    commune.moves(days=2)
    thao, khoa = commune.person("thao"), commune.person("khoa")
    thao.plays(("/vangmat", "Anh/chị đang vắng từ thứ Ba, 16/9"), ("[Đi làm lại]", "đi làm lại từ hôm nay"))
    assert absences(commune) == [(date(2025, 9, 16), date(2025, 9, 16), True)]
    assert khoa.last == "Huỳnh Thanh Thảo cho biết đã đi làm lại: anh/chị không phải làm thay nữa."


def test_a_coming_absence_is_taken_back(commune: Commune) -> None:
    thao, khoa = away(commune), commune.person("khoa")
    thao.plays(("/vangmat", "sẽ vắng"), ("[Không vắng]", "Đã bỏ lần vắng từ thứ Ba, 16/9"))
    assert absences(commune) == []
    assert "đã bỏ lần vắng" in khoa.last
    assert "vắng từ ngày nào?" in thao.says("/vangmat")


def test_cancel_typed_there_takes_nothing_back(commune: Commune) -> None:
    away(commune).plays(("/vangmat", "sẽ vắng"), ("huỷ", "Đã dừng"))
    assert len(absences(commune)) == 1


def test_the_stand_in_is_changed_and_both_are_told(commune: Commune) -> None:
    new, khoa = joined(commune, "new", "staff", "TTPVHCC"), commune.person("khoa")
    commune.person("thao").plays(("/vangmat", "?"), ("mai", "?"), ("19/9", "?"), ("khoa", "?"), ("1", "Đã ghi"))
    commune.person("thao").plays(
        ("/vangmat", "Đặng Đăng Khoa làm thay"),
        ("đổi người làm thay", "Ai làm thay"),
        ("mới", "Đổi người làm thay: anh/chị vắng"),
        ("1", "Trần Thị Mới làm thay."),
    )
    assert "không phải làm thay nữa" in khoa.last
    assert "nhờ anh/chị làm thay" in new.last
    assert len(absences(commune)) == 1


def test_the_coordinator_reports_another_person_away(commune: Commune) -> None:
    tuan, dung = commune.person("tuan"), commune.person("dung")
    commune.person("lan").plays(
        ("/vangmat", "Báo vắng mặt cho ai?"),
        ("cho người khác", "đơn vị nào?"),
        ("phong kinh te", "Ai vắng mặt?"),
        ("tuấn", "Phạm Minh Tuấn vắng từ ngày nào?"),
        ("mai", "?"),
        ("17/9", "Ai làm thay Phạm Minh Tuấn"),
        ("1", "Phạm Minh Tuấn vắng từ thứ Ba, 16/9 đến thứ Tư, 17/9"),
        ("1", "Đã ghi: Phạm Minh Tuấn vắng"),
    )
    assert tuan.last.startswith("Nguyễn Thị Lan đã ghi anh/chị vắng từ thứ Ba, 16/9 đến thứ Tư, 17/9.")
    assert dung.last.startswith("Nguyễn Thị Lan đã ghi Phạm Minh Tuấn vắng")
    commune.person("lan").plays(
        (f"/absence {member_id(commune, 'tuan')}", "Phạm Minh Tuấn sẽ vắng"),
        ("[Không vắng]", "của Phạm Minh Tuấn"),
    )
    assert "của anh/chị" in tuan.last
    assert absences(commune) == []


def test_only_the_coordinator_does_so(commune: Commune) -> None:
    other = member_id(commune, "thao")
    for chat_id in ("khoa", "chutich", "mattran", "tuan"):
        assert "chưa có quyền" in commune.person(chat_id).says(f"/absence {other}"), chat_id
    assert "chưa có quyền" in commune.person("mattran").says("/vangmat")
    assert "cần mã mời" in commune.person("stranger").says("/vangmat")
    assert "Không có người này" in commune.person("lan").says("/absence 99999")
    assert "vắng từ ngày nào?" in commune.person("thao").says(f"/absence {other}")


def test_what_is_told_waits_for_office_hours(commune: Commune) -> None:
    commune.clock.moment = local(19, 20, 0)
    thao, khoa = commune.person("thao"), commune.person("khoa")
    thao.plays(("/vangmat", "?"), ("22/9", "?"), ("23/9", "?"), ("khoa", "?"), ("1", "Đã ghi"))
    assert khoa.bubbles == []
    commune.clock.moment = local(22, 7, 29)
    assert commune.deliver() == {}
    commune.clock.moment = local(22, 7, 30)
    assert list(commune.deliver()) == ["khoa"]


def test_reminders_move_at_once(commune: Commune) -> None:
    with commune.store.writing() as db:
        for row in db.exec(select(Obligation)):
            row.look_on = None
    thao = commune.person("thao")
    for begin in (
        ("/vangmat", "mai", "19/9", "khoa"),
        ("/vangmat", "đổi người làm thay", "không có ai"),
        ("/vangmat",),
    ):
        for said in begin:
            thao.says(said)
        settled(commune, "TTPVHCC")
        assert woken(commune) == set()
        thao.taps(thao.labels[0])
        assert woken(commune) == {"TTPVHCC"}
