"""Which files a data set consists of, and the hash of each: photos, masks, and what lies beside them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.versions.photo_index import Hashes, PhotoIndex

FILES = pa.schema([("source", pa.string()), ("path", pa.string()), ("sha256", pa.string()), ("bytes", pa.int64())])
"""First one row a photo, in their order; then masks and companions, each once. No hash where there is no file."""

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of a data set.

    Attributes:
        table: `FILES`.
        places: where each is now.
        hashes: with what was known of each when it was hashed.
    """

    table: pa.Table
    places: Sequence[str]
    hashes: Hashes

    @property
    def missing(self) -> int:
        """Return how many are not there."""
        return int(self.table["sha256"].null_count)


def hashed(dataset: Dataset, index: PhotoIndex, progress: Progress) -> Contents:
    """Hash the files of a data set, as far as the index does not know them.

    Raises:
        DataError: a file leads out of its source's folder, or cannot be read.
    """
    sources, paths = _named(dataset)
    places = _places(dataset, sources, paths)
    hashes = index.hashes(places, progress)
    sizes = pa.array(hashes.sizes, pa.int64())
    table = pa.table([pa.array(sources), pa.array(paths), pa.array(hashes.sha256, pa.string()), sizes], schema=FILES)
    return Contents(table, places, hashes)


def _named(dataset: Dataset) -> tuple[list[str], list[str]]:
    images = dataset.images
    rows = list(zip(images["source"].to_pylist(), images["path"].to_pylist(), strict=True))
    more: dict[tuple[str, str], None] = {}
    if "mask" in images.column_names:
        masks = images.filter(pc.is_valid(images["mask"]))
        more.update(dict.fromkeys(zip(masks["source"].to_pylist(), masks["mask"].to_pylist(), strict=True)))
    for source, origin in dataset.origins.items():
        more.update(dict.fromkeys((source, name) for name in origin.companions))
    rows += [pair for pair in more if pair not in set(rows)] if more else []
    return [source for source, _ in rows], [path for _, path in rows]


def _places(dataset: Dataset, sources: Sequence[str], paths: Sequence[str]) -> list[str]:
    fences = dataset.fences()
    roots = {source: os.fspath(root.absolute()) for source, root in dataset.roots.items()}
    out = [path for source, path in zip(sources, paths, strict=True) if not fences[source].holds(path)]
    if out:
        more = [f"and {len(out) - _SHOWN} more"] if len(out) > _SHOWN else []
        raise DataError(
            f"{len(out)} files lie outside of their source's folder.",
            details=[*out[:_SHOWN], *more],
            hint="Paths stay below their source's folder, links followed.",
        )
    return [f"{roots[source]}/{path}" for source, path in zip(sources, paths, strict=True)]
