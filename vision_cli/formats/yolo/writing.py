"""Write YOLO: rows by arrays, photo by photo; what came from YOLO goes back with its own bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from vision_cli.core.columns import from_numpy
from vision_cli.core.dataset import SPLITS, Dataset
from vision_cli.formats import WriteOptions, Written
from vision_cli.formats.label_files import write_files
from vision_cli.formats.placing import photo_names, stems
from vision_cli.formats.yolo.shares import Objects, objects, shares
from vision_cli.formats.yolo.template import Source, class_ids_of, source_of, templates
from vision_cli.formats.yolo.text import batches, digits_for, rows_text
from vision_cli.formats.yolo.yaml import HEADER, render

_DEFAULT_SPLIT = "train"


@dataclass(frozen=True, slots=True)
class _Places:
    """Of each photo its split and its name without suffix, and the suffix."""

    splits: list[str]
    stems: list[str]
    suffixes: list[str]

    def photos(self) -> list[str]:
        columns = zip(self.splits, self.stems, self.suffixes, strict=True)
        return [f"images/{split}/{stem}{suffix}" for split, stem, suffix in columns]

    def labels(self) -> list[str]:
        return [f"labels/{split}/{stem}.txt" for split, stem in zip(self.splits, self.stems, strict=True)]


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write `data.yaml` and a label file a photo.

    Shares have as many decimals as bring edges back within 1e-6 pixels (`digits_for`). Rows that came from YOLO and say
    what the columns say are written with their own bytes. Photos without a split go to train.
    """
    own, class_ids = source_of(dataset), class_ids_of(dataset)
    dataset, found = _ordered(dataset, own)
    places = _places(dataset)
    write_files(folder, _files(dataset, found, own, places.labels()))
    splits = [split for split in SPLITS if split in set(places.splits)]
    names = {number: name for name, number in class_ids.items()}
    write_files(folder, [(HEADER, render(names, splits, found.shape, own.header))])
    return Written(places.photos(), class_ids, _notes(dataset))


def _notes(dataset: Dataset) -> list[str]:
    others = [split for split in dataset.images["split"].to_pylist() if split not in SPLITS]
    return (
        [f"{len(others)} photos have no split of train, val and test; they went to {_DEFAULT_SPLIT}."] if others else []
    )


def _places(dataset: Dataset) -> _Places:
    splits = [split if split in SPLITS else _DEFAULT_SPLIT for split in dataset.images["split"].to_pylist()]
    names = [path.rpartition("/")[2] for path in dataset.images["path"].to_pylist()]
    short = [_stem(name) for name in names]
    keys = {(split, stem.casefold()) for split, stem in zip(splits, short, strict=True)}
    if len(keys) < len(names) or not all(map(_is_plain, short)):
        names = photo_names(dataset)
        short = stems(names)
    suffixes = [name[len(_stem(name)) :] for name in names]
    return _Places(splits, short, suffixes)


def _stem(name: str) -> str:
    head, dot, _ = name.rpartition(".")
    return head if dot and head else name


def _is_plain(stem: str) -> bool:
    return stem not in ("", ".", "..")


def _ordered(dataset: Dataset, own: Source) -> tuple[Dataset, Objects]:
    """Return the annotations that have a place in a photo of known size, photo by photo, else in their order.

    Outlines, most of a data set's bytes, stay where they are; they are put in order only to be compared with rows that
    came from YOLO.
    """
    found = objects(dataset, own.shape)
    sized = (found.sizes > 0).all(axis=1)
    keep = np.asarray(sized & np.isfinite(found.boxes).all(axis=1))
    if found.outlines is not None:
        keep |= sized & found.single
    rows = np.flatnonzero(keep)
    order = rows[np.argsort(found.photos[rows], kind="stable")]
    if len(order) == len(keep) and (np.diff(order) == 1).all():
        return dataset, found
    table = dataset.annotations
    if found.outlines is None or own.photos.any():
        dataset = replace(dataset, annotations=table.take(from_numpy(order)))
        return dataset, objects(dataset, own.shape)
    dataset = replace(dataset, annotations=table.drop_columns(["outline"]).take(from_numpy(order)))
    others = objects(dataset, own.shape)
    return dataset, replace(others, outlines=found.outlines, single=found.single[order], order=order)


def _files(dataset: Dataset, found: Objects, source: Source, labels: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every label file."""
    ends = np.concatenate([[0], np.cumsum(np.bincount(found.photos, minlength=len(labels)))])
    weights = np.bincount(found.photos, weights=found.weights(), minlength=len(labels)) + 1
    ids = np.array([*class_ids_of(dataset).values(), 0], dtype=np.int64)
    class_ids = ids[dataset.annotations["class_id"].to_numpy()]
    digits = digits_for(int(found.sizes.max(initial=1)))
    own, blanks = templates(dataset, found, source, class_ids), _blanks(dataset, source)
    for first, stop in batches(weights):
        low, high = int(ends[first]), int(ends[stop])
        rows = shares(found, low, high)
        texts = rows_text(class_ids[low:high], rows.counts, rows.values, digits)
        pieces = _pieces(texts, None if own is None else own[low:high], (ends[first : stop + 1] - low).tolist())
        for photo, content in enumerate(pieces, start=first):
            kept = blanks.get(photo, b"") if ends[photo] == ends[photo + 1] else content
            if kept is not None:
                yield labels[photo], kept


def _pieces(texts: Sequence[bytes], own: Sequence[bytes | None] | None, bounds: Sequence[int]) -> Iterator[bytes]:
    """Yield the rows of each photo, whose first rows are `bounds`."""
    for start, end in pairwise(bounds):
        if own is None:
            yield b"".join(texts[start:end])
        else:
            rows = [own[row] or texts[row] for row in range(start, end)]
            yield b"".join([*(row if row.endswith((b"\n", b"\r")) else row + b"\n" for row in rows[:-1]), *rows[-1:]])


def _blanks(dataset: Dataset, source: Source) -> dict[int, bytes | None]:
    """Return what a photo without rows had for a label file, None where it had none; one file at least must be."""
    if not source.photos.any() or "record" not in dataset.images.column_names:
        return {}
    records = dataset.images["record"].to_pylist()
    absent = None if len(dataset.annotations) else b""
    return {row: absent if records[row] is None else records[row] for row in np.flatnonzero(source.photos).tolist()}
