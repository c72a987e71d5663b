"""Imports run one way: bot -> handlers, scheduler -> messages, storage -> plans; the core reads no clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {
    "plans": set[str](),
    "storage": {"plans"},
    "messages": {"plans"},
    "handlers": {"messages", "storage", "plans"},
    "scheduler": {"messages", "storage", "plans"},
    "bot": {"handlers", "scheduler", "messages", "storage", "plans"},
}
WORDS_OF_THE_FIELD = {"plans/numbers.py", "messages/formats.py", "plans/export.py"}
"""They hold numerals, units of money and weekdays."""
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
VIETNAMESE = "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
CORE = [path for path in MODULES if path.relative_to(ROOT).parts[0] != "bot"]
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "localtime"),
    ("time", "gmtime"),
    ("time", "sleep"),
    ("asyncio", "sleep"),
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} imports relatively"
            yield node.module or ""


def test_there_are_modules_in_every_room() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_imports_only_the_rooms_below_its_own(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    rooms = {module.partition(".")[0] for module in imported(path)} & set(ROOMS)
    assert rooms <= ROOMS[room] | {room}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_imports_the_tests_or_the_benchmark(path: Path) -> None:
    assert not {module.partition(".")[0] for module in imported(path)} & {"tests", "bench"}


@pytest.mark.parametrize("path", CORE, ids=name)
def test_nothing_outside_the_edge_names_a_chat_platform(path: Path) -> None:
    modules = {module.partition(".")[0] for module in imported(path)}
    assert not modules & {"telegram", "httpx", "starlette", "uvicorn"}
    words = path.read_text(encoding="utf-8").casefold()
    assert "telegram" not in words
    assert "zalo" not in words


@pytest.mark.parametrize("path", CORE, ids=name)
def test_the_core_never_reads_the_clock(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    read = {
        (func.value.id, func.attr)
        for func in calls
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name)
    }
    allowed = {("asyncio", "sleep")} if name(path) == "scheduler/tick.py" else set()
    assert not (read & CLOCKS) - allowed


@pytest.mark.parametrize("path", CORE, ids=name)
def test_asyncio_lives_at_the_edge_and_in_the_tick(path: Path) -> None:
    if name(path) != "scheduler/tick.py":
        assert "asyncio" not in set(imported(path))


@pytest.mark.parametrize("path", [path for path in MODULES if name(path) not in WORDS_OF_THE_FIELD], ids=name)
def test_no_sentence_for_people_stands_in_python(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = [node for node in ast.walk(tree) if isinstance(node, DOCUMENTED)]
    explained = {ast.get_docstring(node, clean=False) for node in documented} | explanations(tree)
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)} - explained
    sentences = [text for text in texts if isinstance(text, str) and " " in text]
    assert not [text for text in sentences if set(text.lower()) & set(VIETNAMESE)]


def explanations(tree: ast.AST) -> set[object]:
    """Strings that stand as statements of their own, below a constant or a field."""
    statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    return {value.value for value in statements if isinstance(value, ast.Constant)}
