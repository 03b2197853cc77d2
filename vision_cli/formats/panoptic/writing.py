"""Write COCO panoptic segmentation; see `panoptic`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.dataset import Dataset
from vision_cli.formats import WriteOptions, Written, placing
from vision_cli.formats.label_files import write_files
from vision_cli.formats.painting import Painted, Rows, outlined_rows, paint
from vision_cli.imaging.masks import encode_id_picture

MAX_ID = (1 << 24) - 1
_PLAIN_INT = re.compile(r"0|[1-9][0-9]{0,17}")
_SEGMENT_COLUMNS = ("class_id", "area", "x", "y", "w", "h", "iscrowd", "attributes")
_AHEAD = 16


@dataclass(frozen=True, slots=True)
class _Plan:
    """What every photo needs.

    Attributes:
        photos: path of each photo in the target.
        pictures: name of each photo's PNG.
        image_ids: id of each photo.
        category_ids: by class id.
        segment_ids: of each annotation.
    """

    photos: Sequence[str]
    pictures: Sequence[str]
    image_ids: Sequence[int | str]
    category_ids: Sequence[int]
    segment_ids: NDArray[np.int64]


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write a JSON and a folder of PNGs a split."""
    names = placing.photo_names(dataset)
    splits = [str(name) for name in dataset.splits()]
    photos = [f"{split or 'images'}/{name}" for split, name in zip(splits, names, strict=True)]
    class_ids = category_ids(dataset)
    plan = _Plan(photos, _picture_names(names), _image_ids(dataset), list(class_ids.values()), segment_ids(dataset))
    records: dict[str, list[dict[str, Any]]] = {split: [] for split in sorted(set(splits))}
    write_files(folder, _pictures(dataset, plan, splits, records, options.workers))
    write_files(folder, _jsons(dataset, plan, splits, records, class_ids))
    return Written(photos, class_ids)


def category_ids(dataset: Dataset) -> dict[str, int]:
    """Return the source's own class ids where there is one source that has them all, else numbers from 1."""
    origins = list(dataset.origins.values())
    known = origins[0].class_ids if len(origins) == 1 else {}
    found = {name: known[name] for name in dataset.classes.names if name in known}
    if len(found) == len(dataset.classes) and len(set(found.values())) == len(found):
        return found
    return {name: number for number, name in enumerate(dataset.classes.names, start=1)}


def kept_ids(dataset: Dataset) -> NDArray[np.int64]:
    """Return int64 (N,): the source's own id of each annotation, 0 where the colours of its photo cannot hold it."""
    number = dataset.annotations.num_rows
    if "source_id" not in dataset.annotations.column_names:
        return np.zeros(number, dtype=np.int64)
    texts = dataset.annotations["source_id"].to_pylist()
    fits = [bool(text) and len(text) < 9 and _PLAIN_INT.fullmatch(text) is not None for text in texts]
    ids = np.array([int(text) if fit else 0 for text, fit in zip(texts, fits, strict=True)], dtype=np.int64)
    ids[ids > MAX_ID] = 0
    keys = dataset.rows_of(dataset.annotations["image_id"]) * (MAX_ID + 1) + ids
    first = np.zeros(number, dtype=np.bool_)
    first[np.unique(keys, return_index=True)[1]] = True
    return np.where(first, ids, 0)


def segment_ids(dataset: Dataset) -> NDArray[np.int64]:
    """Return int64 (N,): the source's own ids where they fit, else the lowest free numbers of the photo, from 1."""
    ids = kept_ids(dataset)
    photos = dataset.rows_of(dataset.annotations["image_id"])
    missing = np.flatnonzero(ids == 0)
    open_photos = set(photos[missing].tolist())
    used: dict[int, set[int]] = {photo: set() for photo in open_photos}
    for photo, number in zip(photos.tolist(), ids.tolist(), strict=True):
        if photo in open_photos:
            used[photo].add(number)
    free = {photo: _free(taken) for photo, taken in used.items()}
    for row in missing.tolist():
        ids[row] = next(free[int(photos[row])])
    return ids


def _free(taken: set[int]) -> Iterator[int]:
    return (number for number in range(1, MAX_ID + 1) if number not in taken)


def _picture_names(names: Sequence[str]) -> list[str]:
    return [f"{stem}.png" for stem in placing.stems(names)]


def _image_ids(dataset: Dataset) -> list[int | str]:
    """Return the source's own ids where they are distinct, as numbers where they are plain numbers; else from 1."""
    texts = dataset.images["source_id"].to_pylist() if "source_id" in dataset.images.column_names else []
    if not texts or None in texts or max(Counter(texts).values()) > 1:
        return list(range(1, len(dataset) + 1))
    return [int(text) if _PLAIN_INT.fullmatch(text) else text for text in texts]


def _stem(split: str) -> str:
    return f"annotations/panoptic_{split}" if split else "annotations/panoptic"


