"""Pascal VOC with masks: what `voc` reads and writes, and each object's pixels in `SegmentationClass` and `-Object`.

A format of its own because pictures cost hundreds of times as much as boxes. One pixel shows one object: where objects
lie on one another, the later one shows. Border pixels (255) belong to none; they come back where nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vision_cli.core import outline
from vision_cli.core.conservation import Loss
from vision_cli.core.conservation import Mask as Rows
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.origin import Pixels
from vision_cli.formats import ReadOptions, WriteOptions, Written, voc
from vision_cli.formats.by_photo import by_photo
from vision_cli.formats.label_files import write_files
from vision_cli.formats.label_walk import parent_of, read_small, stem_of, tree
from vision_cli.formats.painting import empty_losses, outlined_rows, overlap_losses, paint
from vision_cli.formats.problems import Problems
from vision_cli.formats.voc import reading as voc_read
from vision_cli.formats.voc import writing as voc_write
from vision_cli.formats.voc.layout import CLASS_MASKS, LIST_NAMES, LISTS, OBJECT_MASKS, base_of
from vision_cli.formats.voc.masks import CLASSES, VOID, Region, class_table, mask_path, regions
from vision_cli.formats.voc.splits import BACKGROUND, label_map
from vision_cli.imaging.masks import Mask, encode_mask, voc_palette

CARRIES = voc.CARRIES | {"mask"}
PIXELS: Pixels = "inclusive-1"

_NAME = "voc-segmentation"
_FROM_MASK = b""
_ENTRIES = 2000
_SHIFT = {"exclusive": (0, 0), "inclusive-0": (0, 1), "inclusive-1": (1, 1)}


def detect(path: Path) -> str | None:
    """Return the evidence that a folder holds masks of VOC and no boxes; sets with boxes are found as `voc`."""
    if not path.is_dir():
        return None
    try:
        listing = tree(path, ".xml", most=_ENTRIES)
    except DataError:
        return None
    masks = [name for name in listing.photos if f"/{CLASS_MASKS}/" in f"/{name}"]
    return f"{masks[0]} and no XML" if masks and not listing.labels else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read VOC annotations and masks; an object of both is one row, pixels without an object of their own are another.

    Raises:
        DataError: see `voc.read`, and masks of another size than their photo or with indices of no class.
    """
    dataset = voc_read.read(path, options, masks=True)
    root = path if path.is_dir() else path.parent
    origin = dataset.origins[options.source]
    masks = {name for name in origin.companions if f"/{CLASS_MASKS}/" in f"/{name}"}
    table = class_table(_listed(origin.header))
    problems, found = Problems(path), {}
    sizes = zip(dataset.images["width"].to_pylist(), dataset.images["height"].to_pylist(), strict=True)
    paths: list[str] = dataset.images["path"].to_pylist()
    for row, (photo, size) in enumerate(zip(paths, sizes, strict=True)):
        if mask_path(photo) in masks:
            try:
                found[row] = regions(root, photo, table, size)
            except DataError as error:
                problems.add("masks", error.message, hint=error.hint)
    problems.refuse(f"pictures of {len(masks)}")
    pictures = [mask_path(photo) if mask_path(photo) in masks else None for photo in paths]
    images = dataset.images.append_column("mask", pa.array(pictures, pa.string()))
    others = tuple(name for name in origin.companions if not name.endswith(".png"))
    origins = {options.source: replace(origin, format=_NAME, companions=others)}
    return _joined(replace(dataset, images=images, origins=origins), found, origin.pixels)


def _listed(header: Any) -> list[str] | None:
    """Return every name of a label map, the background too."""
    body = next((header[name] for name in header if name.endswith("labelmap.txt")), None)
    if body is None:
        return None
    lines = body.decode("utf-8-sig", "replace").splitlines()
    names = [line.split(":")[0].strip() for line in lines if line.strip() and not line.startswith("#")]
    return names if BACKGROUND in names[:1] else [BACKGROUND, *names]


