"""Write Open Images: a file of boxes and one of labels a subset, class descriptions, image ids."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core.conservation import Loss
from vision_cli.core.dataset import Dataset
from vision_cli.formats import WriteOptions, Written
from vision_cli.formats.conserving import metadata_left_out
from vision_cli.formats.label_files import write_files
from vision_cli.formats.openimages.reading import ABSENT, EDGES, pixels
from vision_cli.formats.placing import photo_names, stems

_ATTRIBUTES = ("Source", "IsDepiction", "IsInside")
_BOX_COLUMNS = (
    *("ImageID", "Source", "LabelName", "Confidence", *EDGES),
    *("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"),
)
_LABEL_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence")
_SUBSETS = {"val": "validation"}
_UNKNOWN = "-1"


def losses(dataset: Dataset) -> list[Loss]:
    """Return boxes on photos of unknown size (`size`), and attributes and metadata that have no column."""
    sizes, owners = _sizes(dataset)
    unsized = (sizes[owners] <= 0).any(axis=1) & _has_box(dataset)
    further = np.array([bool(row.keys() - set(_BOX_COLUMNS)) for row in _attributes(dataset)], dtype=np.bool_)
    found = [
        Loss("size", "annotation", "photo of unknown size", unsized),
        Loss("attributes", "detail", "attributes of other names left out", further),
        metadata_left_out(dataset.images, frozenset({ABSENT})),
    ]
    return [loss for loss in found if loss.rows.any()]


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write `annotations/`; photos belong to `images/<subset>/<ImageID>`.

    Shares are written with all digits, and with their own text where they came from Open Images and still fit.
    """
    ids, suffixes = _image_ids(dataset)
    subsets = [_SUBSETS.get(split, split) if split else "" for split in dataset.images["split"].to_pylist()]
    labels = _label_names(dataset)
    tables: dict[str, list[tuple[Any, ...]]] = {}
    owners = dataset.rows_of(dataset.annotations["image_id"]).tolist()
    for owner, row in zip(owners, _rows(dataset, labels, ids), strict=True):
        kind = "annotations-bbox" if len(row) == len(_BOX_COLUMNS) else "annotations-human-imagelabels"
        tables.setdefault(_named(subsets[owner], kind), []).append(row)
    if ABSENT in dataset.images.column_names:
        for owner, text in enumerate(dataset.images[ABSENT].to_pylist()):
            name = _named(subsets[owner], "annotations-human-imagelabels")
            negatives = [(ids[owner], source, label, "0") for label, source in json.loads(text or "[]")]
            tables.setdefault(name, []).extend(negatives) if negatives else None
    files = {name: [_BOX_COLUMNS if "bbox" in name else _LABEL_COLUMNS, *rows] for name, rows in tables.items()}
    files["image_ids.csv"] = [("ImageID", "Subset"), *zip(ids, subsets, strict=True)]
    names = zip(labels, dataset.classes.names, strict=True)
    files["class-descriptions.csv"] = [("LabelName", "DisplayName"), *names]
    if not any("bbox" in name or "imagelabels" in name for name in files):
        files["train-annotations-bbox.csv"] = [_BOX_COLUMNS]
    write_files(folder, ((f"annotations/{name}", _text(rows)) for name, rows in sorted(files.items())))
    places = zip(subsets, ids, suffixes, strict=True)
    return Written(["/".join(["images", *([s] if s else []), f"{i}{suffix}"]) for s, i, suffix in places], {})


def _named(subset: str, kind: str) -> str:
    return f"{subset}-{kind}.csv" if subset else f"{kind}.csv"


