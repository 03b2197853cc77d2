"""Read Cityscapes; see `cityscapes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from vision_cli.core import outline, rle
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin
from vision_cli.formats import ReadOptions, json_source, label_walk, photos
from vision_cli.formats.cityscapes.labels import COUNTED, KINDS, LABEL_IDS, PHOTO_MARK, STEP, UNLABELLED, class_of
from vision_cli.formats.gathering import Gathering
from vision_cli.formats.painting import needs_pixels
from vision_cli.formats.problems import Problems
from vision_cli.imaging.masks import read_mask
from vision_cli.imaging.read import read_header

_PHOTOS = "leftImg8bit"
_ENDINGS = ("polygons.json", "instanceIds.png", "labelIds.png")
_MAX_JSON_BYTES = 64 << 20
_THREADS = 4
_MOST = 200
_OBJECT = frozenset({"label", "polygon"})
_MAX_SIDE = 1 << 24
_HINT = "A label file has imgHeight, imgWidth and objects with label and polygon."


@dataclass(frozen=True, slots=True)
class _Frame:
    """One photo and its label files, relative to the root.

    Attributes:
        split: name of the folder.
        city: folder below the split, with `/`; empty without.
        photo: None if it is not there.
        labels: path by ending.
    """

    split: str
    city: str
    name: str
    photo: str | None
    labels: Mapping[str, str]


@dataclass(slots=True)
class _Labels:
    """What the label files of a frame say, or why they are refused."""

    size: tuple[int, int] | None = None
    objects: list[dict[str, Any]] = field(default_factory=list)
    record: bytes | None = None
    errors: list[tuple[str, str]] = field(default_factory=list)


def labels_folder(path: Path) -> Path | None:
    """Return the folder of labels: `gtFine` before `gtCoarse`."""
    candidates = [path] if path.name in KINDS else [path / kind for kind in KINDS]
    return next((folder for folder in candidates if folder.is_dir() and _has_labels(folder)), None)


def _has_labels(folder: Path) -> bool:
    found = label_walk.tree(folder, ".json", most=_MOST)
    return any(name.endswith(_ENDINGS) for name in (*found.labels, *found.photos))


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read frames of all splits and cities, sorted by path.

    Raises:
        DataError: no labels, malformed JSON, values of no class, sizes that differ: all at once.
    """
    folder = labels_folder(path)
    if folder is None:
        raise DataError(
            f"{path}: no {' or '.join(KINDS)} with label files is in it.", hint="Give the folder above them."
        )
    root = folder.parent
    frames = _frames(root, folder.name)
    problems, gathering = Problems(path), Gathering(options.source)
    pixels = needs_pixels(options.need)
    with ThreadPoolExecutor(_THREADS) as pool:
        for frame, found in zip(frames, pool.map(lambda frame: _labels(root, frame, pixels), frames), strict=True):
            for kind, text in found.errors:
                problems.add(kind, text, hint=_HINT if kind == "bad labels" else None)
            _add(gathering, frame, found, folder.name)
    problems.refuse(f"label files of {len(frames)} photos")
    data = gathering.dataset(root, Origin("cityscapes"), tuple(_notes(root, folder.name, frames)))
    ids = {name: LABEL_IDS[name] for name in data.classes.names if name in LABEL_IDS}
    origin = Origin("cityscapes", class_ids=ids if len(ids) == len(data.classes) else {})
    return Dataset(data.images, data.annotations, data.classes, data.roots, data.notes, {options.source: origin})


def _frames(root: Path, kind: str) -> list[_Frame]:
    """Return all frames that have a photo or labels."""
    labels: dict[str, dict[str, str]] = {}
    found = label_walk.tree(root / kind, ".json")
    for name in (*found.labels, *found.photos):
        for ending in _ENDINGS:
            if name.endswith(f"_{kind}_{ending}"):
                labels.setdefault(name.removesuffix(f"_{kind}_{ending}"), {})[ending] = f"{kind}/{name}"
    shown = {}
    for name in label_walk.tree(root / _PHOTOS, ".json").photos if (root / _PHOTOS).is_dir() else []:
        stem = label_walk.stem_of(name)
        if stem.endswith(PHOTO_MARK):
            shown[stem.removesuffix(PHOTO_MARK)] = f"{_PHOTOS}/{name}"
    return [_frame(name, shown.get(name), labels.get(name, {})) for name in sorted({*labels, *shown})]


def _frame(name: str, photo: str | None, labels: Mapping[str, str]) -> _Frame:
    split, *city, _ = name.split("/") if "/" in name else ("", name)
    return _Frame(split, "/".join(city), name, photo, labels)


def _notes(root: Path, kind: str, frames: list[_Frame]) -> Iterator[str]:
    missing = sum(frame.photo is None for frame in frames)
    bare = sum(not frame.labels for frame in frames)
    if missing:
        yield f"{missing} of {len(frames)} photos are not in {_PHOTOS}."
    if bare:
        yield f"{bare} photos have no labels."
    if kind == KINDS[0] and (root / KINDS[1]).is_dir():
        yield f"{KINDS[1]} is left out: {KINDS[0]} is there."