def _joined(dataset: Dataset, found: dict[int, list[Region]], pixels: Pixels) -> Dataset:
    """Give objects their outlines, and regions without an object rows of their own."""
    classes = dataset.classes.names
    more = sorted({region.name for each in found.values() for region in each} - set(classes))
    names = ClassMap(
        (*classes, *more)
        if _listed(dataset.origins[next(iter(dataset.origins))].header)
        else tuple(sorted({*classes, *more}))
    )
    dataset = replace(dataset.with_classes(names), images=dataset.images)
    table, offsets = by_photo(dataset)
    labels = [names.names[number] for number in table["class_id"].to_pylist()]
    outlines: list[bytes | None] = [None] * table.num_rows
    rows: list[dict[str, Any]] = []
    for row, each in found.items():
        first, last = int(offsets[row]), int(offsets[row + 1])
        for region in each:
            at = first + region.place
            if region.place >= 0 and at < last and labels[at] == region.name and outlines[at] is None:
                outlines[at] = region.outline
            else:
                rows.append(_row(region, row, names.index(region.name), pixels))
    outlined = table.append_column("outline", pa.array(outlines, pa.binary()))
    extra = pa.Table.from_pylist(rows, schema=outlined.schema)
    joined = pa.concat_tables([outlined, extra])
    joined = joined.take(pa.array(np.argsort(joined["image_id"].to_numpy(), kind="stable")))
    joined = joined.set_column(0, "id", pa.array(np.arange(joined.num_rows)))
    parts = [0 if data is None else outline.RUNS_PARTS for data in joined["outline"].to_pylist()]
    return replace(dataset, annotations=joined.append_column("outline_parts", pa.array(parts, pa.int16())))


def _row(region: Region, photo: int, class_id: int, pixels: Pixels) -> dict[str, Any]:
    first, less = _SHIFT[pixels]
    x, y, width, height = region.box
    box = {"x": float(x + first), "y": float(y + first), "w": float(width - less), "h": float(height - less)}
    return {"image_id": photo, "class_id": class_id, "record": _FROM_MASK, "outline": region.outline, **box}


def losses(dataset: Dataset) -> list[Loss]:
    """Return those of `voc`, objects under others, and what 8 bits cannot count."""
    number = dataset.annotations.num_rows
    crowded = np.zeros(number, dtype=np.bool_)
    for rows in outlined_rows(dataset):
        crowded[rows[VOID - 1 :]] = True
    ids = dataset.annotations["class_id"].fill_null(0).to_numpy()
    unheld = np.zeros(number, dtype=np.bool_) if label_map(dataset.classes.names) else np.ones(number, dtype=np.bool_)
    found = [
        Loss("mask", "annotation", "over 254 outlines on a photo", crowded),
        Loss("mask", "annotation", "over 253 classes", np.asarray(ids >= VOID - 2)),
        Loss("no-class", "annotation", "of the background, which is no object's class", _of_background(dataset)),
        Loss("names", "annotation", "a class name with a colon or a line end in the label map", unheld),
    ]
    own = [origin.format for origin in dataset.origins.values()] == [_NAME]
    covered = [] if own else [*empty_losses(dataset), *overlap_losses(dataset)]
    return [*voc.losses(dataset), *(loss for loss in found if loss.rows.any()), *covered]


