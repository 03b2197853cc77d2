"""One JSON record a photo, as `metadata.jsonl` of Hugging Face and `.json` members of WebDataset hold it.

Labels of the whole photo stand under `label`, `labels` or `value`; objects as parallel lists or as a list of records:

    {"file_name": "a.jpg", "label": "cat"}
    {"file_name": "a.jpg", "objects": {"bbox": [[x, y, w, h], ...], "categories": ["car", ...], "area": [...]}}
    {"annotations": [{"bbox": [x, y, w, h], "category_id": 3}, ...]}

Boxes are left, top, width, height in pixels. Class ids are looked up in the names that the reader found; without names
the ids are the names. Further fields of an object go to its attributes, further fields of a photo are metadata.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vision_cli.core import outline
from vision_cli.core.columns import BOX_3D
from vision_cli.core.errors import DataError
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.problems import Problems

CLASS_KEYS = ("categories", "category", "category_id", "category_ids", "label", "labels", "class", "class_id", "name")
_OBJECTS = ("objects", "annotations")
_SIDES = ("width", "height")
_BOX = ("x", "y", "w", "h")
MAX_SIDE = 1 << 24
_MAX_INT = 1 << 63
_PLAIN = 1e300
_MAX_PARTS = (1 << 15) - 1
_HINT_BOX = "A box is [left, top, width, height] in pixels: finite numbers, width and height not negative."

Values = dict[str, Any]


class Unfit(ValueError):
    """A value that does not fit; its text goes to the problems."""


@dataclass(slots=True)
class RecordReader:
    """Turns records into rows.

    Attributes:
        gathering: takes the rows.
        problems: takes what is wrong.
        names: class name by id, where the source says it.
        ids: class id by name, as the records use them.
        unsized: ids of the photos whose records say no size.
    """

    gathering: Gathering
    problems: Problems
    names: Mapping[int, str] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    unsized: list[int] = field(default_factory=list)
    _known: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._known = frozenset(self.names.values())

    def add(self, record: Mapping[str, Any], photo: Mapping[str, Any], place: str) -> None:
        """Add a photo and its annotations.

        Args:
            record: the source's; without the fields that the caller used.
            photo: columns that the caller knows: path, split.
            place: file and record, for messages.
        """
        values, rest = dict(photo), dict(record)
        values.update(self._tried(place, "sizes", _size, rest) or {})
        values["source_id"] = self._tried(place, "ids", as_id, rest.pop("image_id", None))
        group = rest.pop("group", None)
        values["group"] = None if group is None else str(group)
        labels = list(self._labels(rest, place))
        image_id = self.gathering.photo(values, {key: value for key, value in rest.items() if value is not None})
        if values.get("width") is None:
            self.unsized.append(image_id)
        for row in labels:
            self.gathering.annotation({"image_id": image_id, **row})

    def _tried(self, place: str, kind: str, convert: Callable[[Any], Any], value: Any) -> Any:
        try:
            return convert(value)
        except Unfit as error:
            hint = _HINT_BOX if kind == "boxes" else None
            self.problems.add(kind, f"{place}: {error}", hint=hint)
            return None

    def _labels(self, rest: Values, place: str) -> Iterator[Values]:
        """Yield the rows of a record's labels and take their fields out of it."""
        for key in ("label", "labels"):
            found = rest.pop(key, None)
            for value in found if isinstance(found, list) else [found]:
                if value is not None:
                    yield {"class_id": self._tried(place, "labels", self.class_id, value)}
        if (value := rest.pop("value", None)) is not None:
            yield {"value": self._tried(place, "values", as_number, value)}
        for key in _OBJECTS:
            found = rest.get(key)
            if isinstance(found, Mapping) or (isinstance(found, list) and all(isinstance(o, Mapping) for o in found)):
                del rest[key]
                yield from self._objects(found, place)

    def _objects(self, found: Mapping[str, Any] | Sequence[Values], place: str) -> Iterator[Values]:
        items = self._tried(place, "objects", _records, found) or []
        for number, item in enumerate(items, start=1):
            yield self.row(item, f"{place}, object {number}")

    def row(self, item: Mapping[str, Any], place: str) -> Values:
        """Return an object's columns."""
        row: Values = {}
        others: Values = {}
        for key, value in item.items():
            if value is None:
                continue
            if key in CLASS_KEYS and "class_id" not in row:
                row["class_id"] = self._tried(place, "labels", self.class_id, value)
            elif key in _FIELDS:
                kind, convert = _FIELDS[key]
                row.update(self._tried(place, kind, convert, value) or {})
            else:
                others[key] = value
        if others:
            row["attributes"] = self._tried(place, "attributes", _merged, (row.get("attributes"), others))
        return row

    def class_id(self, value: Any) -> int:
        """Return the id of the class that a name or a number means.

        Raises:
            Unfit: neither, empty, or a number without a name.
        """
        if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
            raise Unfit(f"{shown(value)} is no class name or class id")
        if isinstance(value, str) and not (self.names and value not in self._known and _is_whole(value)):
            return self.gathering.class_id(value)
        number = int(value)
        if self.names and number not in self.names:
            raise Unfit(f"class id {number} has no name; there are {len(self.names)} names")
        name = self.names.get(number, str(number))
        self.ids[name] = number
        return self.gathering.class_id(name)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def shown(value: Any) -> str:
    """Return the beginning of a value's text, for messages."""
    text = repr(value)
    return text if len(text) < 80 else f"{text[:80]}..."


