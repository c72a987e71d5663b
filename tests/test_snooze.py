"""Being reminded later: asked for in the chat, kept on its day, seen by the coordinator past the due day."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlmodel import col, select

from storage.absences import add_absence
from storage.tables import Obligation, Snooze
from tests.commune import Commune, Phone
from tests.fakes import account, local
from tests.people import obligation_id, set_state
from tests.test_case import opened
from tests.test_digest import (
    days_heard,
    deliver_at,
    edit_day,
    file,
    give_role,
    heard_on,
    owe,
    plan,
    run_of,
    ticks_at,
)

SOON = date(2025, 9, 17)
"""The units' day of quarter III."""


def only(commune: Commune, unit: str = "VHXH", task: str = "2.1") -> int:
    """Let a unit owe just this one report."""
    file(commune, unit)
    one = obligation_id(commune, unit, task)
    set_state(commune, one, "not_started")
    return one


def member(commune: Commune, chat_id: str) -> int:
    return account(commune.store, chat_id).member_id or 0


def reminded(commune: Commune, chat_id: str = "mai") -> Phone:
    """Someone who just got Monday's digest, two working days before the due day."""
    assert chat_id in ticks_at(commune, local(15, 9, 0))
    return commune.person(chat_id)


def wishes(commune: Commune) -> list[tuple[int, str, bool]]:
    with commune.store.reading() as db:
        rows = db.exec(select(Snooze).order_by(col(Snooze.id))).all()
        return [(row.obligation_id, f"{row.until_at:%d/%m %H:%M}", row.is_past_due) for row in rows]


def test_one_report_is_put_off_until_tomorrow(commune: Commune) -> None:
    one = only(commune)
    reminded(commune).plays(
        ("[Nhắc lại sau]", "Nhắc lại 1 việc vào lúc nào?\n• 2.1 Xử lý các vấn đề phát hiện…: hạn 17/9"),
        ("[Mai]", "Sẽ nhắc lại mục 2.1 Xử lý các vấn đề phát hiện… vào thứ Ba, 16/9, nếu đến lúc đó chưa xong."),
    )
    assert wishes(commune) == [(one, "16/09 00:30", False)]
    assert ticks_at(commune, local(15, 16, 0)) == []
    assert "mai" in ticks_at(commune, local(16, 7, 30))


def test_it_comes_back_on_its_day_where_the_ladder_is_silent_and_then_not_again(commune: Commune) -> None:
    only(commune)
    commune.clock.moment = local(8, 9)
    commune.ticks()
    commune.person("mai").plays(("[Nhắc lại sau]", "?"), ("[Chọn ngày]", "?"), ("10/9", "thứ Tư, 10/9"))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 9), 5)) == ["10/9", "12/9"]


def test_the_rungs_before_its_day_are_left_out(commune: Commune) -> None:
    only(commune)
    commune.clock.moment = local(8, 9)
    commune.ticks()
    commune.person("mai").plays(("[Nhắc lại sau]", "?"), ("[Chọn ngày]", "?"), ("15/9", "thứ Hai, 15/9"))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 9), 10)) == ["15/9", "16/9", "17/9", "18/9"]


def test_a_wish_is_kept_also_before_the_first_rung(commune: Commune) -> None:
    only(commune)
    ticks_at(commune, local(3, 9))  # what was silent for long is asked about
    commune.person("mai").plays(("/nhaclai", "?"), ("chọn ngày", "?"), ("5/9", "thứ Sáu, 5/9"))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 4), 8)) == ["5/9", "8/9"]


def test_it_comes_with_everything_else_in_one_message(commune: Commune) -> None:
    mai = reminded(commune)
    assert mai.labels[-1] == "Nhắc lại sau"
    mai.plays(
        ("[Nhắc lại sau]", "Nhắc lại sau việc nào?"),
        ("[2.8]", "Nhắc lại 1 việc vào lúc nào?"),
        ("mai", "thứ Ba, 16/9"),
    )
    ticks_at(commune, local(16, 9, 0))  # which makes sure that nobody gets two
    assert "còn 3 báo cáo" in mai.last


