"""What models say of photos that they did not learn from, one fold after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import run
from vision_cli.core.artefact import Card
from vision_cli.core.dataset import Dataset
from vision_cli.core.predictions import Predictions
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.metrics import multilabel
from vision_cli.stages.crossvalidating.folds import Folds
from vision_cli.stages.data import TaskData
from vision_cli.stages.kinds.kind import kind_of
from vision_cli.stages.running import loading
from vision_cli.stages.training import fitting, shallow, verifying
from vision_cli.stages.training.fitting import FitTask, Fitted
from vision_cli.views import split as splitting


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold's answers.

    Attributes:
        number: from 0.
        held: the photos that were held out.
        card: of the model that judged them.
        said: what it says of them, in their order.
    """

    number: int
    held: Dataset
    card: Card
    said: Any


@dataclass(frozen=True, slots=True)
class Missing:
    """Folds that are to be trained.

    Attributes:
        record: the run; each fold's checkpoints lie in a folder of its own, by which it resumes.
        folds: their numbers, from 0.
        offline: download nothing.
    """

    record: run.Run
    folds: Sequence[int]
    offline: bool = False


def of_features(project: Project, data: TaskData, folds: Folds, progress: Progress, *, offline: bool) -> list[Fold]:
    """Judge every photo by a shallow classifier on features that are computed once.

    Raises:
        DataError: a photo is refused, or a fold's photos do not suffice to fit.
    """
    shallow.check(project, data.task, data.dataset)
    network = fitting.build(project, data, progress, offline=offline)
    vectors = shallow.vectors(project, network, data.dataset.paths(), progress)
    found = []
    for number in range(folds.k):
        learns, held = folds.fold != number, folds.fold == number
        part = TaskData(_as_split(data.dataset, held), data.task, part_of=data.digest)
        decode = fitting.value_scale(part)
        targets = fitting.loss_targets(data, data.dataset.select(learns), decode)
        learned = shallow.learn(project, data.task, data.dataset.select(learns), (vectors[learns], targets))
        card = verifying.card_of(project, part, Fitted(network, {}, decode, ()))
        raw = learned.outputs(vectors[held], part.part("test"))
        found.append(Fold(number, part.part("test"), card, Predictions(decode.scores(raw, data.task), raw)))
        progress.step("folds", number + 1, folds.k)
    return _with_thresholds(found) if data.task == "multilabel" else found


def _with_thresholds(found: list[Fold]) -> list[Fold]:
    """Choose each fold's thresholds on the answers of the other folds: no photo chooses what it is judged by."""
    truths, scores = [each.held.class_matrix() for each in found], [each.said.scores for each in found]
    chosen = []
    for each in found:
        others = [place for place in range(len(found)) if place != each.number]
        picked = (np.concatenate([side[place] for place in others]) for side in (truths, scores))
        decode = replace(each.card.photo_decode, thresholds=multilabel.choose_thresholds(*picked))
        chosen.append(replace(each, card=replace(each.card, decode=decode)))
    return chosen


def _as_split(dataset: Dataset, held: np.ndarray[Any, np.dtype[np.bool_]]) -> Dataset:
    return dataset.with_splits(np.where(held, "test", "train").tolist())


def of_trainings(
    project: Project, data: TaskData, folds: Folds, missing: Missing, progress: Progress
) -> Iterator[Fold]:
    """Train once a fold, and judge the photos that were held out.

    Each training keeps a share of its photos for validation, as `vision train` does: it stops and calibrates by those.

    Args:
        project: its section `model` holds no `auto` any more.
        data: the photos.
        folds: of them.
        missing: which folds are not done, and where they are kept.
        progress: hears how far it is.
    """
    record, offline = missing.record, missing.offline
    for number in missing.folds:
        progress.say(f"fold {number + 1} of {folds.k}")
        part = fold_data(project, data, folds, number)
        network = fitting.build(project, part, progress, offline=offline)
        fold = run.Run(folder_of(record, number))
        fold.folder.mkdir(exist_ok=True)
        fitted = fitting.fit(FitTask(project, part, network, fold, resume=True), progress)
        if not (fold.folder / loading.MODEL_FOLDER).exists():
            verifying.verify(project, part, fitted, fold, progress)
        runner = loading.open_model(fold.folder / loading.MODEL_FOLDER)
        held = part.part("test")
        yield Fold(number, held, runner.card, kind_of(data.task).say(runner, held, progress, "judge"))


def fold_data(project: Project, data: TaskData, folds: Folds, number: int) -> TaskData:
    """Return the photos with the fold as `test`, and a share of the others as `val`."""
    parted = _as_split(data.dataset, folds.fold == number)
    config = project.config.data.split
    share = config.val / (config.train + config.val) if config.train + config.val else 0.15
    asked = config.model_copy(update={"train": 1 - share or 1.0, "val": share, "test": 0.0})
    dealt = replace(splitting.split(parted, asked, data.task), notes=())
    return TaskData(dealt, data.task, part_of=data.digest)


def folder_of(record: run.Run, number: int) -> Path:
    """Return where a fold's training lies."""
    return record.folder / f"fold-{number + 1}"


def columns(fold: Fold, task: str) -> Mapping[str, Any]:
    """Return one row a photo: what it is, and what was said of it."""
    return kind_of(task).columns(fold.card, fold.said, fold.held)
