"""From the features of a `tf.train.Example` to a photo and its annotations.

Names of the features: https://github.com/tensorflow/models, research/object_detection, core/standard_fields.py
(`TfExampleFields`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vision_cli.core.errors import DataError
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.problems import Problems
from vision_cli.formats.tfrecord.wire import Feature

_BOX = ("xmin", "ymin", "xmax", "ymax")
_OBJECT, _BBOX = "image/object/", "image/object/bbox/"
_USED = frozenset(
    {
        *("image/encoded", "image/format", "image/filename", "image/source_id", "image/height", "image/width"),
        *("image/class/text", "image/class/label"),
    }
)
_MASKS = "image/object/mask"
_MAX_SIDE = 1 << 24
_SHARES = (-0.1, 1.1)
_HINT = "Boxes are shares of the photo's sides, from 0 to 1, with xmin <= xmax and ymin <= ymax."


class Unfit(ValueError):
    """A value that does not fit; its text goes to the problems."""


@dataclass(slots=True)
class ExampleReader:
    """Turns Examples into rows.

    Attributes:
        gathering: takes the rows.
        problems: takes what is wrong.
        names: class name by id, of the label map.
        ids: class id by name, as the Examples use them.
        masks: number of masks that were left out.
    """

    gathering: Gathering
    problems: Problems
    names: Mapping[int, str]
    ids: dict[str, int] = field(default_factory=dict)
    masks: int = 0

    def add(self, features: Mapping[str, Feature], photo: Mapping[str, Any], place: str) -> None:
        """Add a photo and its annotations; whatever is wrong with it goes to the problems.

        Args:
            features: of the Example.
            photo: columns that the caller knows: path, split.
            place: file and record, for messages.
        """
        try:
            size = _size(features)
            source_id = text_of(features, "image/source_id")
            rows = [*self._labels(features), *self._objects(features, size)]
        except Unfit as error:
            self.problems.add("records", f"{place}: {error}", hint=_HINT)
            return
        self.masks += len(features.get(_MASKS, ()))
        values = {**photo, "width": size[0], "height": size[1], "source_id": source_id}
        image_id = self.gathering.photo(values, _metadata(features))
        for row in rows:
            self.gathering.annotation({"image_id": image_id, **row})

    def _labels(self, features: Mapping[str, Feature]) -> Iterator[dict[str, Any]]:
        """Yield the classes of the whole photo."""
        classes = self._classes(features, "image/class/")
        yield from ({"class_id": class_id} for class_id in classes if class_id is not None)

    def _classes(self, features: Mapping[str, Feature], prefix: str) -> list[int | None]:
        """Return class ids of texts, or of labels where a text is empty; label 0 without a name is no class."""
        texts, labels = features.get(f"{prefix}text", []), features.get(f"{prefix}label", [])
        if texts and labels and len(texts) != len(labels):
            raise Unfit(f"{prefix}text has {len(texts)} values and {prefix}label {len(labels)}")
        count = max(len(texts), len(labels))
        pairs = zip([*texts] or [b""] * count, [*labels] or [None] * count, strict=True)
        return [self._class(text, label, prefix) for text, label in pairs]

    def _class(self, text: Any, label: Any, prefix: str) -> int | None:
        if not isinstance(text, bytes) or not (label is None or isinstance(label, int)):
            raise Unfit(f"{prefix}text or label is of another type")
        name = _decoded(text, f"{prefix}text") or ("" if label is None else self.names.get(label, ""))
        if not name and label:
            if self.names:
                raise Unfit(f"{prefix}label {label} is not in the label map of {len(self.names)} items")
            name = str(label)
        if name and label is not None:
            self.ids.setdefault(name, label)
        return self.gathering.class_id(name) if name else None

    def _objects(self, features: Mapping[str, Feature], size: tuple[int, int]) -> Iterator[dict[str, Any]]:
        edges = {name: features.get(_BBOX + name, []) for name in _BOX}
        counts = {len(values) for values in edges.values()}
        if len(counts) > 1:
            raise Unfit(f"the edges of its boxes differ in number: {sorted(counts)}")
        count = counts.pop()
        classes = self._classes(features, f"{_OBJECT}class/")
        if len(classes) not in (0, count):
            raise Unfit(f"it has {count} boxes and {len(classes)} classes")
        lists = {
            name.removeprefix(_OBJECT): values
            for name, values in features.items()
            if name.startswith(_OBJECT)
            and not name.startswith((_BBOX, f"{_OBJECT}class/"))
            and name != _MASKS
            and values
        }
        if wrong := [f"{name} ({len(values)})" for name, values in lists.items() if len(values) != count]:
            raise Unfit(f"it has {count} boxes, and not as many of {', '.join(wrong[:5])}")
        for row in range(count):
            box = _box([edges[name][row] for name in _BOX], size)
            others = _details({name: values[row] for name, values in lists.items()})
            yield {"class_id": classes[row] if classes else None, **box, **others}


def _box(edges: list[Any], size: tuple[int, int]) -> dict[str, float]:
    """Return left, top, width and height in pixels of shares."""
    left, top, right, bottom = edges
    if not all(isinstance(edge, float) and _SHARES[0] <= edge <= _SHARES[1] for edge in edges):
        raise Unfit(f"the box {edges} is not of shares")
    if right < left or bottom < top:
        raise Unfit(f"the box {edges} ends before it begins")
    x, y = left * size[0], top * size[1]
    return {"x": x, "y": y, "w": right * size[0] - x, "h": bottom * size[1] - y}


def _details(values: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of further features of an object; those without a column are attributes."""
    found: dict[str, Any] = {}
    for name, column, kinds in (
        ("is_crowd", "iscrowd", bool),
        ("difficult", "difficult", bool),
        ("area", "area", float),
    ):
        if isinstance(values.get(name), int | float):
            found[column] = kinds(values.pop(name))
    if values.get("truncated") in (0, 1):
        found["truncated"] = float(values.pop("truncated"))
    others = {
        name: value.decode(errors="replace") if isinstance(value, bytes) else value for name, value in values.items()
    }
    return {**found, "attributes": msgspec.json.encode(others).decode()} if others else found


