"""Write a data set that a labelling command made, with the report that a conversion gives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from vision_cli import formats
from vision_cli.core.conservation import Conservation, Loss
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import UsageError
from vision_cli.core.origin import Origin
from vision_cli.core.progress import Progress
from vision_cli.formats import WriteOptions, Written, conserving
from vision_cli.stages.converting import photo_copies, reshaping
from vision_cli.stages.converting.accounting import Account, account
from vision_cli.stages.converting.photo_copies import Images
from vision_cli.stages.places import check_folder, check_replaced_folder
from vision_cli.stages.target_folder import check_apart, check_space, staged

_BYTES_A_ROW, _BYTES_A_PHOTO = 200, 1000


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how a data set is written.

    Attributes:
        folder: appears whole or not at all.
        to: a line of the table of formats.
        allowed: names of losses that are accepted; `all` accepts every one.
        images: how photos get there.
        force: replace a folder that is not empty.
        dry_run: report only.
    """

    folder: Path
    to: str
    allowed: frozenset[str] = frozenset()
    images: Images = "copy"
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it.

    Attributes:
        folder: as the user gave it.
        report: what was kept and lost.
        written: it is there.
    """

    folder: Path
    report: Conservation
    written: bool

    @property
    def ok(self) -> bool:
        """Tell whether nobody has to allow anything, and a photo is left."""
        return not (self.report.not_allowed or self.nothing_left)

    @property
    def nothing_left(self) -> bool:
        """Tell whether all photos were dropped."""
        return self.report.images.before > 0 and self.report.images.after == 0

    def as_json(self) -> dict[str, Any]:
        """Return the report's members and where it is."""
        return {**self.report.as_json(), "target": str(self.folder), "written": self.written}


@dataclass(frozen=True, slots=True)
class Draft:
    """A data set on its way.

    Attributes:
        target: where it goes.
        format: its module.
        counted: which rows go.
        report: what was kept and lost.
        files: further files by name.
    """

    target: Target
    format: ModuleType
    counted: Account
    report: Conservation
    files: Mapping[str, bytes] = field(default_factory=dict)


def check(target: Target) -> Path:
    """Return the real path of a folder that may be written.

    Raises:
        UsageError: the format is unknown or only read, or the folder is a file or not empty.
        ResourceError: nothing can be written there.
    """
    if not hasattr(formats.FORMATS.load(target.to), "write"):
        raise UsageError(f"the format '{target.to}' is only read.", hint="Choose another with --to.")
    real = Path(os.path.realpath(target.folder))
    if os.path.lexists(real) and not real.is_dir():
        raise UsageError(f"{target.folder}: is a file.", hint="The target is a folder; give another name.")
    if Path.cwd().is_relative_to(real) or Path.home().is_relative_to(real):
        raise UsageError(f"{target.folder}: holds the folder you work in, or your home.", hint="Choose another.")
    if not target.force and real.is_dir() and any(real.iterdir()):
        raise UsageError(f"{target.folder}: is not empty.", hint="Choose another folder, or replace it with --force.")
    check_replaced_folder(target.folder)
    check_folder(real.parent)
    return real


def draft(dataset: Dataset, target: Target) -> Draft:
    """Count what a format keeps and loses of a data set whose boxes count edges; they are written as the format counts.

    Raises:
        UsageError: the format is unknown.
    """
    form = formats.FORMATS.load(target.to)
    carries = form.CARRIES
    dataset = reshaping.in_pixels(without_records(dataset), "exclusive", getattr(form, "PIXELS", "exclusive"))
    own = form.losses(dataset) if hasattr(form, "losses") else []
    absent = _absent(dataset, target.images)
    counted = account(
        dataset, [*absent, *conserving.losses(dataset, carries, conserving.pixels_of(dataset)), *own], carries
    )
    not_allowed = [] if "all" in target.allowed else [name for name in counted.names() if name not in target.allowed]
    report = Conservation(
        source_format="answers",
        target_format=target.to,
        source_pixels="exclusive",
        target_pixels=conserving.pixels_of(dataset),
        images=counted.image_tally(),
        annotations=counted.annotation_tally(),
        classes=counted.class_lines({}, {}),
        unlabelled=counted.unlabelled(),
        not_allowed=not_allowed,
        notes=dataset.notes,
    )
    return Draft(target, form, counted, report)


def without_records(dataset: Dataset) -> Dataset:
    """Return a data set that no format takes for its own: what it writes says what the columns say."""
    images, annotations = (
        table.drop_columns(["record"]) if "record" in table.column_names else table
        for table in (dataset.images, dataset.annotations)
    )
    pixels = conserving.pixels_of(dataset)
    origins = {source: Origin("answers", pixels) for source in dataset.roots}
    return replace(dataset, images=images, annotations=annotations, origins=origins)


def _absent(dataset: Dataset, images: Images) -> list[Loss]:
    """Return the loss of photos that are not there, unless nobody wants them."""
    absent = photo_copies.missing(dataset)
    return [Loss("no-image", "image", "no such image", absent)] if images != "none" and absent.any() else []


def publish(found: Draft, progress: Progress) -> Outcome:
    """Write a draft, unless losses are not allowed, no photo is left, or nobody wants it.

    Raises:
        DataError: a photo lies outside of its root.
        ResourceError: the disk is full or refuses.
    """
    target = found.target
    planned = Outcome(target.folder, found.report, written=False)
    if target.dry_run or not planned.ok:
        return planned
    dataset = reshaping.with_boxes(found.counted.kept(), found.format.CARRIES)
    real = check(target)
    check_apart(real, dataset.roots.values())
    photos = photo_copies.bytes_of(dataset) if target.images == "copy" else 0
    check_space(real, dataset.annotations.num_rows * _BYTES_A_ROW + len(dataset) * _BYTES_A_PHOTO + photos)
    with staged(real) as folder:
        written = place(dataset, folder, target, progress)
        for name, content in found.files.items():
            (folder / name).write_bytes(content)
    lines = found.counted.class_lines({}, written.class_ids)
    report = replace(found.report, classes=lines, notes=(*found.report.notes, *written.notes))
    return Outcome(target.folder, report, written=True)


def place(dataset: Dataset, folder: Path, target: Target, progress: Progress) -> Written:
    """Write labels and photos into a folder that is there and empty."""
    form = formats.FORMATS.load(target.to)
    if target.images != "none":
        photo_copies.check_contained(dataset)
    written: Written = form.write(dataset, folder, WriteOptions(pixels=conserving.pixels_of(dataset)))
    if target.images != "none":
        found = photo_copies.pairs(dataset, written.photos)
        photo_copies.place(found, folder, target.images, os.cpu_count() or 1, progress)
    return written
