"""Dataset formats. Importing this room imports no format: `read` and `write` load the one that is asked for.

A format is a module with

- `CARRIES`: frozenset of names of `CARRIED` that it can hold;
- `PIXELS`: the box convention of its files (`core.origin.Pixels`), where it has boxes;
- `detect(path) -> str | None`: the evidence that a file or folder is of this format, without reading all of it;
- `read(path, options) -> Dataset`: `options` is a `ReadOptions`; raises DataError with all that is wrong at once;
- `write(dataset, folder, options) -> Written`: `options` is a `WriteOptions`; the folder is there and empty. It
  gets only rows that the format can hold, places no photo, and gives the same bytes whatever the number of workers.
  A format that is only read has none;
- `is_aside(path) -> bool`, if what `detect` found may be no data set of its own where another format fits, too: a CSV
  whose photos are not there. Asked only then;
- `losses(dataset) -> list[Loss]`, if rows can be lost for reasons of its own, beyond what `CARRIES` says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vision_cli.core import containment
from vision_cli.core.catalogue import Card, Catalogue
from vision_cli.core.containment import Links
from vision_cli.core.errors import DataError

if TYPE_CHECKING:
    from vision_cli.core.config import SourceConfig
    from vision_cli.core.dataset import Dataset
    from vision_cli.core.origin import Pixels

FORMATS = Catalogue(
    "dataset format",
    {
        "imagefolder": Card("vision_cli.formats.imagefolder", "A folder a class, below folders of splits if any"),
        "cvat": Card("vision_cli.formats.cvat", "CVAT XML 1.1: shapes of images, tracks of videos"),
        "labelstudio": Card("vision_cli.formats.labelstudio", "Label Studio JSON: exports, and tasks to import"),
        "labelme": Card("vision_cli.formats.labelme", "LabelMe: one JSON a photo, with shapes and flags"),
        "csv": Card("vision_cli.formats.csv_labels", "CSV or TSV of path and label, several labels, or a value"),
        "coco": Card("vision_cli.formats.coco", "COCO: one JSON of boxes, outlines and keypoints; lists of results"),
        "lvis": Card("vision_cli.formats.lvis", "LVIS: COCO with absent and not exhaustive classes a photo"),
        "yolo": Card("vision_cli.formats.yolo", "One text file a photo of boxes or outlines as shares, data.yaml"),
        "openimages": Card(
            "vision_cli.formats.openimages", "Open Images: CSV files of boxes and labels, class ids such as /m/01g317"
        ),
        "voc": Card("vision_cli.formats.voc", "Pascal VOC: one XML of boxes a photo, lists of splits"),
        "voc-segmentation": Card("vision_cli.formats.voc.segmentation", "Pascal VOC with masks of classes and objects"),
        "kitti": Card(
            "vision_cli.formats.kitti", "KITTI objects: one text file a photo, with truncation and occlusion"
        ),
        "vision": Card("vision_cli.formats.parquet", "Our own: all of a data set in two Parquet files and a manifest"),
        "webdataset": Card("vision_cli.formats.webdataset", "Tar archives of photos beside .cls or .json labels"),
        "huggingface": Card("vision_cli.formats.huggingface", "Photos beside metadata.jsonl, .csv or .parquet"),
        "tfrecord": Card("vision_cli.formats.tfrecord", "TFRecords of TensorFlow's object detection API, read only"),
        "mapping": Card("vision_cli.formats.mapping", "A format of your own: --mapping with a YAML or Python file"),
        "panoptic": Card("vision_cli.formats.panoptic", "COCO panoptic: a JSON of segments, an RGB PNG of ids a photo"),
        "cityscapes": Card("vision_cli.formats.cityscapes", "Cityscapes: gtFine polygons, instance ids and label ids"),
        "masks": Card("vision_cli.formats.masks", "Folders of semantic masks beside photos, indexed or coloured"),
    },
    group="formats",
    listing="vision data formats",
    common=("coco", "yolo", "voc", "imagefolder", "csv", "masks", "cvat", "labelstudio"),
)


CARRIED = {
    "class": "one class a photo",
    "classes": "several classes a photo",
    "value": "a number a photo",
    "box": "boxes",
    "polygon": "an outline of one polygon",
    "polygons": "outlines of several polygons",
    "mask": "run-length or pixel masks",
    "crowd": "the crowd flag",
    "keypoints": "keypoints",
    "rotation": "rotated boxes",
    "3d": "the 3D box",
    "truncated": "the truncation of an object",
    "occluded": "the occlusion of an object",
    "difficult": "the difficult flag",
    "score": "scores of predictions",
    "track": "identities over frames",
    "annotator": "who labelled",
    "attributes": "further attributes of an object",
    "area": "areas as the source says them",
    "ids": "ids of photos and annotations",
    "unlabelled": "photos without labels",
    "split": "splits",
    "group": "groups",
    "metadata": "further columns of photos",
    "order": "the order of classes",
}
"""What a format may hold, and what `--allow-loss` and the conservation report call it."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader is told beside the path.

    Attributes:
        source: name of the source.
        images: folder that photo paths are relative to; None leaves it to the format.
        need: names of `CARRIED` that will be used; None is all. A reader may leave out columns of the others, but no
            rows, and not `outline_parts`, `iscrowd` and other columns that losses are counted by.
        pixels: the convention that the source's box numbers are in, where a user knows better than the format.
        sizes: whether photo sizes that the labels do not say must be read from the photos.
        mapping: a user's own mapping or program, for the format `mapping`.
        columns: name of a CSV's column by what it means: `path`, `label`, `xmin` ...
        links: where links of the source may lead; `read_as` sees to it, a reader need not look.
    """

    source: str
    images: Path | None = None
    need: frozenset[str] | None = None
    pixels: Pixels | None = None
    sizes: bool = True
    mapping: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    links: Links = "stay"


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What a writer is told beside data and folder.

    Attributes:
        workers: threads or processes that it may use.
        pixels: the convention of the box numbers; the data is in it already.
        mapping: a user's own program, for the format `mapping` of the target.
    """

    workers: int = 1
    pixels: Pixels = "exclusive"
    mapping: Path | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Where photos belong, and what the labels now call things.

    Attributes:
        photos: of each row of `images`, the path that its photo must get, relative to the folder, with `/`; None where
            the format holds the photo itself (WebDataset, TFRecord) or needs none (COCO results).
        class_ids: the format's own id of each class, by name; empty where names stand alone.
        notes: what the writer decided that a reader of the report should know, one sentence each.
        held: of each row, the path that the format's reader gives a photo that the format holds itself, if it is known.
    """

    photos: Sequence[str | None]
    class_ids: Mapping[str, int]
    notes: Sequence[str] = ()
    held: Sequence[str] = ()


def detect(path: Path) -> list[tuple[str, str]]:
    """Return (format, evidence) of every format that a file or folder may be of.

    Folders of photos alone are weak evidence: beside labels of objects they are where that format keeps its photos.

    Raises:
        DataError: the path does not exist or cannot be listed.
    """
    from vision_cli.formats import foreign, nearest
    from vision_cli.formats.likely import likely

    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder.", hint="Check the source's path.")
    try:
        with os.scandir(path) if path.is_dir() else path.open("rb"):
            pass
        names = list(FORMATS)
        first = likely(path, names)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.", hint="Check the path.") from error
    fitting = _fitting(path, first) or _fitting(path, [name for name in names if name not in first])
    objects = any(
        "box" in FORMATS.load(name).CARRIES or "mask" in FORMATS.load(name).CARRIES
        for name, _ in fitting
        if name != "csv"
    )
    photos_alone = [name for name, _ in fitting] == ["imagefolder"]
    if objects or (photos_alone and (foreign.kind_of(path) is not None or nearest.has_labels(path))):
        fitting = [(name, evidence) for name, evidence in fitting if name != "imagefolder"]
    return [pair for pair in fitting if not _is_aside(pair[0], path)] or fitting if len(fitting) > 1 else fitting


def _fitting(path: Path, names: Sequence[str]) -> list[tuple[str, str]]:
    found = [(name, _evidence(name, path)) for name in names]
    return [(name, evidence) for name, evidence in found if evidence is not None]


def _is_aside(name: str, path: Path) -> bool:
    """Return whether a format says that what it found is no data set of its own here."""
    format = FORMATS.load(name)
    return hasattr(format, "is_aside") and bool(format.is_aside(path))


def _evidence(name: str, path: Path) -> str | None:
    """Return what a format finds; what cannot be opened or leads out of it is none."""
    try:
        evidence: str | None = FORMATS.load(name).detect(path)
    except (OSError, DataError):
        return None
    return evidence


def read(source: str, config: SourceConfig, path: Path) -> Dataset:
    """Read a source in its declared format, or in the only one that it can be of.

    Args:
        source: name of the source.
        config: format and options; its `images` is relative to the source's folder unless absolute.
        path: the source's file or folder.

    Raises:
        UsageError: the declared format is unknown.
        DataError: no format fits or several do, or the reader refuses the content.
    """
    if not path.exists():
        raise DataError(
            f"source '{source}': {path}: there is no such file or folder.", hint=f"Check data.sources.{source}.path."
        )
    folder = path if path.is_dir() else path.parent
    images = None if config.images is None else folder / config.images
    options = ReadOptions(source, images, columns=config.columns, links=config.links)
    with containment.links(config.links):
        name = config.format or _found(source, path)
    return read_as(name, path, options)


def read_as(name: str, path: Path, options: ReadOptions) -> Dataset:
    """Read a source in a format, with the permission for links that the options give.

    Raises:
        UsageError: the format is unknown.
        DataError: the reader refuses the content.
    """
    reader = FORMATS.load(name)
    with containment.links(options.links):
        dataset: Dataset = reader.read(path, options)
    return replace(dataset, followed=frozenset(dataset.roots)) if options.links == "follow" else dataset


def refuse_links(path: Path) -> None:
    """Refuse a path that is of some format if its links are followed, and of none if they are not.

    Raises:
        DataError: it is.
    """
    with containment.links("follow"):
        names = [name for name, _ in detect(path)]
    if names:
        raise DataError(
            f"{path}: links in it lead out of it; behind them are labels or photos of {' or '.join(names)}.",
            hint=containment.HINT,
        )


def refuse_foreign(path: Path) -> None:
    """Refuse a folder that is a known data set of a kind that no format here reads.

    Raises:
        DataError: it is.
    """
    from vision_cli.formats import foreign

    found = foreign.kind_of(path)
    if found is not None:
        kind, file = found
        text = f"{path}: no format fits: {file} is of {kind.name}, which is not read."
        raise DataError(text, hint=f"{kind.way_out}{foreign.WAY_OUT}")


def refuse_broken(path: Path) -> None:
    """Refuse what is like a format by its outer signs and no data set of it, with the reason of that format's reader.

    Raises:
        DataError: it is.
    """
    from vision_cli.formats import nearest

    near = nearest.nearest(path)
    if near is not None:
        raise nearest.refusal(path, near)


def _found(source: str, path: Path) -> str:
    """Return the one format that a path can be of."""
    candidates = detect(path)
    if not candidates:
        refuse_links(path)
        refuse_foreign(path)
        refuse_broken(path)
        raise DataError(
            f"source '{source}': {path}: no format fits.",
            details=[f"{name}: {card.summary}" for name, card in FORMATS.cards().items()],
            hint="These were looked for. A CSV needs a header such as path,label; a folder needs a folder a class.",
        )
    if len(candidates) > 1:
        raise DataError(
            f"source '{source}': {path}: {len(candidates)} formats fit.",
            details=[f"{name}: {evidence}" for name, evidence in candidates],
            hint=f"Say which: set data.sources.{source}.format to {' or '.join(name for name, _ in candidates)}.",
        )
    return candidates[0][0]