def _size(features: Mapping[str, Feature]) -> tuple[int, int]:
    """Return (width, height) as the features say, else as the photo's header does."""
    sides = [features.get(f"image/{name}", []) for name in ("width", "height")]
    if all(len(side) == 1 for side in sides):
        width, height = (side[0] for side in sides)
        if not all(isinstance(side, int) and 0 < side < _MAX_SIDE for side in (width, height)):
            raise Unfit(f"the size {width!r} x {height!r} is none")
        return int(width), int(height)
    content = encoded_of(features)
    if content is None:
        raise Unfit("neither a photo nor its width and height are there")
    # Pillow, for photos whose size nothing else says; whoever looks for a folder's format comes by here.
    from vision_cli.imaging.header import read_header

    try:
        header = read_header(content, name="its photo")
    except DataError as error:
        raise Unfit(error.message) from error
    return header.width_px, header.height_px


def encoded_of(features: Mapping[str, Feature]) -> bytes | None:
    """Return the bytes of the photo, None without."""
    values = features.get("image/encoded", [])
    return values[0] if len(values) == 1 and isinstance(values[0], bytes) and values[0] else None


def text_of(features: Mapping[str, Feature], name: str) -> str | None:
    """Return a feature's one text or whole number as text, None without.

    Raises:
        Unfit: several values, a float, or not UTF-8.
    """
    values = features.get(name, [])
    if not values or values == [b""]:
        return None
    if len(values) > 1 or isinstance(values[0], float):
        raise Unfit(f"{name} is no single text")
    return _decoded(values[0], name) if isinstance(values[0], bytes) else str(values[0])


def _decoded(text: bytes, name: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise Unfit(f"{name} is not UTF-8: {text[:40]!r}") from error


def _metadata(features: Mapping[str, Feature]) -> dict[str, Any]:
    """Return further features of one value; bytes that are no text, and lists, are left out."""
    found: dict[str, Any] = {}
    for name, values in features.items():
        if name in _USED or name.startswith(_OBJECT) or len(values) != 1:
            continue
        value: Any = values[0]
        try:
            found[name.removeprefix("image/")] = (value.decode() or None) if isinstance(value, bytes) else value
        except UnicodeDecodeError:
            continue
    return found
