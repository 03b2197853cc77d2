"""Write LabelMe's JSON files: records as they were where the columns still say the same, everything else anew."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import Written
from vision_cli.formats.label_files import write_files
from vision_cli.formats.labelling_rows import Row, agree, attributes_of, by_image, tree_names
from vision_cli.formats.labelme.reading import KNOWN, LABELS, class_names, document_rows, own_members, stated_size
from vision_cli.formats.labelme.shapes import MEMBER, Size, shapes_of
from vision_cli.formats.placing import stems

_VERSION = "5.5.0"
_KNOWN = frozenset((*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names, "label_file"))


def write(dataset: Dataset, folder: Path) -> Written:
    """Write a JSON a photo and `labels.txt`; see `formats.labelme.write`."""
    names = [name.removeprefix("images/") for name in tree_names(dataset)]
    origins = list(dataset.origins.values())
    own = len(origins) == 1 and origins[0].format == "labelme"
    if own and len(set(dataset.images["path"].to_pylist())) == len(names):
        names = dataset.images["path"].to_pylist()
    write_files(folder, _files(dataset, names, own))
    listed = origins[0].header.get(LABELS) if own else None
    if listed is None or class_names(listed) != list(dataset.classes.names):
        listed = "".join(f"{name}\n" for name in ("__ignore__", *dataset.classes.names)).encode()
    if class_names(listed) == list(dataset.classes.names) and len(dataset.classes):
        write_files(folder, [(LABELS, listed)])
    return Written(names, {})


def _files(dataset: Dataset, names: list[str], own: bool) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each JSON; LabelMe's own photos without one stay without."""
    # A name that starts with a dot is hidden, and readers leave it out.
    labels = stems([f"{folder}{cut}{'_' if last[:1] == '.' else ''}{last}" for folder, cut, last in map(_cut, names)])
    if own and "label_file" in dataset.images.column_names:
        stated = dataset.images["label_file"].to_pylist()
        found = [old or new for old, new in zip(stated, labels, strict=True)]
        labels = found if len({name.casefold() for name in found}) == len(found) else labels
    for name, label, (image, rows) in zip(names, labels, by_image(dataset), strict=True):
        size = image.get("width", 0), image.get("height", 0)
        path = os.path.relpath(name, posixpath.dirname(label) or ".").replace(os.sep, "/")
        if own and "record" in image:
            yield f"{label}.json", _record(image, rows, path, size)
        elif rows or not own:
            yield f"{label}.json", _rendered(_document(image, rows, path, size))


def _cut(name: str) -> tuple[str, str, str]:
    return name.rpartition("/")


def _rendered(document: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _record(image: Row, rows: list[Row], path: str, size: Size) -> bytes:
    """Return the record if it says what the columns say, else with other shapes in it."""
    record: bytes = image["record"]
    document = msgspec.json.decode(record)
    same_photo = posixpath.basename(document["imagePath"].replace("\\", "/")) == posixpath.basename(path)
    members = image.get("source_id"), image.get("split"), image.get("group")
    try:
        old = document_rows(document, stated_size(document) if stated_size(document)[0] else size)
    except DataError:
        old = []
    same = len(old) == len(rows) and all(agree(one, other) for one, other in zip(old, rows, strict=True))
    if same and same_photo and own_members(document) == members:
        return record
    changed = {name: value for name, value in document.items() if name not in ("source_id", "split", "group")}
    changed |= {name: image[name] for name in ("source_id", "split", "group") if name in image}
    new = _document(image, rows, path, size)
    kept = {name: value for name, value in (document.get("flags") or {}).items() if value is not True}
    flags = {**{name: False for name in document.get("flags") or {}}, **kept, **new["flags"]}
    if not same:
        changed |= {"flags": flags, "shapes": new["shapes"]}
    return _rendered({**changed, "imagePath": document["imagePath"] if same_photo else path})


def _document(image: Row, rows: list[Row], path: str, size: Size) -> dict[str, Any]:
    placed = [row for row in rows if any(name in row for name in ("x", "outline", "keypoints"))]
    whole = [row["class"] for row in rows if not any(name in row for name in ("x", "outline", "keypoints"))]
    more = {
        f"{MEMBER}{name}" if name in KNOWN or name.startswith(MEMBER) else name: value
        for name, value in image.items()
        if name not in _KNOWN
    }
    return {
        "version": _VERSION,
        "flags": dict.fromkeys((name for name in whole if name), True),
        "shapes": list(_all_shapes(placed, size)),
        "imagePath": path,
        "imageData": None,
        "imageHeight": size[1] or None,
        "imageWidth": size[0] or None,
        **{name: image[name] for name in ("source_id", "split", "group") if name in image},
        **{name: value if isinstance(value, str | int | float | bool) else str(value) for name, value in more.items()},
    }


def _all_shapes(rows: list[Row], size: Size) -> Iterator[dict[str, Any]]:
    groups = [attributes_of(row).get("group_id") for row in rows]
    free = 1 + max((group for group in groups if isinstance(group, int)), default=-1)
    for row in rows:
        found = shapes_of(row, size, free)
        free += len(found) > 1
        yield from found
