"""A page to browse photos with what is labelled on them and what a model said, as one HTML and small data files.

The data files are scripts that hand over one JSON value each, because a page that is opened from the disk may load
scripts and photos beside it but read no file. Nothing in them but JSON comes from the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from vision_cli.core.dataset import SPLITS
from vision_cli.reports import browse_labels
from vision_cli.reports.browse_errors import KINDS
from vision_cli.reports.browse_labels import Layer

PHOTOS_A_FILE = 5_000
LABELS_A_FILE = 100
"""Photos in one data file: of those that the grid filters by, and of those that are drawn."""

_HANDED = (b"vision(", b")\n")


@dataclass(frozen=True, slots=True)
class Browse:
    """What the page shows.

    Attributes:
        title: of the page.
        classes: names; class ids of the layers index them.
        paths: of the photos, relative to their source's root, with `/`.
        sizes: int64 (N, 2), width and height in pixels; 0 where it is not known.
        splits: of each photo; the empty text without.
        sources: of each photo.
        metadata: further columns of the photos.
        truth: what is labelled.
        said: what a model said, None without.
        model: what to call the model.
        thumbs: path of each photo's thumbnail below `thumbs/`, None where the photo cannot be read.
        copies: path of each photo's larger copy below `photos/`.
        roots: URL of each source's root, ending with `/`; `#copy` where photos are `copies`, `#row` where they are
            served by their row; empty where photos are not reachable.
        notes: what a reader of the page must know.
        skeletons: pairs of keypoints that a line joins, counted from 0, by class id.
    """

    title: str
    classes: Sequence[str]
    paths: Sequence[str]
    sizes: np.ndarray[Any, np.dtype[np.int64]]
    splits: Sequence[str]
    sources: Sequence[str]
    metadata: pa.Table
    truth: Layer
    said: Layer | None = None
    model: str = ""
    thumbs: Sequence[str | None] = ()
    copies: Sequence[str | None] = ()
    roots: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    skeletons: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.paths)


class Pages:
    """The data files of a page, each made when it is asked for."""

    def __init__(self, browse: Browse) -> None:
        self._browse = browse
        self._truth = browse.truth.by_photo(len(browse))
        self._said = None if browse.said is None else browse.said.by_photo(len(browse))
        self._splits, self._split_names = _codes(browse.splits)
        self._sources, self._source_names = _codes(browse.sources)

    def names(self) -> Iterator[str]:
        """Yield the names of all data files."""
        yield "start.js"
        yield from (f"photos-{number}.js" for number in range(_files(len(self._browse), PHOTOS_A_FILE)))
        yield from (f"labels-{number}.js" for number in range(_files(len(self._browse), LABELS_A_FILE)))

    def content(self, name: str) -> bytes | None:
        """Return a data file; None for a name that is none of them."""
        if name == "start.js":
            return _script("start", self._start())
        kind, _, rest = name.partition("-")
        number = rest.removesuffix(".js")
        step = {"photos": PHOTOS_A_FILE, "labels": LABELS_A_FILE}.get(kind)
        if step is None or not (number.isascii() and number.isdecimal()) or name != f"{kind}-{int(number)}.js":
            return None
        first = int(number) * step
        if first >= len(self._browse):
            return None
        rows = range(first, min(first + step, len(self._browse)))
        return _script(kind, self._photos(rows) if kind == "photos" else self._labels(rows))

    def _start(self) -> dict[str, Any]:
        browse = self._browse
        return {
            "title": browse.title,
            "photos": len(browse),
            "annotations": len(browse.truth.rows),
            "photosAFile": PHOTOS_A_FILE,
            "labelsAFile": LABELS_A_FILE,
            "classes": list(browse.classes),
            "splits": self._split_names,
            "sources": self._source_names,
            "kinds": list(KINDS) if browse.said is not None else [],
            "model": browse.model if browse.said is not None else None,
            "has": self._has(),
            "roots": dict(browse.roots),
            "metadata": browse.metadata.column_names,
            "notes": list(browse.notes),
            "skeletons": {str(each): [list(pair) for pair in pairs] for each, pairs in browse.skeletons.items()},
        }

    def _has(self) -> dict[str, bool]:
        layers = [layer for layer in (self._browse.truth, self._browse.said) if layer is not None]
        return {
            "boxes": any(layer.boxes is not None for layer in layers),
            "masks": any(layer.outlines is not None for layer in layers),
            "keypoints": any(layer.keypoints is not None for layer in layers),
        }

    def _photos(self, rows: range) -> dict[str, Any]:
        browse, part = self._browse, slice(rows.start, rows.stop)
        found: dict[str, Any] = {
            "first": rows.start,
            "path": list(browse.paths[part]),
            "width": browse.sizes[part, 0].tolist(),
            "height": browse.sizes[part, 1].tolist(),
            "split": self._splits[part],
            "source": self._sources[part],
            "count": self._truth.counts(rows),
            "classes": self._truth.classes_of(rows),
        }
        if browse.thumbs:
            found["thumb"] = list(browse.thumbs[part])
        if browse.copies:
            found["copy"] = list(browse.copies[part])
        if self._said is not None:
            kinds = self._truth.kinds_of(rows) | self._said.kinds_of(rows)
            found |= {
                "said": self._said.classes_of(rows),
                "kinds": kinds.tolist(),
                "confidence": self._said.least_scores(rows),
            }
        return found

    def _labels(self, rows: range) -> dict[str, Any]:
        columns = self._browse.metadata.slice(rows.start, len(rows)).columns
        texts = [[browse_labels.plain(value) for value in column.to_pylist()] for column in columns]
        found: dict[str, Any] = {
            "first": rows.start,
            "truth": self._truth.records(rows),
            "metadata": [list(values) for values in zip(*texts, strict=True)] if texts else [],
        }
        return found if self._said is None else {**found, "said": self._said.records(rows)}


def _files(photos: int, step: int) -> int:
    return -(-photos // step)


def _codes(texts: Sequence[str]) -> tuple[list[int], list[str]]:
    order = {name: at for at, name in enumerate(SPLITS)}
    names = sorted(dict.fromkeys(texts), key=lambda name: (name == "", order.get(name, len(order))))
    where = {name: at for at, name in enumerate(names)}
    return [where[text] for text in texts], names


def _script(kind: str, value: Mapping[str, Any]) -> bytes:
    """Return a script that hands a value over; signs that mean more to a browser than to JSON are escaped."""
    text = msgspec.json.encode({"kind": kind, **value})
    for sign, escaped in ((b"<", b"\\u003c"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029")):
        text = text.replace(sign, escaped)
    return _HANDED[0] + text + _HANDED[1]
