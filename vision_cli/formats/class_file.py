"""`classes.txt`: a class name a line, from 0; `classes.json`: the same as a list, for names that no line can hold."""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.core.files import json_text, read_limited, utf8
from vision_cli.formats.json_values import decoded

_TEXT, _JSON = "classes.txt", "classes.json"
_MAX_BYTES = 1 << 24


def read_classes(folder: Path) -> tuple[str, ...]:
    """Return the class names in order; none where there is no such file.

    Raises:
        DataError: both files are there, names are repeated or empty, or the file is damaged.
    """
    found = [folder / name for name in (_TEXT, _JSON) if (folder / name).is_file()]
    if len(found) > 1:
        raise DataError(f"{folder}: both {_TEXT} and {_JSON} are there.", hint="Keep one of them.")
    if not found:
        return ()
    content = read_limited(found[0], max_bytes=_MAX_BYTES, what="the list of classes")
    names = _names(found[0], content)
    try:
        return ClassMap(names).names
    except DataError as error:
        raise DataError(f"{found[0]}: {error.message}", hint="One name a line, each once.") from error


def _names(path: Path, content: bytes) -> tuple[str, ...]:
    if path.name == _TEXT:
        lines = utf8(content, where=str(path)).replace("\r\n", "\n").rstrip("\n").split("\n")
        return tuple(line.strip() for line in lines) if lines != [""] else ()
    try:
        names = decoded(content)
    except ValueError as error:
        raise DataError(f"{path}: {error}.", hint="The file is a JSON list of names.") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{path}: not a list of names.", hint='Write it as ["cat", "dog"].')
    return tuple(names)


def class_file(names: tuple[str, ...]) -> tuple[str, bytes]:
    """Return the name and content of the file that holds these class names."""
    if all(name == name.strip() and "\n" not in name and "\r" not in name for name in names):
        return _TEXT, "".join(f"{name}\n" for name in names).encode()
    return _JSON, (json_text(list(names)) + "\n").encode()