def _text(rows: list[tuple[Any, ...]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()


def _image_ids(dataset: Dataset) -> tuple[list[str], list[str]]:
    """Return ids, which are the file names without suffix, and the suffixes."""
    names = photo_names(dataset)
    ids = stems(names)
    suffixes = [name[len(name.rpartition(".")[0]) :] if "." in name else "" for name in names]
    return ids, suffixes


def _label_names(dataset: Dataset) -> list[str]:
    """Return the source's label name (`/m/0cmf2`) of each class, else its own name."""
    records: dict[str, bytes] = {}
    for origin in dataset.origins.values():
        records |= origin.class_records if origin.format == "openimages" else {}
    labels = [records.get(name, name.encode()).decode() for name in dataset.classes.names]
    return labels if len(set(labels)) == len(labels) else list(dataset.classes.names)


def _sizes(dataset: Dataset) -> tuple[Any, Any]:
    sides = [dataset.images[name].fill_null(0).to_numpy() for name in ("width", "height")]
    return np.stack(sides, axis=1).astype(np.float64), dataset.rows_of(dataset.annotations["image_id"])


def _has_box(dataset: Dataset) -> Any:
    table = dataset.annotations
    if "x" not in table.column_names:
        return np.zeros(len(table), dtype=np.bool_)
    return np.asarray(table["x"].is_valid().to_numpy(), dtype=np.bool_)


def _attributes(dataset: Dataset) -> list[dict[str, Any]]:
    table = dataset.annotations
    if "attributes" not in table.column_names:
        return [{}] * len(table)
    return [json.loads(text) if text else {} for text in table["attributes"].to_pylist()]


def _column(dataset: Dataset, name: str) -> list[Any]:
    table = dataset.annotations
    return table[name].to_pylist() if name in table.column_names else [None] * len(table)


def _rows(dataset: Dataset, labels: list[str], ids: list[str]) -> Iterator[tuple[Any, ...]]:
    """Yield a row of the box or label file for each annotation."""
    sizes, owners = _sizes(dataset)
    boxes = [_column(dataset, name) for name in "xywh"]
    flags = [_column(dataset, name) for name in ("occluded", "truncated", "iscrowd")]
    records, scores = _own_records(dataset), _column(dataset, "score")
    columns = zip(owners.tolist(), dataset.annotations["class_id"].to_pylist(), _attributes(dataset), strict=True)
    for row, (owner, class_id, attributes) in enumerate(columns):
        source, *others = (str(attributes.get(name, _UNKNOWN)) for name in _ATTRIBUTES)
        own = records[row].split(",") if records[row] else []
        confidence = _confidence(scores[row], own)
        first = (ids[owner], "" if source == _UNKNOWN else source, labels[class_id], confidence)
        box = [column[row] for column in boxes]
        if box[0] is None:
            yield first
            continue
        shown = (_UNKNOWN if column[row] is None else str(int(column[row] > 0)) for column in flags)
        yield (*first, *_edges(box, sizes[owner], own), *shown, *others)


def _own_records(dataset: Dataset) -> list[str]:
    """Return confidence and edges as they stood, where a row came from Open Images; empty elsewhere."""
    ours = {name for name, origin in dataset.origins.items() if origin.format == "openimages"}
    sources = dataset.images["source"].to_pylist()
    owners = dataset.rows_of(dataset.annotations["image_id"]).tolist()
    records = zip(owners, _column(dataset, "record"), strict=True)
    return [record.decode() if record and sources[owner] in ours else "" for owner, record in records]


def _confidence(score: float | None, own: list[str]) -> str:
    value = 1.0 if score is None else score
    return own[0] if own and float(own[0]) == value else repr(value).removesuffix(".0")


def _edges(box: list[float], size: Any, own: list[str]) -> list[str]:
    """Return XMin, XMax, YMin, YMax: as they stood if they give this box, else with all digits, inside the photo."""
    if len(own) == 5 and pixels(np.array([own[1:]], dtype=np.float64), size[None])[0].tolist() == box:
        return own[1:]
    x, y, w, h = box
    shares = (x / size[0], (x + w) / size[0], y / size[1], (y + h) / size[1])
    return [repr(float(min(max(share, 0.0), 1.0))).removesuffix(".0") for share in shares]
