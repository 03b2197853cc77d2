"""`vision init`: look at labelled photos and write the project file that fits them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from vision_cli import formats, metrics
from vision_cli.core import files, kpi, yaml_source
from vision_cli.core.config import ProjectConfig, SourceConfig
from vision_cli.core.dataset import SPLITS, ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.schema import project_schema
from vision_cli.core.tasks import PLACE_TASKS, TASKS, hint_for_task
from vision_cli.imaging import ending
from vision_cli.stages import place_truth
from vision_cli.stages.project import label_sets, photo_folder, project_text
from vision_cli.stages.project.label_sets import LabelSet
from vision_cli.stages.project.project_text import ProjectText

SCHEMA_PATH = Path(".vision") / "vision.schema.json"
_MOST_ENDS = 20_000
_LISTED = 5
_IMBALANCE = 3
"""From this ratio of the most to the least frequent class on, accuracy hides the rare ones."""
_PLACE_KPIS = {"detect": "ap50 > 0.5", "instance": "ap50 > 0.5", "semantic": "miou > 0.5", "panoptic": "pq > 0.4"}


@dataclass(frozen=True, slots=True)
class InitRequest:
    """What the user said.

    Attributes:
        target: project file to write.
        data: folder of photos or CSV; looked for beside the project file when None.
        format: name in the formats table; found when None.
        images: folder of the photos, where it is not that of the labels; looked for when None.
        task: of core/tasks.py; what the labels say when None.
        name: of the project; its folder's when None.
        kpis: texts; one that suits the task when empty.
        force: replace a project file that is there.
        dry_run: say what would be written, write nothing.
    """

    target: Path
    data: Path | None = None
    format: str | None = None
    task: str | None = None
    name: str | None = None
    images: Path | None = None
    kpis: tuple[str, ...] = ()
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """What the labelled photos look like.

    Attributes:
        data: folder or CSV.
        format: name in the formats table.
        photos: number.
        splits: number of photos in each split that they come with; empty when they come with none.
        task: what the labels say.
        classes: (name, number of photos) in the class map's order; of objects and segments their number.
        values: of `regress`: lowest, highest, and mean distance from their mean; None otherwise.
        notes: what the reader left out and why.
        objects: labelled objects or segments; None where photos are counted.
        images: folder of the photos, where it has to be said.
        outlined: whether any object has an outline or a mask.
        others: label sets that lie there, too, and were not taken.
    """

    data: Path
    format: str
    photos: int
    splits: Mapping[str, int]
    task: str
    classes: tuple[tuple[str, int], ...]
    values: tuple[float, float, float] | None = None
    notes: tuple[str, ...] = ()
    objects: int | None = None
    images: Path | None = None
    outlined: bool = False
    others: tuple[LabelSet, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "data": self.data,
            "images": self.images,
            "format": self.format,
            "photos": self.photos,
            "splits": dict(self.splits),
            "task": self.task,
            "objects": self.objects,
            "classes": dict(self.classes),
            "values": None if self.values is None else dict(zip(("low", "high", "spread"), self.values, strict=True)),
            "notes": list(self.notes),
            "others": list(self.others),
        }

    def suited_kpi(self, task: str) -> str:
        """Return a target to begin with."""
        if task == "regress":
            spread = self.values[2] if self.values else 1.0
            return f"mae < {spread / 2:.2g}"
        if task == "multilabel":
            return "map > 0.8"
        if task in PLACE_TASKS:
            return _PLACE_KPIS[task]
        counts = [count for _, count in self.classes]
        uneven = counts and max(counts) > _IMBALANCE * max(min(counts), 1)
        return "balanced_accuracy > 0.8" if uneven else "top1 > 0.8"


@dataclass(frozen=True, slots=True)
class InitResult:
    """What was written, or would be.

    Attributes:
        file: the project file.
        schema: the JSON Schema that it links.
        text: of the project file.
        survey: what it was derived from.
        task: that it declares.
        written: False after a dry run.
    """

    file: Path
    schema: Path
    text: str
    survey: Survey
    task: str
    written: bool


def check_target(request: InitRequest) -> None:
    """Refuse to replace a project file, before any work.

    Raises:
        UsageError: it is there, and `force` is not given; or the task is unknown.
    """
    if request.task is not None and request.task not in TASKS:
        raise UsageError(f"--task: unknown task '{request.task}'.", hint=hint_for_task(request.task))
    if request.target.exists() and not request.force and not request.dry_run:
        raise UsageError(f"{request.target}: is there already.", hint="Replace it with --force.")


def survey(request: InitRequest, progress: Progress) -> Survey:
    """Read the labelled photos.

    Raises:
        UsageError: no data is named and none, or more than one, is found.
        DataError: the data is refused.
    """
    data = request.data or _found(request.target.absolute().parent, progress)
    if not data.exists():
        raise DataError(f"{data}: does not exist.", hint="Give a folder of photos or a CSV of labels: --data PATH.")
    if request.images is not None and not request.images.expanduser().is_dir():
        raise DataError(f"--images-root {request.images}: there is no such folder.", hint="Check the path.")
    name = request.format or _format(data)
    images = None if request.images is None else str(request.images.expanduser().absolute())
    source = SourceConfig(path=str(data), format=name, images=images)
    dataset, beside = photo_folder.read_with_photos(source, data)
    if not len(dataset):
        raise DataError(f"{data}: no photo in it.", hint="Give a folder of photos or a CSV of labels: --data PATH.")
    found = _surveyed(data, name, dataset)
    where = (f"the photos were found in {beside}",) if beside else ()
    others = label_sets.not_taken(data, name, dataset)
    again = "" if request.dry_run else " --force"
    also = label_sets.notes(others, again=again)
    notes = (*where, *found.notes, *photo_folder.partly_missing(dataset), *_cut_off(dataset), *also)
    return replace(found, images=request.images or beside, notes=notes, others=others)


def _cut_off(dataset: Dataset) -> list[str]:
    """Name photos whose file is empty or ends too early, before a training stumbles over them.

    A photo takes some 20 microseconds where its file is in memory; of very many some are looked at, evenly spread.
    """
    paths = dataset.paths()
    picked = np.unique(np.linspace(0, len(paths) - 1, min(len(paths), _MOST_ENDS)).astype(np.int64)).tolist()
    bad = [row for row in picked if _ends_early(paths[row])]
    if not bad:
        return []
    names = dataset.images["path"].to_pylist()
    listed = ", ".join(names[row] for row in bad[:_LISTED]) + (", …" if len(bad) > _LISTED else "")
    of = f"{len(picked):,} photos" if len(picked) == len(paths) else f"{len(picked):,} photos looked at"
    return [f"{len(bad):,} of {of} cannot be read, for the file is cut off or empty: {listed}; see vision data check"]


def _ends_early(path: Path) -> bool:
    try:
        return ending.is_cut_off(path)
    except OSError:  # not there, or not ours to read: the reader of the format has its say
        return False


def _format(data: Path) -> str:
    candidates = formats.detect(data)
    if len(candidates) == 1:
        return candidates[0][0]
    if candidates:
        details = [f"{name}: {evidence}" for name, evidence in candidates]
        names = " or ".join(f"--format {name}" for name, _ in candidates)
        raise UsageError(f"{data}: may be of {len(candidates)} formats.", details=details, hint=f"Say which: {names}")
    formats.refuse_broken(data)
    if data.is_dir() and not any(data.iterdir()):
        raise DataError(
            f"{data}: the folder is empty.", hint="Give a folder of photos or a CSV of labels: --data PATH."
        )
    known = [f"{name}: {card.summary}" for name, card in formats.FORMATS.cards().items()]
    raise DataError(f"{data}: no format fits.", details=known, hint="A folder a class, or a CSV with path,label.")


def usual_place(folder: Path) -> Path | None:
    """Return the one data set in or right below a folder, or None."""
    found = _places(folder)
    return found[0] if len(found) == 1 else None


def _places(folder: Path) -> list[Path]:
    # what holds class folders itself would, seen from here, be one class; folders of splits belong together
    found = label_sets.candidates(folder)
    return found or ([folder] if label_sets.at(folder) else [])


def _found(folder: Path, progress: Progress) -> Path:
    """Return the one data set in or right below a folder."""
    found = _places(folder)
    if len(found) != 1:
        names = ", ".join(path.name for path in found[:8])
        problem = f"{len(found)} folders here hold labelled photos: {names}" if found else "no labelled photos here"
        sets = [each for path in found for each in label_sets.at(path)]
        details = [f"{each.path.name}: {each.format}, {each.evidence}" for each in sets]
        hint = f"Say which: vision init --data {found[0].name if found else 'PATH'}"
        raise UsageError(f"{problem}.", details=details, hint=hint)
    progress.say(f"photos found in {found[0]}")
    return found[0]


def _surveyed(data: Path, name: str, dataset: Dataset) -> Survey:
    splits = dataset.splits()
    counts = {split: int((splits == split).sum()) for split in SPLITS if (splits == split).any()}
    found = Survey(data, name, len(dataset), counts, "regress", (), notes=dataset.notes)
    if dataset.annotations["value"].null_count < dataset.annotations.num_rows:
        values = np.array([value for value in dataset.annotations["value"].to_pylist() if value is not None])
        spread = float(np.abs(values - values.mean()).mean())
        return replace(found, values=(float(values.min()), float(values.max()), spread))
    matrix = dataset.class_matrix()
    if task := place_truth.task_of(dataset):
        return _of_places(found, task, dataset)
    classes = tuple(zip(dataset.classes.names, matrix.sum(axis=0).tolist(), strict=True))
    if len(classes) == 1:
        one = f"every photo is of the one class '{classes[0][0]}': is this the right folder?"
        found = replace(found, notes=(*found.notes, one))
    several = bool(matrix.sum(axis=1).max(initial=0) > 1)
    return replace(found, task="multilabel" if several else "classify", classes=classes)


def _of_places(found: Survey, task: str, dataset: Dataset) -> Survey:
    names = dataset.classes.names
    void = place_truth.not_labelled(dataset)
    if task == "semantic":
        counts, objects = dataset.class_matrix().sum(axis=0), None
    else:
        ids = dataset.annotations["class_id"].drop_null().to_numpy()
        counts, objects = np.bincount(ids, minlength=len(names)), len(ids)
    masks = "every object has an outline, so masks can be learned; for boxes alone, which is faster: --task detect"
    notes = (*found.notes, masks) if task == "instance" else found.notes
    if not len(dataset.annotations):
        notes = (*notes, "no photo has a label yet: there is nothing to learn from")
    if void:
        notes = (
            *notes,
            f"pixels of {' and '.join(void)} are ignored; to learn one, list all classes: `classes: [...]`",
        )
    classes = tuple((name, count) for name, count in zip(names, counts.tolist(), strict=True) if name not in void)
    outlined = place_truth.has_outlines(dataset)
    return replace(found, task=task, classes=classes, objects=objects, notes=notes, outlined=outlined)


def init(request: InitRequest, found: Survey) -> InitResult:
    """Write the project file and the schema that it links.

    Raises:
        UsageError: the file is there, or a KPI does not fit.
        ResourceError: it cannot be written.
    """
    check_target(request)
    task = request.task or found.task
    _check_labels(task, found)
    targets = request.kpis or (found.suited_kpi(task),)
    for text in targets:
        metrics.check_kpi(kpi.parse(text), task, ClassMap(tuple(name for name, _ in found.classes)))
    root = request.target.absolute().parent
    name = request.name or root.name or "vision-project"
    images = None if found.images is None else _shown(found.images, root)
    wanted = ProjectText(name, task, _shown(found.data, root), SCHEMA_PATH.as_posix(), targets, images)
    text = project_text.write(wanted, found)
    _check_own(text)
    if not request.dry_run:
        files.write_json(root / SCHEMA_PATH, project_schema())
        files.write_text(request.target, text)
    return InitResult(request.target, root / SCHEMA_PATH, text, found, task, not request.dry_run)


def _check_labels(task: str, found: Survey) -> None:
    """Refuse a task that the labels cannot serve."""
    if task in PLACE_TASKS and found.task not in PLACE_TASKS:
        raise UsageError(
            f"--task: {task} learns from boxes or masks, and the labels are of whole photos.",
            hint=f"Leave --task out: the labels say {found.task}.",
        )
    if task in PLACE_TASKS and task != "detect" and not found.outlined and found.objects:
        raise UsageError(
            f"--task: {task} learns from outlines or masks, and the labels are boxes.",
            hint="Leave --task out: the labels say detect.",
        )


def _check_own(text: str) -> None:
    try:
        ProjectConfig.model_validate(yaml_source.parse(text, "vision.yaml").tree)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise UsageError("these answers give no valid project file.", details=problems) from error


def _shown(data: Path, root: Path) -> str:
    """Return a path as the project file names it: relative, unless only the file system's root is common."""
    absolute = data.expanduser().absolute()
    try:
        relative = Path(os.path.relpath(absolute, root))
        shares = os.path.commonpath([absolute, root]) != os.path.abspath(os.sep)  # noqa: PTH100  # no pathlib twin
        if shares and (root / relative).samefile(absolute):
            return relative.as_posix()
    except (ValueError, OSError):  # another drive, or a link on the way
        pass
    return absolute.as_posix()
