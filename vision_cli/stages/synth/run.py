"""A run of `vision synth`: labelled photos out of objects and backgrounds."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.project import Project
from vision_cli.stages import places, ray_cluster
from vision_cli.stages.synth.asking import asked as asking
from vision_cli.stages.synth.asking import commands
from vision_cli.stages.synth.asking.asked import Asked, Given, Shard
from vision_cli.stages.synth.asking.commands import COMMANDS, AnyConfig
from vision_cli.stages.synth.cleaning import aside
from vision_cli.stages.synth.making import label_set, maker, on_ray, processes
from vision_cli.stages.synth.making.label_set import Labels
from vision_cli.stages.synth.making.maker import PHOTOS
from vision_cli.stages.synth.making.records import Records
from vision_cli.stages.synth.making.run_folder import SAME_BACKGROUNDS, RunFolder, check_format
from vision_cli.stages.synth.making.sides import dealt_notes, sides_of
from vision_cli.stages.synth.measuring import distance, summary
from vision_cli.stages.synth.measuring.distance import DistanceResult
from vision_cli.stages.synth.measuring.summary import Saved, Summary
from vision_cli.stages.synth.telling import preview
from vision_cli.stages.synth.telling.telling import Telling
from vision_cli.stages.target_folder import check_space

FOLDER = Path("synth")
"""Where the folders of runs go when nobody says, each by its command's name."""

LOCAL, RAY = "local", "ray"
"""Where photos are made."""

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
        on: where photos are made: `local` or `ray`.
        download: the photos of a list may be downloaded.
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
    on: str = LOCAL
    download: bool = False


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
    keep = not request.dry_run
    given = Given(request.objects, request.backgrounds, request.offline, keep, keep and request.download)
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
            kept = len(self._there()) if self.folder.state() else 0
            return SynthResult(
                self.folder.path,
                None,
                len(wanted),
                kept,
                dry_run=True,
                notes=self.asked.notes,
                shard=self.folder.shard,
            )
        self.folder.begin(fingerprint)
        with self.folder.held():
            there = self._there().numbers
            self._check_count(there)
            return self._made(frozenset(there), wanted)

    def _there(self) -> Records:
        """Return what is known of the photos that are there.

        Raises:
            UsageError: some were made elsewhere, where other backgrounds were used.
        """
        found = self.folder.made()
        each, names = self.asked.render.scene_photos, self.asked.backgrounds
        scenes = {index // each for index in found.numbers}
        now = {scene: names[maker.background_of(self.asked, scene * each)] for scene in scenes}
        other = [
            f"photo {row['photo']}: {row['background']} there, {now[row['photo'] // each]} now"
            for row in found
            if row["background"] != now[row["photo"] // each]
        ]
        if other:
            raise UsageError(
                f"{self.folder.path}: {len(other)} of {len(found)} photos were made with other backgrounds.",
                details=other[:_SHOWN],
                hint=SAME_BACKGROUNDS,
            )
        return found

    def _made(self, there: Collection[int], wanted: Sequence[int]) -> SynthResult:
        missing = [index for index in wanted if index not in there]
        check_space(self.folder.path, len(missing) * _BYTES_A_PHOTO, "Make room, or choose another disk with --out.")
        start = time.monotonic()
        crew: list[str] = []
        self._work(missing, crew)
        seconds = max(time.monotonic() - start, 1e-6)
        whole = self.folder.shard is None
        notes = self._write_labels() if whole else ()
        every = self.folder.made().of(wanted)
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
            notes=(*self.asked.notes, *notes, *crew),
            shard=self.folder.shard,
            page=told.page if told else None,
            distance=told.distance if told else None,
        )

    def _work(self, missing: Sequence[int], notes: list[str]) -> None:
        """Make photos, and log each group when it is there; notes get what is to be told of who made them."""
        made_by, groups = maker.Maker(self.asked, self.folder.path / PHOTOS), self._groups(missing)
        workers = self.request.workers
        if self.request.on == RAY and groups:
            crew = on_ray.make(made_by, groups, workers, notes)
        else:
            crew = processes.make(made_by, groups, workers or os.cpu_count() or 1)
        done, start = 0, time.monotonic()
        for records in crew:
            for record in records:
                files.append_json_line(self.folder.log, record)
            done += len(records)
            rate = done / max(time.monotonic() - start, 1e-6)
            figures = {"photos_a_second": round(rate, 1), "seconds_left": round((len(missing) - done) / rate)}
            self.progress.step("made", done, len(missing), figures)

    def _write_labels(self) -> tuple[str, ...]:
        self.folder.gather(self.folder.made())
        self.folder.add_format(self.labels.format)
        dataset = label_set.dataset_of(self.folder.made(), self.labels, self.folder.path / PHOTOS)
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

    def _check_count(self, there: Sequence[int]) -> None:
        most = max(there, default=-1) + 1
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
    if request.on == RAY:
        ray_cluster.check_parts()
    if request.on == RAY and shown:
        raise UsageError("--preview draws a few photos here.", hint="Leave --on out.")
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
) -> tuple[Asked, aside.Cleaned | None]:
    """Return the run without backgrounds that seem to show an object, where that is asked."""
    if not _looks(request, config):
        return asked, None
    check = aside.Check(config.clean_score, request.detector, request.workers, request.dry_run)
    return aside.clean(asked, project, check, progress)


def _check_place(folder: RunFolder, asked: Asked, request: SynthRequest) -> None:
    """Refuse a folder among what is read, or that belongs to the project's data."""
    real = Path(os.path.realpath(folder.path))
    for source in asked.reads:
        if real.is_relative_to(os.path.realpath(source)):
            raise UsageError(f"{folder.path}: lies in {source}, which is read.", hint="Choose another --out.")
    places.check_additions(folder.path, project=request.project)
