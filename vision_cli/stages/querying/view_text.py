"""Write a view into a project file and leave every other character of it as it is."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from vision_cli.core import yaml_source
from vision_cli.core.config import ViewConfig
from vision_cli.core.errors import UsageError
from vision_cli.stages.project.project_text import scalar

_WIDTH = 100
_STEP = "  "


@dataclass(frozen=True, slots=True)
class _Insertion:
    """A text and the character before which it goes."""

    at: int
    text: str


def block(name: str, view: ViewConfig) -> list[str]:
    """Return the lines of a view, as they stand below `views:`."""
    lines = [f"{scalar(name)}:", f"{_STEP}from: {_flow(view.sources)}"]
    if view.where is not None:
        lines += _where(view.where)
    lines += [f"{_STEP}{key}: {value}" for key, value in _rest(view)]
    return lines


def _where(text: str) -> list[str]:
    one = f"{_STEP}where: {scalar(text)}"
    words = text.split(" ")
    plain = text.isascii() and text.isprintable() and "" not in words
    if len(one) <= _WIDTH or not plain:
        return [one]
    return [f"{_STEP}where: >-", *(f"{_STEP * 2}{line}" for line in _folded(words))]


def _folded(words: list[str]) -> Iterator[str]:
    """Yield lines of words; a reader of YAML puts one space in place of each line break."""
    line = ""
    for word in words:
        if line and len(line) + len(word) + 1 > _WIDTH:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _rest(view: ViewConfig) -> list[tuple[str, str]]:
    rest = []
    if view.map:
        pairs = (f"{scalar(old)}: {'null' if new is None else scalar(new)}" for old, new in view.map.items())
        rest.append(("map", "{" + ", ".join(pairs) + "}"))
    if view.classes:
        rest.append(("classes", _flow(view.classes)))
    return rest


def _flow(items: list[str]) -> str:
    return "[" + ", ".join(map(scalar, items)) + "]"


def _in_flow(name: str, view: ViewConfig) -> str:
    where = [] if view.where is None else [("where", scalar(view.where))]
    members = [("from", _flow(view.sources)), *where, *_rest(view)]
    return f"{scalar(name)}: {{{', '.join(f'{key}: {value}' for key, value in members)}}}"


def added(text: str, name: str, view: ViewConfig, *, file: str) -> str:
    """Return a project file's text with a view in it.

    Args:
        text: of the file, without byte order mark.
        name: of the view, which is not there.
        view: what it says.
        file: name of the file, for messages.

    Raises:
        UsageError: the file is written in a way that leaves no safe place; the message has the lines to add by hand.
    """
    line_end = "\r\n" if "\r\n" in text else "\n"
    insertion = _insertion(text, name, view)
    if insertion is not None:
        put = insertion.text.replace("\n", line_end)
        result = text[: insertion.at] + put + text[insertion.at :]
        if _says(result, text, name, view, file):
            return result
    raise UsageError(
        f"{file}: no safe place for a view was found in it.",
        details=["data:", "  views:", *(f"    {line}" for line in block(name, view))],
        hint="Add these lines by hand.",
    )


def _says(result: str, before: str, name: str, view: ViewConfig, file: str) -> bool:
    """Return whether a text says what it said before, and the view."""
    try:
        tree = yaml_source.parse(result, file).tree
    except UsageError:
        return False
    wanted = copy.deepcopy(yaml_source.parse(before, file).tree)
    views = wanted["data"].get("views") or {}
    wanted["data"]["views"] = {**views, name: _tree(view)}
    return bool(tree == wanted)


def _tree(view: ViewConfig) -> dict[str, Any]:
    tree: dict[str, Any] = {"from": list(view.sources)}
    if view.where is not None:
        tree["where"] = view.where
    if view.map:
        tree["map"] = dict(view.map)
    if view.classes:
        tree["classes"] = list(view.classes)
    return tree


def _insertion(text: str, name: str, view: ViewConfig) -> _Insertion | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    data = _member(root, "data")
    if data is None or not isinstance(data[1], yaml.MappingNode) or not data[1].value:
        return None
    views = _member(data[1], "views")
    if views is None and data[1].flow_style:
        return _Insertion(_end(data[1].value[-1][1]), f", views: {{{_in_flow(name, view)}}}")
    if views is None:
        lines = ["views:", *(_STEP + line for line in block(name, view))]
        return _below(text, data[1], data[1].value[0][0].start_mark.column, lines)
    key, node = views
    if isinstance(node, yaml.MappingNode) and node.flow_style:
        at = _end(node.value[-1][1]) if node.value else node.start_mark.index + 1
        return _Insertion(at, f"{', ' if node.value else ''}{_in_flow(name, view)}")
    if isinstance(node, yaml.MappingNode):
        return _below(text, node, node.value[0][0].start_mark.column, block(name, view))
    empty = isinstance(node, yaml.ScalarNode) and not node.value
    return _below(text, key, key.start_mark.column + len(_STEP), block(name, view)) if empty else None


def _member(node: Any, name: str) -> tuple[Any, Any] | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next(((key, value) for key, value in node.value if key.value == name), None)


def _below(text: str, node: Any, indent: int, lines: list[str]) -> _Insertion:
    """Return lines that follow the last line of a block."""
    end = _end(node)
    at = end if text[:end].endswith("\n") else text.find("\n", end) + 1
    put = "".join(f"{' ' * indent}{line}\n" for line in lines)
    return _Insertion(at, put) if at else _Insertion(len(text), f"\n{put}")


def _end(node: Any) -> int:
    """Return where a value's last character stands; a block's own mark lies behind the comments that follow it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)
