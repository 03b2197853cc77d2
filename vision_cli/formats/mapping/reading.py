"""Read a user's own JSON or CSV as a YAML mapping says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, photos
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.mapping.config import Mapping, ObjectFields, line_of
from vision_cli.formats.mapping.fields import Field, Item, Template
from vision_cli.formats.mapping.files import documents_of, files_of, items_of
from vision_cli.formats.mapping.presence import Absent, absent, missed
from vision_cli.formats.mapping.shapes import box_columns, outline_columns
from vision_cli.formats.photo_records import Unfit, as_box, as_id, as_number, shown
from vision_cli.formats.photo_sizes import sizes_of
from vision_cli.formats.problems import Problems

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")

_ABSENT = "Correct the name, or take it out of the mapping: a field may be missing in some records, not in all."

Values = dict[str, Any]
Places = list[tuple[str, Item]]


@dataclass(slots=True)
class _Photo:
    """A photo while it is read.

    Attributes:
        values: columns of `images`.
        metadata: further ones.
        rows: columns of its annotations.
        size: (width, height), once they are known.
        late: objects that wait for the size, with their places.
    """

    values: Values
    metadata: Values
    rows: list[Values] = field(default_factory=list)
    size: tuple[int, int] | None = None
    late: list[tuple[str, Item]] = field(default_factory=list)


class MappingReader:
    """Reads one source.

    Args:
        mapping: what stands where.
        file: that says so, for messages.
        path: the source: a file or a folder.
        options: of the reader.
    """

    def __init__(self, mapping: Mapping, file: Path, path: Path, options: ReadOptions) -> None:
        self._mapping = mapping
        self._file = file
        self._root = path if path.is_dir() else path.parent
        self._images = options.images or self._root
        self._options = options
        self._gathering = Gathering(options.source, tuple(mapping.classes.values()))
        self._problems = Problems(path)
        self._fence = Containment(self._images)
        self._photos: dict[str, _Photo] = {}
        self._by_id: dict[str, _Photo] = {}

    def read(self) -> Dataset:
        """Return the data set.

        Raises:
            DataError: files that are not there or not what they are called, fields that no record has, and records
                that are wrong: all at once.
        """
        found = self._items(self._mapping.photos.files, self._mapping.photos.each)
        if not found:
            raise DataError(f"{self._root}: no photo is described.", hint="Check `photos` of the mapping.")
        objects, others = self._object_items([item for _, item in found])
        self._check_fields([item for _, item in found], [item for each in (*objects, others) for _, item in each])
        for (place, item), inside in zip(found, objects, strict=True):
            self._try(place, "photos", partial(self._add_photo, item, place, inside))
        self._add_other_objects(others)
        self._problems.refuse(f"records of {len(self._photos)} photos")
        self._fill_sizes()
        for photo in self._photos.values():
            self._add_late(photo)
        self._problems.refuse(f"records of {len(self._photos)} photos")
        return self._dataset()

    def _items(self, pattern: str, each: Field) -> list[tuple[str, Item]]:
        """Return (place, record) of all files of a pattern.

        Raises:
            DataError: nothing is where the records should be.
        """
        names = files_of(self._root, pattern)
        documents = [found for name in names for found in documents_of(self._root, name)]
        found = [record for place, document in documents for record in items_of(document, place, each)]
        why = missed(each, [document for _, document in documents]) if not found else None
        if why is not None:
            text = f"{self._root}: nothing is at '{each.text}' of {pattern}: {why}"
            raise DataError(text, hint="Check `each` of the mapping.")
        return found

    def _object_items(self, photo_items: list[Item]) -> tuple[list[Places], Places]:
        """Return the (place, record) of objects: those within each photo's record, and those of files of their own."""
        objects = self._mapping.objects
        if objects is None:
            return [[] for _ in photo_items], []
        if objects.files is not None:
            return [[] for _ in photo_items], self._items(objects.files, objects.each)
        inside = [enumerate(objects.each.items(item)) for item in photo_items]
        return [[(f"object {number}", found) for number, found in each] for each in inside], []

    def _check_fields(self, photo_items: list[Item], object_items: list[Item]) -> None:
        """Refuse fields that no record has: what they stand for would be lost without a word."""
        objects, found = self._mapping.objects, absent(self._mapping.photos, photo_items, ("photos",))
        if objects is not None:
            inside = missed(objects.each, photo_items) if objects.files is None else None
            found += [Absent(("objects", "each"), inside)] if inside else absent(objects, object_items, ("objects",))
        if not found:
            return
        told = [f"{line_of(self._file, each.loc)}: {each.text}" for each in found]
        many = f"{self._file}: {len(told)} fields are in no record of {self._root}."
        first = told[0] if len(told) == 1 else many
        raise DataError(first, details=told if len(told) > 1 else (), hint=_ABSENT)

    def _try(self, place: str, kind: str, do: Callable[[], None]) -> None:
        try:
            do()
        except Unfit as error:
            self._problems.add(kind, f"{place}: {error}")

    def _add_photo(self, item: Item, place: str, inside: Places) -> None:
        """Add a photo, or what a further record says of one that is there."""
        fields = self._mapping.photos
        path = self._path(fields.path, item)
        photo = self._photos.get(path)
        if photo is None:
            photo = self._photos[path] = self._new_photo(path, item)
        photo.late += [(f"{place}, {which}", found) for which, found in inside]

    def _new_photo(self, path: str, item: Item) -> _Photo:
        fields = self._mapping.photos
        sides = [_whole(side.of(item)) if side else None for side in (fields.width, fields.height)]
        source_id = as_id(fields.id.of(item)) if fields.id else None
        split = _text(fields.split, item)
        if split and photos.split_of(split) is None:
            raise Unfit(f"{split!r} is no split; splits are train, val and test")
        values = {"path": path, "source_id": source_id, "group": _text(fields.group, item)}
        values["split"] = photos.split_of(split) if split else None
        photo = _Photo(values, {name: found.of(item) for name, found in fields.metadata.items()})
        photo.size = (sides[0], sides[1]) if sides[0] and sides[1] else None
        photo.rows += self._whole_photo_rows(item)
        key = source_id or path
        if key in self._by_id:
            raise Unfit(f"the id {key!r} is that of another photo already")
        self._by_id[key] = photo
        return photo

    def _path(self, template: Template, item: Item) -> str:
        text = template.of(item)
        if not isinstance(text, str) or not text.strip("/. "):
            raise Unfit(f"the photo's path '{template.text}' is {shown(text)}")
        folder = self._mapping.photos.folder.strip("/")
        path = "/".join(part for part in f"{folder}/{text}".split("/") if part not in ("", "."))
        if text.startswith("/") or ".." in path.split("/") or not self._fence.holds(path):
            raise Unfit(f"the photo's path {text!r} leads out of {self._images}")
        return path

    def _whole_photo_rows(self, item: Item) -> list[Values]:
        fields, rows = self._mapping.photos, []
        if fields.label is not None:
            found = fields.label.of(item)
            labels = found if isinstance(found, list) else [found]
            rows += [{"class_id": self._class_id(label)} for label in labels if label is not None]
        value = fields.value.of(item) if fields.value is not None else None
        return rows if value is None else [*rows, {"value": _number(value)}]

    def _add_other_objects(self, others: Places) -> None:
        """Give objects of files of their own to their photos."""
        objects = self._mapping.objects
        if objects is None or objects.files is None or objects.photo is None:
            return
        folder = self._mapping.photos.folder.strip("/") + "/"
        by_path = {path.removeprefix(folder): photo for path, photo in self._photos.items()}
        for place, item in others:
            key = objects.photo.of(item)
            photo = self._by_id.get(str(key)) or by_path.get(str(key))
            if photo is None:
                self._problems.add("objects of no photo", f"{place}: there is no photo {shown(key)}")
            else:
                photo.late.append((place, item))

    def _fill_sizes(self) -> None:
        """Read the sizes that the records do not say."""
        unsized = [photo for photo in self._photos.values() if photo.size is None]
        wanted = [photo.values["path"] for photo in unsized]
        if not wanted or not (self._options.sizes or self._needs_sizes()):
            return
        for row, size in sizes_of(self._images, wanted, self._problems).items():
            unsized[row].size = size
        self._problems.refuse(f"photos of {len(self._photos)}")

    def _needs_sizes(self) -> bool:
        return self._mapping.objects is not None and self._mapping.objects.unit != "pixels"

    def _add_late(self, photo: _Photo) -> None:
        objects = self._mapping.objects
        for place, item in photo.late:
            if objects is not None:
                self._try(place, "objects", partial(self._add_object, objects, item, photo))

    def _add_object(self, objects: ObjectFields, item: Item, photo: _Photo) -> None:
        row = self._object(objects, item, photo)
        if row.get("class_id") is not None or "x" in row or "outline" in row:
            photo.rows.append(row)

    def _object(self, objects: ObjectFields, item: Item, photo: _Photo) -> Values:
        label = objects.label.of(item) if objects.label is not None else None
        row: Values = {"class_id": None if label is None else self._class_id(label)}
        scale = _scale(objects, photo)
        if (numbers := _box_numbers(objects, item)) is not None:
            row |= as_box(box_columns(numbers, objects.form, scale))
        if objects.polygon is not None and (outline := objects.polygon.of(item)) is not None:
            row |= outline_columns(outline, scale)
        if objects.score is not None and (score := objects.score.of(item)) is not None:
            row["score"] = _number(score)
        row["source_id"] = as_id(objects.id.of(item)) if objects.id is not None else None
        attributes = {name: found.of(item) for name, found in objects.attributes.items()}
        if any(value is not None for value in attributes.values()):
            row["attributes"] = msgspec.json.encode(attributes).decode()
        return row

    def _class_id(self, label: Any) -> int:
        if isinstance(label, bool) or not isinstance(label, str | int) or label == "":
            raise Unfit(f"the class {shown(label)} is neither name nor number")
        return self._gathering.class_id(self._mapping.classes.get(str(label), str(label)))

    def _dataset(self) -> Dataset:
        for photo in self._photos.values():
            width, height = photo.size or (None, None)
            image_id = self._gathering.photo({**photo.values, "width": width, "height": height}, photo.metadata)
            for row in photo.rows:
                self._gathering.annotation({"image_id": image_id, **row})
        ids = {name: int(key) for key, name in self._mapping.classes.items() if key.isascii() and key.isdigit()}
        origin = Origin("mapping", self._options.pixels or self._mapping.pixels, ids)
        return self._gathering.dataset(self._images, origin)