def _labels(root: Path, frame: _Frame, pixels: bool) -> _Labels:
    """Read the best of the label files: polygons, then instances, then classes."""
    found = _Labels()
    try:
        ending = next((ending for ending in _ENDINGS if ending in frame.labels), None)
        if ending == _ENDINGS[0]:
            _read_polygons(root, frame.labels[ending], found)
        elif ending is not None:
            _read_values(root, frame.labels[ending], found, pixels)
        if found.size is None and not found.errors and frame.photo is not None:
            header = read_header(root / frame.photo)
            found.size = (header.width_px, header.height_px)
    except DataError as error:
        found.errors.append(("unreadable files", error.message))
    return found


def _read_polygons(root: Path, name: str, found: _Labels) -> None:
    document = json_source.load(root / name, max_bytes=_MAX_JSON_BYTES, what="the label file").value()
    document = document if isinstance(document, dict) else {}
    size, objects = (document.pop("imgWidth", None), document.pop("imgHeight", None)), document.pop("objects", None)
    if not all(type(side) is int and 0 < side < _MAX_SIDE for side in size) or not isinstance(objects, list):
        found.errors.append(("bad labels", f"{name}: imgWidth and imgHeight are {size}, or there are no objects"))
        return
    deleted = []
    for number, item in enumerate(objects):
        if isinstance(item, dict) and item.get("deleted") == 1:
            deleted.append([number, item])
            continue
        try:
            found.objects.append(_object(item))
        except DataError as error:
            found.errors.append(("bad labels", f"{name}: objects[{number}]: {error.message}"))
    found.size = size
    if document or deleted:
        found.record = msgspec.json.encode({"more": document, "deleted": deleted})


def _object(item: Any) -> dict[str, Any]:
    """Return the columns of an object, its class under `label`.

    Raises:
        DataError: no label, or no polygon.
    """
    if not isinstance(item, dict) or not isinstance(item.get("label"), str) or not item["label"]:
        raise DataError("it has no label")
    points = item.get("polygon")
    if not isinstance(points, list) or not all(isinstance(point, list) and len(point) == 2 for point in points):
        raise DataError("its polygon is no list of points")
    values = [value for point in points for value in point]
    if not all(type(value) in (int, float) and abs(value) < _MAX_SIDE for value in values):
        raise DataError("a coordinate is no number of pixels")
    label, crowd = class_of(item["label"])
    more = {key: value for key, value in item.items() if key not in _OBJECT}
    return {
        **{"label": label, "iscrowd": crowd, "outline_parts": 1},
        "outline": outline.of_polygons(outline.of_rings([values]).rings),
        "attributes": msgspec.json.encode(more).decode() if more else None,
    }


def _read_values(root: Path, name: str, found: _Labels, pixels: bool) -> None:
    """Read instance ids, or label ids, as masks; `pixels` says whether outlines are wanted."""
    mask = read_mask(root / name)
    if mask.coloured:
        found.errors.append(("bad pictures", f"{name}: ids are one number a pixel, and this picture has colours"))
        return
    width, height = found.size = mask.size
    names = {number: label for label, number in LABEL_IDS.items()}
    for value, counts in zip(*rle.encode_labels(mask.values), strict=True):
        number = int(value) // STEP if value >= STEP else int(value)
        if number == UNLABELLED:
            continue
        if number not in names:
            text = f"{name}: {rle.area(counts):,} pixels are {value}, which is no class of Cityscapes"
            found.errors.append(("values of no class", text))
            continue
        label = names[number]
        # Only instance pictures tell objects apart; in a picture of classes a value stands for all of them.
        crowd = label in COUNTED and value < STEP and name.endswith(_ENDINGS[1])
        more = {"outline": outline.of_counts(counts, height, width)} if pixels else {}
        item = {"label": label, "iscrowd": crowd, "outline_parts": outline.RUNS_PARTS, "source_id": str(value)}
        found.objects.append({**item, "area": float(rle.area(counts)), **more})


def _add(gathering: Gathering, frame: _Frame, found: _Labels, kind: str) -> None:
    width, height = found.size or (0, 0)
    mask = frame.labels.get(_ENDINGS[1], frame.labels.get(_ENDINGS[2]))
    values = {
        "path": frame.photo or f"{_PHOTOS}/{frame.name}{PHOTO_MARK}.png",
        **{"width": width, "height": height, "mask": mask, "record": found.record},
        "split": photos.split_of(frame.split.removesuffix("_extra")),
        "group": frame.city or None,
    }
    image_id = gathering.photo(values)
    for item in found.objects:
        label = item.pop("label")
        gathering.annotation({"image_id": image_id, "class_id": gathering.class_id(label), **item})
