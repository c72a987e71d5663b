"""Settings, read once from the environment or .env. `.env.example` lists the same names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("unknown time zone") from None
    return name


def _port(listen: str) -> str:
    if int(listen.rpartition(":")[2]) > 65535:
        raise ValueError("no such port")
    return listen


class BadSettings(Exception):
    """Settings that are missing or odd, each by its name and what is wrong with it (English)."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__(faults)
        self.faults = faults


class Settings(BaseSettings):
    """What an install can choose. Secrets print as stars."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    data_dir: Path = Path("data")
    """Where the SQLite file stands."""
    database_url: SecretStr | None = None
    """postgresql://… or sqlite:///…; without it an SQLite file in DATA_DIR."""
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Ho_Chi_Minh"
    telegram_bot_token: SecretStr | None = None
    telegram_api_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] = "https://api.telegram.org"
    """A self-hosted Bot API server: scheme and host, no path."""
    telegram_rate: float = Field(28.5, ge=0)
    """Messages a second overall; 0 = no limit."""
    telegram_chat_rate: float = Field(1.0, ge=0)
    """Messages a second to one chat; 0 = no limit."""
    listen: Annotated[str, Field(pattern=r"^[^:\s]+:\d{1,5}$"), AfterValidator(_port)] = "127.0.0.1:8080"
    """Where `run` answers GET /health and the demo shows its page (that one on loopback only).

    /health tells neither names nor texts, but asks the database at each call: for a monitor on this machine or in
    the office's own network, not for the open internet.
    """

    @property
    def url(self) -> str:
        """The database of `run` and of every command but `demo`."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.data_dir / 'dondoc.db').absolute()}"

    @property
    def demo_url(self) -> str:
        """The demo's own database."""
        return f"sqlite:///{(self.data_dir / 'demo.db').absolute()}"

    @property
    def listen_on(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host, int(port)


def read_settings() -> Settings:
    """The settings of this process. Raises BadSettings."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [(str(fault["loc"][0]).upper(), fault["msg"]) for fault in error.errors()]
        raise BadSettings(faults) from None
