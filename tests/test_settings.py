"""Settings: read once, named when odd, never shown when secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.settings import BadSettings, Settings, read_settings

EXAMPLE = Path(__file__).parent.parent / ".env.example"


def test_env_example_lists_every_setting_with_a_line_and_its_default() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    listed = dict(re.findall(r"^# .+\n([A-Z_]+)=(.*)$", text, re.MULTILINE))
    fields = Settings.model_fields
    assert set(listed) == {name.upper() for name in fields}
    for name, value in listed.items():
        default = fields[name.lower()].default
        assert value == ("" if default is None else f"{default:g}" if isinstance(default, float) else str(default))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIMEZONE", "Asia/Saigon2"),
        ("TELEGRAM_RATE", "-1"),
        ("TELEGRAM_API_URL", "https://example.org/bot"),
        ("LISTEN", "8080"),
    ],
)
def test_an_odd_setting_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as raised:
        read_settings()
    assert [fault[0] for fault in raised.value.faults] == [name]


def test_secrets_print_as_stars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456:very-secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:very-secret@host/name")
    settings = read_settings()
    assert "very-secret" not in f"{settings!r} {settings}"
    assert settings.url.endswith("very-secret@host/name")


def test_the_demo_has_a_database_of_its_own(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="sqlite:///elsewhere.db")
    assert settings.demo_url == f"sqlite:///{tmp_path}/demo.db"
    assert settings.demo_url != settings.url
