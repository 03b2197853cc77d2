"""Copy a data set into another format, with a report of what is kept and what is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from vision_cli import formats
from vision_cli.core.catalogue import suggestion
from vision_cli.core.conservation import Conservation, Loss
from vision_cli.core.containment import Links
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.garbage import uncollected
from vision_cli.core.origin import Origin, Pixels
from vision_cli.core.progress import Progress, Silent
from vision_cli.formats import ReadOptions, WriteOptions, Written, conserving
from vision_cli.stages.converting import photo_copies, reshaping
from vision_cli.stages.converting.accounting import Account, account
from vision_cli.stages.converting.photo_copies import Images
from vision_cli.stages.detecting import detect
from vision_cli.stages.target_folder import check_apart, check_space, check_target, staged

if TYPE_CHECKING:
    from vision_cli.stages.converting.verify_copy import Verification

ALL = "all"
SOURCE = "data"
"""What the one source of a conversion is called; it may end up in the names of photos that clash."""

_MAPPING = "mapping"
_SHOWN = 10
_LOSSES = "A conversion that would lose something names each loss so; `all` allows every one."
_SAME = {"polygon": "polygons"}
_BYTES_A_ROW, _BYTES_A_PHOTO = 200, 1000


@dataclass(frozen=True, slots=True)
class ConvertRequest:
    """What to convert.

    Attributes:
        source: file or folder, never changed.
        target: folder that appears whole or not at all.
        to: format of the target.
        source_format: format of the source; found by itself when None.
        mapping: a user's own description of the source, or of the target where that is the format `mapping`.
        allowed: names of losses that are accepted; `all` accepts every one.
        verify: read the result back before it appears.
        images: how photos get there.
        force: replace a target that is not empty.
        workers: threads.
        pixels: `keep` the source's box numbers, or count as the target format does.
        source_pixels: what the source's box numbers count, against what its format says.
        images_root: folder that the source's photo paths are relative to.
        dry_run: report only.
        boxes_only: objects get their boxes where the target could hold outlines, too; that loss is allowed.
        links: where links in the source may lead.
        given: returns the data set in place of reading the source, for those who mend it first.
    """

    source: Path
    target: Path
    to: str
    source_format: str | None = None
    mapping: Path | None = None
    allowed: frozenset[str] = frozenset()
    verify: bool = False
    images: Images = "copy"
    force: bool = False
    workers: int = 1
    pixels: Literal["keep", "target"] = "keep"
    source_pixels: Pixels | None = None
    images_root: Path | None = None
    dry_run: bool = False
    boxes_only: bool = False
    links: Links = "stay"
    given: Callable[[], Dataset] | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of it.

    Attributes:
        source: as the user gave it.
        target: likewise.
        report: what was kept and lost.
        written: the target is there.
        dry_run: nobody wanted it to be.
        images: how photos got there.
        verification: of reading back, if it was wanted.
    """

    source: Path
    target: Path
    report: Conservation
    written: bool
    dry_run: bool
    images: Images
    verification: Verification | None = None

    @property
    def ok(self) -> bool:
        """Tell whether losses are allowed, a photo is left, and what was read back is the same."""
        differs = self.verification is not None and bool(self.verification.differences)
        return not (self.report.not_allowed or self.nothing_left or differs)

    @property
    def nothing_left(self) -> bool:
        """Tell whether all photos were dropped."""
        return self.report.images.before > 0 and self.report.images.after == 0

    def as_json(self) -> dict[str, Any]:
        """Return the report's members, then the conversion's own."""
        return {
            **self.report.as_json(),
            "source": str(self.source),
            "target": str(self.target),
            "written": self.written,
            "dry_run": self.dry_run,
            "photos": self.images,
            "verification": self.verification,
        }


class _DiffersError(Exception):
    """What was read back is not what was written; the new folder is thrown away."""

    def __init__(self, verification: Verification) -> None:
        super().__init__()
        self.verification = verification


def convert(request: ConvertRequest, progress: Progress | None = None) -> Conversion:
    """Convert a data set.

    Raises:
        UsageError: an unknown format or loss, a format that is only read, or a target that cannot be one.
        DataError: the source is refused.
        ResourceError: the disk is full or refuses.
    """
    target_format = writer(request.to, request.allowed)
    if request.boxes_only and "box" not in target_format.CARRIES:
        raise UsageError(f"the format '{request.to}' holds no boxes.", hint="Leave --boxes-only out.")
    target = check_target(request.target, request.source, force=request.force)
    with uncollected():
        return _Work(request, target, target_format, progress or Silent()).run()


