"""A run of `vision synth`: labelled photos out of objects and backgrounds."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.project import Project
from vision_cli.stages import places
from vision_cli.stages.synth import asked as asking
from vision_cli.stages.synth import cleaning, commands, distance, label_set, making, preview, summary
from vision_cli.stages.synth.asked import Asked, Given, Shard
from vision_cli.stages.synth.commands import COMMANDS, AnyConfig
from vision_cli.stages.synth.distance import DistanceResult
from vision_cli.stages.synth.label_set import Labels
from vision_cli.stages.synth.making import PHOTOS, Record
from vision_cli.stages.synth.run_folder import SAME_BACKGROUNDS, RunFolder, check_format
from vision_cli.stages.synth.sides import dealt_notes, sides_of
from vision_cli.stages.synth.summary import Saved, Summary
from vision_cli.stages.synth.telling import Telling
from vision_cli.stages.target_folder import check_space

FOLDER = Path("synth")
"""Where the folders of runs go when nobody says, each by its command's name."""

_BYTES_A_PHOTO = 120_000
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SynthRequest:
    """What to make; None is what the project file says.

    Attributes:
        project: read and validated.
        command: of `COMMANDS`.
        objects: a folder of pictures, or labelled photos: a view or a data set.
        backgrounds: a folder of photos, or a view.
        count: photos in all, those that are there included.
        out: folder of the run.
        seed: of the run.
        format: of the data set.
        task: that the labels are for.
        workers: processes; None is one a core.
        preview: only show so many of the photos.
        shard: `3/16` makes only that part of them.
        offline: no download.
        dry_run: write nothing.
        check_clean: set backgrounds aside that seem to show an object.
        detector: a run, model folder or file that looks for that as well.
        real: folder of real photos to tell the distance from.
    """

    project: Project
    command: str = "logos"
    objects: str | None = None
    backgrounds: str | None = None
    count: int | None = None
    out: Path | None = None
    seed: int | None = None
    format: str | None = None
    task: str | None = None
    workers: int | None = None
    preview: int | None = None
    shard: str | None = None
    offline: bool = False
    dry_run: bool = False
    check_clean: bool | None = None
    detector: Path | None = None
    real: Path | None = None


@dataclass(frozen=True, slots=True)
class SynthResult:
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
        notes: what was left out of the inputs, and what the format does not hold.
        shard: which part.
        page: the report; None likewise.
        distance: from real photos; None where nobody asked.
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
    page: Path | None = None
    distance: DistanceResult | None = None


def make_photos(request: SynthRequest, progress: Progress | None = None) -> SynthResult:
    """Make the photos that are missing, then write the labels of all.

    Raises:
        UsageError: an option or setting is wrong, or the folder holds something else.
        DataError: an object or background is refused.
        MissingPartError: a part for the depth estimator is not there.
        ResourceError: the disk refuses, another run writes there, or a process was ended.
    """
    project = _with_given(request)
    shard = asking.shard_of(request.shard)
    progress = progress or Silent()
    command = COMMANDS[request.command]
    config = command.section(project)
    _check_options(request, config)
    to, task = commands.format_of(config), commands.task_of(config)
    check_format(to, task)
    given = Given(request.objects, request.backgrounds, request.offline, remember=not request.dry_run)
    asked = asking.ask(project, command, given, progress)
    real = _checked_real(project, config, request)
    asked, cleaned = _cleaned(asked, project, config, request, progress)
    sides = sides_of(asked, to, project.config.data.split)
    labels = Labels(asked.book.classes, task, to, sides, commands.negative_class(config))
    labels.check()
    folder = RunFolder(project.root / FOLDER / command.name if request.out is None else request.out, shard)
    _check_place(folder, asked, request)
    run = _Run(asked, folder, config.count, labels, request, progress, Telling(project, config, cleaned, real))
    return run.preview() if request.preview is not None else run.make()


