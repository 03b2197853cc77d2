"""Bring a detector or segmenter and a view's photos together, and let it learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from vision_cli import models
from vision_cli.core import policy
from vision_cli.core.contracts import PlaceNetwork
from vision_cli.core.dataset import Dataset
from vision_cli.core.decoding.photos import views
from vision_cli.core.decoding.placing import place
from vision_cli.core.errors import UsageError
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.tasks import OBJECT_TASKS
from vision_cli.core.tiling import Tiles
from vision_cli.models.defaults import place_size_px
from vision_cli.models.places.request import PlaceRequest
from vision_cli.models.ultralytics.recipe import Recipe
from vision_cli.stages import place_truth
from vision_cli.stages.data import TaskData
from vision_cli.stages.training.fitting import FitTask, Fitted, located, log_anew, train_options
from vision_cli.stages.training.judges import judge_of
from vision_cli.training.places.fit import PlaceFitRequest
from vision_cli.training.places.fit import fit as run_loop
from vision_cli.training.places.painting import ScenePainter
from vision_cli.training.places.scenes import Scenes, tiled
from vision_cli.training.places.sizes import check_multi_scale
from vision_cli.training.team import ALONE


def build(project: Project, data: TaskData, progress: Progress, *, offline: bool) -> PlaceNetwork:
    """Build the declared network with its weights and heads for the data's classes.

    Raises:
        UsageError: the family does not do the task, or the network does not learn at the sizes of `multi_scale`.
        MissingPartError: weights or packages are not there.
        DataError: the weights are refused.
    """
    import torch

    policy.keep_freed_memory()
    torch.manual_seed(project.config.train.seed)
    train, classes = data.part("train"), data.dataset.classes
    things = np.flatnonzero(place_truth.things(data.dataset))
    model, tiles = project.config.model, _tiles(project, data.task)
    inputs = model.input
    resize = "letterbox" if inputs.resize == "auto" else inputs.resize
    seen = Preprocess(inputs.size or place_size_px(model.family), resize, tiles=tiles)
    request = PlaceRequest(data.task, classes, box_sizes(train, seen), tuple(things.tolist()))  # type: ignore[arg-type]
    network = models.build_places(located(project), request, offline=offline, progress=progress)
    if tiles is not None:
        if isinstance(network, Recipe):
            raise UsageError(f"model.input.tiles: '{network.family}' trains by its own recipe, which cuts no photos.")
        network.preprocess = replace(network.preprocess, tiles=tiles)
    if project.config.train.multi_scale and not isinstance(network, Recipe):
        check_multi_scale(network, data.task, project.config.model.backbone)
    return network


def _tiles(project: Project, task: str) -> Tiles | None:
    inputs = project.config.model.input
    if inputs.tiles is None:
        return None
    if inputs.resize == "crop":
        raise UsageError(
            "model.input.tiles: tiles are not cropped, or something between them is seen by none.",
            hint="Set model.input.resize to letterbox or stretch.",
        )
    # Pixels have the class that their own tile gives them: nobody would ask the whole photo.
    return Tiles(inputs.tiles.size, inputs.tiles.overlap, inputs.tiles.whole and task != "semantic")


def box_sizes(dataset: Dataset, preprocess: Preprocess) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return float64 (n, 2): width and height of the objects, in pixels of a network's input."""
    truth = place_truth.truth(dataset, dataset.classes, "detect")
    scales = np.array([place(_first_view(size, preprocess), preprocess).scale for size in truth.sizes.tolist()])
    scales = scales.reshape(-1, 2)
    kept = ~truth.ignored
    return np.asarray(truth.boxes[kept, 2:] * scales[truth.photo[kept]])


def _first_view(photo_px: list[int], preprocess: Preprocess) -> tuple[int, int]:
    width, height = photo_px
    return views((width, height), preprocess)[0][2:]


def scenes(dataset: Dataset, task: str) -> Scenes:
    """Return a prepared data set as photos to learn from."""
    return Scenes(
        task,
        dataset.paths(),
        place_truth.truth(dataset, dataset.classes, task),
        place_truth.things(dataset),
        place_truth.background(dataset),
    )


def fit(task: FitTask, progress: Progress) -> Fitted:
    """Fit a network to the training split.

    Raises:
        DataError: photos are refused, or the loss is not a number from the start.
        ResourceError: memory does not suffice for a single photo.
    """
    if isinstance(task.network, Recipe):
        from vision_cli.stages.training import own_recipe

        return own_recipe.fit(task, task.network, progress)
    network: PlaceNetwork = task.network  # type: ignore[assignment]  # who built it knew the task
    result = run_loop(scene_request(task, progress))
    if task.resume:
        log_anew(task.record, result.history)
    epochs = f"best epoch {result.best_epoch} of {result.epochs}"
    summary = f"network: {epochs}, {result.stopped}, {result.seconds:.0f} s of learning"
    options = models.options(task.project.config.model, network)
    return Fitted(network, options, network.decode, (summary, *result.notes), tuple(result.history))


def scene_request(task: FitTask, progress: Progress) -> PlaceFitRequest:
    """Return the training of a network that finds places."""
    team = task.team or ALONE
    network: PlaceNetwork = task.network  # type: ignore[assignment]  # who built it knew the task
    train, val = scenes(task.data.part("train"), task.data.task), scenes(_judging(task.data), task.data.task)
    if not len(val) and not task.data.by_heart:
        progress.warn("There are no validation photos: the last epoch is kept, and nothing stops early.")
    if network.preprocess.tiles is not None:
        train, val = _cut(task.project, network.preprocess.tiles, train), tiled(val, network.preprocess.tiles)
    return PlaceFitRequest(
        network=network,
        train=train,
        val=val,
        options=train_options(task.project.config),
        preprocess=network.preprocess,
        folder=task.record.folder,
        log=task.record.log,
        progress=progress,
        judge=judge_of(network, val),
        resume=task.resume,
        painter=painter(task.data, network.decode, network.preprocess) if team.first else None,
        team=team,
    )


def painter(data: TaskData, decode: PlaceDecode, preprocess: Preprocess) -> ScenePainter:
    """Return what draws the scenes of a data set; pixels that nobody labelled stay as they are."""
    names = data.dataset.classes.names
    background = place_truth.BACKGROUND
    unmarked = names.index(background) if data.task == "semantic" and background in names else None
    return ScenePainter(names, decode, preprocess, unmarked)


def counter_of_scenes(project: Project, task: str) -> Callable[[Dataset], int] | None:
    """Return what counts the tiles of a split's photos, without training tiles that are left out as empty."""
    tiles = _tiles(project, task)
    if tiles is None:
        return None

    def count(part: Dataset) -> int:
        found, training = scenes(part, task), set(part.splits().tolist()) == {"train"}
        return len(_cut(project, tiles, found) if training else tiled(found, tiles)) if len(part) else 0

    return count


def _judging(data: TaskData) -> Dataset:
    """Return the photos that choose the epoch; what is learned by heart is judged once, at its end."""
    val = data.part("val")
    return val.select(np.zeros(len(val), dtype=np.bool_)) if data.by_heart else val


def _cut(project: Project, tiles: Tiles, train: Scenes) -> Scenes:
    """Return the tiles to learn from; where every pixel has a class, none is empty."""
    declared, seed = project.config.model.input.tiles, project.config.train.seed
    share = declared.negatives if declared is not None and train.task in OBJECT_TASKS else None
    return tiled(train, tiles, negatives=share, seed=seed)