def _text(found: Field | Template | None, item: Item) -> str | None:
    value = found.of(item) if found is not None else None
    return None if value is None else str(value)


def _number(value: Any) -> float:
    """Return a finite number, from a table's text too."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            raise Unfit(f"{value[:60]!r} is no number")
        value = float(value)
    return as_number(value)


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    number = _number(value)
    if number != int(number) or not 0 < number < 1 << 24:
        raise Unfit(f"{shown(value)} is no width or height")
    return int(number)


def _scale(objects: ObjectFields, photo: _Photo) -> tuple[float, float]:
    """Return what a box's numbers are multiplied with, across and down."""
    if objects.unit == "pixels":
        return 1.0, 1.0
    if photo.size is None:
        raise Unfit("shares of a photo of unknown size")
    whole = 1.0 if objects.unit == "shares" else 100.0
    return photo.size[0] / whole, photo.size[1] / whole


def _box_numbers(objects: ObjectFields, item: Item) -> list[float] | None:
    """Return the four numbers of a box; None where a record has none of them."""
    if not objects.box:
        return None
    found = [part.of(item) for part in objects.box]
    values = found[0] if len(found) == 1 else found
    if values is None or (isinstance(values, list) and all(value is None for value in values)):
        return None
    if isinstance(values, str):
        values = re.split(r"[\s,;]+", values.strip())
    if not isinstance(values, list) or len(values) != 4:
        raise Unfit(f"the box {shown(values)} has not four numbers")
    return [_number(value) for value in values]
