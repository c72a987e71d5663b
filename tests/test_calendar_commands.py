"""`dondoc calendar` shows, loads and edits the calendar, and moves the day of the province."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, tzinfo
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import calendar_commands
from bot.cli import app
from plans.calendar import SHIPPED, shipped_days
from plans.calendar_file import read_calendar, written
from plans.file import PlanFaults
from plans.guess import guessed
from tests.test_plan_file import SHIPPED as PLAN

Run = Callable[..., Result]
YEAR = 2053
"""The year in which the commands run; its days of the week are those of 2025."""


class ItsBeginning(datetime):
    """The clock of the computer, as the year begins: no day of it has passed."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> ItsBeginning:
        return cls(YEAR, 1, 1, 3, tzinfo=tz)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped plan, loaded once for a year to come."""
    folder = tmp_path_factory.mktemp("loaded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(folder))
        patch.delenv("DATABASE_URL", raising=False)
        assert CliRunner().invoke(app, ["plan", "load", str(PLAN), "--year", str(YEAR)]).exit_code == 0
    return folder / "dondoc.db"


@pytest.fixture
def run(tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `dondoc calendar` on a database of its own."""
    monkeypatch.setattr(calendar_commands, "datetime", ItsBeginning)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    shutil.copy(database, tmp_path / "dondoc.db")

    def invoke(*words: str | Path, answer: str | None = None) -> Result:
        return CliRunner().invoke(app, ["calendar", *map(str, words)], input=answer)

    return invoke


def asked(query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect("dondoc.db")) as db:
        return db.execute(query).fetchall()


def days_of(code: str = f"{YEAR}-Q3") -> tuple[object, ...]:
    return asked(f"SELECT unit_due, province_due, lock FROM period WHERE code = '{code}'")[0]


def file(content: str) -> Path:
    path = Path("lich.yaml")
    path.write_text(content, encoding="utf-8")
    return path


def test_a_year_is_shown_by_ranges(run: Run) -> None:
    shown = run("show", "--year", "2026").output
    assert "Lịch năm 2026\n" in shown
    assert "14/2–22/2/2026: Tết Nguyên đán Bính Ngọ" in shown
    assert "thứ Bảy, 22/8/2026, đi làm bù: Làm bù cho ngày 31/8" in shown
    assert "Lịch năm 2027 (dự kiến, chưa có thông báo chính thức)" in run("show", "--year", "2027").output
    assert "Lịch năm 2052: chưa có ngày nào" in run("show", "--year", "2052").output
    assert run("show").exit_code == 0


def test_a_day_off_moves_the_days_that_follow_and_removing_it_moves_them_back(run: Run) -> None:
    before = days_of()
    added = run("add", f"{YEAR}-09-18", "--name", "Bão")
    assert (added.exit_code, "17/9 → thứ Ba, 16/9" in added.output) == (0, True)
    assert days_of()[0] == f"{YEAR}-09-16"
    assert asked("SELECT COUNT(*) FROM obligation WHERE due_on = '2053-09-16'") != [(0,)]
    assert "Bão" in run("show", "--year", str(YEAR)).output
    removed = run("remove", f"{YEAR}-09-18..{YEAR}-09-19")
    assert (removed.exit_code, "16/9 → thứ Tư, 17/9" in removed.output) == (0, True)
    assert days_of() == before


def test_a_saturday_is_worked(run: Run) -> None:
    assert "đi làm bù" in run("add", f"{YEAR}-09-20", "--name", "Làm bù", "--working").output
    assert asked("SELECT day, is_working FROM calendarday WHERE day LIKE '2053%'") == [("2053-09-20", 1)]


