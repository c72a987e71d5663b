"""Reads a plan file: a sound plan comes out, or every fault in it with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from plans.checks import Found, Loc, Sections, faults_in
from plans.model import PlanFile

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True)
class Fault:
    """What is wrong, as a short code and its facts; messages/ words it."""

    line: int
    """Counted from 1; 0 where the file as a whole is meant."""
    code: str
    facts: dict[str, Any]


class PlanFaults(Exception):
    """A plan file refused, with everything wrong in it in the order of its lines."""

    def __init__(self, path: Path, faults: list[Fault]) -> None:
        super().__init__(path, faults)
        self.path = path
        self.faults = faults


def read_plan(path: Path) -> PlanFile:
    """The checked plan in this file; raises PlanFaults with every fault found."""
    return read_checked(path, PlanFile, _sense_faults)


def read_checked(path: Path, model: type[Shape], sense: Callable[[Node], Iterable[Fault]]) -> Shape:
    """The YAML file in this shape; raises PlanFaults with every fault of its shape and those `sense` finds.

    `sense` is asked last and may change the nodes."""
    try:
        root = _compose(path)
        data = _plain(root)
        faults = [*_repeated_keys(root), *_shape_faults(model, root), *sense(root)]
    except RecursionError as error:
        raise PlanFaults(path, [Fault(0, "too_deep", {})]) from error
    if faults:
        raise PlanFaults(path, sorted(faults, key=lambda fault: fault.line))
    return model.model_validate(data)


def shaped(model: type[Shape], root: Node) -> Shape | None:
    """The nodes in this shape, None where they have another."""
    return None if _shape_errors(model, root) else model.model_validate(_plain(root))


def line_of(root: Node, loc: Loc) -> int:
    """The line on which what `loc` names stands."""
    return _trail(root, loc)[-1][1]


def _compose(path: Path) -> Node:
    """The file as YAML nodes, which know their lines. Every scalar stays text: the model says what it is,
    so that an unquoted 2.10 is no number and `on:` no yes-or-no."""
    text = ""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlanFaults(path, [_unreadable(error, text)]) from error
    if root is None:
        raise PlanFaults(path, [Fault(0, "empty_file", {})])
    if not isinstance(root, MappingNode):
        raise PlanFaults(path, [Fault(root.start_mark.line + 1, "not_a_plan", {})])
    return root


def _unreadable(error: Exception, text: str) -> Fault:
    match error:
        case FileNotFoundError():
            return Fault(0, "missing_file", {})
        case IsADirectoryError():
            return Fault(0, "a_folder", {})
        case UnicodeDecodeError():
            return Fault(error.object.count(b"\n", 0, error.start) + 1, "not_utf8", {})
        case yaml.MarkedYAMLError(problem_mark=mark) if mark:
            return Fault(mark.line + 1, "bad_yaml", {"problem": error.problem, "column": mark.column + 1})
        case yaml.reader.ReaderError():
            line = text.count("\n", 0, error.position) + 1
            return Fault(line, "bad_character", {"character": f"U+{error.character:04X}"})
    return Fault(0, "unreadable_file", {"problem": str(error)})


def _plain(node: Node) -> Any:
    """The node as dicts, lists and texts; None where nothing is written."""
    if isinstance(node, MappingNode):
        return {_name(key): _plain(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.value]
    is_null = isinstance(node, ScalarNode) and node.style is None and node.value in ("", "~", "null")
    return None if is_null else node.value


def _name(key: Node) -> str:
    """YAML allows lists and mappings as keys; no field is called like that."""
    return key.value if isinstance(key, ScalarNode) else "?"


def _trail(root: Node, loc: Loc) -> list[tuple[Node, int]]:
    """The nodes met on the way to `loc`, each with its line.

    Passes over what names no node: a field that is missing, or pydantic's mark of a choice of types.
    """
    trail = [(root, 1)]
    for part in loc:
        node = trail[-1][0]
        if isinstance(node, MappingNode):
            trail += [(v, key.start_mark.line + 1) for key, v in node.value if _name(key) == part][-1:]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            trail.append((node.value[part], node.value[part].start_mark.line + 1))
    return trail


def _repeated_keys(node: Node) -> Iterator[Fault]:
    """Keys written twice in one place: YAML would keep the last without a word."""
    if isinstance(node, MappingNode):
        seen: set[str] = set()
        for key, _ in node.value:
            if _name(key) in seen:
                yield Fault(key.start_mark.line + 1, "repeated_key", {"field": _name(key)})
            seen.add(_name(key))
    for child in _children(node):
        yield from _repeated_keys(child)


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [value for _, value in node.value]
    return list(node.value) if isinstance(node, SequenceNode) else []


SHAPE_CODES = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "literal_error": "not_one_of",
    "string_pattern": "bad_code",
    "string_too_short": "empty_text",
    "too_short": "empty_list",
    "string": "not_text",
    "date": "not_a_date",
    "int": "not_whole",
    "decimal": "not_a_number",
    "bool": "not_yes_no",
    "greater_than": "out_of_range",
    "less_than": "out_of_range",
    "tuple": "not_a_list",
    "model": "not_a_section",
}
"""Our code for each beginning of a pydantic error type."""


STAND_IN = " "
"""Passes for a text, never for a code, a number or a day."""


def _shape_errors(model: type[BaseModel], root: Node) -> list[ErrorDetails]:
    """What pydantic finds; of "all" or a list, and "baseline" or a number, only the second is spoken of."""
    try:
        model.model_validate(_plain(root))
    except ValidationError as error:
        return [e for e in error.errors() if not str(e["loc"][-1]).startswith("literal[")]
    return []


def _shape_faults(model: type[BaseModel], root: Node) -> list[Fault]:
    return [_shape_fault(root, error) for error in _shape_errors(model, root)]


def _shape_fault(root: Node, error: ErrorDetails) -> Fault:
    code = next((ours for theirs, ours in SHAPE_CODES.items() if error["type"].startswith(theirs)), "wrong_value")
    facts: dict[str, Any] = {"field": _field(error)}
    if isinstance(error["input"], str):
        facts["given"] = error["input"]
    context = error.get("ctx", {})
    if code == "not_one_of":
        facts["allowed"] = re.findall(r"'([^']*)'", context["expected"])
    if code == "out_of_range":
        facts |= {"least": context.get("ge"), "most": context.get("le")}
    return Fault(line_of(root, error["loc"]), code, facts)


def _field(error: ErrorDetails) -> int | str:
    """The key spoken of: not a place in a list, nor pydantic's mark of a choice of types."""
    if error["type"] in ("missing", "extra_forbidden"):
        return error["loc"][-1]
    tags = ("decimal", "literal[", "tuple[")
    return [part for part in error["loc"] if isinstance(part, str) and not part.startswith(tags)][-1]


