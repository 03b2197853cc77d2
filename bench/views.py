"""A view with a condition over 1,000,000 photos and 5,000,000 annotations: time, and memory beside its columns."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS
from vision_cli.core.config import ViewConfig
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.origin import Origin
from vision_cli.views import sandbox, select
from vision_cli.views.tables import tables

PHOTOS, ANNOTATIONS = 1_000_000, 5_000_000
CONDITION = """count('Car|Van|Truck', 'occluded >= 1') >= 2 and count('Pedestrian') >= 1
  and captured_at::time > '20:00' and scene = 'residential'"""
CLASSES = ("Car", "Cyclist", "Pedestrian", "Truck", "Van")
SLOW = """SELECT id FROM images WHERE (SELECT count(*) FROM annotations WHERE image_id = images.id
  AND class IN ('Car', 'Van', 'Truck') AND occluded >= 1) >= 2 AND (SELECT count(*) FROM annotations
  WHERE image_id = images.id AND class = 'Pedestrian') >= 1 AND captured_at::time > '20:00' AND scene = 'residential'"""
_MB = 1e6


def made_up() -> Dataset:
    """Return the same photos and annotations each time."""
    rng = np.random.default_rng(7)
    nulls = pa.nulls(PHOTOS, pa.string())
    scenes = pa.array(["residential", "city", "highway"])
    photos = {
        "id": pa.array(np.arange(PHOTOS)),
        "source": pa.array(["street"] * PHOTOS),
        "path": pa.array([f"drive_{row // 1000:04}/{row:010}.png" for row in range(PHOTOS)]),
        "width": pa.array(np.full(PHOTOS, 1242, np.int32)),
        "height": pa.array(np.full(PHOTOS, 375, np.int32)),
        "split": nulls,
        "group": nulls,
        "captured_at": pa.array(rng.integers(0, 10**15, PHOTOS), pa.timestamp("us")),
        "scene": scenes.take(pa.array(rng.integers(0, 3, PHOTOS))),
    }
    labels = {
        "id": pa.array(np.arange(ANNOTATIONS)),
        "image_id": pa.array(np.sort(rng.integers(0, PHOTOS, ANNOTATIONS))),
        "class_id": pa.array(rng.integers(0, len(CLASSES), ANNOTATIONS).astype(np.int32)),
        "value": pa.nulls(ANNOTATIONS, pa.float64()),
        **{name: pa.array(rng.uniform(0, 300, ANNOTATIONS)) for name in "xywh"},
        "occluded": pa.array(rng.integers(0, 4, ANNOTATIONS).astype(np.int8)),
    }
    images, annotations = pa.table(photos), pa.table(labels)
    assert images.column_names[:7] == IMAGE_COLUMNS.names  # noqa: S101
    assert annotations.column_names[:4] == ANNOTATION_COLUMNS.names  # noqa: S101
    return Dataset(images, annotations, ClassMap(CLASSES), {"street": Path()}, (), {"street": Origin("kitti")})


def peak_mb(who: int) -> float:
    """Return the most memory that this process, or the largest of its children, held."""
    return resource.getrusage(who).ru_maxrss / 1000


def main() -> None:
    """Print the figures."""
    dataset = made_up()
    columns = (dataset.images.nbytes + dataset.annotations.nbytes) / _MB
    before = peak_mb(resource.RUSAGE_SELF)
    print(f"{PHOTOS:,} photos, {ANNOTATIONS:,} annotations: columns {columns:.0f} MB, process {before:.0f} MB")
    view = ViewConfig.model_validate({"from": ["street"], "where": CONDITION, "map": {"Cyclist": "Pedestrian"}})
    start = time.perf_counter()
    whole = select.join({"street": dataset}, view, [])
    joined = time.perf_counter()
    kept = select.kept(whole, view)
    done = time.perf_counter()
    more = peak_mb(resource.RUSAGE_SELF) - before
    print(f"class map {joined - start:.2f} s, condition {done - joined:.2f} s, {len(kept):,} photos kept")
    print(f"this process took {more:.0f} MB more, DuckDB's {peak_mb(resource.RUSAGE_CHILDREN) - before - more:.0f} MB")
    start = time.perf_counter()
    found = sandbox.run(SLOW, tables(dataset))
    print(f"the same by subqueries: {time.perf_counter() - start:.2f} s, {found.total:,} photos (no merged class)")


if __name__ == "__main__":
    main()
