"""The file beside a folder of masks that says which value or colour is which class.

Read are: lines of names (`classes.txt`; the first is 0), of value and name, of three colour values and name in either
order (CamVid's `label_colors.txt`), `name:r,g,b:parts:actions` (CVAT's `labelmap.txt` for Pascal VOC), CSV with the
columns name, r, g, b; as JSON a list of names or records, names by value, colours by name, Datumaro's
`dataset_meta.json` and Mapillary's `config.json`; as YAML `classes` or `names`. Written is `classes.json`: a list of
value, name and colour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli.core import yaml_source
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.files import read_limited, utf8
from vision_cli.formats import json_source
from vision_cli.formats.problems import Problems

FILE_NAME = "classes.json"
_STEMS = frozenset(
    {
        *("classes", "class_names", "labels", "label_colors", "labelcolors", "label_colours", "labelmap", "label_map"),
        *(
            "class_dict",
            "classdict",
            "dataset_meta",
            "config",
            "data",
            "colormap",
            "palette",
            "config_v1.2",
            "config_v2.0",
        ),
    }
)
_GENERAL = ("config", "data")
_SUFFIXES = frozenset({".txt", ".csv", ".tsv", ".json", ".yaml", ".yml"})
_MAX_BYTES = 1 << 20
_MAX_CLASSES = 65_535
_THREE = r"(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})"
_VOC = re.compile(r"^(?P<name>[^:]+):(\d{1,3}),(\d{1,3}),(\d{1,3}):[^:]*:[^:]*$")
_COLOUR_FIRST = re.compile(rf"^{_THREE}[\s,;:]+(?P<name>\S.*)$")
_COLOUR_LAST = re.compile(rf"^(?P<name>.*\S)[\s,;:]+{_THREE}$")
_VALUE_FIRST = re.compile(r"^(\d{1,5})[\s,;:]+(?P<name>\S.*)$")
_HEADER = re.compile(r"^(name|class|label)s?\s*[,;\t]\s*r\s*[,;\t]\s*g\s*[,;\t]\s*b\s*$", re.IGNORECASE)

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class MaskClass:
    """One class: its value, or its place in the file where no value is stated, and its colour if any."""

    name: str
    value: int
    colour: Colour | None = None


@dataclass(frozen=True, slots=True)
class MaskClasses:
    """The classes of a file, in its order.

    Attributes:
        where: the file.
        classes: each once.
        valued: the file states values; otherwise they are places in it.
    """

    where: Path
    classes: tuple[MaskClass, ...]
    valued: bool

    def by_value(self) -> dict[int, int]:
        """Return the place of the class of each value."""
        return {one.value: place for place, one in enumerate(self.classes)}

    def by_colour(self) -> dict[Colour, int]:
        """Return the place of the class of each colour."""
        return {one.colour: place for place, one in enumerate(self.classes) if one.colour is not None}


def find(root: Path) -> Path | None:
    """Return the one file of classes in a folder.

    Raises:
        DataError: there are several.
    """
    found = sorted(
        entry
        for entry in root.iterdir()
        if entry.stem.lower() in _STEMS and entry.suffix.lower() in _SUFFIXES and entry.is_file()
    )
    found = [file for file in found if _quick(file)]
    if len(found) > 1:
        raise DataError(
            f"{root}: {len(found)} files may say what the classes are: {', '.join(file.name for file in found[:10])}.",
            hint="Leave one of them.",
        )
    return found[0] if found else None


def _quick(file: Path) -> bool:
    """Leave out files of settings that have no classes in them."""
    if not file.stem.lower().startswith(_GENERAL):
        return True
    with file.open("rb") as stream:
        head = stream.read(_MAX_BYTES)
    return any(word in head for word in (b"classes", b"names", b"label", b'"name"', b'"0"'))


def read(file: Path) -> MaskClasses:
    """Read a file of classes.

    Raises:
        DataError: unreadable, or names, values or colours that are missing, twice or out of range, with their lines.
    """
    problems = Problems(file)
    match file.suffix.lower():
        case ".json":
            rows = _of_document(json_source.load(file, max_bytes=_MAX_BYTES, what="the classes").value())
        case ".yaml" | ".yml":
            rows = _of_document(_yaml(file))
        case _:
            rows = _of_lines(utf8(read_limited(file, max_bytes=_MAX_BYTES, what="the classes"), where=str(file)))
    if not rows and file.name != FILE_NAME:
        raise DataError(f"{file}: no classes are in it.", hint="Write one name a line, or a list of names.")
    classes, valued = _checked(rows, problems)
    problems.refuse("classes")
    return MaskClasses(file, tuple(classes), valued)


def _yaml(file: Path) -> Any:
    text = utf8(read_limited(file, max_bytes=_MAX_BYTES, what="the classes"), where=str(file))
    try:
        return yaml_source.parse(text, file.name).tree
    except UsageError as error:
        raise DataError(f"{file}: {error.message}", hint=error.hint, details=error.details) from error


Row = tuple[Any, Any, Any]
"""Value, name and colour as they stand in the file; None where nothing does."""


def _of_lines(text: str) -> list[Row]:
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if lines and _HEADER.match(lines[0]):
        lines = lines[1:]
    for pattern in (_VOC, _COLOUR_FIRST, _COLOUR_LAST):
        found = [pattern.match(line) for line in lines]
        if found and all(found):
            return [(None, match["name"].strip(), _colour_of(match)) for match in found if match]
    valued = [_VALUE_FIRST.match(line) for line in lines]
    if valued and all(valued):
        return [(int(match[1]), match["name"].strip(), None) for match in valued if match]
    return [(None, line, None) for line in lines]


def _colour_of(match: re.Match[str]) -> list[int]:
    return [int(group) for group in match.groups() if group is not None and group.isdigit()][-3:]


def _of_document(document: Any) -> list[Row]:
    """Return the rows of JSON or YAML, whatever of the known forms it has."""
    if isinstance(document, Mapping):
        if "label_map" in document:
            return _datumaro(document)
        for key in ("classes", "names", "labels"):
            if isinstance(document.get(key), Mapping | list):
                return _of_document(document[key])
        return [_of_pair(key, value) for key, value in document.items() if isinstance(value, str | list | int)]
    if isinstance(document, list):
        return [_of_record(item) for item in document]
    return []


def _of_pair(key: str, value: Any) -> Row:
    if isinstance(value, list):
        return None, key, value
    named_by_value = isinstance(value, str) and key.isascii() and key.isdigit() and len(key) < 6
    return (int(key), value, None) if named_by_value else (value, key, None)


def _of_record(item: Any) -> Row:
    if not isinstance(item, Mapping):
        return None, item, None
    value = item.get("value", item.get("id"))
    return value, item.get("name"), item.get("color", item.get("colour"))


def _datumaro(document: Mapping[str, Any]) -> list[Row]:
    names, colours = document["label_map"], document.get("segmentation_colors") or []
    if not isinstance(names, Mapping) or not isinstance(colours, list):
        return []
    rows = [_of_pair(key, name) for key, name in names.items()]
    return [
        (value, name, colours[place] if place < len(colours) else None) for place, (value, name, _) in enumerate(rows)
    ]


def _checked(rows: Iterable[Row], problems: Problems) -> tuple[list[MaskClass], bool]:
    rows = list(rows)
    valued = all(value is not None for value, _, _ in rows)
    classes: list[MaskClass] = []
    names: set[str] = set()
    taken: set[int | Colour] = set()
    for place, (value, name, colour) in enumerate(rows):
        where = f"class {place + 1}"
        number = _number(value) if valued else place
        shade = None if colour is None else _colour(colour)
        if not isinstance(name, str) or not name:
            problems.add("bad names", f"{where}: {name!r:.80} is no name")
        elif name in names:
            problems.add("repeated names", f"{where}: {name!r:.80} stands there twice")
        elif number is None or number in taken:
            problems.add("bad values", f"{where}: {value!r:.80} is no value of 0 to 65535, or stands there twice")
        elif colour is not None and (shade is None or shade in taken):
            problems.add("bad colours", f"{where}: {colour!r:.80} is no colour, or stands there twice")
        else:
            names.add(name)
            taken |= {number} if shade is None else {number, shade}
            classes.append(MaskClass(name, number, shade))
    return classes, valued


def _number(value: Any) -> int | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= _MAX_CLASSES else None


def _colour(value: Any) -> Colour | None:
    parts = [_number(part) for part in value] if isinstance(value, list | tuple) else []
    if len(parts) != 3 or any(part is None or part > 255 for part in parts):
        return None
    red, green, blue = (part or 0 for part in parts)
    return red, green, blue
