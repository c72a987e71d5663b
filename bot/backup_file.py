"""The file of a backup: a zip with `manifest.json` and one part per table, a JSON array per row."""

from __future__ import annotations

import json
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import sqlalchemy as sa
from pydantic import AwareDatetime, BaseModel

from storage.store import HEAD

Kind = Literal["json", "instant", "date", "time", "boolean", "integer", "text"]

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"

_ENCODE: Final[dict[Kind, Callable[[Any], Any]]] = {
    "json": lambda text: [json.loads(text)],  # in a list, to tell the JSON value null from no value at all
    "instant": datetime.isoformat,
    "date": date.isoformat,
    "time": time.isoformat,
}
_DECODE: Final[dict[Kind, Callable[[Any], Any]]] = {
    "json": lambda boxed: sa.JSON.NULL if boxed[0] is None else boxed[0],
    "instant": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
}
_ODD = (LookupError, RuntimeError, TypeError, ValueError)
_DAMAGE: Final = (BadZipFile, zlib.error, struct.error, EOFError, OSError, *_ODD)
"""What reading a zip file with wrong bytes in it raises."""


class CareFault(Exception):
    """A backup or a restore that cannot be done. Block `care.fault_<code>` says why and what to do."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class Part(BaseModel):
    """One table: its columns in order, its primary key, and the number and sum of its lines."""

    table: str
    columns: dict[str, Kind]
    key: list[str]
    rows: int = 0
    sha256: str = ""

    @property
    def name(self) -> str:
        return f"{self.table}.jsonl"

    def counted(self, lines: Iterable[bytes], keep: Callable[[bytes], object] = len) -> Part:
        """The same part with the number and sum of these lines; `keep` is given each of them."""
        rows, digest = 0, sha256()
        for line in lines:
            rows += 1
            digest.update(line)
            keep(line)
        return self.model_copy(update={"rows": rows, "sha256": digest.hexdigest()})

    def line(self, row: Iterable[Any]) -> bytes:
        """A row as it stands in the file: the same bytes for the same values."""
        values = [_changed(_ENCODE, kind, value) for kind, value in zip(self.columns.values(), row, strict=True)]
        text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass") + b"\n"

    def row(self, line: bytes) -> dict[str, Any]:
        """The values of a line by column."""
        pairs = zip(self.columns.items(), json.loads(line), strict=True)
        return {name: _changed(_DECODE, kind, value) for (name, kind), value in pairs}


class Manifest(BaseModel):
    """What a backup holds. Its parts stand in foreign-key order."""

    format: int
    revision: str
    made_at: AwareDatetime
    engine: str
    parts: list[Part]


class Reader:
    """A backup whose every part has been found whole."""

    def __init__(self, archive: ZipFile, source: Path) -> None:
        self._archive = archive
        self._source = source
        self.manifest = self._manifest()
        if any(part.counted(self.lines(part)) != part for part in self.manifest.parts):
            raise CareFault("damaged", file=source)

    def lines(self, part: Part) -> Iterator[bytes]:
        try:
            with self._archive.open(part.name) as lines:
                yield from lines
        except _DAMAGE:
            raise CareFault("damaged", file=self._source) from None

    def rows(self, part: Part) -> Iterator[dict[str, Any]]:
        return map(part.row, self.lines(part))

    def _manifest(self) -> Manifest:
        try:
            raw = json.loads(self._archive.read(MANIFEST))
            if raw["format"] > FORMAT or raw["revision"] > HEAD:
                raise CareFault("newer", file=self._source, found=raw["revision"], known=HEAD)
            return Manifest.model_validate(raw)
        except _DAMAGE:
            raise CareFault("damaged", file=self._source) from None


@contextmanager
def read_backup(source: Path) -> Iterator[Reader]:
    """A backup, checked whole. Raises CareFault: no_file, damaged or newer."""
    if not source.is_file():
        raise CareFault("no_file", file=source)
    try:
        archive = ZipFile(source)
    except _DAMAGE:
        raise CareFault("damaged", file=source) from None
    with archive:
        yield Reader(archive, source)


@contextmanager
def new_backup(target: Path) -> Iterator[ZipFile]:
    """A new file that only its owner may read; it takes the name `target` once it is whole and on the disk.

    Raises CareFault: target_exists, not_written. When anything is raised inside, nothing is left.
    """
    if target.exists():
        raise CareFault("target_exists", file=target)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".dondoc-")
        made = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                with ZipFile(file, "w", ZIP_DEFLATED) as archive:
                    yield archive
                file.flush()
                os.fsync(file.fileno())
            _rename(made, target)
        finally:
            made.unlink(missing_ok=True)
    except OSError as error:
        raise CareFault("not_written", file=target, reason=error.strerror) from error


def write_part(archive: ZipFile, part: Part, lines: Iterable[bytes]) -> Part:
    """The part as it was written."""
    with archive.open(part.name, "w", force_zip64=True) as out:
        return part.counted(lines, out.write)


def write_manifest(archive: ZipFile, manifest: Manifest) -> None:
    with archive.open(MANIFEST, "w") as out:
        out.write(manifest.model_dump_json(indent=1).encode())


def _rename(made: Path, target: Path) -> None:
    if target.exists():  # since we began
        raise CareFault("target_exists", file=target)
    made.rename(target)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _changed(ways: dict[Kind, Callable[[Any], Any]], kind: Kind, value: Any) -> Any:
    return ways[kind](value) if value is not None and kind in ways else value
