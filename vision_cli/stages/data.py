"""From the project file to the photos of a view."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli import formats
from vision_cli.core import spill
from vision_cli.core.catalogue import listed, suggestion
from vision_cli.core.config import SourceConfig, ViewConfig
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.project import Project
from vision_cli.core.run import slug
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.formats import iso_times, metadata
from vision_cli.stages import place_truth, split_memory
from vision_cli.views import select

ALL = "all"
MOST_DEALT = 200_000
"""Photos; sharing out more takes longer than a look should."""


@dataclass(frozen=True, slots=True)
class TaskData:
    """A view with the task that its labels serve.

    Attributes:
        dataset: every photo has a split.
        task: of core/tasks.py.
        by_heart: every photo is learned from and judged on.
        part_of: digest of the view that these photos are a part of; empty where they are all of it.
    """

    dataset: Dataset
    task: str
    by_heart: bool = False
    part_of: str = ""

    @property
    def digest(self) -> str:
        """Return the digest of the whole view's labels."""
        return self.part_of or self.dataset.digest()

    def part(self, name: str) -> Dataset:
        """Return the photos of one split."""
        return self.dataset if self.by_heart else self.dataset.split(name)

    def without_test(self) -> TaskData:
        """Return the photos that may be learned and chosen from: all but those of the test split."""
        return replace(self, dataset=self.dataset.select(np.isin(self.dataset.splits(), ("train", "val"))))

    def targets(self, part: Dataset) -> np.ndarray[Any, Any]:
        """Return int64 (N,), bool (N, C) or float64 (N,), by task, of some of the photos."""
        return targets(part, self.task)


def targets(dataset: Dataset, task: str) -> np.ndarray[Any, Any]:
    """Return the truth: int64 (N,) for classify, bool (N, C) for multilabel, float64 (N,) for regress."""
    if task == "classify":
        return dataset.class_ids()
    return dataset.class_matrix() if task == "multilabel" else dataset.values()


def load_view(project: Project, name: str | None = None, *, remember: bool = True) -> TaskData:
    """Read the sources of a view, bring them to one class map and one split.

    Args:
        project: its `data` section names sources and views.
        name: the view; `all` is every source unless the project declares a view of that name.
        remember: write the splits of new photos to splits.json; without, nothing is written.

    Raises:
        UsageError: no source is declared, or the view is unknown.
        DataError: a source or splits.json is refused.
    """
    name = name or project.config.train.view
    dataset = load_photos(project, name)
    if not len(dataset):
        raise DataError("the view has no photo.", hint=f"`vision data view {name}` shows where they are left out.")
    task = resolve_task(project, dataset)
    if task in PLACE_TASKS:
        declared = find_view(project, name).classes or project.config.classes
        dataset = place_truth.prepared(dataset, task, declared)
    split = split_memory.split(project, dataset, task, remember=remember, rule=split_rule(project, name))
    return TaskData(split, task)


def load_photos(project: Project, name: str | None = None) -> Dataset:
    """Read the photos of a view, as they are: with a split only if they come with one.

    Raises:
        UsageError: no source is declared, or the view is unknown or its condition wrong.
        DataError: a source is refused.
    """
    name = name or project.config.train.view
    view = find_view(project, name)
    where = place(project, name, "where")
    return select.combine(read_sources(project, view), view, project.config.classes, place=where)


def with_splits(project: Project, name: str, dataset: Dataset) -> Dataset:
    """Return the photos of a view with the splits that training sees; nothing is remembered.

    Above `MOST_DEALT` photos those without a split stay without one, and a note says it.

    Raises:
        DataError: splits.json is broken, or the splits that the photos come with part a group.
    """
    if not len(dataset):
        return dataset
    if len(dataset) > MOST_DEALT:
        undealt = dataset.images["split"].null_count
        note = f"{undealt:,} photos have no split yet: training deals it; a look shares out {MOST_DEALT:,} at most."
        return replace(dataset, notes=(*dataset.notes, note)) if undealt else dataset
    task = resolve_task(project, dataset)
    return split_memory.split(project, dataset, task, remember=False, rule=split_rule(project, name))


def split_rule(project: Project, name: str) -> split_memory.Rule:
    """Return how the photos of a view are dealt: a view with shares of its own has a memory of its own."""
    view = find_view(project, name)
    if view.split is None:
        return split_memory.Rule(project.config.data.split)
    clean = slug(name)
    mark = "" if clean == name else f"-{zlib.crc32(name.encode()):08x}"
    return split_memory.Rule(view.split, f"splits-{clean}{mark}.json")


