"""Doctor: is this install well, and what is to be done where it is not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, func, select, true

from bot.backup import is_absent, place_of, sqlite_file
from bot.platform import SendFailed, StartFailed
from bot.settings import BadSettings, Settings
from messages import plain
from storage.calendar import calendar_rows
from storage.service import Pulse, pulse
from storage.store import HEAD, Store
from storage.tables import Account, Audit, Heartbeat, Organization, Outgoing, Plan, Seen, SetAside, Submission

Level = Literal["ok", "warn", "bad"]

MARKS: Final[dict[Level, str]] = {"ok": "✓", "warn": "!", "bad": "✗"}
SLOW_COMMIT_MS: Final = 5.0
LITTLE_SPACE: Final = 500 * 10**6
CLOCK_AHEAD: Final = timedelta(minutes=5)
CLOCKS_APART: Final = timedelta(minutes=1)
SILENT_LONG: Final = timedelta(minutes=10)
SILENT_TOO_LONG: Final = timedelta(days=1)
WAITS_TOO_LONG: Final = timedelta(hours=1)
LOOK_BACK: Final = timedelta(days=7)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. Block `care.<code>` says it."""

    level: Level
    code: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> str:
        return plain(f"care.{self.code}", mark=MARKS[self.level], **self.facts)


Findings = Iterator[Finding]


def examine(settings: Settings, now: datetime, check_token: Callable[[], str] | None = None) -> list[Finding]:
    """Everything worth knowing, good or bad, secrets never shown.

    `check_token` asks the platform who the token is: the bot's name, or StartFailed when the token is refused, or
    SendFailed when nobody answers. Without it the token is only looked for.
    """
    return [
        *_settings(settings),
        _zone(settings.timezone),
        *_disk(settings),
        *_database(settings, now),
        *_token(settings, check_token),
    ]


def unreadable(error: BadSettings) -> list[Finding]:
    """What is wrong with settings that could not be read."""
    return [Finding("bad", "settings_odd", {"name": name, "what": what}) for name, what in error.faults]


def worst(findings: list[Finding]) -> Level:
    levels = {finding.level for finding in findings}
    return "bad" if "bad" in levels else "warn" if "warn" in levels else "ok"


def _settings(settings: Settings) -> Findings:
    yield Finding("ok", "settings", {"names": sorted(name.upper() for name in settings.model_fields_set)})


def _zone(name: str) -> Finding:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return Finding("bad", "zone_missing", {"zone": name})
    return Finding("ok", "zone", {"zone": name})


