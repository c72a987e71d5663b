"""What is said: every sentence a person reads stands in a template of this folder.

A template file belongs to one conversation, reminder or page; each of its blocks is one sentence or message:
`say("report.ask", …)` renders block `ask` of report.j2 as HTML with <b> and <i> only; undefined facts raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.runtime import Context
from markupsafe import Markup

from messages import formats

_HERE = Path(__file__).parent
_TAG = re.compile(r"</?[bi]>")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
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
