"""`vision`: a Dataset as it is, in two Parquet files and a manifest; all of it comes back identical.

dataset.json          class map, folders of the sources, notes, origins, rows and SHA-256 of the tables
images.parquet        the columns of `images`: those of core/columns.py, then metadata of any type
annotations.parquet   the columns of `annotations`
photos/               the photos, where they are copied along (one folder a source if there are several)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core.columns import ANNOTATION_COLUMNS, IMAGE_COLUMNS, MORE_ANNOTATION_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.containment import Containment
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.files import file_sha256, write_text
from vision_cli.core.origin import Origin
from vision_cli.formats import CARRIED, ReadOptions, WriteOptions, Written
from vision_cli.formats.parquet.manifest import (
    FORMAT,
    MANIFEST,
    VERSION,
    Manifest,
    TableFile,
    is_manifest,
    manifest_text,
    origin_of,
    origin_record,
    read_manifest,
)
from vision_cli.formats.parquet.table import read_schema, read_table, write_table
from vision_cli.formats.problems import Problems

CARRIES = frozenset(CARRIED)
PIXELS = "exclusive"
"""Only where a source does not say its own: the numbers stay in the convention of their origin."""

_IMAGES, _ANNOTATIONS, _PHOTOS = "images.parquet", "annotations.parquet", "photos"
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
# Columns that are read only for those who need what they hold; losses are counted by `outline_parts`.
_LONG_COLUMNS = {"outline": frozenset({"polygon", "polygons", "mask"}), "keypoints": frozenset({"keypoints"})}


def detect(path: Path) -> str | None:
    """Return the evidence that a folder, or its dataset.json, is a version written by this program."""
    folder = path if path.is_dir() else path.parent
    if path.is_file() and path.name != MANIFEST:
        return None
    if not (folder / _IMAGES).is_file() or not is_manifest(folder / MANIFEST):
        return None
    return f"{MANIFEST} of the format '{FORMAT}' beside {_IMAGES}"


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a version as a source.

    A single source takes the name that the user gives it; of several, each gets that name before its own.

    Args:
        path: the folder, or its dataset.json.
        options: `images` is the folder of the photos, where they do not lie below the version.

    Raises:
        DataError: see `load`, or photos that would lie outside of the folder.
    """
    folder = path if path.is_dir() else path.parent
    dataset = load(folder, images=options.images, need=options.need)
    if options.pixels is not None:
        known = {name: dataset.origins.get(name, Origin(FORMAT)) for name in dataset.roots}
        dataset = replace(dataset, origins={n: replace(origin, pixels=options.pixels) for n, origin in known.items()})
    names = list(dataset.roots)
    alone = len(names) == 1
    return renamed(dataset, {name: options.source if alone else f"{options.source}/{name}" for name in names})


def load(
    folder: Path,
    *,
    roots: Mapping[str, Path] | None = None,
    images: Path | None = None,
    need: frozenset[str] | None = None,
    records: bool = True,
) -> Dataset:
    """Read a version as it was written, the names of its sources included.

    Args:
        folder: that holds the three files.
        roots: folders of the sources by name, where the caller knows them better than the manifest.
        images: the photos' folder in place of the manifest's; with several sources the one that holds their folders.
        need: see `ReadOptions`.
        records: read the column `record`, too.

    Raises:
        DataError: no version, damaged, tables that are not those of the manifest, or rows that do not fit together.
    """
    manifest = read_manifest(folder / MANIFEST)
    left_out = {column for column, users in _LONG_COLUMNS.items() if need is not None and not users & need}
    left_out |= set() if records else {"record"}
    tables = (
        _table(folder, _IMAGES, manifest.images, left_out),
        _table(folder, _ANNOTATIONS, manifest.annotations, left_out),
    )
    origins = {name: origin_of(record, folder / MANIFEST) for name, record in manifest.origins.items()}
    places = _roots(folder, manifest, images) if roots is None else roots
    dataset = Dataset(*tables, ClassMap(tuple(manifest.classes)), places, tuple(manifest.notes), origins)
    _check_images(folder / _IMAGES, dataset)
    _check_annotations(folder / _ANNOTATIONS, dataset)
    return dataset


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write a version whose photos lie below it.

    Args:
        dataset: any; nothing is lost.
        folder: an empty one.
        options: nothing of it changes anything here.
    """
    roots = _photo_folders(list(dataset.roots))
    save(dataset, folder, roots)
    columns = zip(dataset.images["source"].to_pylist(), dataset.images["path"].to_pylist(), strict=True)
    return Written([f"{roots[source]}/{path}" for source, path in columns], {})


def save(dataset: Dataset, folder: Path, roots: Mapping[str, str]) -> None:
    """Write a version.

    Args:
        dataset: any.
        folder: an empty one.
        roots: folder of each source, relative to the version, with `/`; `load` needs to be told those outside of it.

    Raises:
        ResourceError: the disk is full or refuses, or a metadata column has a type without a place in Parquet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {_IMAGES: dataset.images, _ANNOTATIONS: dataset.annotations}
    for name, table in tables.items():
        write_table(folder / name, table)
    files = [TableFile(table.num_rows, file_sha256(folder / name)) for name, table in tables.items()]
    manifest = Manifest(
        FORMAT,
        VERSION,
        list(dataset.classes.names),
        dataset.classes.digest,
        {name: roots[name] for name in dataset.roots},
        list(dataset.notes),
        {name: origin_record(origin) for name, origin in dataset.origins.items()},
        *files,
    )
    write_text(folder / MANIFEST, manifest_text(manifest))


