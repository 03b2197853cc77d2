"""From the project file to the photos of a view."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli import formats
from vision_cli.core.config import SourceConfig, ViewConfig
from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.project import Project
from vision_cli.stages import split_memory
from vision_cli.views import select

ALL = "all"


@dataclass(frozen=True, slots=True)
class TaskData:
    """A view with the task that its labels serve.

    Attributes:
        dataset: every photo has a split.
        task: `classify`, `multilabel` or `regress`.
    """

    dataset: Dataset
    task: str

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
    config = project.config
    if not config.data.sources:
        raise UsageError(
            f"{project.file}: names no data." if project.file else "there is no vision.yaml here or above.",
            hint="Write one with `vision init --data FOLDER`, or add data.sources to vision.yaml.",
        )
    view = _view(project, name or config.train.view)
    sources = {source: _read(project, source, config.data.sources[source]) for source in view.sources}
    dataset = select.combine(sources, view, config.classes)
    return _task_data(project, dataset, remember=remember)


def load_folder(project: Project, path: Path) -> TaskData:
    """Read one data set that the project file does not name; all its photos are judged.

    Raises:
        DataError: it is not there, or it is refused.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder.", hint="Give a folder of photos or a CSV of labels.")
    dataset = formats.read("data", SourceConfig(path=str(path)), path)
    classes = project.config.classes or []
    dataset = select.combine({"data": dataset}, None, classes)
    return TaskData(dataset, resolve_task(project, dataset))


def _view(project: Project, name: str) -> ViewConfig:
    views = project.config.data.views
    if name in views:
        return views[name]
    if name != ALL:
        raise UsageError(f"no view is called '{name}'.", hint=f"Views: {', '.join([ALL, *views])}.")
    return ViewConfig.model_validate({"from": list(project.config.data.sources)})


def _read(project: Project, name: str, source: SourceConfig) -> Dataset:
    images = None if source.images is None else str(project.path(source.images))
    return formats.read(name, source.model_copy(update={"images": images}), project.path(source.path))


def _task_data(project: Project, dataset: Dataset, *, remember: bool) -> TaskData:
    if not len(dataset):
        raise DataError("the view has no photo.", hint="Check data.sources and the view's map.")
    task = resolve_task(project, dataset)
    return TaskData(split_memory.split(project, dataset, task, remember=remember), task)


def resolve_task(project: Project, dataset: Dataset) -> str:
    """Return the declared task, or what the labels say: values, several classes a photo, or one."""
    declared = project.config.task
    if declared is not None:
        return declared
    if dataset.annotations["value"].null_count < dataset.annotations.num_rows:
        return "regress"
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
            f"the data has classes that the model does not know: {', '.join(unknown)}.",
            hint=f"The model knows {', '.join(classes.names)}. Map or drop the others in the view, or train again.",
        )
    return dataset.with_classes(classes)
