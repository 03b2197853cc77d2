"""Read YAML as data with line numbers: every scalar stays the text it is, and the schema decides what it means.

A class named `no`, `007` or `1e3` is therefore never turned into something else. Nothing is constructed from tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from vision_cli.core.errors import UsageError

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_NODES = 50_000
MAX_ALIASES = 1_000
_NULLS = {"", "~", "null", "Null", "NULL"}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class YamlSource:
    """A parsed document.

    Attributes:
        tree: dicts, lists, strings and None.
        lines: the line (from 1) of each key and list item, by its path.
    """

    tree: Any
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int:
        """Return the line of a path, or of its nearest parent that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


@dataclass(slots=True)
class _Reader:
    """Builds values from parser events, without recursion deeper than MAX_DEPTH."""

    name: str
    events: Iterator[yaml.Event]
    lines: dict[Path, int] = field(default_factory=dict)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    nodes: int = 0
    aliases: int = 0

    def refuse(self, event: yaml.Event, message: str) -> UsageError:
        return UsageError(f"{self.name}:{_line(event)}: {message}")

    def count(self, event: yaml.Event, number: int = 1) -> None:
        self.nodes += number
        if self.nodes > MAX_NODES:
            raise self.refuse(event, f"more than {MAX_NODES} values (aliases counted as often as they are used).")

    def value(self, event: yaml.Event, path: Path) -> Any:
        """Return the value that starts with an event."""
        if len(path) > MAX_DEPTH:
            raise self.refuse(event, f"nested more than {MAX_DEPTH} levels deep.")
        self.count(event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        tag = getattr(event, "tag", None)
        if tag not in (None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            raise self.refuse(event, f"the tag '{tag}' is not allowed; a project file is plain data.")
        before = self.nodes
        value = self.plain(event, path)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self.anchors[anchor] = (value, self.nodes - before + 1)
        return value

    def plain(self, event: yaml.Event, path: Path) -> Any:
        match event:
            case yaml.ScalarEvent():
                return None if event.style in (None, "") and event.value in _NULLS else event.value
            case yaml.SequenceStartEvent():
                return self.sequence(path)
            case yaml.MappingStartEvent():
                return self.mapping(path)
            case _:
                raise self.refuse(event, "not a value.")

    def alias(self, event: yaml.AliasEvent) -> Any:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise self.refuse(event, f"more than {MAX_ALIASES} aliases.")
        if event.anchor not in self.anchors:
            raise self.refuse(event, f"the alias '*{event.anchor}' has no anchor before it.")
        value, size = self.anchors[event.anchor]
        self.count(event, size)
        return value

    def sequence(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            here = (*path, len(items))
            self.lines[here] = _line(event)
            items.append(self.value(event, here))
        return items

    def mapping(self, path: Path) -> dict[str, Any]:
        items: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self.refuse(event, "a key must be plain text.")
            key, line = event.value, _line(event)
            here = (*path, key)
            if key in items:
                self.problems.append(
                    f"{self.name}:{line}: '{key}' stands here again; first in line {self.lines[here]}."
                )
            self.lines[here] = line
            value = self.value(next(self.events), here)
            if key == "<<" and isinstance(value, dict):
                merged.update(value)
            else:
                items[key] = value
        return {**merged, **items}


def parse(text: str, name: str) -> YamlSource:
    """Parse one YAML document.

    Args:
        text: the document.
        name: what the messages call it, a file name for example.

    Raises:
        UsageError: not YAML, more than one document, repeated keys, tags, or too large, deep or self-repeating.
    """
    if len(text) > MAX_BYTES:
        raise UsageError(f"{name}: larger than {MAX_BYTES // 1000} kB.", hint="A project file has a few kB.")
    try:
        return _parse(text, name)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{name}:{line}: not valid YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{name}: not valid YAML: {' '.join(str(error).split())}.") from error


def _parse(text: str, name: str) -> YamlSource:
    events = iter(yaml.parse(text, Loader=_LOADER))
    reader = _Reader(name, events)
    next(events)  # the stream's start
    if isinstance(next(events), yaml.StreamEndEvent):
        return YamlSource({}, {})
    tree = reader.value(next(events), ())
    next(events)  # the document's end
    if not isinstance(event := next(events), yaml.StreamEndEvent):
        raise reader.refuse(event, "a second document starts here; a project file is one.")
    if reader.problems:
        raise UsageError(f"{name}: repeated keys.", details=reader.problems, hint="Keep one of each.")
    return YamlSource({} if tree is None else tree, reader.lines)
