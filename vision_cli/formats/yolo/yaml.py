"""`data.yaml` of YOLO: names of classes, places of splits, and what is kept of the rest.

It is data: `download:` is never run, tags and alias bombs are refused (core/yaml_source.py).
Format: https://docs.ultralytics.com/datasets/detect/#ultralytics-yolo-format
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli.core import yaml_source
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.files import read_limited, utf8
from vision_cli.formats.photos import SPLIT_NAMES

HEADER = "data.yaml"
_SPLIT_KEYS = ("train", "val", "valid", "validation", "test")
_OURS = frozenset({"path", "names", "nc", "download", *_SPLIT_KEYS})
_WHOLE = re.compile(r"[0-9]{1,9}")
_TOP_KEY = re.compile(r"""^(?:"[^"]*"|'[^']*'|[^\s#'"-][^:]*):(?:\s|$)""")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*( [A-Za-z0-9_-]+)*")
_YAML_WORDS = frozenset({"yes", "no", "true", "false", "on", "off", "y", "n", "null"})
_HINT = "names is a list or a map from class id to name; train, val and test are folders, lists or .txt files."


@dataclass(frozen=True, slots=True)
class DataYaml:
    """What a `data.yaml` says.

    Attributes:
        names: of classes in order of their ids.
        ids: of the classes.
        base: `path:`; empty where it is absent.
        entries: split, place and line of each folder or list of photos.
        keypoints: `kpt_shape`.
        downloads: whether there is a `download:`.
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]
    base: str
    entries: tuple[tuple[str, str, int], ...]
    keypoints: tuple[int, int] | None
    downloads: bool


def looks_like(text: str) -> bool:
    """Return whether a text has `names` and a split at its top level, without parsing it."""
    names = re.search(r"^[\"']?names[\"']?\s*:", text, re.MULTILINE)
    return bool(names) and bool(re.search(r"^[\"']?(train|val|test)[\"']?\s*:", text, re.MULTILINE))


def load(file: Path) -> tuple[DataYaml, bytes]:
    """Read a `data.yaml`, and return its bytes, too.

    Raises:
        DataError: not YAML, or without names and splits; with the line.
    """
    content = read_limited(file, max_bytes=yaml_source.MAX_BYTES, what="data.yaml")
    tree, lines = _tree(utf8(content, where=str(file)), str(file))
    names, ids = _names(tree, f"{file}:{lines.line_of(('names',))}")
    entries = tuple(_entries(tree, lines, file))
    base = tree.get("path")
    if base is not None and not isinstance(base, str):
        raise DataError(f"{file}:{lines.line_of(('path',))}: path is a folder.", hint=_HINT)
    shape = _shape(tree.get("kpt_shape"), f"{file}:{lines.line_of(('kpt_shape',))}")
    return DataYaml(names, ids, base or "", entries, shape, "download" in tree), content


def _tree(text: str, name: str) -> tuple[dict[str, Any], yaml_source.YamlSource]:
    try:
        source = yaml_source.parse(text, name)
    except UsageError as error:
        raise DataError(error.message, hint=_HINT, details=error.details) from error
    if not isinstance(source.tree, dict):
        raise DataError(f"{name}:1: a map of names, train and val was expected.", hint=_HINT)
    return source.tree, source