def _photo_folders(names: list[str]) -> dict[str, str]:
    """Return where the photos of each source go: `photos`, or a folder in it for each of several sources."""
    if len(names) == 1:
        return {names[0]: _PHOTOS}
    safe = {name: _UNSAFE.sub("-", name).strip("-").lower()[:60] for name in names}
    counts = Counter(safe.values())
    return {
        name: f"{_PHOTOS}/{text if text and counts[text] == 1 else f'{number}-{text}'.rstrip('-')}"
        for number, (name, text) in enumerate(safe.items())
    }


def _roots(folder: Path, manifest: Manifest, images: Path | None) -> dict[str, Path]:
    """Return the folders that the manifest names, or `images` in their place.

    Raises:
        DataError: one lies outside of the version, and the user said no other.
    """
    if images is not None and len(manifest.roots) == 1:
        return {name: images for name in manifest.roots}
    fence, problems, roots = Containment(images or folder), Problems(folder / MANIFEST), {}
    for name, place in manifest.roots.items():
        if not fence.holds(place):
            problems.add("folders", f"roots: {place!r} leads out of {fence.root}", hint="Name the photos' folder.")
        roots[name] = fence.root / place
    problems.refuse("folders of sources")
    return roots


def _table(folder: Path, name: str, expected: TableFile, left_out: Set[str]) -> pa.Table:
    """Read one table, but for some columns that nobody needs.

    Raises:
        DataError: it is not the file that the manifest describes.
    """
    path = folder / name
    if not path.is_file():
        raise DataError(f"{path}: a version has this file, and it is missing.", hint="Fetch the version again.")
    if file_sha256(path) != expected.sha256:
        raise DataError(f"{path}: not the file that {MANIFEST} describes.", hint="Fetch the version again.")
    schema = read_schema(path)
    base, more = (
        (IMAGE_COLUMNS, MORE_IMAGE_COLUMNS) if name == _IMAGES else (ANNOTATION_COLUMNS, MORE_ANNOTATION_COLUMNS)
    )
    _check_columns(path, schema, base, more)
    return read_table(path, [column for column in schema.names if column not in left_out])


def _check_columns(path: Path, schema: pa.Schema, base: pa.Schema, more: pa.Schema) -> None:
    """Refuse tables without our columns, or with others where metadata has no place."""
    problems = Problems(path)
    if schema.names[: len(base)] != base.names:
        problems.add("columns", f"the first columns are {schema.names[: len(base)]}, not {base.names}")
    known = {field.name: field.type for field in [*base, *more]}
    for field in schema:
        if field.name in known and field.type != known[field.name]:
            problems.add("types", f"column {field.name} is {field.type}, not {known[field.name]}")
        if field.name not in known and base is ANNOTATION_COLUMNS:
            problems.add("columns", f"column {field.name} is none of an annotation")
    problems.refuse("columns")


def _check_images(path: Path, dataset: Dataset) -> None:
    images, problems = dataset.images, Problems(path)
    _check_ids(images["id"], problems)
    for name in ("source", "path"):
        if images[name].null_count:
            problems.add("missing values", f"column {name} has {images[name].null_count} rows without a value")
    problems.refuse("columns")
    if unknown := sorted(set(images["source"].unique().to_pylist()) - set(dataset.roots)):
        problems.add("sources", f"{len(unknown)} sources have no folder in {MANIFEST}: {', '.join(unknown[:5])}")
    problems.refuse("columns")
    if any((pc.min(images[name]).as_py() or 0) < 0 for name in ("width", "height")):
        problems.add("sizes", "a photo has a negative size")
    fences = {source: Containment(root) for source, root in dataset.roots.items()}
    rows = zip(images["source"].to_pylist(), images["path"].to_pylist(), strict=True)
    for row, (source, place) in enumerate(rows):
        if not fences[source].holds(place):
            problems.add("paths out of the folder", f"row {row}: {place!r} leads out of {fences[source].root}")
    problems.refuse(f"photos of {images.num_rows}")


def _check_ids(column: pa.ChunkedArray, problems: Problems) -> None:
    if column.null_count or pc.count_distinct(column).as_py() != len(column):
        problems.add("ids", "column id has repeated or missing values")


def _check_annotations(path: Path, dataset: Dataset) -> None:
    table, problems = dataset.annotations, Problems(path)
    _check_ids(table["id"], problems)
    known = pc.is_in(table["image_id"], dataset.images["id"].combine_chunks())
    dangling = table.num_rows - (pc.sum(known).as_py() or 0)
    if dangling:
        problems.add("photos", f"{dangling} annotations are of photos that are not in {_IMAGES}")
    ids = table["class_id"].drop_null().to_numpy()
    if wrong := int(np.count_nonzero((ids < 0) | (ids >= len(dataset.classes)))):
        problems.add("classes", f"{wrong} annotations have a class outside of the {len(dataset.classes)} of {MANIFEST}")
    problems.refuse(f"columns of {table.num_rows} annotations")


def renamed(dataset: Dataset, names: Mapping[str, str]) -> Dataset:
    """Return the same data set with other names of its sources."""
    if all(old == new for old, new in names.items()):
        return dataset
    old = pa.array(list(names), pa.string())
    new = pa.array(list(names.values()), pa.string())
    column = new.take(pc.index_in(dataset.images["source"].combine_chunks(), old))
    index = dataset.images.schema.get_field_index("source")
    return replace(
        dataset,
        images=dataset.images.set_column(index, "source", column),
        roots={names[name]: root for name, root in dataset.roots.items()},
        origins={names.get(name, name): origin for name, origin in dataset.origins.items()},
    )