def test_a_day_made_up_for_is_name_enough(run: Run) -> None:
    added = run("add", f"{YEAR}-09-20", "--name", f"2/9/{YEAR}", "--working")
    assert (added.exit_code, "(Làm bù cho ngày 2/9)" in added.output) == (0, True)
    assert asked("SELECT name FROM calendarday WHERE day LIKE '2053%'") == [("Làm bù cho ngày 2/9",)]


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        (("add", "2053-02-30", "--name", "x y"), "Không có ngày 30/2: tháng 2 có nhiều nhất 29 ngày"),
        (("add", "31/2/2053"), "Không có ngày 31/2: tháng 2 có nhiều nhất 29 ngày"),
        (("add", "20/9/2053"), "vốn là ngày nghỉ"),
        (("add", "18/9/2053"), 'Xin thêm tên, ví dụ: --name "Tết Nguyên đán"'),
        (
            ("add", "2020-09-18", "--name", "x y"),
            "Ngày 18/9/2020 đã qua. Lịch chỉ sửa được từ hôm nay, 1/1/2053.\n",
        ),
        (("add", "2053-09-20", "--name", "x y"), "vốn là ngày nghỉ"),
        (("add", "2053-09-18", "--name", "x y", "--working"), "vốn là ngày làm việc"),
        (("add", "2053-09-18", "--name", "x"), "ví dụ: Tết Nguyên đán"),
        (("add", "2053-09-18", "--name", "2/9"), "Xin gõ tên ngắn"),
        (("add", "2053-09-20", "--name", "x", "--working"), "ví dụ: Làm bù cho ngày 31/8"),
        (("add", "2053-09-20", "--name", "31/9", "--working"), "Không có ngày 31/9"),
        (("add", "2053-09-20", "--working"), '--name "Làm bù cho ngày 31/8"'),
        (("add", "2053-01-01..2053-03-01", "--name", "x y"), "nhiều nhất 30 ngày"),
        (("add", "2053-09-18..2053-09-01", "--name", "x y"), "sau ngày cuối"),
        (("add", "Tết", "--name", "x y"), "Chưa đọc được ngày"),
        (("remove", "2053-09-18..9053-09-18"), "nhiều nhất 30 ngày"),
        (("remove", "2053-09-18"), "Trong lịch không có"),
        (("remove", "2025-09-02"), "đã qua"),
        (("load", "."), ".: đây là một thư mục, xin ghi tên một tệp."),
        (("propose", "2026"), "đã có sẵn"),
        (("propose", "1999"), "từ 2000 đến 2100"),
        (("province", "2053-Q9", "2053-09-26"), "Các kỳ chưa khoá: 2053-Q1, 2053-H1, 2053-Q3, 2053-Y"),
        (("province", "2053-Q3", "2053-09-16"), "chưa chốt (14/9/2053). Ngày gửi tỉnh sớm nhất là thứ Tư, 17/9"),
        (("province", "2053-Q3", "2020-09-16"), "đã qua"),
        (("province", "2053-Q3", "2053-09-19"), "đang là ngày gửi tỉnh"),
        (("province", "2053-Q3", "2053-09-31"), "Không có ngày 31/9: tháng 9 có 30 ngày"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(run: Run, words: tuple[str, ...], heard: str) -> None:
    everything = "SELECT day, is_working, name FROM calendarday UNION ALL SELECT unit_due, lock, code FROM period"
    before = asked(everything)
    result = run(*words)
    assert result.exit_code == 1
    assert heard in result.output
    assert asked(everything) == before


def test_the_shipped_file_is_read_as_it_is_shipped() -> None:
    assert read_calendar(SHIPPED) == list(shipped_days())


def test_a_file_replaces_its_years_and_no_other(run: Run) -> None:
    run("add", f"{YEAR}-09-18", "--name", "Bão")
    path = file(
        f"{YEAR}:\n  official: true\n  days_off:\n    - {{day: {YEAR}-09-17, name: Lũ}}\n"
        f"  working_saturdays:\n    - {{day: {YEAR}-09-20, name: Bù}}\n"
    )
    loaded = run("load", path)
    assert (loaded.exit_code, f"Đã nạp lịch năm {YEAR}" in loaded.output) == (0, True)
    assert "16/9 → thứ Ba, 16/9" not in loaded.output
    rows = asked("SELECT day, is_working, name, is_official FROM calendarday WHERE day LIKE '2053%' ORDER BY day")
    assert rows == [("2053-09-17", 0, "Lũ", 1), ("2053-09-20", 1, "Bù", 1)]
    assert days_of()[0] == f"{YEAR}-09-16"
    assert "Tết Nguyên đán Bính Ngọ" in run("show", "--year", "2026").output


SOUND = "2053:\n  official: true\n  days_off:\n    - {day: 2053-01-01, name: Tết}\n  working_saturdays: []\n"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("2053-01-01", "2053-02-30", 4, "“day” phải là một ngày có thật"),
        ("2053-01-01", "2054-01-01", 4, "ngày 1/1/2054 không thuộc năm 2053"),
        ("{day: 2053-01-01,", "{from: 2053-01-01,", 4, "cần một ngày ở “day”, hoặc một khoảng"),
        ("{day: 2053-01-01,", "{from: 2053-01-03, to: 2053-01-01,", 4, "kết thúc trước khi bắt đầu"),
        ("{day: 2053-01-01,", "{from: 2053-01-03, to: 2053-03-01,", 4, "dài quá 30 ngày"),
        (", name: Tết", "", 4, "thiếu “name”"),
        ("Tết}\n", "Tết}\n    - {day: 2053-01-01, name: x}\n", 5, "ngày 1/1/2053 đã ghi ở trên"),
        ("saturdays: []", "saturdays:\n    - {day: 2053-01-02, name: x}", 6, "thứ Năm, 2/1 vốn là ngày làm việc"),
        ("official: true", "official: maybe", 2, "“official” phải là true hoặc false"),
        ("  official: true\n", "", 1, "thiếu “official”"),
        ("2053:", "năm tới:", 1, "năm phải từ 2000 đến 2100 (đang ghi “năm tới”)"),
        ("  days_off:\n    - {day: 2053-01-01, name: Tết}\n", "", 1, "chưa có ngày nghỉ nào"),
        ("days_off:", "day_off:", 3, "không có trường nào tên “day_off”"),
        (SOUND, "- 1\n", 1, "đây không phải tệp lịch"),
        (SOUND, SOUND + SOUND, 6, "“2053” được ghi hai lần"),
    ],
)
def test_a_wrong_file_is_refused_whole_with_line_and_fault(
    run: Run, old: str, new: str, line: int, words: str
) -> None:
    assert run("load", file(SOUND)).exit_code == 0
    before = asked("SELECT * FROM calendarday")
    result = run("load", file(SOUND.replace(old, new)))
    assert result.exit_code == 1
    assert f"lich.yaml:{line}: " in result.output
    assert words in result.output
    assert asked("SELECT * FROM calendarday") == before


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lich.yaml"
    path.write_text(SOUND + "2054:\n  official: x\n  days_off:\n    - {day: 1, name: y}\n", encoding="utf-8")
    with pytest.raises(PlanFaults) as refused:
        read_calendar(path)
    assert [fault.line for fault in refused.value.faults] == [7, 9]