def _pictures(
    dataset: Dataset, plan: _Plan, splits: Sequence[str], records: dict[str, list[dict[str, Any]]], workers: int
) -> Iterator[tuple[str, bytes]]:
    """Yield the PNGs, and note what is in them; painted in blocks, so that few are in memory."""
    rows_of_photos = outlined_rows(dataset)
    # Boxes of other formats are around their polygons; here they are around pixels.
    left_out = () if _is_panoptic(dataset) else ("x", "y", "w", "h")
    columns = [name for name in dataset.annotations.column_names if name in _SEGMENT_COLUMNS and name not in left_out]

    def one(photo: int) -> tuple[bytes, list[dict[str, Any]]]:
        painted = paint(dataset, photo, rows_of_photos[photo])
        rows = dataset.annotations.select(columns).take(pa.array(painted.rows)).to_pylist()
        ids = plan.segment_ids[painted.rows]
        return encode_id_picture(painted.filled(ids, 0, np.int32)), _segments(painted, rows, ids, plan.category_ids)

    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for start in range(0, len(dataset), _AHEAD):
            block = range(start, min(start + _AHEAD, len(dataset)))
            for photo, (data, segments) in zip(block, pool.map(one, block), strict=True):
                name = plan.pictures[photo]
                record = {"image_id": plan.image_ids[photo], "file_name": name, "segments_info": segments}
                records[splits[photo]].append({**_template(dataset, photo, "annotation"), **record})
                yield f"{_stem(splits[photo])}/{name}", data


def _segments(
    painted: Painted, rows: Sequence[Mapping[str, Any]], ids: Rows, category_ids: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the segments that show; objects without a pixel left are not among them."""
    places, counts = rle.encode_labels(painted.picture)
    runs = dict(zip(places.tolist(), counts, strict=True))
    height, found = painted.picture.shape[0], []
    for place, (row, number, visible) in enumerate(zip(rows, ids.tolist(), painted.visible.tolist(), strict=True)):
        if not visible:
            continue
        whole = visible == painted.areas[place]
        area, box = visible, rle.box(runs[place + 1], height)
        stated = [row.get(side) for side in "xywh"]
        segment = {
            "id": number,
            "category_id": category_ids[row["class_id"]],
            "area": _plain(row["area"]) if whole and row.get("area") is not None else area,
            "bbox": [_plain(side) for side in stated] if whole and None not in stated else list(box),
            "iscrowd": int(bool(row.get("iscrowd"))),
        }
        extra = msgspec.json.decode(row["attributes"]) if row.get("attributes") else {}
        found.append({**segment, **{key: value for key, value in extra.items() if key not in segment}})
    return found


def _plain(value: Any) -> float | int:
    return int(value) if float(value).is_integer() else float(value)


def _template(dataset: Dataset, photo: int, member: str) -> dict[str, Any]:
    """Return what a panoptic source said of a photo, empty for any other source."""
    origin = dataset.origins.get(dataset.images["source"][photo].as_py())
    if origin is None or origin.format != "panoptic" or "record" not in dataset.images.column_names:
        return {}
    record = dataset.images["record"][photo].as_py()
    found: dict[str, Any] = msgspec.json.decode(record)[member] if record else {}
    return found


def _jsons(
    dataset: Dataset,
    plan: _Plan,
    splits: Sequence[str],
    records: Mapping[str, list[dict[str, Any]]],
    class_ids: Mapping[str, int],
) -> Iterator[tuple[str, bytes]]:
    categories = [_category(dataset, name, number) for name, number in class_ids.items()]
    header = next(iter(dataset.origins.values())).header if len(dataset.origins) == 1 else {}
    more = {name: msgspec.Raw(value) for name, value in header.items()} if _is_panoptic(dataset) else {}
    images = _images(dataset, plan)
    for split, own_records in records.items():
        own = [image for image, other in zip(images, splits, strict=True) if other == split]
        document = {**more, "images": own, "annotations": own_records, "categories": categories}
        yield f"{_stem(split)}.json", msgspec.json.encode(document) + b"\n"


def _is_panoptic(dataset: Dataset) -> bool:
    return all(origin.format == "panoptic" for origin in dataset.origins.values())


def _images(dataset: Dataset, plan: _Plan) -> list[dict[str, Any]]:
    """Return the records of the photos: the source's own, or the columns of a photo."""
    known = {*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names}
    metadata = dataset.images.select([name for name in dataset.images.column_names if name not in known]).to_pylist()
    found = []
    for photo, path in enumerate(plan.photos):
        image = {
            "id": plan.image_ids[photo],
            "file_name": path.rpartition("/")[2],
            "width": dataset.images["width"][photo].as_py(),
            "height": dataset.images["height"][photo].as_py(),
        }
        template = _template(dataset, photo, "image") or (metadata[photo] if metadata else {})
        found.append({**{key: value for key, value in template.items() if value is not None}, **image})
    return found


def _category(dataset: Dataset, name: str, number: int) -> dict[str, Any]:
    """Return the source's own record of a class; without one it is a thing, unless it comes from a folder of masks."""
    origins = dataset.origins.values()
    template = next((origin.class_records[name] for origin in origins if name in origin.class_records), None)
    kind = {"isthing": int(not any(origin.format == "masks" for origin in origins))}
    try:
        found = msgspec.json.decode(template) if template else {}
    except msgspec.DecodeError:
        found = {}
    return {**kind, **(found if isinstance(found, dict) else {}), "id": number, "name": name}