@dataclass
class _Cut:
    """What was cut away because it could not be read, so that nothing is blamed for its absence."""

    around: set[int]
    """ids of the nodes that lost something, at any depth."""
    codes: set[str]

    def explains(self, found: Found, root: Node) -> bool:
        if found.absent_in is not None:
            return id(_trail(root, found.absent_in)[-1][0]) in self.around
        return found.code.startswith("unknown_") and found.facts["name"] in self.codes


def _readable(root: Node) -> tuple[Sections, _Cut]:
    """The plan without the values that cannot be read; these are cut out of the tree, smallest first.

    A missing text gets a stand-in, so that a task without a title is still checked for the rest.
    """
    cut = _Cut(set(), set())
    filled: set[tuple[int, str]] = set()
    while errors := _shape_errors(Sections, root):
        for error, trail in [(error, _trail(root, error["loc"])) for error in errors]:
            *around, node = [node for node, _ in trail]
            field = str(error["loc"][-1])
            cut.around |= set(map(id, around))
            if error["type"] == "missing" and (id(node), field) not in filled:
                filled.add((id(node), field))
                node.value.append((_scalar(field, node), _scalar(STAND_IN, node)))
                continue
            cut.codes |= set(_codes(node))
            parent = around[-1]
            parent.value = [item for item in parent.value if node is not item and node is not _value(item)]
    return Sections.model_validate(_plain(root)), cut


def _scalar(text: str, place: Node) -> ScalarNode:
    return ScalarNode("tag:yaml.org,2002:str", text, place.start_mark, place.end_mark)


def _value(item: Node | tuple[Node, Node]) -> Node:
    return item[1] if isinstance(item, tuple) else item


def _codes(node: Node) -> Iterator[str]:
    if isinstance(node, MappingNode):
        yield from (v.value for key, v in node.value if _name(key) == "code" and isinstance(v, ScalarNode))
    for child in _children(node):
        yield from _codes(child)


def _sense_faults(root: Node) -> list[Fault]:
    """Names that lead nowhere, days out of order and the like, in whatever of the plan can be read.

    Cuts the rest out of the tree: call it last.
    """
    sections, cut = _readable(root)
    found = [f for f in faults_in(sections) if not cut.explains(f, root)]
    return [Fault(line_of(root, f.loc), f.code, f.facts) for f in found]
