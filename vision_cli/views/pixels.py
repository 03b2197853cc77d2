"""Box numbers of one convention in another: edges, or first and last pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.dataset import Dataset
from vision_cli.core.origin import Pixels

# What x and y of the first pixel are, and what is missing in w and h of a box that counts its last pixel.
_FIRST: dict[Pixels, float] = {"exclusive": 0.0, "inclusive-0": 0.0, "inclusive-1": 1.0}
_SHORT: dict[Pixels, float] = {"exclusive": 0.0, "inclusive-0": 1.0, "inclusive-1": 1.0}


def convention(dataset: Dataset) -> Pixels:
    """Return what the box numbers of a data set of one source count."""
    return next((origin.pixels for origin in dataset.origins.values()), "exclusive")


def alike(datasets: Mapping[str, Dataset]) -> tuple[dict[str, Dataset], list[str]]:
    """Return sources whose boxes count alike, and a note of those whose numbers were shifted.

    Numbers stay as they are where all sources with boxes agree; otherwise all of them count edges.
    """
    boxed = {name: convention(dataset) for name, dataset in datasets.items() if "x" in dataset.annotations.column_names}
    if len(set(boxed.values())) < 2:
        return dict(datasets), []
    shifted = {name: pixels for name, pixels in boxed.items() if pixels != "exclusive"}
    found = {name: to_edges(dataset) if name in shifted else dataset for name, dataset in datasets.items()}
    names = ", ".join(f"'{name}' ({pixels})" for name, pixels in shifted.items())
    return found, [f"Box numbers of {names} were shifted to count edges, as those of the other sources do."]


def to_edges(dataset: Dataset) -> Dataset:
    """Return the same boxes in the convention `exclusive`, without the records that hold the old numbers."""
    pixels, table = convention(dataset), dataset.annotations
    for name, by in (("x", -_FIRST[pixels]), ("y", -_FIRST[pixels]), ("w", _SHORT[pixels]), ("h", _SHORT[pixels])):
        if by:
            at = table.schema.get_field_index(name)
            table = table.set_column(at, name, pc.add(table[name], pa.scalar(by, pa.float64())))
    origins = {name: replace(origin, pixels="exclusive") for name, origin in dataset.origins.items()}
    return replace(dataset, annotations=table, origins=origins)
