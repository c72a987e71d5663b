"""`dondoc plan` says in words what is wrong with a plan file, loads a sound one, and shows it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot import plan_commands
from bot.cli import main
from messages import blocks
from plans.file import PlanFaults, read_plan
from tests.test_plan_file import NO_PLAN, ONE_FAULT, SAMPLE, SHIPPED, changed

Run = Callable[..., Result]
FAULTY: list[str | bytes] = [*(changed((old, new)) for old, new, *_ in ONE_FAULT), *(row[0] for row in NO_PLAN)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place to work in, also for the program."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    return invoke


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(plan_commands.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped plan, loaded once."""
    folder = tmp_path_factory.mktemp("loaded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(folder))
        patch.delenv("DATABASE_URL", raising=False)
        assert invoke("load", SHIPPED).exit_code == 0
    return folder / "dondoc.db"


@pytest.fixture
def loaded(folder: Path, database: Path) -> Path:
    """The folder, with the shipped plan loaded in it."""
    (folder / "data").mkdir()
    shutil.copy(database, folder / "data")
    return folder


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "plan.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "data" / "dondoc.db")) as db:
        return db.execute(query).fetchall()


def ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str | Path
) -> tuple[int | str | None, str]:
    """Runs the whole program: its exit code and what it said in the end."""
    monkeypatch.setattr("sys.argv", ["dondoc", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err.strip()


def test_a_sound_plan_is_told_with_what_it_asks_of_each_unit(run: Run) -> None:
    result = run("check", SHIPPED)
    assert result.exit_code == 0
    assert "19 nhiệm vụ, 7 đơn vị, 4 kỳ báo cáo" in result.output
    assert f"để ngỏ {len(read_plan(SHIPPED).gaps)} điều" in result.output
    assert "Đơn vị 2025-Q1 2025-H1 2025-Q3 2025-Y" in " ".join(result.output.split())
    assert "TTPVHCC 9 16 12 22" in " ".join(result.output.split())


@pytest.mark.parametrize("content", FAULTY)
def test_each_fault_is_one_line_with_its_file_and_place(run: Run, folder: Path, content: str | bytes) -> None:
    path = written(folder, content)
    with pytest.raises(PlanFaults) as refused:
        read_plan(path)
    result = run("check", path)
    places = [f"{path}:{fault.line}: " if fault.line else f"{path}: " for fault in refused.value.faults]
    assert result.exit_code == 1
    told = zip(result.output.splitlines(), places, strict=True)
    assert all(line.startswith(place) for line, place in told)
    assert "None" not in result.output


def test_every_kind_of_fault_has_its_words() -> None:
    met = {code for _, _, code, _ in ONE_FAULT} | {code for _, _, code in NO_PLAN}
    worded = {name.removeprefix("plan.fault_") for name in blocks() if name.startswith("plan.fault_")}
    assert worded == met | {"missing_file", "a_folder", "unreadable_file"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("year: 2025\n", "year: 1925\n", ":9: “year” phải từ 2000 trở lên (đang ghi “1925”)."),
        ("kind: Q3", "kind: Q2", ":17: “kind” phải là một trong: Q1, H1, Q3, Y (đang ghi “Q2”)."),
        ("handled / found", "handled / foud", "nêu “foud” không phải mã câu hỏi"),
        ("  superior: UBND tỉnh\n", "", ":1: thiếu “superior”."),
        ("lock: 2025-09-25", 'lock: "hai\\n\\ndòng"', "đang ghi “hai dòng”"),
        ("year: 2025\n", "year: <b>2025</b>\n", "đang ghi “<b>2025</b>”"),
    ],
)
def test_a_fault_is_told_in_words(run: Run, folder: Path, old: str, new: str, words: str) -> None:
    result = run("check", written(folder, changed((old, new))))
    assert words in result.output
    assert len(result.output.splitlines()) == 1


def test_a_missing_file_and_a_folder_are_told(run: Run, folder: Path) -> None:
    assert run("check", "none.yaml").output == "none.yaml: không có tệp này.\n"
    assert "đây là một thư mục" in run("check", folder).output


def test_loading_says_what_is_owed_and_the_database_agrees(run: Run, folder: Path) -> None:
    result = run("load", SHIPPED)
    assert result.exit_code == 0, result.output
    assert "19 nhiệm vụ, 4 mục phụ trách chung, 8 mục tổ chức thực hiện; 7 đơn vị, 4 kỳ báo cáo" in result.output
    counts = dict(rows(folder, "SELECT state, count(*) FROM obligation GROUP BY state"))
    assert f"{counts['not_started']} báo cáo phải nộp" in result.output
    assert f"{counts['not_owed']} báo cáo không phải nộp vì kỳ kết thúc trước 11/8/2025" in result.output
    assert "Kỳ đã kết thúc trước hôm nay: quý III năm 2025, năm 2025." in result.output
    assert rows(folder, "SELECT is_working FROM calendarday WHERE day = '2025-04-26'") == [(1,)]


def test_loading_twice_changes_nothing(run: Run, loaded: Path) -> None:
    kept = (
        "SELECT code, title, year, effective_from, file FROM plan",
        "SELECT * FROM task",
        "SELECT * FROM period",
        "SELECT id, task_id, unit_id, period_id, state, due_on, reason, rungs_from, look_on FROM obligation",
        "SELECT task_id, unit_id, part FROM assignment ORDER BY 1, 2, 3",
        "SELECT task_id, code, file FROM indicator ORDER BY 1, 2",
        "SELECT * FROM calendarday",
    )
    before = [rows(loaded, query) for query in kept]
    assert run("load", SHIPPED).exit_code == 0
    assert [rows(loaded, query) for query in kept] == before
    assert all(before)


def test_only_units_that_report_are_assigned_what_all_carry_out(loaded: Path) -> None:
    assigned = rows(
        loaded,
        "SELECT DISTINCT unit.code FROM assignment JOIN unit ON unit.id = assignment.unit_id"
        " WHERE part = 'implement' ORDER BY 1",
    )
    assert [code for (code,) in assigned] == ["KT", "TTPVHCC", "VHXH", "VP"]


def test_another_year_is_loaded_beside_with_what_to_renew(run: Run, loaded: Path) -> None:
    result = run("load", SHIPPED, "--year", "2026")
    assert rows(loaded, "SELECT code, year FROM plan") == [("phu-tan-2025", 2025), ("phu-tan-2026", 2026)]
    assert "Cần soát lại cho năm 2026" in result.output
    assert "• 2.1: năm 2025\n" in result.output
    assert "• phu-tan-2026: Kế hoạch số 41/KH-UBND" in result.output
    assert "vẫn phải nộp" not in result.output
    assert json.loads(run("show", "--json").output)["plan"]["code"] == "phu-tan-2026"


def test_a_year_still_to_come_has_nothing_ended(run: Run) -> None:
    assert "đã kết thúc" not in run("load", SHIPPED, "--year", "2100").output


@pytest.mark.parametrize("year", ["1999", "2101"])
def test_years_no_plan_has_are_refused(run: Run, folder: Path, year: str) -> None:
    result = run("load", SHIPPED, "--year", year)
    assert (result.exit_code, result.output) == (1, f"Không nạp được cho năm {year}: năm phải từ 2000 đến 2100.\n")
    assert not (folder / "data").exists()


def test_a_faulty_plan_is_not_loaded(run: Run, folder: Path) -> None:
    result = run("load", written(folder, changed(("[VHXH, DD]", "[VHXH, VP]"))))
    assert result.exit_code == 1
    assert "nêu đơn vị “VP” không có trong units" in result.output
    assert not (folder / "data").exists()


def test_what_fails_halfway_leaves_nothing_loaded(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("bot.assemble.load_calendar", fails)
    assert isinstance(run("load", SHIPPED).exception, RuntimeError)
    assert not rows(
        folder, "SELECT 1 FROM organization UNION ALL SELECT 1 FROM plan UNION ALL SELECT 1 FROM obligation"
    )


def test_a_busy_database_is_told_in_one_sentence(
    loaded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bot.assemble.TRIES", 1)
    with closing(sqlite3.connect(loaded / "data" / "dondoc.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        code, said = ends(monkeypatch, capsys, "plan", "load", SHIPPED, "--year", "2026")
    assert (code, len(said.splitlines())) == (1, 1)
    assert len(rows(loaded, "SELECT 1 FROM plan")) == 1


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all.db", "oracle://x", "gibberish", "postgresql://u:secret@127.0.0.1:1/x"]
)
@pytest.mark.parametrize("command", [["load", SHIPPED], ["show"]])
def test_a_database_out_of_reach_is_told_in_one_sentence(
    folder: Path,
    url: str,
    command: list[str | Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    code, said = ends(monkeypatch, capsys, "plan", *command)
    assert (code, len(said.splitlines())) == (1, 1)
    assert "secret" not in said


def test_without_a_plan_there_is_nothing_to_show(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = ends(monkeypatch, capsys, "plan", "show")
    assert (code, said.startswith("Chưa có kế hoạch nào.")) == (1, True)
    assert not (folder / "data").exists()


def test_a_plan_is_shown_in_words(run: Run, loaded: Path) -> None:
    shown = run("show", SHIPPED).output
    plan = read_plan(SHIPPED)
    assert all(f"\n{task.code}. {task.title}\n" in shown for task in plan.tasks)
    assert "• Tỷ lệ hồ sơ TTHC giải quyết đúng hạn: ≥ 98%\n" in shown
    assert "phạm kỷ luật, kỷ cương hành chính: = 0 người\n" in shown
    assert "trực tuyến toàn trình: > tỷ lệ hồ sơ giải quyết trực tuyến" in shown
    assert "2025-Q3: quý III năm 2025, số liệu 15/6/2025–14/9/2025; đơn vị báo cáo 17/9/2025" in shown
    assert run("show").output == shown


def test_a_plan_without_dates_and_gaps_is_shown_too(run: Run, folder: Path) -> None:
    path = written(folder, SAMPLE)
    assert "hài lòng: > tỷ lệ năm 2024\n" in run("show", path).output
    assert "Không còn điều nào để ngỏ." in run("check", path).output


def test_the_export_has_the_promised_keys(run: Run) -> None:
    shown = json.loads(run("show", "--json", SHIPPED).output)
    assert {"plan", "units", "periods", "tasks"} <= shown.keys()
    assert all(list(unit) == ["code", "name", "kind"] for unit in shown["units"])
    days = ["code", "from", "to", "unit_due", "province_due", "lock"]
    assert [list(period) for period in shown["periods"]] == [days] * 4
    task = ["code", "title", "lead", "implement", "coordinate", "deadlines", "indicators"]
    assert all(list(one)[:7] == task for one in shown["tasks"])
    deadlines = [deadline for one in shown["tasks"] for deadline in one["deadlines"]]
    assert {tuple(deadline) for deadline in deadlines} == {("kind",), ("kind", "days")}
    indicators = [indicator for one in shown["tasks"] for indicator in one["indicators"]]
    assert all({"code", "label", "questions", "target"} <= indicator.keys() for indicator in indicators)
    assert all(list(indicator["target"]) == ["op", "value", "unit"] for indicator in indicators)
    question = ["code", "label", "unit", "type", "mode", "by"]
    assert all(list(one) == question for indicator in indicators for one in indicator["questions"])


def test_the_export_has_the_plans_facts_and_is_the_same_once_loaded(run: Run, loaded: Path) -> None:
    shown = json.loads(run("show", "--json", SHIPPED).output)
    tasks = {task["code"]: task for task in shown["tasks"]}
    assert len(tasks) == len(shown["tasks"]) == 19
    assert tasks["2.5"]["lead"] == ["TTPVHCC", "VPDKDD"]
    assert tasks["2.5"]["indicators"][0]["target"] == {"op": ">=", "value": 98, "unit": "%"}
    assert tasks["2.15"]["indicators"][0]["target"] == {"op": ">", "value": "baseline", "unit": "%"}
    assert tasks["2.2"]["deadlines"] == [{"kind": "days_after_event", "days": 30}]
    assert {task["implement"] for task in shown["tasks"]} == {"all"}
    assert [period["code"] for period in shown["periods"]] == ["2025-Q1", "2025-H1", "2025-Q3", "2025-Y"]
    assert json.loads(run("show", "--json").output) == shown


def test_the_export_counts_days_by_the_communes_own_calendar(run: Run, loaded: Path) -> None:
    with closing(sqlite3.connect(loaded / "data" / "dondoc.db")) as db, db:
        (organization,) = db.execute("SELECT id FROM organization").fetchone()
        db.execute(
            "INSERT INTO calendarday (organization_id, day, is_working, name, is_official)"
            f" VALUES ({organization}, '2025-09-18', 0, 'nghỉ', 1)"
        )
    for words in (["show", "--json"], ["show", "--json", SHIPPED]):
        assert json.loads(run(*words).output)["periods"][2]["unit_due"] == "2025-09-16"