def place(project: Project, name: str, key: str) -> str:
    """Return where a setting of a view stands, for messages."""
    dotted = f"data.views.{name}.{key}"
    origin = project.origin(dotted)
    return dotted if origin == "default" else f"{origin}: {dotted}"


def read_sources(project: Project, view: ViewConfig) -> dict[str, Dataset]:
    """Read the sources of a view, with the metadata that stands beside them.

    Raises:
        DataError: a source or its metadata is refused.
    """
    return {name: load_source(project, name) for name in view.sources}


def load_folder(project: Project, path: Path) -> TaskData:
    """Read one data set that the project file does not name; all its photos are judged.

    Raises:
        DataError: it is not there, or it is refused.
    """
    if not path.exists():
        hint = "Give a data set in any format that is read, or a label file."
        raise DataError(f"{path}: there is no such file or folder.", hint=hint)
    dataset = formats.read("data", SourceConfig(path=str(path)), path)
    _check_labels(dataset, path)
    classes = project.config.classes or []
    dataset = select.combine({"data": dataset}, None, classes)
    task = resolve_task(project, dataset)
    return TaskData(place_truth.prepared(dataset, task, classes) if task in PLACE_TASKS else dataset, task)


def _check_labels(dataset: Dataset, path: Path) -> None:
    """Refuse a list of results, which says what a model found and not what is true."""
    from vision_cli.formats.coco.results import MARKER

    if any(MARKER in origin.header for origin in dataset.origins.values()):
        raise DataError(
            f"{path}: holds results with scores, not labels: judged on what a model said, it would be perfect.",
            hint="Give the file of the labels; results are for `vision eval --results FILE`.",
        )


def find_view(project: Project, name: str) -> ViewConfig:
    """Return a view by name; `all` is every source unless the project declares a view of that name.

    Raises:
        UsageError: no source is declared, or the view is unknown.
    """
    data = project.config.data
    if not data.sources:
        raise UsageError(
            f"{project.file}: names no data." if project.file else "there is no vision.yaml here or above.",
            hint="Write one with `vision init --data FOLDER`, or add data.sources to vision.yaml.",
        )
    if name in data.views:
        return data.views[name]
    if name != ALL:
        guess = suggestion(name, list(data.views))
        meant = f"Did you mean '{guess}'? " if guess else ""
        raise UsageError(f"no view is called '{name}'.", hint=f"{meant}Views: {', '.join([ALL, *data.views])}.")
    return ViewConfig.model_validate({"from": list(data.sources)})


def load_source(project: Project, name: str) -> Dataset:
    """Read one source with the metadata that stands beside it, or the version of it that the project file names.

    Raises:
        UsageError: there is no such version.
        DataError: the source or its metadata is refused.
    """
    source = project.config.data.sources[name]
    if source.version is not None:
        from vision_cli.stages.versioning import version_sources  # for those who ask for it

        return version_sources.read(project, name, source.version)
    images = None if source.images is None else str(project.path(source.images))
    dataset = formats.read(name, source.model_copy(update={"images": images}), project.path(source.path))
    spill.trim()
    return described(project, source, dataset)


def described(project: Project, source: SourceConfig, dataset: Dataset) -> Dataset:
    """Return a source with times as timestamps, and what sidecars and EXIF say of its photos as columns.

    Raises:
        DataError: a sidecar is refused.
    """
    dataset = iso_times.typed(dataset)
    for file in source.metadata:
        dataset = metadata.attach(dataset, project.path(file.path), file.by)
    if source.exif:
        from vision_cli.formats import exif_columns  # Pillow, for those who ask for it

        dataset = exif_columns.attach(dataset)
    return dataset


def resolve_task(project: Project, dataset: Dataset) -> str:
    """Return the declared task, or what the labels say: values, places, several classes a photo, or one."""
    declared = project.config.task
    if declared is not None:
        return declared
    if dataset.annotations["value"].null_count < dataset.annotations.num_rows:
        return "regress"
    if places := place_truth.task_of(dataset):
        return places
    several = dataset.class_matrix().sum(axis=1).max(initial=0) > 1
    return "multilabel" if several else "classify"


def align(dataset: Dataset, classes: ClassMap) -> Dataset:
    """Return a data set with a model's class map, by name.

    Raises:
        DataError: the data has labels of a class that the model does not know.
    """
    names = dataset.classes.names
    if names == classes.names:
        return dataset
    used = {names[index] for index in np.flatnonzero(dataset.class_matrix().any(axis=0))}
    unknown = sorted(used - set(classes.names))
    if unknown:
        raise DataError(
            f"the data has classes that the model does not know: {listed(unknown)}.",
            hint=f"The model knows {listed(classes.names)}. Map or drop the others in the view, or train again.",
        )
    return dataset.with_classes(classes)
