"""The doctor finds each illness it knows, says what to do, and never shows a secret."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot import doctor
from bot.backup import Summary
from bot.doctor import MARKS, Finding, Level, examine, unreadable, worst
from bot.platform import StartFailed, TryLater
from bot.settings import BadSettings, Settings
from messages import blocks, plain
from storage.service import clear
from storage.store import Store
from storage.tables import Account, CalendarDay, Heartbeat, Member, Organization, Outgoing, Plan, Seen, SetAside
from tests.postgres import scratch_database

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
Row = dict[str, Any]
TOKEN = "123456:secret-of-the-bot"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A well install at work: plan of this year, official calendars, a token."""
    found = made(data_dir=tmp_path, telegram_bot_token=SecretStr(TOKEN))
    with closing(Store(found.url)) as store:
        store.prepare()
        with store.writing() as db:
            db.add(organization())
            db.flush()
            db.add(plan())
            db.add(day(2026))
            db.add(day(2027))
            db.add(ticked(timedelta(minutes=1)))
    return found


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever machine the tests run on."""
    monkeypatch.setattr(doctor, "commit_seconds", lambda _: 0.0012)


def made(**chosen: Any) -> Settings:
    return Settings(_env_file=None, **chosen)


def organization(**given: Any) -> Organization:
    facts: Row = {"code": "PT", "name": "UBND xã Phú Tân", "superior": "UBND tỉnh", "coordinator_code": "VHXH"}
    return Organization(**facts | {"id": 1, "timezone": "Asia/Ho_Chi_Minh"} | given)


def plan(**given: Any) -> Plan:
    facts: Row = {"id": 1, "organization_id": 1, "code": "P", "title": "Kế hoạch CCHC", "year": 2026, "file": {}}
    return Plan(**facts | {"effective_from": date(2026, 1, 1), "loaded_at": NOW} | given)


def day(year: int, **given: Any) -> CalendarDay:
    facts: Row = {"id": year, "organization_id": 1, "day": date(year, 9, 2), "name": "Quốc khánh"}
    return CalendarDay(**facts | given)


def account(**given: Any) -> Account:
    facts: Row = {"id": 1, "organization_id": 1, "channel": "telegram", "chat_id": "7"}
    return Account(**facts | given)


def waiting(since: timedelta, **given: Any) -> list[Any]:
    return [account(), Outgoing(account_id=1, kind="text", created_at=NOW - since, **given)]


def ticked(ago: timedelta) -> Heartbeat:
    return Heartbeat(name="tick", at=NOW - ago)


def set_aside(ago: timedelta) -> list[Any]:
    facts: Row = {"channel": "telegram", "chat_id": "7", "message_key": "1", "kind": "text", "traceback": "…"}
    return [SetAside(at=NOW - ago, **facts)]


def unreachable(**given: Any) -> list[Any]:
    return [Member(id=1, organization_id=1, name="Lan", joined_at=NOW), account(is_reachable=False, **given)]


def change(settings: Settings, *rows: Any) -> Settings:
    with closing(Store(settings.url)) as store, store.writing() as db:
        for row in rows:
            db.merge(row)
            db.flush()
    return settings


def ills(findings: list[Finding]) -> list[tuple[Level, str]]:
    """What is not well; each can be said."""
    assert all(finding.line[0] == MARKS[finding.level] for finding in findings)
    return [(finding.level, finding.code) for finding in findings if finding.level != "ok"]


def test_a_well_install_has_nothing_to_mend(settings: Settings) -> None:
    findings = examine(settings, NOW, lambda: "phutan_bot")
    assert ills(findings) == []
    assert worst(findings) == "ok"
    assert all(finding.line.startswith("✓ ") for finding in findings)
    assert "@phutan_bot" in findings[-1].line


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([organization(is_demo=True)], [("bad", "demo")]),
        ([organization(timezone="Asia/Nowhere")], [("bad", "zone_missing")]),
        ([plan(is_archived=True)], [("warn", "plan_missing")]),
        ([plan(year=2025)], [("warn", "plan_past")]),
        ([plan(year=2025), plan(id=2, code="Q")], []),
        ([day(2027, is_official=False)], [("warn", "calendar_expected")]),
        ([day(2027, day=date(2028, 1, 1))], [("warn", "calendar_missing")]),
        ([Seen(channel="x", message_key="1", at=NOW + timedelta(minutes=6))], [("warn", "clock_behind")]),
        ([Seen(channel="x", message_key="1", at=NOW + timedelta(minutes=4))], []),
        (waiting(timedelta(minutes=4)), []),
        (waiting(timedelta(minutes=6)), [("warn", "outbox_slow")]),
        (waiting(timedelta(hours=2)), [("bad", "outbox_stuck")]),
        (waiting(timedelta(hours=2), state="sent"), []),
        (waiting(timedelta(hours=2), not_before=NOW + timedelta(hours=1)), []),
        ([ticked(timedelta(minutes=10))], []),
        ([ticked(timedelta(minutes=11))], [("warn", "ticks_stopped")]),
        ([ticked(timedelta(hours=24))], [("warn", "ticks_stopped")]),
        ([ticked(timedelta(hours=25))], [("bad", "ticks_stopped")]),
        ([ticked(timedelta(minutes=-6))], [("warn", "clock_behind")]),
        (set_aside(timedelta(days=6)), [("warn", "set_aside")]),
        (set_aside(timedelta(days=8)), []),
        (unreachable(member_id=1), [("warn", "unreachable")]),
        (unreachable(), []),
    ],
)
def test_rows_that_tell_of_an_illness(settings: Settings, rows: list[Any], found: list[tuple[Level, str]]) -> None:
    assert ills(examine(change(settings, *rows), NOW)) == found


def test_the_year_is_that_of_the_commune(settings: Settings) -> None:
    change(settings, day(2028))
    new_year_there = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)
    change(settings, Heartbeat(name="tick", at=new_year_there))
    assert ills(examine(settings, new_year_there - timedelta(seconds=1))) == []
    assert ills(examine(settings, new_year_there)) == [("warn", "plan_past")]


@pytest.mark.parametrize(
    ("ago", "line"),
    [
        (timedelta(minutes=5), "✓ Chương trình đang chạy, lần xem việc đến hạn gần nhất lúc 08:25."),
        (timedelta(hours=9), "! Chương trình không chạy từ ngày 1/11 lúc 23:30, không ai được nhắc việc: "),
        (timedelta(days=2), "✗ Chương trình không chạy từ ngày 31/10 lúc 08:30, không ai được nhắc việc: "),
    ],
)
def test_the_last_tick_is_told_by_the_clock_of_the_place(settings: Settings, ago: timedelta, line: str) -> None:
    found = examine(change(settings, ticked(ago)), NOW)
    assert [one.line for one in found if one.line.startswith(line)]


def test_that_it_never_ran_is_an_illness_only_once_somebody_wrote(settings: Settings) -> None:
    with closing(Store(settings.url)) as store, store.writing() as db:
        clear(db, "tick")
    assert ills(examine(settings, NOW)) == []
    assert "✓ Mới cài đặt, chưa chạy lần nào: khi sẵn sàng" in "".join(one.line for one in examine(settings, NOW))
    found = examine(change(settings, account()), NOW)
    assert ills(found) == [("warn", "never_ticked")]
    assert "! Đã có người tham gia mà chương trình chưa nhắc việc lần nào" in "".join(one.line for one in found)


@pytest.mark.parametrize(
    ("version", "found"), [("0000", ("warn", "store_older")), ("9999", ("bad", "store_newer"))]
)
def test_a_database_of_another_release_is_not_looked_into(
    settings: Settings, version: str, found: tuple[Level, str]
) -> None:
    with closing(Store(settings.url)) as store, store.writing() as db:
        db.connection().exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    assert ills(examine(settings, NOW)) == [found]


def test_a_missing_empty_or_spoiled_database_is_said_and_not_made(tmp_path: Path) -> None:
    settings, file = made(data_dir=tmp_path), tmp_path / "dondoc.db"
    assert ills(examine(settings, NOW))[0] == ("warn", "store_missing")
    assert not file.exists()
    file.touch()
    assert ills(examine(settings, NOW))[0] == ("warn", "store_empty")
    file.write_text("không phải cơ sở dữ liệu" * 100)
    assert ills(examine(settings, NOW))[0] == ("bad", "store_away")


def test_tables_without_any_commune_lack_a_plan(tmp_path: Path) -> None:
    settings = made(data_dir=tmp_path)
    with closing(Store(settings.url)) as store:
        store.prepare()
    assert ("warn", "plan_missing") in ills(examine(settings, NOW))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://dondoc:secret-of-the-store@127.0.0.1:1/dondoc",
        "postgresql://dondoc:se@secret-of-the-store@127.0.0.1:1/dondoc",
        "nosuchbase://dondoc:secret-of-the-store@db/dondoc",
        "secret-of-the-store",
    ],
)
def test_a_database_out_of_reach_is_named_without_its_password(tmp_path: Path, url: str) -> None:
    settings = made(data_dir=tmp_path, database_url=SecretStr(url), telegram_bot_token=SecretStr(TOKEN))
    findings = examine(settings, NOW)
    assert ills(findings) == [("bad", "store_away")]
    assert "secret-of" not in "\n".join(finding.line for finding in findings)
    assert "DATABASE_URL, DATA_DIR, TELEGRAM_BOT_TOKEN" in findings[0].line


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (StartFailed("telegram_token"), ("bad", "token_refused")),
        (TryLater("network"), ("warn", "telegram_away")),
    ],
)
def test_the_token_is_asked_after(settings: Settings, error: Exception, found: tuple[Level, str]) -> None:
    def check_token() -> str:
        raise error

    assert ills(examine(settings, NOW, check_token)) == [found]
    assert examine(settings, NOW)[-1] == Finding("ok", "token_there")


def test_without_a_token_it_is_missed(settings: Settings) -> None:
    assert ills(examine(made(data_dir=settings.data_dir), NOW)) == [("warn", "token_missing")]


def test_a_slow_full_or_closed_disk_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_: Path) -> float:
        raise PermissionError

    monkeypatch.setattr(doctor, "commit_seconds", lambda _: 0.0123)
    assert "12,3 ms" in next(one.line for one in examine(settings, NOW) if one.code == "commit_slow")
    monkeypatch.setattr(doctor, "commit_seconds", closed)
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 10**18)
    assert ills(examine(settings, NOW)) == [("warn", "disk_low"), ("bad", "folder_closed")]


def test_measuring_the_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert doctor.commit_seconds(tmp_path) > 0
    assert list(tmp_path.iterdir()) == []


def test_on_postgresql_the_clock_is_compared_with_the_servers(tmp_path: Path) -> None:
    with scratch_database() as url:
        settings = made(data_dir=tmp_path, database_url=SecretStr(url))
        with closing(Store(url)) as store:
            store.prepare()
        now = datetime.now(UTC)
        assert "clocks_apart" not in [finding.code for finding in examine(settings, now)]
        assert ("warn", "clocks_apart") in ills(examine(settings, now - timedelta(minutes=2)))


def test_settings_that_cannot_be_read_are_each_named() -> None:
    findings = unreadable(BadSettings([("TIMEZONE", "unknown time zone"), ("LISTEN", "no port")]))
    assert [finding.line.startswith("✗ ") for finding in findings] == [True, True]
    assert worst(findings) == "bad"
    assert "TIMEZONE" in findings[0].line


def test_the_worst_finding_decides() -> None:
    ok, warn, bad = Finding("ok", "zone"), Finding("warn", "demo"), Finding("bad", "demo")
    assert [worst(found) for found in ([ok], [ok, warn], [warn, bad, ok])] == ["ok", "warn", "bad"]


def test_every_sentence_of_care_can_be_said() -> None:
    done = Summary(Path("a.zip"), NOW, "sqlite", {"unit": 12000, "task": 345})
    facts: Row = dict.fromkeys(("found", "known", "file", "folder", "mark", "name", "place", "reason"), "x")
    facts |= dict.fromkeys(("table", "title", "what"), "x") | {"at": NOW, "zone": "Asia/Ho_Chi_Minh"}
    facts |= {"names": ["x"], "ms": "1.2", "done": done}
    facts |= dict.fromkeys(("count", "free_mb", "minutes", "seconds", "year"), 75)
    said = {name: plain(name, **facts) for name in blocks() if name.startswith("care.")}
    assert "12.345 dòng của 2 bảng" in said["care.backed_up"]
    assert {name for name, text in said.items() if "\n" in text} == {"care.backed_up"}
