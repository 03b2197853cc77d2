"""What the families `yolo` and `yolo-seg` share: checks before any work, weights, and the way back from an artefact."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from vision_cli.core.artefact import Card
from vision_cli.core.catalogue import hint_for
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.download import fetch
from vision_cli.core.errors import DataError, MissingPartError, UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.core.tasks import Task
from vision_cli.core.weights import cache_folder
from vision_cli.models.places.request import PlaceRequest
from vision_cli.models.ultralytics import process, published
from vision_cli.models.ultralytics.network import GraphNetwork
from vision_cli.models.ultralytics.recipe import Recipe

SIZE_PX = (640, 640)
_STRIDE_PX = 32
_SUFFIX = ".safetensors"
FAMILIES: dict[str, Task] = {"yolo": "detect", "yolo-seg": "instance"}
_NOTICE = (
    "{family}: Ultralytics' code and weights are under AGPL-3.0, and so, by its authors' account, is what is trained "
    "with them: software that uses it has to be published under that licence, even if it only answers over a network, "
    "unless you have another licence of theirs."
)


def build(config: ModelConfig, request: PlaceRequest, *, offline: bool, progress: Progress) -> Recipe:
    """Check what is asked for, and bring the weights here.

    Raises:
        UsageError: network, weights or input do not fit.
        MissingPartError: Ultralytics or a weights file is not here.
        DataError: the weights file is refused.
    """
    family, task = config.family, FAMILIES[config.family]
    _check_name(config.backbone, family, task)
    process.interpreter(family)
    recipe = Recipe(family, config.backbone, task, len(request.classes), _preprocess(config.input, family))
    progress.warn(_NOTICE.format(family=family))
    path = _weights(config, offline=offline, progress=progress)
    return recipe if path is None else _with_weights(recipe, path, request.classes.names)


def rebuild(card: Card, state: Mapping[str, Tensor]) -> GraphNetwork:
    """Build an artefact's network; the child refuses tensors that do not fit.

    Raises:
        UsageError: there is no such network.
        MissingPartError: Ultralytics is not here.
        DataError: the tensors do not fit the card.
    """
    task = FAMILIES[card.family]
    name = str(card.model.get("backbone"))
    _check_name(name, card.family, task)
    recipe = Recipe(card.family, name, task, len(card.classes), card.preprocess)
    network = GraphNetwork(recipe, state)
    network.licence, network.decode = card.licence, card.place_decode
    return network


def _check_name(name: str, family: str, task: Task) -> None:
    known = published.names(task)
    if name not in known:
        hint = hint_for(name, known, listing=f"vision models list {family}")
        raise UsageError(f"model.backbone: '{family}' has no network '{name}'.", hint=hint)


def _preprocess(inputs: InputConfig, family: str) -> Preprocess:
    width, height = inputs.size or SIZE_PX
    if width != height or width % _STRIDE_PX:
        raise UsageError(
            f"model.input.size: '{family}' takes squares of a multiple of {_STRIDE_PX} pixels, got {width} x {height}.",
            hint=f"Use {max(1, round(max(width, height) / _STRIDE_PX)) * _STRIDE_PX}.",
        )
    if inputs.channels != 3:
        raise UsageError(f"model.input.channels: '{family}' takes 3, got {inputs.channels}.", hint="Leave it away.")
    if inputs.resize not in ("auto", "letterbox"):
        raise UsageError(
            f"model.input.resize: '{family}' learns on letterboxed photos, got '{inputs.resize}'.",
            hint="Leave it away, or use letterbox.",
        )
    # Ultralytics' own: pixels from 0 to 1.
    return Preprocess((width, height), "letterbox", interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)


def _weights(config: ModelConfig, *, offline: bool, progress: Progress) -> Path | None:
    match config.weights:
        case "none":
            return None
        case "coco":
            source = published.coco(config.backbone)
            try:
                return fetch(source, offline=offline, progress=progress)
            except MissingPartError as error:
                raise MissingPartError(
                    error.message,
                    hint=f"Fetch {source.url} elsewhere and put it at {source.path}, or set model.weights: none.",
                ) from error
        case "imagenet":
            raise UsageError(
                f"model.weights: '{config.family}' has no ImageNet weights.", hint="Use coco, none, or a path."
            )
        case path:
            if not Path(path).is_file():
                raise DataError(f"{path}: there is no such file.", hint="model.weights is coco, none or a path.")
            return Path(path)


def _with_weights(recipe: Recipe, path: Path, classes: tuple[str, ...]) -> Recipe:
    """Return the recipe with weights as plain tensors; what a .pt file holds besides is never run, in no process."""
    target = path if path.suffix == _SUFFIX else _converted(recipe, path)
    try:
        with safe_open(target, "pt") as file:
            names = tuple((file.metadata() or {}).get("names", "").splitlines())
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path}: not a safetensors file: {error}.", hint="Copy it again.") from error
    known = {name.strip().lower() for name in names}
    kept = tuple(name for name in classes if name.strip().lower() in known)
    return replace(recipe, weights=target, names=names, kept=kept)


def _converted(recipe: Recipe, path: Path) -> Path:
    stamp = path.stat()
    target = cache_folder() / f"{path.stem}-{stamp.st_size:x}-{stamp.st_mtime_ns:x}{_SUFFIX}"
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".convert.") as folder:
        draft = Path(folder) / target.name
        request = {"work": "tensors", "path": str(path.absolute()), "target": str(draft)}
        try:
            process.run(request, lambda _: None, family=recipe.family)
        except DataError as error:
            raise DataError(
                f"{path}: no weights that can be read as data: {error.message}",
                hint="Give a .pt file of Ultralytics, or a .safetensors file.",
            ) from error
        draft.replace(target)
    return target