@dataclass(frozen=True, slots=True)
class _Work:
    """One conversion, its arguments checked."""

    request: ConvertRequest
    target: Path
    format: ModuleType
    progress: Progress

    def run(self) -> Conversion:
        """Read, count, and write if nothing stands against it."""
        name = self._source_format()
        counted, origin = self._counted(name)
        not_allowed = self._not_allowed(counted)
        report = self._report(counted, replace(origin, format=name), not_allowed)
        planned = self._conversion(report, written=False)
        if self.request.dry_run or not planned.ok:
            return planned
        kept, counted = counted.kept(), counted.counts()  # what is dropped leaves the memory before more comes in
        try:
            written, verification = self._write(kept, counted, name)
        except _DiffersError as error:
            return self._conversion(report, written=False, verification=error.verification)
        lines = counted.class_lines(origin.class_ids, written.class_ids)
        report = replace(report, classes=lines, notes=(*report.notes, *written.notes))
        return self._conversion(report, written=True, verification=verification)

    def _counted(self, name: str) -> tuple[Account, Origin]:
        """Return what becomes of each row, and where the rows came from."""
        dataset = self._read(name)
        check_apart(self.target, dataset.roots.values())
        carries = self._carries(name)
        origin = next(iter(dataset.origins.values()), Origin(name))
        dataset = self._in_pixels(dataset, origin)
        if self.request.boxes_only:
            dataset = reshaping.with_boxes(dataset, carries)
        return account(dataset, self._losses(dataset, carries), carries), origin

    def _source_format(self) -> str:
        request = self.request
        if request.mapping is not None and request.to != _MAPPING:
            if request.source_format not in (None, _MAPPING):
                raise UsageError("--mapping describes the source itself.", hint="Leave --from out.")
            return _MAPPING
        return request.source_format or detect(request.source, request.links).format

    def _read(self, name: str) -> Dataset:
        request = self.request
        if request.given is not None:
            return request.given()
        if not request.source.exists():
            raise DataError(f"{request.source}: there is no such file or folder.", hint="Check the path.")
        there = formats.FORMATS.load(name).CARRIES
        options = ReadOptions(
            SOURCE,
            images=request.images_root,
            need=None if name == request.to else self._need(there),
            pixels=request.source_pixels,
            mapping=request.mapping,
            links=request.links,
        )
        return formats.read_as(name, request.source, options)

    def _need(self, there: frozenset[str]) -> frozenset[str]:
        """Return what the target can hold; outlines, too, where boxes have to be made of them."""
        need = self._holds()
        return need | conserving.OUTLINES if "box" in need and "box" not in there else need

    def _holds(self) -> frozenset[str]:
        """Return what the target holds, or is to hold."""
        carries: frozenset[str] = self.format.CARRIES
        return carries - conserving.OUTLINES if self.request.boxes_only else carries

    def _carries(self, name: str) -> frozenset[str]:
        """Return what the target holds; a copy in the same format, or in one for everything, keeps defects, too."""
        carries = self._holds()
        keeps_all = name == self.request.to or frozenset(formats.CARRIED) <= self.format.CARRIES
        return carries | (frozenset(conserving.DEFECTS) - {"no-image"}) if keeps_all else carries

    def _in_pixels(self, dataset: Dataset, origin: Origin) -> Dataset:
        if self.request.pixels == "keep":
            return dataset
        return reshaping.in_pixels(dataset, origin.pixels, self._pixels())

    def _pixels(self) -> Pixels:
        """Return what the target's box numbers count."""
        pixels: Pixels = getattr(self.format, "PIXELS", "exclusive")
        return pixels

    def _losses(self, dataset: Dataset, carries: frozenset[str]) -> list[Loss]:
        written = reshaping.without_outlines(dataset) if self.request.boxes_only else dataset
        own = self.format.losses(written) if hasattr(self.format, "losses") else []
        return [*self._photo_losses(dataset), *conserving.losses(dataset, carries, self._pixels()), *own]

    def _photo_losses(self, dataset: Dataset) -> list[Loss]:
        if self.request.images == "none":
            return []
        absent = photo_copies.missing(dataset)
        return [Loss("no-image", "image", "no such image", absent)] if absent.any() else []

    def _not_allowed(self, counted: Account) -> list[str]:
        allowed = {_SAME.get(name, name) for name in self.request.allowed}
        allowed |= conserving.OUTLINES if self.request.boxes_only else set()
        return [] if ALL in allowed else [name for name in counted.names() if name not in allowed]

    def _report(self, counted: Account, origin: Origin, not_allowed: list[str]) -> Conservation:
        dataset = counted.dataset
        return Conservation(
            source_format=origin.format,
            target_format=self.request.to,
            source_pixels=origin.pixels,
            target_pixels=conserving.pixels_of(dataset),
            images=counted.image_tally(),
            annotations=counted.annotation_tally(),
            classes=counted.class_lines(origin.class_ids, {}),
            unlabelled=counted.unlabelled(),
            not_allowed=not_allowed,
            notes=(*dataset.notes, *_unused(counted, self.format.CARRIES), *self._links()),
        )

    def _links(self) -> list[str]:
        if self.request.images != "symlink":
            return []
        return ["Photos are links to the source's; to read them, say `links: follow` in vision.yaml or --follow-links."]

    def _conversion(
        self, report: Conservation, *, written: bool, verification: Verification | None = None
    ) -> Conversion:
        request = self.request
        return Conversion(
            request.source, request.target, report, written, request.dry_run, request.images, verification
        )

    def _write(self, kept: Dataset, counted: Account, name: str) -> tuple[Written, Verification | None]:
        """Write labels and photos beside the target, and publish them by one rename."""
        request = self.request
        dataset = reshaping.with_boxes(kept, self.format.CARRIES)
        dataset = reshaping.without_outlines(dataset) if request.boxes_only else dataset
        options = WriteOptions(request.workers, conserving.pixels_of(dataset), request.mapping)
        if request.images != "none":
            photo_copies.check_contained(dataset)
        self._check_space(dataset)
        verification = None
        with staged(self.target) as folder:
            written: Written = self.format.write(dataset, folder, options)
            if request.verify:
                verification = self._verified(dataset, written, folder, counted)
            if request.images != "none":
                found = photo_copies.pairs(dataset, written.photos)
                photo_copies.place(found, folder, request.images, request.workers, self.progress)
            if request.to in (name, *_first_formats(dataset)):
                photo_copies.place_companions(dataset, folder)
        return written, verification

    def _check_space(self, dataset: Dataset) -> None:
        labels = dataset.annotations.num_rows * _BYTES_A_ROW + len(dataset) * _BYTES_A_PHOTO
        photos = photo_copies.bytes_of(dataset) if self.request.images == "copy" else 0
        check_space(self.target, labels + photos)

    def _verified(self, dataset: Dataset, written: Written, folder: Path, counted: Account) -> Verification:
        """Read back what was written; the photos are not needed for it, but their sizes may be."""
        from vision_cli.stages.converting import verify_copy

        sent = verify_copy.Sent(dataset, written, folder, *map(counted.changed, verify_copy.FREE))
        made = photo_copies.stand_ins(sent.dataset, sent.written.photos, sent.folder)
        options = ReadOptions(SOURCE, pixels=conserving.pixels_of(sent.dataset), mapping=self.request.mapping)
        try:
            back = self.format.read(sent.folder, options)
        except DataError as error:
            told = [f"it cannot be read back: {error.message}", *error.details]
            raise _DiffersError(verify_copy.Verification(differences=tuple(told))) from error
        finally:
            photo_copies.take_away(made)
        verification = verify_copy.compare(sent, back, self.format)
        if verification.differences:
            raise _DiffersError(verification)
        return verification


