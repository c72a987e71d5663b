"""/summary: at most five lines first, the worst first; then by unit, by task, who has not reported."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from bot.cli import app
from storage.tables import Obligation, Organization
from tests.commune import Commune
from tests.people import obligation_id, set_state


def all_filed(commune: Commune, *tasks: str) -> None:
    """The coordinator files these tasks with a target missed: 1 of 10."""
    lan = commune.person("lan")
    for task in tasks:
        lan.says(f"/report {obligation_id(commune, 'TTPVHCC', task)}")
        lan.says("1/10")
        for _ in range(3):
            if "Số này có đúng" in lan.last:
                lan.says("đúng, ghi số này")
        assert "Đã gửi" in lan.says("gửi")


def test_the_first_view_has_at_most_five_lines(commune: Commune) -> None:
    all_filed(commune, "2.4", "2.5", "2.6")
    commune.person("thao").plays(("/baocao 2.8", "?"), ("c", "Gửi báo cáo này?"), ("gửi", "Đã gửi"))
    commune.clock.moment = datetime(2025, 9, 19, 3, 0, tzinfo=UTC)
    heard = commune.person("chutich").says("/tonghop")
    assert len(heard.splitlines()) <= 5
    for part in ("Quý III năm 2025", "quá hạn", "Chậm nhất", "Chưa đạt mục tiêu", "không thuộc đơn vị"):
        assert part in heard


def test_it_counts_what_is_done_late_and_near(commune: Commune) -> None:
    late = obligation_id(commune, "KT", "2.9")
    with commune.store.writing() as db:
        db.get_one(Obligation, late).due_on = date(2025, 9, 8)
    heard = commune.person("lan").says("/tonghop")
    done, total = map(int, re.findall(r"Xong (\d+)/(\d+) báo cáo", heard)[0])
    assert "<b>quá hạn 1</b>" in heard
    assert f"sắp đến hạn {total - done - 1}" in heard
    assert "Chậm nhất: Phòng Kinh tế – 2.9, quá hạn 7 ngày lịch." in heard


def test_a_missed_target_is_shown_once_all_units_have_reported(commune: Commune) -> None:
    lan = commune.person("lan")
    assert "Chưa đạt mục tiêu" not in lan.says("/tonghop")
    all_filed(commune, "2.4")
    assert "Chưa đạt mục tiêu: 2.4 (10%, mục tiêu = 100%)." in lan.says("/tonghop")
    assert re.search(r"• 2\.4 .*: 1/1, ✗ 10%", everything(commune, "lan", "Theo nhiệm vụ"))


def test_units_add_up_to_the_commune(commune: Commune) -> None:
    all_filed(commune, "2.5")  # beside 884/955 of the outside body, filed by the example
    assert re.search(
        r"• 2\.5 .*: 2/2, ✗ 91,70%|• 2\.5 .*: 2/2, ✗ 91,7%", everything(commune, "lan", "Theo nhiệm vụ")
    )


def test_what_a_unit_says_is_not_its_own_is_visible(commune: Commune) -> None:
    commune.person("thao").plays(("/baocao 2.5", "?"), ("c", "Gửi báo cáo này?"), ("gửi", "Đã gửi"))
    assert 'Báo "không thuộc đơn vị": TTPVHCC – 2.5.' in commune.person("lan").says("/tonghop")


def test_a_promise_counts_as_missing(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "?"), ("b", "Ngày nào"), ("22/9", "Gửi báo cáo này?"), ("gửi", "Đã gửi"))
    assert "thiếu số có hẹn 1" in thao.says("/tonghop")
    assert re.search(r"2\.5 .*hẹn 22/9", thao.taps("Chưa báo cáo"))


def test_a_promised_report_is_counted_once(commune: Commune) -> None:
    thao = commune.person("thao")
    done, total = map(int, re.findall(r"Xong (\d+)/(\d+) báo cáo", thao.says("/tonghop"))[0])
    owed = total - done
    thao.plays(("/baocao 2.5", "?"), ("b", "Ngày nào"), ("18/9", "Gửi báo cáo này?"), ("gửi", "Đã gửi"))
    assert f"Xong {done}/{total} báo cáo, sắp đến hạn {owed - 1}, thiếu số có hẹn 1." in thao.says("/tonghop")
    commune.moves(days=4)
    assert f"Xong {done}/{total} báo cáo, <b>quá hạn {owed}</b>." in thao.says("/tonghop")
    assert "quá hẹn 1 ngày lịch" in everything(commune, "thao", "Chưa báo cáo")


def test_staff_see_their_own_unit_only(commune: Commune) -> None:
    whole, own = commune.person("lan").says("/tonghop"), commune.person("phuc").says("/tonghop")
    assert "Xong 1/1 báo cáo" in own
    assert "Xong 1/1 báo cáo" not in whole
    assert commune.person("phuc").labels == ["Theo nhiệm vụ", "Chưa báo cáo"]
    missing = everything(commune, "thao", "Chưa báo cáo")
    assert {line.split(" – ")[0] for line in missing.splitlines() if line.startswith("•")} == {"• TTPVHCC"}


def everything(commune: Commune, chat_id: str, view: str) -> str:
    """All pages of a view."""
    phone = commune.person(chat_id)
    phone.says("/tonghop")
    heard = [phone.taps(view)]
    while phone.labels[0].startswith("Xem thêm"):
        heard.append(phone.taps("Xem thêm"))
    return "\n".join(heard)


def test_the_views_lead_to_one_another(commune: Commune) -> None:
    commune.person("lan").plays(
        ("/tonghop", "Chưa báo cáo nhiều nhất"),
        ("[Theo đơn vị]", "• Phòng Kinh tế: "),
        ("[Theo nhiệm vụ]", "• 1.1 "),
        ("chua bao cao", "hạn 17/9"),
        ("[Tóm tắt]", "Chưa báo cáo nhiều nhất"),
    )


def test_the_unit_that_owes_most_comes_first(commune: Commune) -> None:
    lan = commune.person("lan")
    worst = re.findall(r"Chưa báo cáo nhiều nhất: (.*), \d+ mục", lan.says("/tonghop"))[0]
    assert lan.taps("Theo đơn vị").splitlines()[1].startswith(f"• {worst}: ")


def test_every_missing_report_is_on_some_page(commune: Commune) -> None:
    done, total = map(int, re.findall(r"Xong (\d+)/(\d+)", commune.person("lan").says("/tonghop"))[0])
    lines = [line for line in everything(commune, "lan", "Chưa báo cáo").splitlines() if line.startswith("•")]
    assert len(lines) == len(set(lines)) == total - done


@pytest.mark.parametrize("page", ["99", "9" * 30])
def test_a_page_that_is_not_there_is_the_first_one(commune: Commune, page: str) -> None:
    lan = commune.person("lan")
    first, labels = lan.says("/tonghop missing"), lan.labels
    assert lan.says(f"/tonghop missing {page}") == first
    assert lan.labels == labels


def test_nothing_missing_is_said_so(commune: Commune) -> None:
    assert "Tất cả đã báo cáo." in commune.person("phuc").says("/tonghop missing")


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("/tonghop 2025-Y", "<b>Năm 2025</b>"),
        ("/summary 2025-q3", "<b>Quý III năm 2025</b>"),
        ("tổng hợp 2025-Y", "<b>Năm 2025</b>"),
        ("/tonghop 2025-Q3 unit", "• Phòng Kinh tế: "),
        ("/tonghop 2025-Q1", "không có báo cáo nào phải gửi"),
        ("/tonghop 2025-Q1 missing", "không có báo cáo nào phải gửi"),
        ("/tonghop quý III", "<b>Quý III năm 2025</b>"),
        ("/tonghop q1", "<b>Quý I năm 2025</b>"),
        ("/tonghop 6 tháng", "<b>6 tháng đầu năm 2025</b>"),
        ("/tonghop năm unit", "<b>Năm 2025</b>"),
        ("/tonghop 2024-Q3", 'Không có kỳ báo cáo "2024-Q3"'),
        ("/tonghop linh tinh", 'Không có kỳ báo cáo "linh tinh"'),
    ],
)
def test_a_period_can_be_named(commune: Commune, typed: str, heard: str) -> None:
    assert heard.casefold() in commune.person("lan").says(typed).casefold()


def test_an_outside_body_is_never_called_late(commune: Commune) -> None:
    set_state(commune, obligation_id(commune, "VPDKDD", "2.5"), "not_started")
    commune.clock.moment = datetime(2025, 9, 19, 3, 0, tzinfo=UTC)
    heard = everything(commune, "lan", "Chưa báo cáo")
    (line,) = [line for line in heard.splitlines() if "đề nghị" in line]
    assert "quá hạn" not in line
    assert "quá hạn" not in commune.person("phuc").says("/tonghop")


def test_every_view_fits_a_phone(commune: Commune) -> None:
    all_filed(commune, "2.4", "2.5", "2.6")
    lan = commune.person("lan")
    for said in ("/tonghop", "/tonghop unit", "/tonghop task", "/tonghop missing", "/nhiemvu"):
        heard = lan.says(said)
        assert len(heard.splitlines()) <= 14, heard
        assert len(heard) <= 700, heard


def test_what_an_earlier_period_still_lacks_is_one_tap_away(commune: Commune) -> None:
    commune.clock.moment = datetime(2025, 12, 8, 2, 0, tzinfo=UTC)
    lan = commune.person("lan")
    assert "Năm 2025" in lan.says("/tonghop")
    assert "Quý III năm 2025" in lan.taps("Còn thiếu quý III")


def test_the_command_line_prints_it_too(commune: Commune, monkeypatch: pytest.MonkeyPatch) -> None:
    with commune.store.writing() as db:
        db.exec(select(Organization)).one().is_demo = False
    monkeypatch.setenv("DATABASE_URL", str(commune.store.engine.url))
    said = CliRunner().invoke(app, ["summary", "--period", "2025-Q3"])
    assert said.exit_code == 0, said.output
    assert "Quý III năm 2025" in said.output
