"""/tasks: what my unit owes, most urgent first."""

from __future__ import annotations

import re
from datetime import date

import pytest

from storage.tables import Obligation
from tests.commune import Commune
from tests.people import joined, obligation, obligation_id, set_state


def test_the_list_names_the_period_the_day_and_a_button_for_each(commune: Commune) -> None:
    thao = commune.person("thao")
    heard = thao.says("/nhiemvu")
    owed = re.findall(r"^• (\S+) ", heard, re.MULTILINE)
    assert "quý III năm 2025" in heard
    assert "17/9" in heard
    assert f"<b>Còn {len(owed)} báo cáo</b>" in heard
    assert thao.labels == [f"Báo cáo {code}" for code in owed]


@pytest.mark.parametrize("typed", ["/tasks", "/nhiemvu", "nhiệm vụ", "NHIEM VU", "/NhiemVu", "tasks"])
def test_it_is_asked_for_in_many_ways(commune: Commune, typed: str) -> None:
    assert "<b>Còn " in commune.person("thao").says(typed)


def test_the_most_urgent_comes_first(commune: Commune) -> None:
    urgent = obligation_id(commune, "TTPVHCC", "2.16")
    with commune.store.writing() as db:
        db.get_one(Obligation, urgent).due_on = date(2025, 9, 10)
    thao = commune.person("thao")
    heard = thao.says("/nhiemvu")
    assert thao.labels[0] == "Báo cáo 2.16"
    assert "<b>quá hạn 5 ngày lịch</b>" in heard


def test_an_extension_moves_the_day(commune: Commune) -> None:
    report = obligation_id(commune, "TTPVHCC", "2.16")
    with commune.store.writing() as db:
        db.get_one(Obligation, report).extended_to = date(2025, 9, 24)
    assert "hạn 24/9" in commune.person("thao").says("/nhiemvu")


@pytest.mark.parametrize(("state", "said"), [("draft", "đang làm dở"), ("returned", "bị trả lại")])
def test_a_state_that_matters_is_said(commune: Commune, state: str, said: str) -> None:
    set_state(commune, obligation_id(commune, "TTPVHCC", "2.5"), state)
    assert re.search(rf"• 2\.5 .*{said}", commune.person("thao").says("/nhiemvu"))


def test_what_was_sent_or_is_not_owed_is_not_listed(commune: Commune) -> None:
    for task, state in (("2.5", "submitted"), ("2.16", "not_owed")):
        set_state(commune, obligation_id(commune, "TTPVHCC", task), state)
    heard = commune.person("thao").says("/nhiemvu")
    assert "2.5 " not in heard
    assert "2.16 " not in heard


def test_a_unit_that_owes_nothing_is_told_so(commune: Commune) -> None:
    assert "đã báo cáo đủ" in commune.person("phuc").says("/nhiemvu")
    assert "đã báo cáo đủ" in commune.person("phuc").says("/baocao")


def test_a_unit_that_owes_one_report_is_asked_at_once(commune: Commune) -> None:
    set_state(commune, obligation_id(commune, "VPDKDD", "2.5"), "not_started")
    phuc = commune.person("phuc")
    assert "Báo cáo 2.5" in (phuc.says("/nhiemvu"), phuc.labels)[1]
    assert "2.5 Kết quả giải quyết hồ sơ TTHC" in phuc.says("/baocao")


def test_a_person_in_two_units_sees_both_apart(commune: Commune) -> None:
    joined(commune, "tuan", "staff", "VP")
    tuan = commune.person("tuan")
    heard = tuan.says("/nhiemvu")
    assert "· Phòng Kinh tế" in heard
    assert "Văn phòng" in heard + tuan.taps("Xem thêm")
    assert all(" · " in label for label in tuan.labels if label.startswith("Báo cáo"))


def test_a_long_list_goes_on_page_by_page(commune: Commune) -> None:
    lan, seen = commune.person("lan"), []
    lan.says("/nhiemvu")
    while lan.labels[-1].startswith("Xem thêm"):
        seen += lan.labels[:-1]
        lan.taps("Xem thêm")
    seen += lan.labels
    assert len(seen) == len(set(seen)) > 8


@pytest.mark.parametrize("page", ["99", "9" * 30, "-1", "x", "٣"])
def test_a_page_that_is_not_there_shows_the_first_one(commune: Commune, page: str) -> None:
    lan = commune.person("lan")
    lan.says("/nhiemvu")
    first = lan.labels
    lan.says(f"/nhiemvu {page}")
    assert lan.labels == first


def test_opening_a_report_leaves_its_due_day_alone(commune: Commune) -> None:
    report = obligation_id(commune, "TTPVHCC", "2.5")
    before = obligation(commune, report).due_on
    commune.person("thao").says("/baocao 2.5")
    assert obligation(commune, report).due_on == before
