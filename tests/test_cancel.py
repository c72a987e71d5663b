"""Leaving a report keeps what was typed; deleting the draft is asked first, and touches nothing that was filed."""

from __future__ import annotations

from sqlmodel import select

from storage.tables import Audit
from tests.commune import Commune, Phone
from tests.people import figures, joined, kept, obligation, obligation_id


def half_done(commune: Commune) -> tuple[Phone, int]:
    """A report with one of its two figures answered, left for now."""
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "1/2. "), ("3390", "2/2. "), ("/huy", "1 câu đã trả lời"))
    return thao, obligation_id(commune, "TTPVHCC", "2.5")


def test_a_draft_is_deleted_once_that_is_confirmed(commune: Commune) -> None:
    thao, report = half_done(commune)
    thao.plays(("[Xoá nháp]", "Xoá 1 câu đã trả lời của mục 2.5"), ("[Xoá]", "Đã xoá bản nháp mục 2.5"))
    assert obligation(commune, report).state == "not_started"
    assert "1/2. " in thao.taps("Báo cáo từ đầu")
    with commune.store.reading() as db:
        assert "draft_erased" in [row.action for row in db.exec(select(Audit))]


def test_a_draft_is_deleted_by_typing_too(commune: Commune) -> None:
    thao, report = half_done(commune)
    thao.plays(("xoa nhap", "không lấy lại được"), ("2", "Đã xoá"))
    assert obligation(commune, report).state == "not_started"


def test_who_thinks_better_of_it_keeps_the_draft(commune: Commune) -> None:
    thao, _ = half_done(commune)
    thao.plays(("[Xoá nháp]", "Xoá 1 câu"), ("[Giữ lại]", "vẫn được giữ"), ("[Tiếp tục]", "2/2. "))


def test_what_was_filed_stays_when_its_correction_is_deleted(commune: Commune) -> None:
    thao, report = half_done(commune)
    thao.plays(("tiếp tục", "2/2. "), ("3330", "Gửi báo cáo này?"), ("gửi", "Đã gửi"))
    thao.plays(
        ("/baocao 2.5", "Gửi báo cáo này?"), ("/huy", "Đã dừng"), ("[Xoá nháp]", "Xoá"), ("[Xoá]", "Đã xoá")
    )
    assert obligation(commune, report).state == "submitted"
    assert figures(commune, report) == {"settled": "3390", "on_time": "3330"}


def test_a_colleague_in_the_same_draft_is_told(commune: Commune) -> None:
    thao, report = half_done(commune)
    other = joined(commune, "other", "staff", "TTPVHCC")
    other.says(f"/report {report}")
    thao.plays(("[Xoá nháp]", "Xoá"), ("[Xoá]", "Đã xoá"))
    before = kept(commune)
    assert "đã được xoá" in other.says("3330")
    assert kept(commune) == before
    assert "1/2. " in other.taps("Báo cáo từ đầu")


def test_only_who_may_report_deletes(commune: Commune) -> None:
    thao, report = half_done(commune)
    before = kept(commune)
    for chat in ("tuan", "chutich", "stranger"):
        commune.person(chat).says(f"/huy {report}")
    thao.plays((f"/huy {report + 1}", "Không có bản nháp"), ("/huy 999999", "Không có bản nháp"))
    assert kept(commune) == before
