"""`vision synth logos`: labelled photos out of pictures of objects and a folder of backgrounds."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli import formats
from vision_cli.core import files
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.project import Project
from vision_cli.stages import places
from vision_cli.stages.synth import asked as asking
from vision_cli.stages.synth import label_set, making, preview, summary
from vision_cli.stages.synth.asked import Asked, Shard
from vision_cli.stages.synth.making import PHOTOS, Record
from vision_cli.stages.synth.run_folder import RunFolder, check_format
from vision_cli.stages.synth.summary import Saved, Summary
from vision_cli.stages.target_folder import check_space

FOLDER = Path("synth") / "logos"
"""Where photos go when nobody says."""

_BYTES_A_PHOTO = 120_000


@dataclass(frozen=True, slots=True)
class LogosRequest:
    """What to make; None is what the project file says.

    Attributes:
        project: read and validated.
        logos: folder of the objects.
        backgrounds: folder of photos.
        count: photos in all, those that are there included.
        out: folder of the run.
        seed: of the run.
        format: of the data set.
        workers: processes; None is one a core.
        preview: only show so many of the photos.
        shard: `3/16` makes only that part of them.
        offline: no download.
        dry_run: write nothing.
    """

    project: Project
    logos: Path | None = None
    backgrounds: Path | None = None
    count: int | None = None
    out: Path | None = None
    seed: int | None = None
    format: str | None = None
    workers: int | None = None
    preview: int | None = None
    shard: str | None = None
    offline: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class LogosResult:
    """What came of it.

    Attributes:
        folder: of the run.
        data: the data set; None while there is none: a preview, a part, a dry run.
        wanted: photos that this call was to have, in all or of its part.
        kept: photos that were there before.
        made: photos that were made now.
        photos_a_second: of those.
        dry_run: nothing is written.
        pictures: of a preview.
        summary: of the photos that are there; None for a preview or a dry run.
        saved: against labelling by hand; None likewise.
        notes: what the format does not hold.
        shard: which part.
    """

    folder: Path
    data: Path | None
    wanted: int
    kept: int = 0
    made: int = 0
    photos_a_second: float | None = None
    dry_run: bool = False
    pictures: tuple[Path, ...] = ()
    summary: Summary | None = None
    saved: Saved | None = None
    notes: tuple[str, ...] = ()
    shard: Shard | None = None


def make_logos(request: LogosRequest, progress: Progress | None = None) -> LogosResult:
    """Make the photos that are missing, then write the labels of all.

    Raises:
        UsageError: an option or setting is wrong, or the folder holds something else.
        DataError: a logo or background is refused.
        MissingPartError: a part for the depth estimator is not there.
        ResourceError: the disk refuses, another run writes there, or a process was ended.
    """
    project = _with_given(request)
    shard = asking.shard_of(request.shard)
    if request.preview is not None and shard is not None:
        raise UsageError("--preview shows the first photos, not a part.", hint="Leave --shard out.")
    config = project.config.synth.logos
    check_format(config.format)
    asked = asking.ask(project, request.logos, request.backgrounds, offline=request.offline)
    folder = RunFolder(project.root / FOLDER if request.out is None else request.out, shard)
    _check_place(folder, asked, request)
    run = _Run(asked, folder, config.count, request, progress or Silent())
    return run.preview() if request.preview is not None else run.make(config.format)


@dataclass(frozen=True, slots=True)
class _Run:
    """A run whose inputs are checked."""

    asked: Asked
    folder: RunFolder
    count: int
    request: LogosRequest
    progress: Progress

    def preview(self) -> LogosResult:
        """Draw the first photos and scenes; nothing else is written."""
        shown, at = self.request.preview or 0, self.folder.path
        found = () if self.request.dry_run else preview.write(self.asked, shown, at, self.progress)
        return LogosResult(at, None, shown, dry_run=self.request.dry_run, pictures=found)

    def make(self, to: str) -> LogosResult:
        """Make what is missing, and write the labels."""
        fingerprint = self.asked.fingerprint()
        self.folder.check(fingerprint)
        wanted = self._indices()
        if self.request.dry_run:
            there = self.folder.made() if self.folder.state() else {}
            return LogosResult(self.folder.path, None, len(wanted), len(there), dry_run=True, shard=self.folder.shard)
        self.folder.begin(fingerprint)
        with self.folder.held():
            records = self.folder.made()
            self._check_count(records)
            return self._made(records, wanted, to)

    def _made(self, records: dict[int, Record], wanted: Sequence[int], to: str) -> LogosResult:
        missing = [index for index in wanted if index not in records]
        check_space(self.folder.path, len(missing) * _BYTES_A_PHOTO)
        start = time.monotonic()
        for record in self._work(missing):
            records[record["photo"]] = record
        seconds = max(time.monotonic() - start, 1e-6)
        every = [records[index] for index in wanted]
        whole = self.folder.shard is None
        notes = self._labels(every, to) if whole else ()
        return LogosResult(
            self.folder.path,
            self.folder.path / to if whole else None,
            len(wanted),
            kept=len(wanted) - len(missing),
            made=len(missing),
            photos_a_second=round(len(missing) / seconds, 2) if missing else None,
            summary=summary.summary(every, self.asked.book.classes),
            saved=summary.saved(len(wanted), round(seconds / len(missing), 4) if missing else None),
            notes=notes,
            shard=self.folder.shard,
        )

    def _work(self, missing: Sequence[int]) -> list[Record]:
        """Make photos, and log each group when it is there."""
        maker = making.Maker(self.asked, self.folder.path / PHOTOS)
        found: list[Record] = []
        start = time.monotonic()
        for records in making.make(maker, self._groups(missing), self.request.workers or os.cpu_count() or 1):
            for record in records:
                files.append_json_line(self.folder.log, record)
            found += records
            rate = len(found) / max(time.monotonic() - start, 1e-6)
            left = (len(missing) - len(found)) / rate
            figures = {"photos_a_second": round(rate, 1), "seconds_left": round(left)}
            self.progress.step("made", len(found), len(missing), figures)
        return found

    def _labels(self, records: Sequence[Record], to: str) -> tuple[str, ...]:
        self.folder.gather(records)
        self.folder.add_format(to)
        carries = formats.FORMATS.load(to).CARRIES
        dataset = label_set.dataset_of(records, self.asked.book.classes, self.folder.path / PHOTOS, carries)
        return label_set.write(dataset, to, self.folder.path, self.progress)

    def _indices(self) -> list[int]:
        """Return the photos of this call; a part has whole scenes, the same ones whatever the count."""
        if self.folder.shard is None:
            return list(range(self.count))
        part, parts = self.folder.shard
        size = self.asked.render.scene_photos
        return [index for index in range(self.count) if index // size % parts == part - 1]

    def _groups(self, indices: Sequence[int]) -> list[list[int]]:
        """Return photos by scene, so that a background is read once."""
        found: dict[int, list[int]] = {}
        for index in indices:
            found.setdefault(index // self.asked.render.scene_photos, []).append(index)
        return list(found.values())

    def _check_count(self, records: dict[int, Record]) -> None:
        most = max(records, default=-1) + 1
        if most > self.count:
            raise UsageError(
                f"{self.folder.path}: holds {most} photos, more than the {self.count} that are asked for.",
                hint=f"Say -n {most} or more, or choose another folder with --out.",
            )


def _with_given(request: LogosRequest) -> Project:
    """Return the project with the options of the call."""
    names = {"count": request.count, "seed": request.seed, "format": request.format}
    given: dict[str, Any] = {name: value for name, value in names.items() if value is not None}
    config = request.project.config
    section = config.synth.model_copy(update={"logos": config.synth.logos.model_copy(update=given)})
    return replace(request.project, config=config.model_copy(update={"synth": section}))


def _check_place(folder: RunFolder, asked: Asked, request: LogosRequest) -> None:
    """Refuse a folder among what is read, or that belongs to the project's data."""
    real = Path(os.path.realpath(folder.path))
    sources = [asked.folder, *([request.logos] if request.logos else [])]
    for source in sources:
        if real.is_relative_to(os.path.realpath(source)):
            raise UsageError(f"{folder.path}: lies in {source}, which is read.", hint="Choose another --out.")
    places.check_additions(folder.path, project=request.project)
