"""The settings that were found as a diff of the project file, whose comments and order stay."""

from __future__ import annotations

import difflib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from vision_cli.core import yaml_source
from vision_cli.core.errors import UsageError
from vision_cli.core.project import FILE_NAME

_STEP = 2


def diff(file: Path | None, keys: Sequence[str], settings: Mapping[str, Any]) -> str | None:
    """Return a unified diff that gives a section of the project file these settings.

    Args:
        file: the project file; None where there is none yet.
        keys: of the section, from the top.
        settings: scalars, pairs, lists of words, or weights by name.

    Returns:
        Text for `patch -p1` in the file's folder, empty where nothing changes; None where the file is written in a way
        that we do not edit, such as with anchors in that section.
    """
    before = file.read_bytes().decode("utf-8") if file is not None else ""
    after = changed(before, keys, settings)
    return None if after is None else unified(file, before, after)


def changed(before: str, keys: Sequence[str], settings: Mapping[str, Any]) -> str | None:
    """Return the same as `edited`, with the line ends of the text."""
    after = edited(before.replace("\r\n", "\n"), keys, settings)
    return after.replace("\n", "\r\n") if after is not None and "\r\n" in before else after


def unified(file: Path | None, before: str, after: str) -> str:
    """Return the diff from one text of the project file to another, for `patch -p1` in its folder."""
    name = file.name if file is not None else FILE_NAME
    old = f"a/{name}" if file is not None else "/dev/null"
    return "".join(map(_ended, difflib.unified_diff(_lines(before), _lines(after), old, f"b/{name}")))


def snippet(keys: Sequence[str], settings: Mapping[str, Any]) -> str:
    """Return the settings as they would stand in a project file of their own."""
    return _block(keys, settings, 0)


def edited(text: str, keys: Sequence[str], settings: Mapping[str, Any]) -> str | None:
    """Return a YAML document in which a section has these settings; None where that cannot be done by a few words."""
    try:
        wanted = _with(yaml_source.parse(text, FILE_NAME).tree or {}, keys, settings)
        found = _edited(text, keys, settings)
        same = yaml_source.parse(found, FILE_NAME).tree == wanted
    except (UsageError, yaml.YAMLError, AttributeError, TypeError):
        return None
    return found if same else None


def _edited(text: str, keys: Sequence[str], settings: Mapping[str, Any]) -> str:
    """Return the document with each setting put in, one after the other."""
    for name, value in settings.items():
        text = _put(text, (*keys, name), value)
    return text


def _put(text: str, path: Sequence[str], value: Any) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return _joined(text, _block(path[:-1], {path[-1]: value}, 0))
    node, depth = root, 0
    while True:
        found = _value(node, path[depth])
        if found is None:
            return _added(text, node, path[depth:], value)
        depth += 1
        if depth == len(path):
            return text[: found.start_mark.index] + flow(value) + text[_end(found) :]
        if not isinstance(found, yaml.MappingNode):  # a key with nothing behind it
            key = _key(node, path[depth - 1])
            rest = _block(path[depth:-1], {path[-1]: value}, key.start_mark.column + _STEP)
            at = text.index(":", key.end_mark.index) + 1
            return text[:at] + _gap(text, at) + rest.rstrip("\n") + text[_line_end(text, at) :]
        node = found


def _added(text: str, node: yaml.MappingNode, path: Sequence[str], value: Any) -> str:
    """Return the document with one more key in a mapping."""
    if node.flow_style:
        at = node.end_mark.index - 1
        inner = f"{', ' if node.value else ''}{_nested(path, value)}"
        return text[:at].rstrip() + inner + text[at:]
    at = _line_end(text, max(_end(each) for _, each in node.value))
    block = _block(path[:-1], {path[-1]: value}, node.start_mark.column)
    return text[:at] + "\n" + block.rstrip("\n") + (text[at:] or "\n")


def _gap(text: str, at: int) -> str:
    """Return what stands behind a key without a value, up to the end of its line, and the end."""
    return text[at : _line_end(text, at)].rstrip() + "\n"


def _value(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    return next((value for key, value in node.value if key.value == name), None)


def _key(node: yaml.MappingNode, name: str) -> yaml.Node:
    found: yaml.Node = next(key for key, _ in node.value if key.value == name)
    return found


def _end(node: yaml.Node) -> int:
    """Return where the text of a node ends, without the comments and blank lines behind it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _joined(text: str, block: str) -> str:
    return block if not text.strip() else text.rstrip("\n") + "\n" + block


def _block(keys: Sequence[str], settings: Mapping[str, Any], indent: int) -> str:
    lines = [f"{' ' * (indent + _STEP * depth)}{key}:" for depth, key in enumerate(keys)]
    inner = " " * (indent + _STEP * len(keys))
    lines += [f"{inner}{name}: {flow(value)}" for name, value in settings.items()]
    return "\n".join(lines) + "\n"


def _nested(path: Sequence[str], value: Any) -> str:
    text = f"{path[-1]}: {flow(value)}"
    for key in reversed(path[:-1]):
        text = f"{key}: {{{text}}}"
    return text


def flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {flow(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(each) for each in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """Return a value as the project file's reader would see it: text."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else flow(value)


def _with(tree: dict[str, Any], keys: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
    if not keys:
        return {**tree, **{name: _plain(value) for name, value in settings.items()}}
    return {**tree, keys[0]: _with(tree.get(keys[0]) or {}, keys[1:], settings)}


def _lines(text: str) -> list[str]:
    """Return lines with their ends."""
    return list(io.StringIO(text, newline="\n"))


def _ended(line: str) -> str:
    """Return a line of a diff; a last one of a file without its end says so, as `patch` wants it."""
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