def test_one_of_several_is_left_out_of_a_digest_before_its_day(commune: Commune) -> None:
    mai = reminded(commune)
    mai.plays(("[Nhắc lại sau]", "?"), ("[2.8]", "?"), ("chọn ngày", "?"), ("17/9", "thứ Tư, 17/9"))
    ticks_at(commune, local(16, 9, 0))
    assert "còn 3 báo cáo" in mai.last
    assert len(re.findall("^• ", mai.last, re.MULTILINE)) == 2
    assert "\nvà 1 việc đã hẹn nhắc sau." in mai.last
    assert "2.8" not in mai.last
    ticks_at(commune, local(17, 9, 0))
    assert "còn 3 báo cáo" in mai.last
    assert len(re.findall("^• ", mai.last, re.MULTILINE)) == 3
    assert "hẹn nhắc sau" not in mai.last


def test_what_is_put_off_is_counted_beside_what_finds_no_room(commune: Commune) -> None:
    give_role(commune, "mai", "KT", "staff")
    ticks_at(commune, local(15, 9, 0))
    mai = commune.person("mai")
    total = int(re.findall(r"còn (\d+) báo cáo", mai.last)[0])
    mai.plays(("[Nhắc lại sau]", "việc nào?"), ("[2.8]", "?"), ("chọn ngày", "?"), ("17/9", "thứ Tư, 17/9"))
    ticks_at(commune, local(16, 9, 0))
    assert f"còn {total} báo cáo" in mai.last
    assert f"\nvà {total - 6} việc khác, 1 việc đã hẹn nhắc sau." in mai.last


def test_what_is_put_off_gets_nobody_a_message_by_itself(commune: Commune) -> None:
    mai = reminded(commune)
    mai.plays(("[Nhắc lại sau]", "?"), ("[Cả 3 việc]", "?"), ("chọn ngày", "?"), ("17/9", "thứ Tư, 17/9"))
    assert "mai" not in ticks_at(commune, local(16, 9, 0))


def test_all_of_them_at_once(commune: Commune) -> None:
    mai = reminded(commune)
    mai.plays(
        ("[Nhắc lại sau]", "việc nào?"),
        ("[Cả 3 việc]", "Nhắc lại 3 việc vào lúc nào?"),
        ("[Chọn ngày]", "Nhắc lại vào ngày nào?"),
        ("thứ tư", "Sẽ nhắc lại 3 việc vào thứ Tư, 17/9"),
    )
    assert days_heard(commune, "mai", run_of(date(2025, 9, 16), 3)) == ["17/9", "18/9"]


def test_this_afternoon_one_message_at_half_past_one(commune: Commune) -> None:
    one = only(commune)
    mai = reminded(commune)
    mai.plays(
        ("[Nhắc lại sau]", "?"),
        ("[Chiều nay]", "Sẽ nhắc lại mục 2.1 Xử lý các vấn đề phát hiện… lúc 13:30 hôm nay"),
    )
    assert ticks_at(commune, local(15, 13, 29)) == []
    assert ticks_at(commune, local(15, 13, 30)) == ["mai"]
    assert mai.last.startswith("Anh/chị hẹn nhắc lại lúc này:\n• 2.1 Xử lý")
    assert mai.tokens == [f"/report {one}"]
    assert ticks_at(commune, local(15, 13, 40)) == []


def test_this_afternoon_nothing_when_it_was_filed_before(commune: Commune) -> None:
    only(commune)
    reminded(commune).plays(("[Nhắc lại sau]", "?"), ("[Chiều nay]", "13:30"))
    file(commune, "VHXH")
    assert ticks_at(commune, local(15, 13, 30)) == []


def test_this_afternoon_is_shown_and_can_be_undone(commune: Commune) -> None:
    only(commune)
    mai = reminded(commune)
    mai.plays(
        ("[Nhắc lại sau]", "?"),
        ("[Chiều nay]", "13:30"),
        ("/nhiemvu", ", nhắc lại chiều nay"),
        ("/nhaclai", "hạn 17/9, đang hẹn chiều nay"),
        ("[Bỏ hẹn]", "Đã bỏ hẹn"),
    )
    mai.says("/nhaclai")
    assert "Bỏ hẹn, nhắc như thường" not in mai.labels
    assert ticks_at(commune, local(15, 13, 30)) == []
    assert "mai" in ticks_at(commune, local(16, 9, 0))


