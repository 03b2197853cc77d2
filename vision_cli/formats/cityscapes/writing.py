"""Write Cityscapes; see `cityscapes`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core import outline, rle
from vision_cli.core.dataset import Dataset
from vision_cli.core.rasterise import runs_of_polygons
from vision_cli.formats import WriteOptions, Written, placing
from vision_cli.formats.cityscapes.labels import COUNTED, PHOTO_MARK, STEP, UNLABELLED, label_ids, label_of
from vision_cli.formats.label_files import write_files
from vision_cli.formats.painting import Painted, outlined_rows, paint
from vision_cli.imaging.contours import polygons
from vision_cli.imaging.masks import Mask, encode_mask

_KIND = "gtFine"
_NO_SPLIT = "all"
_AHEAD = 16
_COLUMNS = ("class_id", "outline", "iscrowd", "attributes")


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write polygons, instance ids and label ids of every photo."""
    names = placing.photo_names(dataset)
    bases = [f"{place}{base}" for place, base in zip(_places(dataset), _bases(names), strict=True)]
    ids = label_ids(dataset.classes.names)
    write_files(folder, _files(dataset, bases, ids, options.workers))
    suffixes = [PurePosixPath(name).suffix for name in names]
    written = [f"leftImg8bit/{base}{PHOTO_MARK}{suffix}" for base, suffix in zip(bases, suffixes, strict=True)]
    return Written(written, ids)


def _places(dataset: Dataset) -> list[str]:
    """Return `split/city/` of each photo."""
    cities = [_folder(name) for name in dataset.images["group"].to_pylist()]
    return [f"{split or _NO_SPLIT}/{city}" for split, city in zip(dataset.splits(), cities, strict=True)]


def _folder(city: str | None) -> str:
    """Return a folder for a city that leads nowhere else and is not hidden."""
    if not city:
        return ""
    parts = [part for part in city.replace("\0", "_").split("/") if part]
    return "".join(f"_{part}/" if part.startswith(".") else f"{part}/" for part in parts)


def _bases(names: Sequence[str]) -> list[str]:
    """Return distinct names without suffix and mark."""
    bases = [stem.removesuffix(PHOTO_MARK) for stem in placing.stems(names)]
    counts = Counter(base.casefold() for base in bases)
    return [base if counts[base.casefold()] == 1 else f"{base}__{row}" for row, base in enumerate(bases)]


def _files(dataset: Dataset, bases: Sequence[str], ids: dict[str, int], workers: int) -> Iterator[tuple[str, bytes]]:
    rows_of_photos = outlined_rows(dataset)
    columns = [name for name in _COLUMNS if name in dataset.annotations.column_names]

    def one(photo: int) -> list[tuple[str, bytes]]:
        rows = dataset.annotations.select(columns).take(pa.array(rows_of_photos[photo])).to_pylist()
        names = [dataset.classes.names[row["class_id"]] for row in rows]
        values = np.array(_values(rows, names, ids), dtype=np.int64)
        # Classes without an id, such as licence plates, are not drawn: what lies under them shows.
        painted = paint(dataset, photo, rows_of_photos[photo][values >= 0])
        values = values[values >= 0]
        size = (painted.picture.shape[1], painted.picture.shape[0])
        objects = [_object(row, name, size) for row, name in zip(rows, names, strict=True)]
        document = _document(dataset, photo, objects, size)
        start = f"{_KIND}/{bases[photo]}_{_KIND}"
        return [
            (f"{start}_polygons.json", msgspec.json.encode(document) + b"\n"),
            (f"{start}_instanceIds.png", _picture(painted, values, np.uint16)),
            (f"{start}_labelIds.png", _picture(painted, np.where(values >= STEP, values // STEP, values), np.uint8)),
        ]

    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for start in range(0, len(dataset), _AHEAD):
            for files in pool.map(one, range(start, min(start + _AHEAD, len(dataset)))):
                yield from files


def _object(row: dict[str, Any], name: str, size: tuple[int, int]) -> dict[str, Any]:
    more = msgspec.json.decode(row["attributes"]) if row.get("attributes") else {}
    label = label_of(name, bool(row.get("iscrowd")))
    points = _one_ring(outline.parse(row["outline"]), size)
    return {**more, "label": label, "polygon": [[_plain(value) for value in point] for point in points.tolist()]}


def _one_ring(shape: outline.Outline, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return one polygon that fills to the same pixels; several parts are joined by lines there and back."""
    rings = shape.rings if isinstance(shape, outline.Polygons) else ()
    if len(rings) != 1:
        counts = outline.runs(shape, *size)
        # Parts that lie on one another would cancel out.
        if not rings or not np.array_equal(runs_of_polygons([_joined(rings)], *size), counts):
            rings = polygons(rle.decode(counts, size[1], size[0])).rings
    return _joined(rings) if rings else np.empty((0, 2))


def _joined(rings: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    if len(rings) == 1:
        return rings[0]
    door = rings[0][:1]
    return np.concatenate([rings[0], *(part for ring in rings[1:] for part in (door, ring, ring[:1])), door])


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _document(dataset: Dataset, photo: int, objects: list[dict[str, Any]], size: tuple[int, int]) -> dict[str, Any]:
    """Return the label file; a Cityscapes source's deleted objects come back to their places."""
    record = dataset.images["record"][photo].as_py() if "record" in dataset.images.column_names else None
    origin = dataset.origins.get(dataset.images["source"][photo].as_py())
    kept = msgspec.json.decode(record) if record and origin is not None and origin.format == "cityscapes" else {}
    for place, item in kept.get("deleted", ()):
        objects.insert(place, item)
    return {"imgHeight": size[1], "imgWidth": size[0], "objects": objects, **kept.get("more", {})}


def _values(rows: Sequence[dict[str, Any]], names: Sequence[str], ids: dict[str, int]) -> list[int]:
    """Return the instance id of each object: counted from 0 in each class, the class alone for groups and surfaces."""
    numbers: Counter[str] = Counter()
    values = []
    for row, name in zip(rows, names, strict=True):
        number = ids[name]
        if name in COUNTED and not row.get("iscrowd") and numbers[name] < STEP:
            values.append(number * STEP + numbers[name])
            numbers[name] += 1
        else:
            values.append(number)
    return values


def _picture(painted: Painted, values: NDArray[np.int64], kind: type[np.generic]) -> bytes:
    return encode_mask(Mask(painted.filled(values, UNLABELLED, kind)))