def writer(to: str, allowed: frozenset[str] = frozenset()) -> ModuleType:
    """Return a format that can be written, once the losses that are allowed are known by name.

    Raises:
        UsageError: an unknown format or loss, or a format that is only read.
    """
    target_format = formats.FORMATS.load(to)
    _check_names(target_format, allowed)
    if not hasattr(target_format, "write"):
        hint = "`vision data formats` says which can be written."
        raise UsageError(f"the format '{to}' is only read.", hint=hint)
    return target_format


def _check_names(target_format: ModuleType, allowed: frozenset[str]) -> None:
    own = getattr(target_format, "LOSSES", ())
    known = {ALL, *formats.CARRIED, *conserving.DEFECTS, *conserving.OTHERS, *own}
    for name in sorted(allowed - known):
        guess = suggestion(name, sorted(known))
        meant = f"Did you mean '{guess}'? " if guess else ""
        raise UsageError(f"no loss is called '{name}'.", hint=f"{meant}{_LOSSES}")


def _first_formats(dataset: Dataset) -> list[str]:
    """Return the format that data of one source came in at first, before it was kept in ours."""
    return [origin.format for origin in dataset.origins.values()] if len(dataset.roots) == 1 else []


def _unused(counted: Account, carries: frozenset[str]) -> list[str]:
    """Tell of classes without annotation: they count in formats that list their classes, and are gone in others."""
    names = [line.name for line in counted.class_lines({}, {}) if not line.annotations.before]
    if not names:
        return []
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    fate = "stay in the list of classes" if "order" in carries else "are not in the target"
    return [f"Classes without annotation {fate}: {', '.join(names[:_SHOWN])}{more}."]