def test_a_newer_wish_takes_the_place_of_this_afternoon(commune: Commune) -> None:
    only(commune)
    reminded(commune).plays(("/nhaclai", "?"), ("[Chiều nay]", "13:30"), ("/nhaclai", "?"), ("[Mai]", "16/9"))
    assert ticks_at(commune, local(15, 13, 30)) == []
    assert "mai" in ticks_at(commune, local(16, 9, 0))


def test_this_afternoon_takes_the_place_of_an_earlier_wish(commune: Commune) -> None:
    one = only(commune)
    mai = reminded(commune)
    mai.plays(("/nhaclai", "?"), ("chọn ngày", "?"), ("17/9", "17/9"))
    for _ in range(2):
        mai.plays(("/nhaclai", "?"), ("[Chiều nay]", "13:30"))
    assert ticks_at(commune, local(15, 13, 30)) == ["mai"]
    assert mai.tokens == [f"/report {one}"]
    assert ticks_at(commune, local(15, 13, 40)) == []
    assert "mai" in ticks_at(commune, local(16, 9, 0))


def test_this_afternoon_only_what_is_still_wished_for_is_said(commune: Commune) -> None:
    mai = reminded(commune)
    mai.plays(("/nhaclai", "?"), ("[Cả 3 việc]", "?"), ("[Chiều nay]", "3 việc lúc 13:30"))
    mai.plays(("/nhaclai 2.8", "?"), ("[Mai]", "16/9"), ("/nhaclai 2.1", "?"), ("[Bỏ hẹn]", "Đã bỏ hẹn"))
    assert ticks_at(commune, local(15, 13, 30)) == ["mai"]
    assert re.findall(r"^• (\S+) ", mai.last, re.MULTILINE) == ["2.13"]


def test_this_afternoon_is_not_offered_when_it_is_afternoon_or_a_day_off(commune: Commune) -> None:
    only(commune)
    mai = commune.person("mai")
    for moment in (local(15, 13, 0), local(14, 9, 0)):
        commune.clock.moment = moment
        mai.says("/nhaclai")
        assert mai.labels[0] == "Mai"
        mai.says("/huy")


def test_a_button_tapped_in_the_evening_means_what_it_says(commune: Commune) -> None:
    only(commune)
    mai = reminded(commune)
    mai.taps("Nhắc lại sau")
    commune.clock.moment = local(15, 16, 0)
    assert "Đã quá giờ nhắc chiều nay" in mai.taps("Chiều nay")
    assert "thứ Ba, 16/9" in mai.taps("Mai")


def test_the_next_working_day_is_called_by_its_name(commune: Commune) -> None:
    owe(commune, "VHXH", due_on=date(2025, 9, 24))
    ticks_at(commune, local(19, 9, 0))
    mai = commune.person("mai")
    mai.taps("Nhắc lại sau")
    mai.taps("Cả ")
    assert "Thứ Hai, 22/9" in mai.labels
    assert "vào thứ Hai, 22/9" in mai.taps("Thứ Hai")


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("31/2", "Không có ngày 31/2: tháng 2 có nhiều nhất 29 ngày. Xin gõ lại ngày."),
        ("31/9", "Không có ngày 31/9: tháng 9 có 30 ngày."),
        ("1/13", "Không có ngày 1/13: một năm có 12 tháng."),
        ("29/2", "Không có ngày 29/2/2026: năm 2026 không nhuận, tháng 2 có 28 ngày. Xin gõ lại ngày."),
        ("29/2/2025", "Không có ngày 29/2/2025: năm 2025 không nhuận"),
        ("chưa biết", "Chưa đọc được ngày."),
        ("15/9", "Ngày 15/9/2025 là hôm nay. Xin gõ một ngày từ 16/9/2025 đến 15/10/2025."),
        ("1/12", "quá xa. Xin gõ một ngày từ 16/9/2025 đến 15/10/2025."),
        ("20/9", 'Thứ Bảy, 20/9 là ngày nghỉ. Ngày làm việc sau đó là thứ Hai, 22/9, xin gõ "22/9"'),
    ],
)
def test_a_day_that_cannot_be_gets_a_sentence_and_is_asked_again(commune: Commune, typed: str, heard: str) -> None:
    only(commune)
    mai = reminded(commune)
    mai.plays(("[Nhắc lại sau]", "?"), ("[Chọn ngày]", "?"), (typed, heard))
    assert "Nhắc lại vào ngày nào?" in mai.last
    assert wishes(commune) == []
    assert "Sẽ nhắc lại" in mai.says("16.9")


