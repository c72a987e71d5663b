"""/case: an event starts a clock of its own; the case is opened, followed and closed in a talk."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from bot.assemble import PLAN, load_commune
from handlers.case import words_of
from plans.calendar import legal_deadline, shipped_calendar
from plans.file import read_plan
from plans.model import Deadline
from storage.calendar import remove_days, set_days
from storage.tables import NEXT_TICK, Account, Audit, CaseFile, Membership, Obligation
from tests.commune import Commune, Phone
from tests.fakes import local
from tests.people import joined, kept, obligation, obligation_id
from tests.test_digest import edit_day, file, ticks_at

DOCUMENT = "Quyết định 12/QĐ-UBND"


def opened(commune: Commune, chat_id: str = "yen", event: str = "3/9", document: str = DOCUMENT) -> int:
    """A case of 2.2 of this person's unit; its obligation's id."""
    commune.person(chat_id).plays(
        ("/vuviec new", "thuộc việc nào?"),
        ("1", "Văn bản bị kiến nghị xử lý?"),
        (document, "Cơ quan kiến nghị?"),
        ("Sở Tư pháp", "Ngày cơ quan có thẩm quyền kiến nghị?"),
        (event, "Mở vụ việc mục 2.2"),
        ("mở vụ việc", "Đã mở vụ việc 2.2"),
    )
    with commune.store.reading() as db:
        return db.exec(select(CaseFile.obligation_id).order_by(col(CaseFile.id).desc())).first() or 0


def file_of(commune: Commune, case: int) -> CaseFile:
    with commune.store.reading() as db:
        return db.exec(select(CaseFile).where(CaseFile.obligation_id == case)).one()


def closed(commune: Commune, case: int, day: str, chat_id: str = "yen") -> str:
    """What is said in the end when it is closed as done on that day."""
    phone = commune.person(chat_id)
    phone.plays((f"/case {case} close", "xong ngày nào?"), (day, "Kết quả"), ("bỏ qua", "hạn"))
    return phone.taps("Xác nhận đã xong")


def after_event(phone: Phone, event: str, due: str) -> str:
    """Begin a case of 2.3; the answer to its due day."""
    phone.plays(("/vuviec new", "?"), ("2", "?"), ("Quyết định 99", "Ngày ban hành"), (event, "vào ngày nào?"))
    return phone.says(due)


def test_a_case_is_opened_and_its_limit_counted(commune: Commune) -> None:
    case = opened(commune)
    file, owed = file_of(commune, case), obligation(commune, case)
    assert (file.title, file.facts) == (DOCUMENT, {"document": DOCUMENT, "proposer": "Sở Tư pháp"})
    assert (file.event_on, owed.due_on, owed.state) == (date(2025, 9, 3), date(2025, 10, 3), "not_started")
    assert (owed.period_id, owed.look_on, owed.alive_at) == (None, NEXT_TICK, commune.clock.now())
    heard = commune.person("yen").taps("Xem vụ việc")
    for part in (f"<b>2.2 {DOCUMENT}</b>", "Sở Tư pháp", "3/9/2025", "Hạn thứ Sáu, 3/10 (còn 14 ngày làm việc)"):
        assert part in heard


@pytest.mark.parametrize("typed", ["2.2", "2,2", "mục 2.2"])
def test_the_task_of_a_case_is_named_by_its_clause(commune: Commune, typed: str) -> None:
    commune.person("yen").plays(
        ("/vuviec new", "thuộc việc nào?"),
        ("2.9", "Xin chọn một trong các nút"),
        (typed, "Mục 2.2. <b>Văn bản bị kiến nghị xử lý?</b>"),
    )


def test_nothing_is_opened_before_it_is_confirmed(commune: Commune) -> None:
    yen = commune.person("yen")
    yen.plays(("/vuviec", "Không có vụ việc nào đang mở"), ("[Mở vụ việc mới]", "thuộc việc nào?"), ("1", "?"))
    yen.plays((DOCUMENT, "Cơ quan"), ("Sở Tư pháp", "Ngày"), ("hôm qua", "Mở vụ việc mục 2.2"))
    yen.plays(("không mở", "Không mở vụ việc"), ("/vuviec", "Không có vụ việc nào đang mở"))


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("20/9", "Ngày 20/9/2025 chưa đến"),
        ("mai", "Ngày 16/9/2025 chưa đến"),
        ("29/2/2025", "Không có ngày 29/2/2025: năm 2025 không nhuận"),
        ("31/4", "Không có ngày 31/4"),
        ("3/9/2023", "Ngày 3/9/2023 đã quá một năm. Xin gõ một ngày từ 15/9/2024 đến hôm nay, 15/9/2025"),
        ("tuần trước", "Chưa đọc được ngày"),
        ("tiếp", "Ngày cơ quan có thẩm quyền kiến nghị?"),
    ],
)
def test_a_day_that_cannot_be_is_explained_and_what_was_typed_is_kept(
    commune: Commune, typed: str, heard: str
) -> None:
    yen = commune.person("yen")
    yen.plays(("/vuviec new", "?"), ("1", "?"), (DOCUMENT, "Cơ quan"), ("Sở Tư pháp", "Ngày"), (typed, heard))
    yen.plays(("thứ năm tuần trước", DOCUMENT))
    assert "11/9/2025" in yen.last
    assert "thứ Hai, 13/10" in yen.last  # day 30 is a Saturday


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("x" * 201, "dài 201 ký tự"),
        ("...", "Xin gõ bằng chữ"),
        ("  \u200b ", "Xin gõ bằng chữ"),
        ("Đơn của ông A, 0912345678", "Xin không ghi số định danh hay số điện thoại của công dân"),
        ("CCCD 089203001234", "Xin không ghi số định danh"),
        ("gọi 0912 345 678", "Xin không ghi số định danh"),
    ],
)
def test_words_that_should_not_be_kept_are_told_so(commune: Commune, typed: str, heard: str) -> None:
    yen = commune.person("yen")
    yen.plays(("/vuviec new", "?"), ("1", "Văn bản"), (typed, heard))
    if "định danh" in heard:
        yen.plays(("gõ lại", "Văn bản bị kiến nghị xử lý?"))
    yen.plays((DOCUMENT, "Cơ quan kiến nghị?"))


def test_what_only_looks_like_a_number_of_a_citizen_may_stay(commune: Commune) -> None:
    yen = commune.person("yen")
    yen.plays(("/vuviec new", "?"), ("1", "Văn bản"), ("Hồ sơ 000123456789", "Xin không ghi"))
    yen.plays(("cứ ghi", "Xin chọn"), ("không phải, cứ ghi", "Cơ quan kiến nghị?"))


@pytest.mark.parametrize("typed", ["Quyết định 12/2025/QĐ-UBND ngày 05/08/2025", "Số 12 05-08-2025", "12345678"])
def test_a_documents_number_is_no_number_of_a_citizen(commune: Commune, typed: str) -> None:
    commune.person("yen").plays(("/vuviec new", "?"), ("1", "Văn bản"), (typed, "Cơ quan kiến nghị?"))


def test_typed_letters_are_stored_composed(commune: Commune) -> None:
    case = opened(commune, document="  Quye\u0302\u0301t   định 5 ")
    assert file_of(commune, case).title == "Quyết định 5"


def test_an_answer_is_put_right_before_the_case_is_opened(commune: Commune) -> None:
    yen = commune.person("yen")
    yen.plays(("/vuviec new", "?"), ("1", "?"), ("QĐ 1", "?"), ("Sở Tư pháp", "?"), ("3/9", "Mở vụ việc"))
    yen.plays(("sửa", "Sửa điều nào?"), ("van ban", "Đang ghi: <b>QĐ 1</b>"), ("QĐ 2", "<b>QĐ 2</b>"))
    yen.plays(("sửa", "?"), ("3", "Đang ghi: <b>3/9/2025</b>"), ("quay lại", "<b>3/9/2025</b>"))
    yen.plays(("sửa", "?"), ("quay lại", "<b>QĐ 2</b>"), ("mở vụ việc", "Đã mở vụ việc 2.2 QĐ 2"))


def test_a_colleagues_case_of_the_same_name_is_pointed_out(commune: Commune) -> None:
    opened(commune)
    son = commune.person("son")
    son.plays(("/vuviec new", "?"), ("1", "?"), (DOCUMENT.upper(), "?"), ("Sở Tư pháp", "?"))
    assert "đã có một vụ việc đang mở cùng tên" in son.says("3/9")


def test_where_the_plan_gives_no_days_the_day_is_named(commune: Commune) -> None:
    thao = commune.person("thao")
    assert "Hạn: <b>thứ Hai, 22/9</b>" in after_event(thao, "8/9", "22/9")
    thao.taps("Mở vụ việc")
    assert "• 2.3 Quyết định 99: hạn 22/9" in thao.says("/vuviec")


@pytest.mark.parametrize(
    ("due", "heard"),
    [
        ("5/9", "trước ngày bắt đầu"),
        ("1/10/2026", "quá xa"),
        ("31/11", "Không có ngày 31/11"),
        ("sớm", 'ví dụ 19/9, "mai" hoặc "thứ sáu"'),
        ("20/9", 'Thứ Bảy, 20/9 là ngày nghỉ. Ngày làm việc sau đó là thứ Hai, 22/9, xin gõ "22/9"'),
        ("10/9", "đã quá 5 ngày lịch"),
    ],
)
def test_a_named_day_must_be_one_that_can_be(commune: Commune, due: str, heard: str) -> None:
    assert heard in after_event(commune.person("thao"), "8/9", due)


def test_on_a_day_off_another_day_can_be_typed(commune: Commune) -> None:
    thao = commune.person("thao")
    after_event(thao, "8/9", "20/9")
    thao.plays(("21/9", "ngày nghỉ"), ("22/9", "Hạn: <b>thứ Hai, 22/9</b>"))


def test_moving_the_event_asks_before_it_moves_the_limit(commune: Commune) -> None:
    case, yen = opened(commune), commune.person("yen")
    commune.moves(days=1)
    yen.plays((f"/case {case} update", "cập nhật điều gì?"), ("ngay co quan co tham quyen kien nghi", "Đang ghi"))
    heard = yen.says("hôm qua")
    assert "3/9/2025 → <b>15/9/2025</b>" in heard
    assert "Hạn: 3/10/2025 → <b>thứ Tư, 15/10/2025</b>" in heard
    assert obligation(commune, case).due_on == date(2025, 10, 3)
    yen.plays(("đổi", "Đã cập nhật"))
    owed = obligation(commune, case)
    assert (owed.due_on, owed.rungs_from, owed.alive_at) == (
        date(2025, 10, 15),
        date(2025, 9, 16),
        commune.clock.now(),
    )
    assert file_of(commune, case).event_on == date(2025, 9, 15)


def test_a_moved_event_can_be_left_alone(commune: Commune) -> None:
    case, yen = opened(commune), commune.person("yen")
    yen.plays(
        (f"/case {case} update", "?"), ("4", "Đang ghi"), ("10/9", "→"), ("để nguyên", "không có gì thay đổi")
    )
    assert obligation(commune, case).due_on == date(2025, 10, 3)


def test_a_named_day_stays_when_the_event_moves_before_it(commune: Commune) -> None:
    thao = commune.person("thao")
    after_event(thao, "1/9", "8/9")
    thao.plays(("mở vụ việc", "Đã mở"), ("[Xem vụ việc]", "<b>Quá hạn 7 ngày lịch</b>"))
    thao.plays(("[Cập nhật]", "điều gì?"), ("ngày ban hành quyết định công bố", "Đang ghi"), ("4/9", "không đổi"))
    thao.plays(("đổi", "Đã cập nhật"), ("[Xem vụ việc]", "4/9/2025"), ("[Cập nhật]", "?"))
    thao.plays(("3", "?"), ("10/9", "Phải xong vào ngày nào?"), ("26/9", "8/9/2025 → <b>thứ Sáu, 26/9/2025</b>"))
    thao.plays(("đổi", "Đã cập nhật"), ("[Xem vụ việc]", "Hạn thứ Sáu, 26/9"), ("[Cập nhật]", "?"))
    thao.plays(("ngày phải xong", "Đang ghi: <b>26/9/2025</b>"), ("25/9", "26/9/2025 → <b>thứ Năm, 25/9/2025"))


def test_a_named_day_that_became_a_day_off_is_kept_as_it_was_named(commune: Commune) -> None:
    thao = commune.person("thao")
    after_event(thao, "8/9", "22/9")
    thao.taps("Mở vụ việc")
    edit_day(commune, date(2025, 9, 22), is_working=False)
    thao.plays(("[Xem vụ việc]", "Hạn thứ Ba, 23/9"), ("[Cập nhật]", "điều gì?"), ("3", "Đang ghi"))
    thao.plays(("9/9", "Hạn: 23/9/2025, không đổi"), ("đổi", "Đã cập nhật"))
    with commune.store.writing() as db:
        remove_days(db, 1, [date(2025, 9, 22)], date(2025, 9, 15))
    assert "Hạn thứ Hai, 22/9" in thao.taps("Xem vụ việc")


def test_progress_and_facts_are_written_in_few_words(commune: Commune) -> None:
    case, yen = opened(commune), commune.person("yen")
    yen.plays((f"/case {case} update", "?"), ("ghi diễn biến", "đến đâu?"), ("Đã họp", "Đã cập nhật"))
    yen.plays(("[Xem vụ việc]", "Diễn biến (15/9 lúc 14:00): Đã họp"), ("[Cập nhật]", "?"))
    yen.plays(
        ("van ban", f"Đang ghi: <b>{DOCUMENT}</b>"), ("QĐ 13", "Đã cập nhật"), ("/vuviec", "• 2.2 QĐ 13: hạn")
    )
    assert file_of(commune, case).facts == {"document": "QĐ 13", "proposer": "Sở Tư pháp"}


@pytest.mark.parametrize(
    ("now", "day", "heard"),
    [
        (datetime(2025, 9, 15, 7, tzinfo=UTC), "hôm nay", "xong ngày 15/9/2025, trong hạn"),
        (datetime(2025, 10, 3, 7, tzinfo=UTC), "[Hôm nay]", "xong ngày 3/10/2025, trong hạn"),
        (datetime(2025, 10, 6, 7, tzinfo=UTC), "3/10", "xong ngày 3/10/2025, trong hạn"),
        (datetime(2025, 10, 6, 7, tzinfo=UTC), "hôm nay", "xong ngày 6/10/2025, chậm 3 ngày lịch"),
    ],
)
def test_closing_says_whether_it_was_in_time(commune: Commune, now: datetime, day: str, heard: str) -> None:
    case, commune.clock.moment = opened(commune), now
    phone = commune.person("yen")
    phone.says(f"/case {case} close")
    phone.taps("Hôm nay") if day.startswith("[") else phone.says(day)
    phone.plays(("Đã bãi bỏ văn bản", "Kết quả: Đã bãi bỏ văn bản"))
    assert heard in phone.taps("Xác nhận đã xong")
    owed, file = obligation(commune, case), file_of(commune, case)
    assert (owed.state, owed.submitted_at, owed.look_on, file.outcome) == (
        "submitted",
        now,
        NEXT_TICK,
        "Đã bãi bỏ văn bản",
    )
    assert "Không có vụ việc nào đang mở" in phone.says("/vuviec")
    assert f"• 2.2 {DOCUMENT}: xong" in phone.taps("Vụ việc đã xong")


def test_a_limit_that_ends_on_a_day_off_is_kept_on_the_working_day_after(commune: Commune) -> None:
    case = opened(commune, event="11/9")  # day 30 is Saturday 11/10
    commune.clock.moment = datetime(2025, 10, 13, 7, tzinfo=UTC)
    assert "trong hạn" in closed(commune, case, "hôm nay")


@pytest.mark.parametrize(("day", "judged"), [("6/10", "trong hạn"), ("7/10", "chậm 1 ngày lịch")])
def test_a_day_off_entered_later_moves_the_end_of_a_limit(commune: Commune, day: str, judged: str) -> None:
    case = opened(commune)  # its limit ends on Friday 3/10
    edit_day(commune, date(2025, 10, 3), is_working=False)
    commune.clock.moment = datetime(2025, 10, 8, 2, tzinfo=UTC)
    yen = commune.person("yen")
    yen.plays(
        (f"/case {case} close", "xong ngày nào?"), (day, "Kết quả"), ("bỏ qua", f"<b>{judged}</b> (hạn 6/10/2025)")
    )
    assert judged in yen.taps("Xác nhận đã xong")
    assert f"Hạn 6/10/2025; đã xong ngày {day}/2025, <b>{judged}</b>" in yen.says(f"/case {case}")
    assert f"xong {day}, {judged}" in yen.says("/case done")


def test_everybody_reads_of_the_day_on_which_a_limit_now_ends(commune: Commune) -> None:
    case, yen, lan = opened(commune), commune.person("yen"), commune.person("lan")  # its limit ends on Friday 3/10
    for unit in ("VHXH", "KT", "TTPVHCC", "VP"):
        file(commune, unit)
    with commune.store.writing() as db:
        set_days(db, 1, [date(2025, 10, 3)], False, "nghỉ bù", date(2025, 9, 15))
    assert "yen" in ticks_at(commune, local(2, 9, month=10))
    assert "hạn thứ Hai, 6/10 (còn 1 ngày làm việc)" in yen.last
    yen.plays(("/nhaclai", f"2.2 {DOCUMENT}: hạn 6/10"), ("huỷ", ""))
    assert "yen" in ticks_at(commune, local(6, 9, month=10))
    assert "hạn hôm nay" in yen.last
    yen.plays((f"/case {case}", "Hạn hôm nay"), ("/vuviec", "hạn hôm nay"), ("/nhiemvu", "hạn hôm nay"))
    assert "Vụ việc đang mở: 1." in lan.says("/tonghop")
    assert "lan" in ticks_at(commune, local(9, 9, month=10))
    assert "quá hạn 3 ngày" in lan.last
    yen.plays((f"/case {case}", "<b>Quá hạn 3 ngày lịch</b> (hạn 6/10)"))
    assert "Vụ việc đang mở: 1, <b>quá hạn 1</b>." in lan.says("/tonghop")


@pytest.mark.parametrize(("day", "heard"), [("2/9", "trước ngày bắt đầu"), ("16/9", "chưa đến")])
def test_it_is_not_done_before_the_event_nor_tomorrow(commune: Commune, day: str, heard: str) -> None:
    case = opened(commune)
    commune.person("yen").plays((f"/case {case} close", "xong ngày nào?"), (day, heard), ("3/9", "Kết quả"))


def test_a_case_closed_by_mistake_goes_on(commune: Commune) -> None:
    case, yen = opened(commune), commune.person("yen")
    closed(commune, case, "hôm nay")
    yen.plays(
        ("[Mở lại]", "Hạn vẫn là 3/10/2025"), ("mở lại", "Đã cập nhật"), ("[Xem vụ việc]", "Hạn thứ Sáu, 3/10")
    )
    owed, file = obligation(commune, case), file_of(commune, case)
    assert (owed.state, owed.submitted_at, owed.look_on, file.closed_on) == ("not_started", None, NEXT_TICK, None)
    with commune.store.reading() as db:
        done = [row.action for row in db.exec(select(Audit).order_by(col(Audit.id))) if "case" in row.action]
    assert done == ["case_opened", "case_closed", "case_reopened"]


def test_a_colleague_who_was_faster_is_not_overwritten(commune: Commune) -> None:
    case, yen = opened(commune), commune.person("yen")
    yen.plays((f"/case {case} update", "?"), ("ghi diễn biến", "đến đâu?"))
    closed(commune, case, "hôm nay", "son")
    yen.plays(("Đang làm", "Đồng nghiệp vừa đóng hoặc mở lại"), ("[Xem vụ việc]", "đã xong ngày 15/9/2025"))
    assert file_of(commune, case).progress is None


def test_the_list_is_the_most_urgent_first_five_at_a_time(commune: Commune) -> None:
    for day in (8, 2, 12, 4, 1, 10, 5):
        opened(commune, event=f"{day}/9", document=f"QĐ {day}")
    opened(commune, event="1/8", document="QĐ cũ")  # its limit ended on 3/9
    yen = commune.person("yen")
    heard = yen.says("/vuviec")
    assert re.findall(r"• 2\.2 (.+?):", heard) == ["QĐ cũ", "QĐ 1", "QĐ 2", "QĐ 4", "QĐ 5"]
    assert "• 2.2 QĐ cũ: <b>quá hạn 12 ngày lịch</b> (hạn 3/9)" in heard
    assert yen.labels[5:] == ["Xem thêm 3", "Mở vụ việc mới"]
    assert re.findall(r"• 2\.2 (.+?):", yen.taps("Xem thêm 3")) == ["QĐ 8", "QĐ 10", "QĐ 12"]


def test_each_unit_has_its_own_cases_and_the_coordinator_all(commune: Commune) -> None:
    case = opened(commune)
    lan = commune.person("lan")
    lan.plays(("/vuviec new", "?"), ("1", "đơn vị nào xử lý?"))
    assert lan.labels[0] == "Văn phòng HĐND&UBND"  # the lead
    lan.plays(("phong kinh te", "?"), ("QĐ 7", "?"), ("UBND tỉnh", "?"), ("4/9", "Phòng Kinh tế"), ("1", "Đã mở"))
    assert "2 vụ việc đang mở" in lan.says("/vuviec")
    assert "QĐ 7" in commune.person("tuan").says("/vuviec")
    assert DOCUMENT not in commune.person("tuan").last
    for chat in ("tuan", "chutich", "mattran"):
        assert "chưa có quyền" in commune.person(chat).says(f"/vuviec {case}")
    assert "cần mã mời" in commune.person("stranger").says(f"/vuviec {case}")
    assert "Không tìm thấy" in lan.says("/vuviec 999999")
    assert "Không tìm thấy" in lan.says(f"/vuviec {obligation_id(commune, 'VP', '2.2')}")


def test_who_sees_cases_of_several_units_reads_the_unit_of_each(commune: Commune) -> None:
    case, lan, yen = opened(commune), commune.person("lan"), commune.person("yen")
    assert f"• 2.2 {DOCUMENT} · Văn phòng: hạn 3/10" in lan.says("/vuviec")
    assert f"• 2.2 {DOCUMENT}: hạn 3/10" in yen.says("/vuviec")
    closed(commune, case, "12/9")
    assert f"• 2.2 {DOCUMENT} · Văn phòng: xong 12/9" in lan.says("/vuviec done")


def test_a_unit_that_no_such_task_is_given_to_opens_none(commune: Commune) -> None:
    phuc = commune.person("phuc")
    phuc.says("/vuviec")
    assert "Mở vụ việc mới" not in phuc.labels
    assert "Kế hoạch không có việc nào tính hạn" in phuc.says("/vuviec new")


@pytest.mark.parametrize(
    "said", ["/case", "/vuviec", "vụ việc", "VU VIEC", "/vuviec linh tinh", "/vuviec open 99"]
)
def test_it_is_asked_for_in_many_ways(commune: Commune, said: str) -> None:
    opened(commune)
    assert "1 vụ việc đang mở" in commune.person("yen").says(said)


def test_a_case_stands_among_what_is_owed_and_opens_from_there(commune: Commune) -> None:
    case, yen = opened(commune), commune.person("yen")
    heard = yen.says("/nhiemvu")
    assert "<b>Còn 1 báo cáo</b> quý III năm 2025, <b>1 vụ việc</b>:" in heard
    assert f"• 2.2 vụ việc: {DOCUMENT}, hạn 3/10" in heard
    assert "Cơ quan kiến nghị: Sở Tư pháp" in yen.taps(f"Vụ việc 2.2: {DOCUMENT}")
    assert "Cơ quan kiến nghị: Sở Tư pháp" in yen.says(f"/report {case}")
    assert "1/2. " in yen.says("/baocao 2.2")


def test_open_cases_are_listed_when_every_report_was_sent(commune: Commune) -> None:
    opened(commune)
    with commune.store.writing() as db:
        for owed in db.exec(select(Obligation).where(col(Obligation.period_id).is_not(None))):
            owed.state = "submitted"
    assert "<b>Còn 1 vụ việc</b>, hạn 3/10:" in commune.person("yen").says("/nhiemvu")


def test_the_summary_counts_open_cases_within_its_lines(commune: Commune) -> None:
    lan = commune.person("lan")
    assert "Vụ việc" not in lan.says("/tonghop")
    opened(commune)
    opened(commune, event="1/8", document="QĐ cũ")
    heard = lan.says("/tonghop")
    assert "Vụ việc đang mở: 2, <b>quá hạn 1</b>." in heard
    assert len(heard.splitlines()) <= 5
    assert lan.labels[-1] == "Vụ việc"
    assert "Vụ việc" not in commune.person("tuan").says("/tonghop")
    assert "Vụ việc đang mở: 2" in commune.person("chutich").says("/tonghop")
    assert "Vụ việc" not in commune.person("chutich").labels


def test_the_summary_names_an_overdue_case_that_is_the_latest(commune: Commune) -> None:
    opened(commune)
    opened(commune, event="22/6", document="QĐ cũ")  # day 30 is Tuesday 22/7
    with commune.store.writing() as db:
        db.get_one(Obligation, obligation_id(commune, "KT", "2.9")).due_on = date(2025, 9, 8)
    lan, leader = commune.person("lan"), commune.person("chutich")
    worst = "Chậm nhất: Văn phòng – vụ việc 2.2, quá hạn 55 ngày lịch, và 1 mục khác."
    assert worst in lan.says("/tonghop")
    assert worst in leader.says("/tonghop")
    heard = lan.says("/summary missing")
    assert heard.splitlines()[1] == "• Văn phòng – vụ việc 2.2 QĐ cũ: <b>quá hạn 55 ngày lịch</b>"
    assert DOCUMENT not in heard
    assert "QĐ cũ" in lan.taps("Vụ việc")
    assert "• Văn phòng – vụ việc 2.2: <b>quá hạn 55 ngày lịch</b>" in leader.says("/summary missing")
    assert "Vụ việc" not in leader.labels


def test_a_report_is_a_sign_of_life_of_its_task_and_unit_alone(commune: Commune) -> None:
    commune.person("yen").plays(("/baocao 2.2", "1/2. "), ("4", "2/2. "))
    alive = {obligation_id(commune, "VP", "2.2", period) for period in ("2025-Q3", "2025-Y")}
    with commune.store.reading() as db:
        rows = db.exec(select(Obligation).where(col(Obligation.alive_at).is_not(None)))
        found = {row.id for row in rows if row.alive_at == commune.clock.now()}
    assert found == alive


def test_loading_the_plan_again_keeps_the_cases(commune: Commune) -> None:
    case = opened(commune)
    with commune.store.writing() as db:
        plan = read_plan(PLAN)
        left = tuple(task for task in plan.tasks if task.code != "2.2")
        load_commune(db, plan, "Asia/Ho_Chi_Minh", commune.clock.now())
        load_commune(db, plan.model_copy(update={"tasks": left}), "Asia/Ho_Chi_Minh", commune.clock.now())
    assert obligation(commune, case).state == "not_started"
    assert DOCUMENT in commune.person("yen").says("/vuviec")


def test_a_right_taken_away_in_the_middle_ends_the_talk(commune: Commune) -> None:
    new = joined(commune, "new", "staff", "KT")
    new.plays(("/vuviec new", "?"), ("1", "?"), ("QĐ 1", "?"), ("Sở", "?"), ("3/9", "Mở vụ việc"))
    with commune.store.writing() as db:
        member_id = db.exec(select(Account.member_id).where(Account.chat_id == "new")).one()
        for held in db.exec(select(Membership).where(Membership.member_id == member_id)):
            db.delete(held)
    before = kept(commune)
    assert "chưa có quyền" in new.says("mở vụ việc")
    assert kept(commune) == before


def test_a_deadline_without_words_of_its_own_gets_plain_ones() -> None:
    words = words_of(Deadline(kind="days_after_event", days=5, text="trong 5 ngày"))
    assert (words.event, [field.label for field in words.fields]) == (
        "Ngày phát sinh",
        ["Văn bản hoặc tên vụ việc"],
    )


@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(1, 120))
def test_a_limit_ends_on_the_first_working_day_on_or_after_its_last(event: date, days: int) -> None:
    calendar = shipped_calendar()
    due = legal_deadline(event, days, calendar)
    last = event + timedelta(days=days)
    assert due >= last
    assert calendar.is_working(due)
    assert not any(calendar.is_working(last + timedelta(days=n)) for n in range((due - last).days))