def _size(rest: Values) -> Values:
    sides = {name: rest.pop(name, None) for name in _SIDES}
    if any(side is None for side in sides.values()):
        return {}
    if not all(type(side) is int and 0 < side < MAX_SIDE for side in sides.values()):
        raise Unfit(f"width and height are {shown(list(sides.values()))}")
    return sides


def as_number(value: Any) -> float:
    """Return a finite number.

    Raises:
        Unfit: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise Unfit(f"{shown(value)} is no finite number")
    return float(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def as_id(value: Any) -> str | None:
    """Return an id as text: whole numbers and texts are ids.

    Raises:
        Unfit: anything else.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Unfit(f"{shown(value)} is no id")
    return str(value)


def as_flag(value: Any) -> bool:
    """Return a flag: true, false, 0 or 1.

    Raises:
        Unfit: anything else.
    """
    if value not in (0, 1) or isinstance(value, float):
        raise Unfit(f"{shown(value)} is no flag: true, false, 0 or 1")
    return bool(value)


def as_whole(value: Any, low: int = -_MAX_INT, high: int = _MAX_INT - 1) -> int:
    """Return a whole number in a range.

    Raises:
        Unfit: anything else.
    """
    if type(value) not in (int, bool) or not low <= value <= high:
        raise Unfit(f"{shown(value)} is no whole number from {low} to {high}")
    return int(value)


def as_box(value: Any) -> Values:
    """Return the columns of a box [x, y, w, h].

    Raises:
        Unfit: not four finite numbers, or a negative width or height.
    """
    if not isinstance(value, list | tuple) or len(value) != len(_BOX):
        raise Unfit(f"the box {shown(value)} has not four numbers")
    plain = all(type(number) is float and -_PLAIN < number < _PLAIN for number in value)
    numbers = list(value) if plain else [as_number(number) for number in value]
    if min(numbers[2:]) < 0:
        raise Unfit(f"the box {shown(value)} has a negative width or height")
    return dict(zip(_BOX, numbers, strict=True))


def as_outline(value: Any) -> Values:
    """Return the columns of polygons [[x, y, ...], ...] or of a run-length mask {"size", "counts"}.

    Raises:
        Unfit: anything else; see `core.outline.parse`.
    """
    if value in ([], {}):
        return {}
    try:
        content = msgspec.json.encode(value)
        outline.parse(content)
    except (DataError, TypeError, ValueError, RecursionError) as error:
        raise Unfit(f"the outline {shown(value)}: {error}") from error
    return {"outline": content, "outline_parts": min(outline.parts(content), _MAX_PARTS)}


def as_keypoints(value: Any) -> Values:
    """Return the column of keypoints [x, y, visibility, ...].

    Raises:
        Unfit: anything else.
    """
    fits = isinstance(value, list) and len(value) % 3 == 0
    if not fits or not all(type(number) in (int, float) and _is_finite(number) for number in value):
        raise Unfit(f"the keypoints {shown(value)} are no list [x, y, visibility, ...]")
    return {"keypoints": msgspec.json.encode(value)}


def as_attributes(value: Any) -> Values:
    """Return the column of attributes: a JSON object, or the text of one.

    Raises:
        Unfit: anything else.
    """
    if isinstance(value, Mapping):
        return {"attributes": msgspec.json.encode(value).decode()}
    try:
        if isinstance(value, str) and isinstance(msgspec.json.decode(value), dict):
            return {"attributes": value}
    except (msgspec.DecodeError, RecursionError):
        pass
    raise Unfit(f"the attributes {shown(value)} are no JSON object")


def _merged(parts: tuple[str | None, Values]) -> str:
    """Return a JSON object of attributes and further fields, in their order."""
    text, others = parts
    try:
        return msgspec.json.encode({**msgspec.json.decode(text or "{}"), **others}).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Unfit(f"{shown(others)} is no JSON: {error}") from error


def _records(found: Mapping[str, Any] | Sequence[Values]) -> list[Values]:
    """Return objects one by one, from parallel lists too.

    Raises:
        Unfit: the lists differ in length.
    """
    if not isinstance(found, Mapping):
        return list(found)
    lists = {key: value for key, value in found.items() if value is not None}
    lengths = {key: len(value) if isinstance(value, list) else -1 for key, value in lists.items()}
    if len(set(lengths.values())) > 1 or -1 in lengths.values():
        raise Unfit(f"the lists differ in length: {shown(lengths)}")
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _number_of(name: str) -> Callable[[Any], Values]:
    return lambda value: {name: as_number(value)}


_FIELDS: dict[str, tuple[str, Callable[[Any], Values]]] = {
    "id": ("ids", lambda value: {"source_id": as_id(value)}),
    "bbox": ("boxes", as_box),
    "segmentation": ("outlines", as_outline),
    "keypoints": ("keypoints", as_keypoints),
    "area": ("areas", lambda value: {"area": as_number(value)}),
    "rotation_deg": ("rotations", lambda value: {"rotation_deg": as_number(value)}),
    "iscrowd": ("flags", lambda value: {"iscrowd": as_flag(value)}),
    "difficult": ("flags", lambda value: {"difficult": as_flag(value)}),
    "truncated": ("numbers", lambda value: {"truncated": as_number(value)}),
    "occluded": ("numbers", lambda value: {"occluded": as_whole(value, -128, 127)}),
    "score": ("scores", lambda value: {"score": as_number(value)}),
    "value": ("values", lambda value: {"value": as_number(value)}),
    "track_id": ("ids", lambda value: {"track_id": as_whole(value)}),
    "annotator": ("annotators", lambda value: {"annotator": str(value)}),
    "attributes": ("attributes", as_attributes),
    **{name: ("numbers", _number_of(name)) for name in BOX_3D},
}