def test_past_the_due_day_it_asks_first(commune: Commune) -> None:
    one = only(commune)
    mai = reminded(commune)
    mai.plays(
        ("[Nhắc lại sau]", "?"),
        ("[Chọn ngày]", "?"),
        (
            "26/9",
            "Hạn là thứ Tư, 17/9. Nhắc lại vào ngày đó vẫn kịp. Lùi đến 26/9 thì cán bộ tổng hợp sẽ thấy.",
        ),
    )
    assert mai.labels == ["Nhắc ngày 17/9", "Lùi đến 26/9", "Quay lại"]
    assert wishes(commune) == []
    assert "vào thứ Tư, 17/9, nếu" in mai.taps("Nhắc ngày 17/9")
    assert wishes(commune) == [(one, "17/09 00:30", False)]


def test_on_the_due_day_itself_it_asks_too(commune: Commune) -> None:
    one = only(commune)
    ticks_at(commune, local(17, 9, 0))
    mai = commune.person("mai")
    mai.plays(
        ("/nhaclai", "?"),
        ("[Mai]", "Hạn là hôm nay. Lùi đến 18/9 thì cán bộ tổng hợp sẽ thấy."),
    )
    assert mai.labels == ["Không lùi", "Lùi đến 18/9", "Quay lại"]
    assert mai.taps("Không lùi") == "Không lùi lời nhắc nào."
    assert wishes(commune) == []
    mai.plays(("/nhaclai", "?"), ("[Mai]", "Hạn là hôm nay"), ("[Lùi đến 18/9]", "Ngày này đã quá hạn"))
    assert wishes(commune) == [(one, "18/09 00:30", True)]


@pytest.mark.parametrize("typed", ["/nhaclai 2.1", "/nhaclai 2,1", "/snooze 2.1", "nhắc lại 2,1", "Nhắc lại 2.1"])
def test_a_clause_number_names_what_to_put_off(commune: Commune, typed: str) -> None:
    reminded(commune).plays(
        (typed, "Nhắc lại 1 việc vào lúc nào?\n• 2.1 Xử lý"),
        ("[Mai]", "Sẽ nhắc lại mục 2.1 Xử lý các vấn đề phát hiện… vào thứ Ba, 16/9"),
    )


@pytest.mark.parametrize("typed", ["2.9", "2,9", "2.99", "xyz", "9" * 20])
def test_what_is_not_owed_gets_a_sentence_and_what_can_be_put_off(commune: Commune, typed: str) -> None:
    mai = reminded(commune)
    assert mai.says(f"/nhaclai {typed}") == (
        "Trong 30 ngày tới đơn vị không có việc này phải làm, nên không có lời nhắc để lùi."
        " Các mục có thể lùi: 2.1, 2.8, 2.13."
    )
    assert mai.labels == ["Chọn việc để lùi"]
    assert "Nhắc lại sau việc nào?" in mai.taps("Chọn việc")


def test_the_button_of_a_reminder_whose_report_is_filed_by_now_says_so(commune: Commune) -> None:
    one = only(commune)
    mai = reminded(commune)
    set_state(commune, obligation_id(commune, "VHXH", "2.8"), "not_started")
    set_state(commune, one, "submitted")
    assert "đơn vị không có việc này phải làm" in mai.taps("Nhắc lại sau")
    assert "Các mục có thể lùi: 2.8." in mai.last


def test_it_is_offered_to_those_who_hear_of_a_unit_of_their_own(commune: Commune) -> None:
    for chat_id in ("mai", "hung"):
        phone = commune.person(chat_id)
        assert "/nhaclai – nhắc lại sau, bỏ hẹn" in phone.says("/trogiup")
        assert "Nhắc lại sau" in phone.labels
    for chat_id in ("lan", "chutich", "mattran"):
        phone = commune.person(chat_id)
        assert "/nhaclai" not in phone.says("/trogiup")
        assert "Nhắc lại sau" not in phone.labels


