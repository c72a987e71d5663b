"""The documents a newcomer meets say what there is, and only that."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer

from bot.cli import app
from bot.settings import Settings
from handlers import COMMANDS

ROOT = Path(__file__).parent.parent
README, README_VI, CHANGELOG = "README.md", "README.vi.md", "CHANGELOG.md"
HOSTS = {"api.telegram.org"}
"""The only places elsewhere that the documents name."""

documents = pytest.mark.parametrize("name", [README, README_VI, CHANGELOG])
readmes = pytest.mark.parametrize("name", [README, README_VI])


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code_in(name: str) -> str:
    """What stands as code: indented lines and what is between backticks."""
    return "\n".join(re.findall(r"^ {4,}.+$|`[^`\n]+`", read(name), re.MULTILINE))


def commands_in(name: str) -> set[str]:
    """Commands of the command line, as in "dondoc plan check"."""
    return set(re.findall(r"(?:[ `\\]|bin/)dondoc ((?:plan |calendar )?[a-z]+)", code_in(name)))


def commands_of(group: typer.Typer, path: str = "") -> set[str]:
    """Commands of the command line that are there, named in the same way."""
    own = {path + (one.name or one.callback.__name__) for one in group.registered_commands if one.callback}
    below = [(one.typer_instance, f"{path}{one.name} ") for one in group.registered_groups]
    return own.union(*(commands_of(inner, name) for inner, name in below if inner is not None))


def test_the_settings_table_is_what_can_be_set() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \|(?: `(.+?)`)? \| .+ \|$", read(README), re.MULTILINE))
    assert set(rows) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default or "")
        assert rows[name.upper()] == default


def test_the_readme_names_every_command_and_no_other() -> None:
    assert commands_in(README) == commands_of(app)


def test_the_vietnamese_readme_names_no_command_that_is_not_there() -> None:
    named = commands_in(README_VI)
    assert named
    assert named <= commands_of(app)


@readmes
def test_the_chat_commands_are_those_that_are_there(name: str) -> None:
    assert set(re.findall(r"(?<![\w/.])/([a-z]+)(?![\w/.-])", code_in(name))) == set(COMMANDS)


@readmes
def test_every_make_target_named_is_there(name: str) -> None:
    named = set(re.findall(r"\bmake ([a-z]+)", code_in(name)))
    assert {"demo", "test"} <= named
    assert named <= set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))


@documents
def test_every_link_leads_to_a_file(name: str) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", read(name))]
    assert [link for link in links if not (ROOT / link).is_file()] == []


@documents
def test_no_address_leads_elsewhere_unseen(name: str) -> None:
    assert set(re.findall(r"https?://([^/\s`)]+)", read(name))) <= HOSTS


@readmes
def test_the_picture_is_light(name: str) -> None:
    assert "(docs/chat.png)" in read(name)
    picture = (ROOT / "docs/chat.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 300_000


def test_the_newest_change_is_this_version() -> None:
    versions = re.findall(r"^## (\S+)$", read(CHANGELOG), re.MULTILINE)
    assert versions[0] == tomllib.loads(read("pyproject.toml"))["project"]["version"]
