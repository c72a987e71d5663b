"""A backup holds everything, is checked before use, and moves between the two engines unchanged."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time
from itertools import product
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa

from bot import backup as rooms
from bot import backup_file
from bot.backup import backup, place_of, restore
from bot.backup_file import CareFault, Part, read_backup
from messages import plain
from storage.store import HEAD, Store
from storage.tables import Seen, Unit
from storage.tables.core import table
from tests.postgres import scratch_database

NOW = datetime(2026, 11, 2, 1, 30, 15, 123456, UTC)
ALL = table(Unit).metadata.sorted_tables
SEEN = table(Seen)

ODD: dict[type[Any], list[Any]] = {
    object: [{"n": "1.250", "lồng": [1, 2.5, True, None, "\x00 \ud83d"]}, {}, [], [["a", "b"]]],
    datetime: [NOW, datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), datetime(2025, 1, 1, tzinfo=UTC)],
    date: [date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31)],
    time: [time(7, 30), time(0), time(23, 59, 59, 999999)],
    bool: [True, False],
    int: [0, -1, 2**31 - 1],
    str: ["Đôn Đốc", "", '\'; DROP TABLE "unit"; --', "hai\r\ndòng\t\u2028 🙂", "e\u0301 ≠ é", "z" * 3000, "A"],
}
ROWS = 7
"""Odd texts are as many, so that what must be unique is."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty place, on either engine."""
    if request.param == "sqlite":
        yield sqlite(tmp_path, "first")
    else:
        with scratch_database() as found:
            yield found


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a full SQLite database."""
    folder = tmp_path_factory.mktemp("saved")
    return backup(full(sqlite(folder, "first")), folder / "saved.zip", NOW).file


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    """The same, to spoil."""
    target = tmp_path / "copy.zip"
    target.write_bytes(saved.read_bytes())
    return target


def sqlite(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}.db"


def prepared(url: str, revision: str = HEAD) -> str:
    """A database with tables and no rows."""
    with closing(Store(url)) as store:
        store.prepare()
        with store.writing() as db:
            db.connection().exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    return url


def full(url: str) -> str:
    """A database with rows in every table, every odd value in every column that can hold it."""
    with closing(Store(prepared(url))) as store, store.writing() as db:
        for one, number in product(ALL, range(1, ROWS + 1)):
            row = {column.name: value(column, number) for column in one.columns}
            db.connection().execute(one.insert(), row)
    return url


def value(column: sa.Column[Any], number: int) -> Any:
    is_json = isinstance(column.type, sa.JSON)
    if column.nullable and number % 2:
        return sa.null() if is_json and number % 4 == 1 else None  # a JSON null, or no value at all
    if any(key.column.table is column.table for key in column.foreign_keys):
        return number - 1
    if column.foreign_keys or column.name == "id":
        return number
    odd = ODD[getattr(column.type, "impl", column.type).python_type]
    return odd[number % len(odd)]


def content(url: str) -> dict[str, list[Any]]:
    """Every row of every table, and whether JSON columns hold a value."""
    with closing(Store(url)) as store, store.reading() as db:
        return {one.name: sorted(map(repr, db.connection().execute(sa.select(one, *absent(one))))) for one in ALL}


def absent(one: sa.Table) -> list[Any]:
    return [column.is_(sa.null()) for column in one.columns if isinstance(column.type, sa.JSON)]


def add_seen(url: str, *keys: str) -> None:
    with closing(Store(url)) as store, store.writing() as db:
        db.connection().execute(SEEN.insert(), [{"channel": "x", "message_key": key, "at": NOW} for key in keys])


def seen(url: str) -> set[str]:
    with closing(Store(url)) as store, store.reading() as db:
        return {row.message_key for row in db.connection().execute(sa.select(SEEN)) if row.channel == "x"}


def next_unit_id(url: str) -> int | None:
    with closing(Store(url)) as store, store.writing() as db:
        unit = Unit(organization_id=1, code="NEW", name="Mới", short="M", kind="internal")
        db.add(unit)
        db.flush()
        return unit.id


def revision(url: str) -> str | None:
    with closing(Store(url)) as store:
        return store.revision()


def refusal(code: str, call: Any, *args: Any) -> str:
    """The sentence with which a call is refused."""
    with pytest.raises(CareFault) as caught:
        call(*args)
    assert caught.value.code == code
    return plain(f"care.fault_{code}", **caught.value.facts)


def verdict(file: Path) -> str:
    """What a look at the file finds: its manifest, or the code of the fault."""
    try:
        with read_backup(file) as found:
            return found.manifest.model_dump_json()
    except CareFault as fault:
        return fault.code


def rewritten(source: Path, **changes: Any) -> Path:
    """The backup with another manifest."""
    with ZipFile(source) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    manifest = json.loads(parts.pop("manifest.json")) | changes
    with ZipFile(source, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
        new.writestr("manifest.json", json.dumps(manifest))
    return source


def test_everything_comes_back_exactly(tmp_path: Path) -> None:
    url, other = full(sqlite(tmp_path, "first")), sqlite(tmp_path, "second")
    done = backup(url, tmp_path / "saved.zip", NOW)
    assert done.rows == {one.name: ROWS for one in ALL}
    assert restore(done.file, other) == done
    assert content(other) == content(url)


def test_a_backup_moves_to_postgresql_and_back(tmp_path: Path) -> None:
    url, back = full(sqlite(tmp_path, "first")), sqlite(tmp_path, "back")
    add_seen(url, *(f"{number:x} {chr(0xC0 + number % 400)}" for number in range(1203)))
    here = backup(url, tmp_path / "here.zip", NOW).file
    with scratch_database() as server:
        restore(here, server)
        there = backup(server, tmp_path / "there.zip", NOW).file
    restore(there, back)
    with read_backup(here) as first, read_backup(there) as second:
        assert first.manifest.parts == second.manifest.parts
    assert content(back) == content(url)


def test_a_half_done_change_of_another_process_is_left_out(tmp_path: Path) -> None:
    url = full(sqlite(tmp_path, "first"))
    with closing(Store(url)) as store, store.writing() as db:
        db.connection().execute(SEEN.insert(), {"channel": "x", "message_key": "half done", "at": NOW})
        file = backup(url, tmp_path / "saved.zip", NOW).file
    restore(file, sqlite(tmp_path, "second"))
    assert (seen(url), seen(sqlite(tmp_path, "second"))) == ({"half done"}, set())


def test_all_parts_are_of_one_instant(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_part(*args: Any) -> Part:
        part = backup_file.write_part(*args)
        add_seen(url, f"while {part.table} was copied")
        return part

    prepared(url)
    monkeypatch.setattr(rooms, "write_part", write_part)
    restore(backup(url, tmp_path / "saved.zip", NOW).file, sqlite(tmp_path, "second"))
    assert (len(seen(url)), seen(sqlite(tmp_path, "second"))) == (len(ALL), set())


def test_the_file_says_what_it_is_and_only_its_owner_reads_it(saved: Path) -> None:
    with read_backup(saved) as file:
        manifest = file.manifest
    assert (manifest.revision, manifest.engine, manifest.made_at) == (HEAD, "sqlite", NOW)
    assert {part.table for part in manifest.parts} == {one.name for one in ALL}
    if os.name == "posix":
        assert stat.S_IMODE(saved.stat().st_mode) == 0o600


def test_an_existing_file_is_never_overwritten(saved: Path) -> None:
    before = saved.read_bytes()
    said = refusal("target_exists", backup, sqlite(saved.parent, "first"), saved, NOW)
    assert str(saved) in said
    assert saved.read_bytes() == before


def test_a_failed_backup_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: Any) -> Part:
        raise OSError(28, "No space left on device")

    url = prepared(sqlite(tmp_path, "first"))
    files = set(tmp_path.iterdir())
    monkeypatch.setattr(rooms, "write_part", full_disk)
    assert "No space left" in refusal("not_written", backup, url, tmp_path / "saved.zip", NOW)
    assert {file for file in tmp_path.iterdir() if "first" not in file.name} <= files
    refusal("not_written", backup, url, tmp_path / "no such folder" / "saved.zip", NOW)


def test_what_cannot_be_backed_up_is_said(tmp_path: Path) -> None:
    target = tmp_path / "saved.zip"
    refusal("store_missing", backup, sqlite(tmp_path, "none"), target, NOW)
    (tmp_path / "empty.db").touch()
    refusal("store_empty", backup, sqlite(tmp_path, "empty"), target, NOW)
    (tmp_path / "text.db").write_text("không phải cơ sở dữ liệu" * 100)
    refusal("store_away", backup, sqlite(tmp_path, "text"), target, NOW)
    refusal("store_away", backup, "postgresql://u:secret@127.0.0.1:1/none", target, NOW)
    refusal("store_away", backup, "oh no", target, NOW)
    assert not target.exists()
    assert not (tmp_path / "none.db").exists()


def test_a_database_of_a_newer_program_is_not_backed_up(tmp_path: Path) -> None:
    url = prepared(sqlite(tmp_path, "first"), "9999")
    assert "9999" in refusal("store_newer", backup, url, tmp_path / "saved.zip", NOW)


def test_a_table_of_another_program_is_named(tmp_path: Path) -> None:
    url = prepared(sqlite(tmp_path, "first"))
    with closing(Store(url)) as store, store.writing() as db:
        db.connection().exec_driver_sql("CREATE TABLE photos (bytes BLOB)")
    assert "photos" in refusal("foreign_table", backup, url, tmp_path / "saved.zip", NOW)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"revision": "9999"}, "newer"),
        ({"format": 2}, "newer"),
        ({"format": 2, "parts": "of another shape"}, "newer"),
        ({"format": "one"}, "damaged"),
        ({"revision": None}, "damaged"),
        ({"parts": [{"table": "unit"}]}, "damaged"),
    ],
)
def test_an_odd_manifest_is_refused(copy: Path, tmp_path: Path, change: dict[str, Any], code: str) -> None:
    refusal(code, restore, rewritten(copy, **change), sqlite(tmp_path, "second"))
    assert not (tmp_path / "second.db").exists()


def test_a_missing_part_is_found(copy: Path, tmp_path: Path) -> None:
    with ZipFile(copy) as old:
        kept = {name: old.read(name) for name in old.namelist() if name != "unit.jsonl"}
    with ZipFile(copy, "w") as new:
        for name, content in kept.items():
            new.writestr(name, content)
    refusal("damaged", restore, copy, sqlite(tmp_path, "second"))
    assert not (tmp_path / "second.db").exists()


def test_a_changed_part_is_found_even_in_a_sound_zip_file(copy: Path, tmp_path: Path) -> None:
    with ZipFile(copy) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["unit.jsonl"] = parts["unit.jsonl"].replace("Đốc".encode(), "Đọc".encode())
    with ZipFile(copy, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    refusal("damaged", restore, copy, sqlite(tmp_path, "second"))


def test_a_flipped_byte_is_found_or_harmless(saved: Path, copy: Path) -> None:
    whole, sound = saved.read_bytes(), verdict(saved)
    verdicts = []
    for place in range(0, len(whole), 97):
        copy.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        verdicts.append(verdict(copy))
    assert set(verdicts) == {sound, "damaged"}
    assert verdicts.count("damaged") > verdicts.count(sound)


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_a_file_cut_short_is_found(saved: Path, copy: Path, tmp_path: Path, share: float) -> None:
    whole = saved.read_bytes()
    copy.write_bytes(whole[: int(len(whole) * share)])
    refusal("damaged", restore, copy, sqlite(tmp_path, "second"))
    refusal("no_file", restore, tmp_path / "none.zip", sqlite(tmp_path, "second"))


def test_a_place_with_rows_is_left_alone(saved: Path, tmp_path: Path) -> None:
    url = full(sqlite(tmp_path, "second"))
    before = content(url)
    refusal("place_taken", restore, saved, url)
    assert content(url) == before


def test_tables_without_rows_are_an_empty_place(saved: Path, tmp_path: Path) -> None:
    url = prepared(sqlite(tmp_path, "second"))
    restore(saved, url)
    assert content(url) == content(sqlite(saved.parent, "first"))


def test_empty_tables_of_another_release_are_not_filled(saved: Path, tmp_path: Path) -> None:
    url = prepared(sqlite(tmp_path, "second"), "9999")
    refusal("place_other", restore, saved, url)


def test_a_failed_restore_leaves_the_place_empty_and_another_try_goes_well(
    saved: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(reader: backup_file.Reader, part: Part) -> Iterator[dict[str, Any]]:
        rows = list(map(part.row, reader.lines(part)))
        yield from rows * 2 if part.table == "account" else rows

    with monkeypatch.context() as changed:
        changed.setattr(backup_file.Reader, "rows", twice)
        assert "account" in refusal("not_taken", restore, saved, url)
    assert revision(url) is None
    restore(saved, url)
    assert next_unit_id(url) == ROWS + 1


def test_rows_that_read_back_otherwise_go(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fewer(reader: backup_file.Reader, part: Part) -> Iterator[dict[str, Any]]:
        rows = list(map(part.row, reader.lines(part)))
        yield from rows[1:] if part.table == "seen" else rows

    url = sqlite(tmp_path, "second")
    monkeypatch.setattr(backup_file.Reader, "rows", fewer)
    assert "seen" in refusal("not_same", restore, saved, url)
    assert revision(url) is None


def test_text_that_postgresql_cannot_hold_is_named_by_its_table(tmp_path: Path) -> None:
    url = prepared(sqlite(tmp_path, "first"))
    add_seen(url, "a\x00b")
    file = backup(url, tmp_path / "saved.zip", NOW).file
    with scratch_database() as server:
        assert "seen" in refusal("not_taken", restore, file, server)
    restore(file, sqlite(tmp_path, "second"))
    assert seen(sqlite(tmp_path, "second")) == {"a\x00b"}


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:////srv/data/dondoc.db", "/srv/data/dondoc.db"),
        ("postgresql://user:secret@db.xa.vn:5433/dondoc", "db.xa.vn:5433/dondoc"),
        ("postgresql://user:se@cret@db/dondoc", "db/dondoc"),
        ("secret", "DATABASE_URL"),
    ],
)
def test_a_place_is_named_without_its_password(url: str, place: str) -> None:
    assert place_of(url) == place


def test_what_was_done_is_said(saved: Path, tmp_path: Path) -> None:
    done = restore(saved, sqlite(tmp_path, "second"))
    total = ROWS * len(ALL)
    assert f"{total} dòng của {len(ALL)} bảng" in plain("care.restored", done=done)
    assert str(saved) in plain("care.backed_up", done=done)
