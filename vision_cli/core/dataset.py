"""The one in-memory form of labelled photos: columns, not objects.

Labels of every task are rows of `annotations`: a class for `classify`, several rows for `multilabel`, a `value`
for `regress`, a box or outline for the tasks about places.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.catalogue import listed
from vision_cli.core.containment import Containment
from vision_cli.core.data_digest import data_digest
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Origin

Split = Literal["train", "val", "test"]
SPLITS: tuple[str, ...] = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class ClassMap:
    """Class names in order; a class id is the index of its name."""

    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        repeated = sorted(name for name, number in Counter(self.names).items() if number > 1)
        if repeated or "" in self.names:
            raise DataError(f"class names must be distinct and not empty; repeated: {', '.join(repeated) or 'none'}.")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def digest(self) -> str:
        """Return a hash of the names and their order: 16 hex digits of SHA-256 over their JSON list."""
        text = json.dumps(list(self.names), ensure_ascii=False, separators=(",", ":"))
        import hashlib

        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def index(self, name: str) -> int:
        """Return a class id.

        Raises:
            DataError: no class has this name.
        """
        if name not in self.names:
            raise DataError(f"no class is called '{name}'.", hint=f"Classes: {listed(self.names)}.")
        return self.names.index(name)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Photos and their labels.

    Attributes:
        images: IMAGE_COLUMNS, then those of MORE_IMAGE_COLUMNS that the source has, then metadata; `split` and
            `group` may be null.
        annotations: ANNOTATION_COLUMNS, then those of MORE_ANNOTATION_COLUMNS that the source has.
        classes: the class map.
        roots: folder of each source.
        notes: what the reader left out and why, one sentence each.
        origins: of each source whose format has more to say than columns hold.
        followed: sources whose links may lead out of their roots, as the user said.
    """

    images: pa.Table
    annotations: pa.Table
    classes: ClassMap
    roots: Mapping[str, Path]
    notes: tuple[str, ...] = field(default=())
    origins: Mapping[str, Origin] = field(default_factory=dict)
    followed: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return int(self.images.num_rows)

    def paths(self) -> list[Path]:
        """Return the photos' absolute paths, in row order.

        Raises:
            DataError: a path leads out of its source's root.
        """
        fences = self.fences()
        columns = (self.images["source"].to_pylist(), self.images["path"].to_pylist())
        return [fences[source].path(path) for source, path in zip(*columns, strict=True)]

    def fences(self) -> dict[str, Containment]:
        """Return what keeps the paths of each source below its root."""
        return {
            source: Containment(root, "follow" if source in self.followed else "stay")
            for source, root in self.roots.items()
        }

    def splits(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Return the split of each photo; the empty string where it has none."""
        return np.array([name or "" for name in self.images["split"].to_pylist()], dtype=np.str_)

    def class_matrix(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return bool (N, C): which classes each photo has."""
        matrix = np.zeros((len(self), len(self.classes)), dtype=np.bool_)
        labels = self.annotations.select(["image_id", "class_id"])
        labels = labels.filter(pc.is_valid(labels["class_id"]))
        rows = self.rows_of(labels["image_id"])
        matrix[rows, labels["class_id"].to_numpy()] = True
        return matrix

    def class_ids(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return int64 (N,): the one class of each photo.

        Raises:
            DataError: a photo has no class or several.
        """
        matrix = self.class_matrix()
        wrong = np.flatnonzero(matrix.sum(axis=1) != 1)
        if wrong.size:
            names = self.images["path"].take(wrong[:10]).to_pylist()
            raise DataError(
                f"{wrong.size} of {len(self)} photos have no class or several, and the task is classify.",
                details=[str(name) for name in names],
                hint="Set task: multilabel, or give each photo one class.",
            )
        return np.asarray(matrix.argmax(axis=1), dtype=np.int64)

    def values(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return float64 (N,): the value of each photo.

        Raises:
            DataError: a photo has no value or several.
        """
        labels = self.annotations.select(["image_id", "value"])
        labels = labels.filter(pc.is_valid(labels["value"]))
        rows = self.rows_of(labels["image_id"])
        if len(rows) != len(self) or len(np.unique(rows)) != len(self):
            raise DataError(f"{len(self)} photos have {len(rows)} values; the task regress needs one each.")
        values = np.empty(len(self), dtype=np.float64)
        values[rows] = labels["value"].to_numpy()
        return values

    def rows_of(self, image_ids: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the row of each image id."""
        return np.asarray(pc.index_in(image_ids, self.images["id"].combine_chunks()).to_numpy(), dtype=np.int64)

    def select(self, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> Dataset:
        """Return the photos where a bool (N,) mask is true, with their annotations; ids are kept."""
        images = self.images.filter(pa.array(mask))
        annotations = self.annotations.filter(pc.is_in(self.annotations["image_id"], images["id"].combine_chunks()))
        return replace(self, images=images, annotations=annotations)

    def split(self, name: str) -> Dataset:
        """Return the photos of one split; `all` returns every photo."""
        return self if name == "all" else self.select(self.splits() == name)

    def with_splits(self, names: Sequence[str | None]) -> Dataset:
        """Return the same photos with another split column."""
        index = self.images.schema.get_field_index("split")
        column = pa.array([name or None for name in names], type=pa.string())
        return replace(self, images=self.images.set_column(index, "split", column))

    def with_classes(self, classes: ClassMap) -> Dataset:
        """Return the same photos with the class ids of another map, by name; labels of other names are left out."""
        where = {name: index for index, name in enumerate(classes.names)}
        table = np.array([where.get(name, -1) for name in self.classes.names] + [-2], dtype=np.int32)
        ids = table[self.annotations["class_id"].fill_null(-1).to_numpy()]
        column = pa.array(ids, mask=ids < 0, type=pa.int32())
        index = self.annotations.schema.get_field_index("class_id")
        annotations = self.annotations.set_column(index, "class_id", column).filter(pa.array(ids != -1))
        return replace(self, annotations=annotations, classes=classes)

    def digest(self) -> str:
        """Return a hash of paths, splits, labels and classes: 16 hex digits. Photos' bytes are not in it."""
        return data_digest(self)