def test_a_due_day_that_is_a_day_off_is_asked_about_on_the_working_day_before(commune: Commune) -> None:
    one = only(commune)
    with commune.store.writing() as db:
        owed = db.get_one(Obligation, one)
        owed.state, owed.due_on = "not_started", date(2025, 9, 21)
    commune.clock.moment = local(16, 9)
    mai = commune.person("mai")
    mai.plays(
        ("/snooze", "?"),
        ("chọn ngày", "?"),
        ("22/9", "Hạn là chủ nhật, 21/9. Nhắc lại vào thứ Sáu, 19/9 vẫn kịp."),
    )
    assert mai.labels[0] == "Nhắc ngày 19/9"


def test_what_is_put_off_past_the_due_day_is_seen_by_the_coordinator(commune: Commune) -> None:
    one = only(commune)
    reminded(commune).plays(
        ("[Nhắc lại sau]", "?"),
        ("[Chọn ngày]", "?"),
        ("26/9", "Hạn là"),
        (
            "[Lùi đến 26/9]",
            "vào thứ Sáu, 26/9, nếu đến lúc đó chưa xong. Ngày này đã quá hạn, cán bộ tổng hợp sẽ thấy.",
        ),
    )
    assert wishes(commune) == [(one, "26/09 00:30", True)]
    for unit in ("KT", "TTPVHCC", "VP"):
        file(commune, unit)
    heard = heard_on(commune, run_of(date(2025, 9, 16), 12))
    assert heard == {
        "hung": ["18/9", "22/9", "25/9"],  # the head still hears that it is late
        "lan": ["22/9", "25/9"],
        "mai": ["26/9"],
    }
    assert "quá hạn 8 ngày lịch, xin lùi nhắc đến 26/9" in commune.person("lan").last


def test_the_summary_shows_what_is_put_off_past_the_due_day(commune: Commune) -> None:
    only(commune)
    mai, lan = reminded(commune), commune.person("lan")
    lan.says("/tonghop missing")
    assert "xin lùi" not in lan.last
    mai.plays(("[Nhắc lại sau]", "?"), ("[Chọn ngày]", "?"), ("26/9", "Hạn là"), ("[Lùi đến 26/9]", "26/9"))
    heard = [lan.says("/tonghop missing")]
    while lan.labels[0].startswith("Xem thêm"):
        heard.append(lan.taps("Xem thêm"))
    lines = [line for line in "\n".join(heard).splitlines() if "xin lùi" in line]
    assert len(lines) == 1
    assert "2.1 " in lines[0]
    assert lines[0].endswith(": hạn 17/9, xin lùi nhắc đến 26/9")


def test_a_newer_wish_takes_the_place_of_one_past_the_due_day(commune: Commune) -> None:
    only(commune)
    mai = reminded(commune)
    mai.plays(("[Nhắc lại sau]", "?"), ("[Chọn ngày]", "?"), ("26/9", "Hạn là"), ("[Lùi đến 26/9]", "26/9"))
    mai.plays(("/nhaclai", "?"), ("mai", "thứ Ba, 16/9"))
    ticks_at(commune, local(22, 9, 0))
    assert "quá hạn 5 ngày lịch" in commune.person("lan").last
    assert "xin lùi" not in commune.person("lan").last


def test_what_is_put_off_shows_among_the_tasks_of_who_put_it_off_until_its_day(commune: Commune) -> None:
    mai = reminded(commune)
    mai.plays(("[Nhắc lại sau]", "?"), ("[2.8]", "?"), ("mai", "thứ Ba, 16/9"))
    lines = [line for line in mai.says("/nhiemvu").splitlines() if "nhắc lại" in line]
    assert len(lines) == 1
    assert lines[0].startswith("• 2.8 ")
    assert lines[0].endswith(", nhắc lại 16/9")
    give_role(commune, "yen", "VHXH", "staff")
    assert "nhắc lại" not in commune.person("yen").says("/nhiemvu")
    commune.clock.moment = local(16, 9)
    assert "nhắc lại" not in mai.says("/nhiemvu")


