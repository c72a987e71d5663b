"""What is said: every sentence a person reads stands in a template of this folder.

A template file belongs to one conversation, reminder or page; each of its blocks is one sentence or message:
`say("report.ask", …)` renders block `ask` of report.j2 as HTML with <b> and <i> only; undefined facts raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined, Template
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from markupsafe import Markup

from messages import formats

_HERE = Path(__file__).parent
_TAG = re.compile(r"</?[bi]>")


class CompiledTemplates(FileSystemBytecodeCache):
    """They lie where Python keeps its own compiled modules: compiling all takes half a second. Where nothing can
    be written, that is done at every start."""

    def __init__(self) -> None:
        super().__init__(str(_HERE / "__pycache__"), "%s.j2c")

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=CompiledTemplates(),
        auto_reload=False,
    )
    environment.filters.update(formats.FILTERS)
    environment.globals["phrase"] = environment.get_template("phrases.j2").module
    return environment


@cache
def _block(name: str) -> tuple[Template, Callable[[Context], Iterator[str]]]:
    file, _, block = name.partition(".")
    template = _environment().get_template(f"{file}.j2")
    return template, template.blocks[block]


def say(name: str, /, **facts: Any) -> Markup:
    """The text of block `file.block` with these facts: escaped HTML, without blank edges or doubled lines.

    Raises KeyError for an unknown block and jinja2.UndefinedError for a missing fact.
    """
    template, render = _block(name)
    text = "".join(render(template.new_context(facts)))
    return Markup("\n".join(line.strip() for line in text.strip().splitlines()))


def plain(name: str, /, **facts: Any) -> str:
    """As `say`, but for places without markup (labels, the command line)."""
    return unescape(_TAG.sub("", say(name, **facts)))


@cache
def label(name: str) -> str:
    """A block that needs no facts, as plain text: the label of a button."""
    return plain(name)


def blocks() -> list[str]:
    """Every block there is, as "file.block"."""
    return [
        f"{path.stem}.{block}"
        for path in sorted(_HERE.glob("*.j2"))
        for block in sorted(_environment().get_template(path.name).blocks)
    ]