def _disk(settings: Settings) -> Findings:
    file = sqlite_file(settings.url)
    folder = file.parent if file else settings.data_dir
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(there).free
    facts = {"folder": there, "free_mb": free // 10**6}
    yield Finding("warn", "disk_low", facts) if free < LITTLE_SPACE else Finding("ok", "disk", facts)
    if file and folder.exists():
        yield _commit_found(folder)


def _commit_found(folder: Path) -> Finding:
    try:
        took_ms = commit_seconds(folder) * 1000
    except (OSError, SQLAlchemyError):
        return Finding("bad", "folder_closed", {"folder": folder})
    slow = took_ms > SLOW_COMMIT_MS
    return Finding("warn" if slow else "ok", "commit_slow" if slow else "commit", {"ms": f"{took_ms:.1f}"})


def commit_seconds(folder: Path) -> float:
    """How long a small change takes to reach this disk: median of 20, in a file of its own like the real one."""
    with TemporaryDirectory(dir=folder, prefix=".dondoc-") as scratch:
        store = Store(f"sqlite:///{Path(scratch) / 'scratch.db'}")
        try:
            with store.writing() as db:
                db.connection().exec_driver_sql("CREATE TABLE scratch (n INTEGER)")
            return median(_one_commit(store) for _ in range(20))
        finally:
            store.close()


def _one_commit(store: Store) -> float:
    began = perf_counter()
    with store.writing() as db:
        db.connection().exec_driver_sql("INSERT INTO scratch VALUES (1)")
    return perf_counter() - began


def _database(settings: Settings, now: datetime) -> Findings:
    url, place = settings.url, place_of(settings.url)
    if is_absent(url):
        yield Finding("warn", "store_missing", {"place": place})
        return
    try:
        store = Store(url)
        try:
            found = _version(store, place)
            rows = list(_rows(store, settings.timezone, now)) if found.code == "store" else []
        finally:
            store.close()
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        yield Finding("bad", "store_away", {"place": place, "reason": type(error).__name__})
        return
    yield found
    yield from rows


def _version(store: Store, place: str) -> Finding:
    found = store.revision()
    facts = {"place": place, "found": found, "known": HEAD}
    if found is None:
        return Finding("warn", "store_empty", facts)
    if found > HEAD:
        return Finding("bad", "store_newer", facts)
    return Finding("warn", "store_older", facts) if found < HEAD else Finding("ok", "store", facts)


def _rows(store: Store, zone: str, now: datetime) -> Findings:
    with store.reading() as db:
        organizations = db.exec(select(Organization)).all()
        if any(organization.is_demo for organization in organizations):
            yield Finding("bad", "demo")
        else:
            yield _stored_clock(db, now) if store.is_sqlite else _server_clock(db, now)
        for organization in organizations:
            yield from _organization(db, organization, now)
        if not organizations:
            yield Finding("warn", "plan_missing", {"name": None})
        found = pulse(db, now)
        yield _ticks(db, found, zone)
        yield _outbox(found)
        yield _set_aside(db, now)
        yield _unreachable(db)


def _organization(db: Session, organization: Organization, now: datetime) -> Findings:
    zone = _zone(organization.timezone)
    if zone.level == "bad":
        yield zone
        return
    year = now.astimezone(ZoneInfo(organization.timezone)).year
    yield _plan(db, organization, year)
    yield _calendar(db, organization, year)
    yield _calendar(db, organization, year + 1)


def _stored_clock(db: Session, now: datetime) -> Finding:
    """SQLite has no clock of its own: a row written in the future shows that ours has been set back."""
    instants = (col(Seen.at), col(Outgoing.created_at), col(Audit.at), col(Submission.at), col(Heartbeat.at))
    found = [db.exec(select(func.max(instant))).one() for instant in instants]
    newest = max((instant for instant in found if instant), default=now)
    if newest - now > CLOCK_AHEAD:
        return Finding("warn", "clock_behind", {"minutes": _minutes(newest - now)})
    return Finding("ok", "clock")


def _server_clock(db: Session, now: datetime) -> Finding:
    there: datetime = db.exec(select(func.clock_timestamp())).one()
    if abs(there - now) > CLOCKS_APART:
        return Finding("warn", "clocks_apart", {"seconds": int(abs(there - now).total_seconds())})
    return Finding("ok", "clock")


def _plan(db: Session, organization: Organization, year: int) -> Finding:
    of_commune = select(Plan).where(Plan.organization_id == organization.id)
    plans = [plan for plan in db.exec(of_commune) if not plan.is_archived]
    if not plans:
        return Finding("warn", "plan_missing", {"name": organization.name})
    newest = max(plans, key=lambda plan: plan.year)
    facts = {"title": newest.title, "year": newest.year}
    return Finding("warn", "plan_past", facts) if newest.year < year else Finding("ok", "plan", facts)


def _calendar(db: Session, organization: Organization, year: int) -> Finding:
    days = calendar_rows(db, organization.id or 0)
    official = [day.is_official for day in days if day.day.year == year]
    facts = {"name": organization.name, "year": year}
    if not official:
        return Finding("warn", "calendar_missing", facts)
    return Finding("ok", "calendar", facts) if all(official) else Finding("warn", "calendar_expected", facts)


def _ticks(db: Session, found: Pulse, zone: str) -> Finding:
    if found.silence is None:  # nothing is wrong with an install that nobody has written to yet
        return Finding("warn", "never_ticked") if _count(db, Account, true()) else Finding("ok", "not_run_yet")
    facts = {"at": found.ticked_at, "zone": zone}
    if found.silence <= SILENT_LONG:
        return Finding("ok", "ticking", facts)
    return Finding("bad" if found.silence > SILENT_TOO_LONG else "warn", "ticks_stopped", facts)


def _outbox(found: Pulse) -> Finding:
    facts = {"minutes": _minutes(found.waited)}
    if found.waited > WAITS_TOO_LONG:
        return Finding("bad", "outbox_stuck", facts)
    return Finding("ok", "outbox") if found.is_delivering else Finding("warn", "outbox_slow", facts)


def _set_aside(db: Session, now: datetime) -> Finding:
    count = _count(db, SetAside, col(SetAside.at) >= now - LOOK_BACK)
    return Finding("warn", "set_aside", {"count": count}) if count else Finding("ok", "none_set_aside")


def _unreachable(db: Session) -> Finding:
    lost = col(Account.is_reachable).is_(False) & col(Account.member_id).is_not(None)
    count = _count(db, Account, lost)
    return Finding("warn", "unreachable", {"count": count}) if count else Finding("ok", "all_reachable")


def _token(settings: Settings, check_token: Callable[[], str] | None) -> Findings:
    if settings.telegram_bot_token is None:
        yield Finding("warn", "token_missing")
    elif check_token is None:
        yield Finding("ok", "token_there")
    else:
        try:
            yield Finding("ok", "token", {"name": check_token()})
        except StartFailed:
            yield Finding("bad", "token_refused")
        except SendFailed as error:
            yield Finding("warn", "telegram_away", {"reason": error.reason})


def _count(db: Session, model: type[Any], condition: Any) -> int:
    return db.exec(select(func.count()).select_from(model).where(condition)).one()


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