def test_undone_it_is_reminded_of_as_if_it_had_never_been_put_off(commune: Commune) -> None:
    only(commune)
    commune.clock.moment = local(8, 9)
    commune.ticks()
    mai = commune.person("mai")
    mai.plays(
        ("[Nhắc lại sau]", "?"),
        ("[Chọn ngày]", "?"),
        ("15/9", "thứ Hai, 15/9"),
        ("/nhaclai", "hạn 17/9, đang hẹn 15/9"),
        ("[Bỏ hẹn]", "Đã bỏ hẹn. Các mốc nhắc lại như thường, đến khi xong:\n• 2.1 "),
    )
    assert mai.last.endswith(": hạn 17/9")
    assert "nhắc lại" not in mai.says("/nhiemvu")
    mai.says("/nhaclai")
    assert "Bỏ hẹn, nhắc như thường" not in mai.labels
    assert days_heard(commune, "mai", run_of(date(2025, 9, 9), 10)) == ["12/9", "16/9", "17/9", "18/9"]


def test_a_rung_left_out_before_the_undoing_is_made_up_for(commune: Commune) -> None:
    only(commune)
    ticks_at(commune, local(8, 9, 0))
    mai = commune.person("mai")
    mai.plays(("[Nhắc lại sau]", "?"), ("[Chọn ngày]", "?"), ("17/9", "thứ Tư, 17/9"))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 9), 6)) == []
    mai.plays(("/nhaclai", "?"), ("bỏ hẹn, nhắc như thường", "Đã bỏ hẹn"))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 15), 4)) == ["15/9", "16/9", "17/9", "18/9"]


def test_what_a_digest_left_out_is_not_told_by_it(commune: Commune) -> None:
    only(commune)
    set_state(commune, obligation_id(commune, "VHXH", "2.8"), "not_started")
    plan(commune, local(8, 9))
    mai = commune.person("mai")
    mai.plays(("/nhaclai 2.1", "?"), ("[Chọn ngày]", "?"), ("12/9", "thứ Sáu, 12/9"))
    assert "mai" in deliver_at(commune, local(8, 10))
    assert "và 1 việc đã hẹn nhắc sau" in mai.last
    mai.plays(("/nhaclai 2.1", "?"), ("[Bỏ hẹn]", "Đã bỏ hẹn"))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 9), 3)) == ["9/9"]


def test_what_is_undone_past_the_due_day_is_no_longer_shown_to_the_coordinator(commune: Commune) -> None:
    only(commune)
    mai = reminded(commune)
    mai.plays(("[Nhắc lại sau]", "?"), ("[Chọn ngày]", "?"), ("26/9", "Hạn là"), ("[Lùi đến 26/9]", "26/9"))
    mai.plays(("/nhaclai", "?"), ("[Bỏ hẹn]", "Đã bỏ hẹn"))
    assert days_heard(commune, "mai", run_of(date(2025, 9, 16), 4)) == ["16/9", "17/9", "18/9"]
    ticks_at(commune, local(22, 9, 0))
    assert "quá hạn 5 ngày" in commune.person("lan").last
    assert "xin lùi" not in commune.person("lan").last + commune.person("lan").says("/tonghop missing")
    assert len(wishes(commune)) == 2  # what was wished for stays on record


def test_of_several_only_what_is_put_off_is_undone(commune: Commune) -> None:
    mai = reminded(commune)
    mai.plays(("[Nhắc lại sau]", "?"), ("[2.8]", "?"), ("mai", "thứ Ba, 16/9"))
    mai.plays(("/nhaclai", "?"), ("[2.1 ", "?"))
    assert "Bỏ hẹn, nhắc như thường" not in mai.labels
    mai.plays(("/nhaclai", "?"), ("[Cả 3 việc]", "?"), ("[Bỏ hẹn]", "Đã bỏ hẹn"))
    assert re.findall(r"^• (\S+) ", mai.last, re.MULTILINE) == ["2.8"]
    assert len(wishes(commune)) == 2


def test_colleagues_of_the_unit_still_hear(commune: Commune) -> None:
    give_role(commune, "yen", "VHXH", "staff")
    file(commune, "VP")
    only(commune)
    reminded(commune).plays(("[Nhắc lại sau]", "?"), ("[Chọn ngày]", "?"), ("17/9", "17/9"))
    assert ticks_at(commune, local(16, 9, 0)) == ["thao", "tuan", "yen"]