def _names(tree: Mapping[str, Any], where: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return names and ids in order of the ids.

    Raises:
        DataError: no list and no map of ids, an id twice, a name twice or none, or another number than `nc`.
    """
    found, count = tree.get("names"), tree.get("nc")
    if isinstance(found, list):
        pairs = list(enumerate(found))
    elif isinstance(found, dict) and all(_WHOLE.fullmatch(key) for key in found):
        pairs = sorted((int(key), name) for key, name in found.items())
    else:
        raise DataError(f"{where}: names is neither a list nor a map of class ids.", hint=_HINT)
    bad = [str(key) for key, name in pairs if not isinstance(name, str) or not name]
    if bad:
        raise DataError(f"{where}: the classes {', '.join(bad[:10])} have no name.", hint="Write names in quotes.")
    names, ids = tuple(name for _, name in pairs), tuple(key for key, _ in pairs)
    repeated = sorted(name for name, number in Counter(names).items() if number > 1)
    if repeated or len(set(ids)) < len(ids):
        raise DataError(f"{where}: names or ids stand twice: {', '.join(repeated[:10])}.", hint="Give each its own.")
    if isinstance(count, str) and count != str(len(names)) and isinstance(found, list):
        raise DataError(f"{where}: nc is {count}, and there are {len(names)} names.", hint="Correct one of them.")
    return names, ids


def _entries(tree: Mapping[str, Any], lines: yaml_source.YamlSource, file: Path) -> list[tuple[str, str, int]]:
    """Return split, place and line of each folder or list."""
    entries: list[tuple[str, str, int]] = []
    for key in _SPLIT_KEYS:
        value = tree.get(key)
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            line = lines.line_of((key, index) if isinstance(value, list) else (key,))
            if item is not None and (not isinstance(item, str) or "\0" in item):
                raise DataError(f"{file}:{line}: {key} is no place of photos.", hint=_HINT)
            entries += [(SPLIT_NAMES[key], item, line)] if item else []
    if not entries:
        raise DataError(f"{file}: neither train, val nor test says where photos are.", hint=_HINT)
    return entries


def _shape(value: Any, where: str) -> tuple[int, int] | None:
    if value is None:
        return None
    fits = (
        isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) and _WHOLE.fullmatch(v) for v in value)
    )
    shape = (int(value[0]), int(value[1])) if fits else (0, 0)
    if not 0 < shape[0] <= 10_000 or shape[1] not in (2, 3):
        raise DataError(f"{where}: kpt_shape is no pair of points and 2 or 3 values each.", hint="kpt_shape: [17, 3]")
    return shape


def keypoint_shape(header: bytes | None) -> tuple[int, int] | None:
    """Return the `kpt_shape` of a `data.yaml` that was read before."""
    if header is None:
        return None
    return _shape(_tree(utf8(header, where=HEADER), HEADER)[0].get("kpt_shape"), HEADER)


def render(
    names: Mapping[int, str], splits: Sequence[str], keypoints: tuple[int, int] | None, header: bytes | None
) -> bytes:
    """Return a `data.yaml` beside `images` and `labels`; further keys of the source's own are kept.

    There is no `path:`, for Ultralytics then starts at the file's own folder.
    """
    lines = [f"{split}: images/{split}" for split in splits or ("train",)]
    lines += ["names:", *(f"  {number}: {quoted(name)}" for number, name in names.items())]
    lines = lines if names else [*lines[:-1], "names: []"]
    further = _further(header) if header is not None else ""
    if keypoints is not None and not re.search(r"^kpt_shape\s*:", further, re.MULTILINE):
        lines.append(f"kpt_shape: [{keypoints[0]}, {keypoints[1]}]")
    return ("\n".join(lines) + "\n" + further).encode()


def _further(header: bytes) -> str:
    """Return the text of the keys that are not rendered anew, if it means alone what it meant in its file."""
    text = header.decode("utf-8-sig", "replace")
    kept, keeps = [], False
    for line in text.splitlines(keepends=True):
        if _TOP_KEY.match(line):
            keeps = line.split(":", 1)[0].strip().strip("\"'") not in _OURS
        kept += [line] if keeps and line.strip() and not line.startswith("#") else []
    result = "".join(line if line.endswith("\n") else f"{line}\n" for line in kept)
    try:
        before = {key: value for key, value in yaml_source.parse(text, HEADER).tree.items() if key not in _OURS}
        return result if yaml_source.parse(result, HEADER).tree == before else ""
    except UsageError:
        return ""


def quoted(text: str) -> str:
    """Return a text as a YAML scalar that every reader takes for this very text."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    code = ord(char)
    if char in '"\\':
        return "\\" + char
    if 0x20 <= code < 0x7F or (code > 0xA0 and char.isprintable()):
        return char
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
