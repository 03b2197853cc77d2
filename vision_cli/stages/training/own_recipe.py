"""Families that train by a recipe of their own: they get a data set that we write, and are judged as all others."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np

from vision_cli.core import files
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.core.run import Run
from vision_cli.models.ultralytics import training
from vision_cli.models.ultralytics.network import GraphNetwork
from vision_cli.models.ultralytics.recipe import Recipe
from vision_cli.stages.training import place_fitting
from vision_cli.stages.training.fitting import FitTask, Fitted, log_anew
from vision_cli.stages.training.yolo_data import write_data
from vision_cli.training.checks import accelerator
from vision_cli.training.module import Normalise
from vision_cli.training.places.scene_album import album_of

_DATA_FOLDER = "ultralytics-data"


def fit(task: FitTask, recipe: Recipe, progress: Progress) -> Fitted:
    """Train in a process of its own, on a copy of the photos.

    Raises:
        MissingPartError: Ultralytics is not here.
        ResourceError: memory or disk do not suffice.
        DataError: photos are refused, or the loss is not a number.
    """
    options = task.project.config.train
    if recipe.kept:
        progress.say(f"the weights know {len(recipe.kept)} of the classes by name: {', '.join(recipe.kept)}")
    folder = task.record.folder / _DATA_FOLDER
    history: list[dict[str, Any]] = []

    def hear(event: Mapping[str, Any]) -> None:
        if event["event"] == "resumed":
            history.extend(_rows_until(task.record, int(event["epoch"])))
            return
        history.append(_row(event))
        _tell(history[-1], int(event["epochs"]), task.record, progress)

    with files.disk_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
        try:
            parts = {name: task.data.part(name) for name in ("train", "val")}
            if task.data.by_heart:
                parts["val"] = parts["val"].select(np.zeros(len(parts["val"]), dtype=np.bool_))
            data = write_data(parts, folder, recipe.preprocess, progress)
            device = accelerator(options.device)
            classes = task.data.dataset.classes.names
            lesson = training.Lesson(
                data, classes, task.record.folder, options, device, task.data.by_heart, hear, task.resume
            )
            learned = training.learn(recipe, lesson)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    if not history:
        raise DataError(f"{recipe.family}: no epoch was finished.", hint=f"See {training.LOG_NAME} of the run.")
    if task.resume:
        log_anew(task.record, history)
    seconds = sum(row["seconds"] for row in history)
    epochs = f"best epoch {learned.best_epoch} of {learned.epochs}, {seconds:.0f} s of learning"
    how = f"network: {epochs}, by the recipe of Ultralytics {learned.version}"
    network = learned.network
    _keep_picture(task, network, learned.best_epoch)
    return Fitted(network, network.options, network.decode, (how,), tuple(history))


def _keep_picture(task: FitTask, network: GraphNetwork, epoch: int) -> None:
    """Keep what the trained network says of validation photos; what it learned from was drawn in its own process."""
    seen = network.preprocess
    val = place_fitting.scenes(task.data.part("val"), task.data.task)
    album = album_of(task.record.folder, place_fitting.painter(task.data, network.decode, seen), val, seen)
    if album is not None:
        album.best(network, Normalise(seen.mean, seen.std), epoch)


def _rows_until(record: Run, epoch: int) -> list[dict[str, Any]]:
    """Return the rows of a run's first epochs; of one that was begun twice the last."""
    rows = {int(row["epoch"]): dict(row) for row in record.metrics()}
    return [rows[each] for each in sorted(rows) if each <= epoch]


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an epoch as the rows of all families are: Ultralytics' fitness is its AP at IoU 0.5 to 0.95."""
    val = list(event["val"].values())
    return {
        "epoch": event["epoch"],
        "train_loss": sum(event["train"].values()),
        "val_loss": sum(val) if val else None,
        "val_score": event["score"],
        "learning_rate": event["learning_rate"],
        "seconds": event["seconds"],
        **{name.replace("/", "_"): value for name, value in event["train"].items()},
    }


def _tell(row: Mapping[str, Any], epochs: int, record: Run, progress: Progress) -> None:
    record.log(row)
    figures = {name: row[name] for name in ("train_loss", "val_loss", "val_score") if row[name] is not None}
    progress.step("train", int(row["epoch"]), epochs, figures)