def test_who_stands_in_can_put_off_what_they_read_for_another(commune: Commune) -> None:
    only(commune)
    with commune.store.writing() as db:
        days = (date(2025, 9, 15), date(2025, 9, 16))
        add_absence(db, 1, member(commune, "mai"), *days, member(commune, "hung"))
    reminded(commune, "hung").plays(("[Nhắc lại sau]", "?"), ("[Chọn ngày]", "?"), ("17/9", "17/9"))
    assert ticks_at(commune, local(16, 9, 0)) == ["thao", "tuan", "yen"]
    assert {"mai", "hung"} < set(ticks_at(commune, local(17, 9, 0)))


def test_a_case_is_put_off_like_a_report(commune: Commune) -> None:
    case = opened(commune)
    file(commune, "VP")
    yen = commune.person("yen")
    yen.plays(("/nhaclai", "• 2.2 Quyết định 12/QĐ-UBND: hạn 3/10"), ("chọn ngày", "?"), ("24/9", "thứ Tư, 24/9"))
    assert wishes(commune) == [(case, "24/09 00:30", False)]
    assert days_heard(commune, "yen", run_of(date(2025, 9, 22), 9)) == ["24/9", "30/9"]


def test_who_has_no_unit_of_their_own_puts_nothing_off(commune: Commune) -> None:
    assert "Chỉ lùi được lời nhắc về việc của đơn vị mình" in commune.person("lan").says("/nhaclai")
    one = obligation_id(commune, "KT", "2.9")
    assert "Chỉ lùi được" in commune.person("lan").says(f"/snooze {one}")
    assert "Chỉ lùi được" not in commune.person("mai").says(f"/snooze {one}")
    assert wishes(commune) == []


def test_nothing_owed_nothing_to_put_off(commune: Commune) -> None:
    file(commune, "VHXH")
    assert "Đơn vị không còn việc nào sắp đến hạn." in commune.person("mai").says("/nhaclai")


def test_items_of_two_units_are_told_apart_and_more_than_five_are_paged(commune: Commune) -> None:
    give_role(commune, "mai", "KT", "staff")
    mai = commune.person("mai")
    mai.says("/nhaclai")
    assert len(set(mai.labels)) == len(mai.labels)
    assert any("Phòng VH-XH" in label for label in mai.labels)
    assert any(label.startswith("Xem thêm") for label in mai.labels)
    assert mai.labels[-2].startswith("Cả ")


def test_a_make_up_saturday_can_be_chosen(commune: Commune) -> None:
    edit_day(commune, date(2025, 9, 20), is_working=True)
    only(commune)
    commune.clock.moment = local(19, 9)
    commune.person("mai").plays(("/nhaclai", "?"), ("[Mai]", "vào thứ Bảy, 20/9"))
    commune.clock.moment += timedelta(hours=1)
    assert "mai" in ticks_at(commune, local(20, 9, 0))


def test_a_day_that_passed_before_it_was_confirmed_is_asked_anew(commune: Commune) -> None:
    one = only(commune)
    mai = reminded(commune)
    mai.plays(("/nhaclai", "?"), ("[Chọn ngày]", "?"), ("18/9", "cán bộ tổng hợp sẽ thấy"))
    commune.clock.moment = local(22, 9)
    mai.plays(("tiếp", "Ngày 18/9/2025 đã qua. Xin gõ một ngày từ 23/9/2025"), ("tiếp", "Nhắc lại vào ngày nào?"))
    assert wishes(commune) == []
    mai.plays(("24/9", "Sẽ nhắc lại mục 2.1 Xử lý các vấn đề phát hiện… vào thứ Tư, 24/9"))
    assert wishes(commune) == [(one, "24/09 00:30", True)]


def test_a_tomorrow_of_yesterday_is_never_the_day_after(commune: Commune) -> None:
    only(commune)
    mai = reminded(commune)
    mai.plays(("[Nhắc lại sau]", "?"))
    commune.moves(days=1)
    mai.plays(("[Mai]", "Lựa chọn này đã cũ"))
    assert wishes(commune) == []


def test_tomorrow_is_asked_anew_on_another_day(commune: Commune) -> None:
    only(commune)
    ticks_at(commune, local(17, 9))
    mai = commune.person("mai")
    mai.plays(("/nhaclai", "?"), ("[Mai]", "Lùi đến 18/9 thì cán bộ tổng hợp sẽ thấy"))
    commune.clock.moment = local(22, 9)
    mai.plays(("tiếp", "Nhắc lại 1 việc vào lúc nào?"))
    assert wishes(commune) == []