def _of_background(dataset: Dataset) -> Rows:
    """Return which annotations have the class that VOC's value 0 stands for."""
    names = dataset.classes.names
    number = names.index(BACKGROUND) if BACKGROUND in names else -1
    return np.asarray(dataset.annotations["class_id"].fill_null(-2).to_numpy() == number)


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write annotations, masks with VOC's palette, lists of the photos that have masks, and the label map.

    Raises:
        DataError: an outline that cannot be filled.
        ResourceError: the disk is full or refuses.
    """
    table = dataset.annotations
    boxed = dataset
    if "record" in table.column_names and _is_own(dataset):
        kept = pc.fill_null(pc.not_equal(table["record"], _FROM_MASK), True)
        boxed = replace(dataset, annotations=table.filter(kept))
    origins = {
        name: replace(origin, format="voc") for name, origin in dataset.origins.items() if origin.format == _NAME
    }
    written = voc_write.write(replace(boxed, origins={**dataset.origins, **origins}), folder, label_maps=False)
    photos = [str(photo) for photo in written.photos]
    path, content, names = _label_map(dataset)
    write_files(folder, [] if content is None else [(path, content)])
    masked = [row for row, rows in enumerate(outlined_rows(dataset)) if rows.size]
    write_files(folder, _pictures(dataset, photos, names, masked))
    if not _is_own(dataset):
        write_files(folder, _lists(dataset, photos, masked))
    return written


def _is_own(dataset: Dataset) -> bool:
    return len(dataset.roots) == 1 and [origin.format for origin in dataset.origins.values()] == [_NAME]


def _label_map(dataset: Dataset) -> tuple[str, bytes | None, list[str]]:
    """Return path and bytes of the label map, and the class of each index: the source's own, VOC's, or a new one.

    VOC's own classes need no label map where reading the masks again gives the same classes in the same order.
    """
    names = dataset.classes.names
    header = next(iter(dataset.origins.values())).header if _is_own(dataset) else {}
    own = next((name for name in header if name.endswith("labelmap.txt")), "labelmap.txt")
    listed = _listed(header)
    if listed is not None and set(names) <= set(listed):
        return own, header[own], listed
    used = {names[number] for number in pc.unique(dataset.annotations["class_id"]).to_pylist() if number is not None}
    if set(names) <= set(CLASSES) and list(names) == sorted(used):
        return own, None, [BACKGROUND, *CLASSES]
    others = [name for name in names if name != BACKGROUND]
    return own, label_map(others), [BACKGROUND, *others]


def _pictures(
    dataset: Dataset, photos: Sequence[str], names: Sequence[str], masked: Sequence[int]
) -> Iterator[tuple[str, bytes]]:
    """Yield the pictures of classes and objects, the source's own where they show the same."""
    where = {name: index for index, name in enumerate(names)}
    indices = np.array([where.get(name, 0) for name in dataset.classes.names], dtype=np.int64)
    outlined = outlined_rows(dataset)
    ids = dataset.annotations["class_id"].to_numpy()
    rows_of_photos = dataset.rows_of(dataset.annotations["image_id"])
    for row in masked:
        if (own := _own_pictures(dataset, row, outlined[row], names)) is not None:
            yield from zip((mask_path(photos[row]), mask_path(photos[row], OBJECT_MASKS)), own, strict=False)
            continue
        painted = paint(dataset, row, outlined[row])
        here = np.flatnonzero(rows_of_photos == row)
        places = np.searchsorted(here, painted.rows) + 1
        places = places if places.max(initial=0) < VOID else np.arange(1, len(painted.rows) + 1)
        for path, values in (
            (mask_path(photos[row]), indices[ids[painted.rows]]),
            (mask_path(photos[row], OBJECT_MASKS), places),
        ):
            yield path, encode_mask(Mask(painted.filled(values, 0, np.uint8), voc_palette()))


def _own_pictures(dataset: Dataset, row: int, rows: Any, names: Sequence[str]) -> list[bytes] | None:
    """Return the bytes of the source's pictures if they show the outlines that are there now."""
    if not _is_own(dataset):
        return None
    root = next(iter(dataset.roots.values()))
    photo, width, height = (dataset.images[name][row].as_py() for name in ("path", "width", "height"))
    try:
        found = regions(root, photo, class_table(names), (width, height))
        table = dataset.annotations.take(pa.array(rows))
        labels = [dataset.classes.names[number] for number in table["class_id"].to_pylist()]
        if sorted((each.name, each.outline) for each in found) != sorted(
            zip(labels, table["outline"].to_pylist(), strict=True)
        ):
            return None
        paths = [root / mask_path(photo), root / mask_path(photo, OBJECT_MASKS)]
        return [read_small(str(path)) for path in paths if path.is_file()]
    except (DataError, KeyError):
        return None


def _lists(dataset: Dataset, photos: Sequence[str], masked: Sequence[int]) -> Iterator[tuple[str, bytes]]:
    """Yield a list of the photos with masks for each split that has any."""
    splits = dataset.splits().tolist()
    for split in LIST_NAMES:
        stems = [stem_of(photos[row].rpartition("/")[2]) for row in masked if splits[row] == split]
        base = base_of(parent_of(photos[0])) if photos else ""
        if stems:
            yield (
                f"{base}/{LISTS}/Segmentation/{split}.txt".lstrip("/"),
                "".join(f"{stem}\n" for stem in stems).encode(),
            )