@dataclass(frozen=True, slots=True)
class _Run:
    """A run whose inputs are checked."""

    asked: Asked
    folder: RunFolder
    count: int
    labels: Labels
    request: SynthRequest
    progress: Progress
    telling: Telling

    def preview(self) -> SynthResult:
        """Draw the first photos and scenes; nothing else is written."""
        shown, at = self.request.preview or 0, self.folder.path
        found = () if self.request.dry_run else preview.write(self.asked, shown, at, self.progress)
        notes = self.asked.notes
        return SynthResult(at, None, shown, dry_run=self.request.dry_run, pictures=found, notes=notes)

    def make(self) -> SynthResult:
        """Make what is missing, and write the labels."""
        fingerprint = self.asked.fingerprint()
        self.folder.check(fingerprint)
        wanted = self._indices()
        if self.request.dry_run:
            there = self._there() if self.folder.state() else {}
            return SynthResult(
                self.folder.path,
                None,
                len(wanted),
                len(there),
                dry_run=True,
                notes=self.asked.notes,
                shard=self.folder.shard,
            )
        self.folder.begin(fingerprint)
        with self.folder.held():
            records = self._there()
            self._check_count(records)
            return self._made(records, wanted)

    def _there(self) -> dict[int, Record]:
        """Return the photos that are there.

        Raises:
            UsageError: some were made elsewhere, where other backgrounds were used.
        """
        found = self.folder.made()
        each, names = self.asked.render.scene_photos, self.asked.backgrounds
        now = {scene: names[making.background_of(self.asked, scene * each)] for scene in {i // each for i in found}}
        other = [index for index, row in sorted(found.items()) if row["background"] != now[index // each]]
        if other:
            raise UsageError(
                f"{self.folder.path}: {len(other)} of {len(found)} photos were made with other backgrounds.",
                details=[f"photo {i}: {found[i]['background']} there, {now[i // each]} now" for i in other[:_SHOWN]],
                hint=SAME_BACKGROUNDS,
            )
        return found

    def _made(self, records: dict[int, Record], wanted: Sequence[int]) -> SynthResult:
        missing = [index for index in wanted if index not in records]
        check_space(self.folder.path, len(missing) * _BYTES_A_PHOTO)
        start = time.monotonic()
        for record in self._work(missing):
            records[record["photo"]] = record
        seconds = max(time.monotonic() - start, 1e-6)
        every = [records[index] for index in wanted]
        whole = self.folder.shard is None
        notes = self._write_labels(every) if whole else ()
        found = summary.summary(every, self.asked.book.classes)
        told = self.telling.tell(self.folder.path, self.asked, every, found, self.progress) if whole else None
        return SynthResult(
            self.folder.path,
            self.folder.path / self.labels.format if whole else None,
            len(wanted),
            kept=len(wanted) - len(missing),
            made=len(missing),
            photos_a_second=round(len(missing) / seconds, 2) if missing else None,
            summary=found,
            saved=summary.saved(len(wanted), round(seconds / len(missing), 4) if missing else None),
            notes=(*self.asked.notes, *notes),
            shard=self.folder.shard,
            page=told.page if told else None,
            distance=told.distance if told else None,
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

    def _write_labels(self, records: Sequence[Record]) -> tuple[str, ...]:
        self.folder.gather(records)
        self.folder.add_format(self.labels.format)
        dataset = label_set.dataset_of(records, self.labels, self.folder.path / PHOTOS)
        notes = label_set.write(dataset, self.labels.format, self.folder.path, self.progress)
        return (*notes, *dealt_notes(self.asked, self.labels))

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


def _with_given(request: SynthRequest) -> Project:
    """Return the project with the options of the call."""
    names = {"count": request.count, "seed": request.seed, "format": request.format, "task": request.task}
    given: dict[str, Any] = {name: value for name, value in names.items() if value is not None}
    config = request.project.config
    own: AnyConfig = getattr(config.synth, request.command)
    section = config.synth.model_copy(update={request.command: own.model_copy(update=given)})
    return replace(request.project, config=config.model_copy(update={"synth": section}))


def _check_options(request: SynthRequest, config: AnyConfig) -> None:
    """Refuse options that say nothing beside each other.

    Raises:
        UsageError: naming them.
    """
    part, shown = request.shard is not None, request.preview is not None
    if shown and part:
        raise UsageError("--preview shows the first photos, not a part.", hint="Leave --shard out.")
    if request.real is not None and (part or shown):
        other = "--shard" if part else "--preview"
        raise UsageError(
            f"--real: no distance is told with {other}: it takes all photos of a run.",
            hint=f"Leave --real out here, and say it to the command without {other}.",
        )
    if request.detector is not None and not _looks(request, config):
        raise UsageError("--detector looks for objects in backgrounds.", hint="Say --check-clean as well.")


def _looks(request: SynthRequest, config: AnyConfig) -> bool:
    """Return whether backgrounds are searched for the objects."""
    return config.check_clean if request.check_clean is None else request.check_clean


def _checked_real(project: Project, config: AnyConfig, request: SynthRequest) -> Path | None:
    """Return the folder of real photos, if there is one, before anything is made.

    Raises:
        DataError: it has too few photos, or some cannot be read.
        MissingPartError: what looks at them is not installed.
    """
    declared = None if config.real is None else project.path(config.real)
    real = request.real or declared
    if real is None or request.preview is not None or request.shard is not None:
        return None
    distance.check_parts()
    distance.check_real(real, made=config.count)
    return real


def _cleaned(
    asked: Asked, project: Project, config: AnyConfig, request: SynthRequest, progress: Progress
) -> tuple[Asked, cleaning.Cleaned | None]:
    """Return the run without backgrounds that seem to show an object, where that is asked."""
    if not _looks(request, config):
        return asked, None
    check = cleaning.Check(config.clean_score, request.detector, request.workers, request.dry_run)
    return cleaning.clean(asked, project, check, progress)


def _check_place(folder: RunFolder, asked: Asked, request: SynthRequest) -> None:
    """Refuse a folder among what is read, or that belongs to the project's data."""
    real = Path(os.path.realpath(folder.path))
    for source in asked.reads:
        if real.is_relative_to(os.path.realpath(source)):
            raise UsageError(f"{folder.path}: lies in {source}, which is read.", hint="Choose another --out.")
    places.check_additions(folder.path, project=request.project)