def test_a_year_not_shipped_is_proposed_as_a_file_that_can_be_loaded(run: Run) -> None:
    proposed = run("propose", "2028")
    assert proposed.output.startswith("# Dự kiến năm 2028, chỉ để tham khảo.")
    assert "- {from: 2028-01-24, to: 2028-01-29, name: Tết Nguyên Đán}" in proposed.output
    assert run("load", file(proposed.output)).exit_code == 0
    assert "(dự kiến" in run("show", "--year", "2028").output


@pytest.mark.parametrize("year", [2026, 2027])
def test_a_proposal_lies_near_the_real_calendar(year: int, tmp_path: Path) -> None:
    path = tmp_path / "lich.yaml"
    path.write_text(written(year, guessed(year)), encoding="utf-8")
    proposed = {row.day for row in read_calendar(path)}
    known = {row.day for row in shipped_days() if row.day.year == year and not row.working}
    missed = {day for day in known - proposed if day.weekday() < 5}
    assert len(missed) <= 2  # days swapped with a Saturday
    assert date(year, 11, 24) in proposed


def test_the_provinces_day_is_shown_and_asked_before_it_moves(run: Run) -> None:
    before = days_of()
    assert "Gửi tỉnh: 19/9/2053 → 26/9/2053" in run("province", "2053-Q3", "2053-09-26", answer="k\n").output
    assert days_of() == before
    assert run("province", "2053-Q3", "2053-09-26", answer="").exit_code == 1
    assert days_of() == before
    assert "đơn vị báo cáo thứ Tư, 24/9" in run("province", "quý III", "2053-09-26", answer="có\n").output
    assert days_of() == ("2053-09-24", "2053-09-26", "2053-09-27")
    assert run("province", "Q3", "2053-09-19", "--yes").exit_code == 0
    assert days_of() == before


def test_loading_the_plan_again_keeps_the_days_that_were_moved_and_says_so(run: Run) -> None:
    run("province", "2053-Q3", "2053-09-26", "--yes")
    again = CliRunner().invoke(app, ["plan", "load", str(PLAN), "--year", str(YEAR)])
    assert "Ngày đã đổi trong lịch được giữ nguyên: quý III năm 2053." in again.output
    assert days_of() == ("2053-09-24", "2053-09-26", "2053-09-27")
    assert asked("SELECT COUNT(*) FROM obligation WHERE due_on = '2053-09-17'") == [(0,)]


def test_a_day_off_removed_stays_removed_when_the_plan_is_loaded_again(run: Run) -> None:
    assert run("load", file(SOUND.replace("2053", "2027"))).exit_code == 0
    CliRunner().invoke(app, ["plan", "load", str(PLAN), "--year", str(YEAR)])
    assert asked("SELECT day FROM calendarday WHERE day LIKE '2027%'") == [("2027-01-01",)]


def test_without_a_plan_there_is_no_calendar(run: Run) -> None:
    Path("dondoc.db").unlink()
    assert getattr(run("show").exception, "code", None) == "no_plan"
