"""Let the child train a network, and take over what it learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from vision_cli.core.config import TrainConfig
from vision_cli.models.ultralytics import process
from vision_cli.models.ultralytics.network import GraphNetwork
from vision_cli.models.ultralytics.recipe import Recipe

LOG_NAME = "ultralytics.log"
OWN_FOLDER = "ultralytics"
"""Of a run's folder: what Ultralytics itself writes."""
EPOCHS = 100
"""Ultralytics' default."""
CHECKPOINTS = "checkpoints"
"""Of a run's folder: where a training that stopped goes on from."""
_WEIGHTS, _STATE = "best.safetensors", "last.ckpt"
_PLAIN = ("hsv_h", "hsv_s", "hsv_v", "degrees", "translate", "scale", "fliplr", "mosaic", "erasing", "copy_paste")
# Settings of a project file that its own recipe has a word for; it follows them where somebody set them.
_WORDS = {
    "epochs": "epochs",
    "batch_size": "batch",
    "weight_decay": "weight_decay",
    "warmup_epochs": "warmup_epochs",
    "patience": "patience",
    "workers": "workers",
    "learning_rate": "lr0",
    "mosaic": "mosaic",
    "copy_paste": "copy_paste",
}
USED = frozenset({*_WORDS, "view", "augment", "precision", "device", "seed", "accumulate", "optimizer", "schedule"})
"""Settings that change something for this family."""
_OPTIMIZERS = {"adamw": "AdamW", "sgd": "SGD"}
_PRECISIONS: dict[str, bool | str] = {"32": False, "16": True, "bf16": "bf16"}
_RATE_FROM_NOTHING = 1e-3
"""Of random weights by heart. Ultralytics' own choice for a short training, 1.2e-4 for 80 classes, is meant for weights
that know something: `yolo11n-seg` came to an AP50 of 0.56 in 1,600 steps."""
_BATCH = 16
_BATCH_BY_HEART = 2
"""Its norms move by 0.03 a step (momentum): a step an epoch would leave their statistics behind the weights."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What to learn from.

    Attributes:
        data: the YAML file of a data set in the layout of Ultralytics.
        classes: names, by class id.
        folder: of the run.
        options: of the project file.
        device: `cpu`, `cuda` or `mps`.
        by_heart: learn these photos and no others: a step after each batch.
        hear: gets one row an epoch: epoch, epochs, train, val, score, learning_rate, seconds; of a resumed training
            first how many epochs were done before, as the event `resumed`.
        resume: go on after the last whole epoch, where there is one.
    """

    data: Path
    classes: Sequence[str]
    folder: Path
    options: TrainConfig
    device: str
    by_heart: bool
    hear: Callable[[Mapping[str, Any]], None]
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """What came out.

    Attributes:
        network: with the weights of its best epoch, by Ultralytics' own fitness.
        best_epoch: from 1.
        epochs: that were done.
        version: of Ultralytics.
    """

    network: GraphNetwork
    best_epoch: int
    epochs: int
    version: str


def learn(recipe: Recipe, lesson: Lesson) -> Learned:
    """Train in the child, then build the network of what it learned.

    Raises:
        MissingPartError: Ultralytics is not here.
        ResourceError: memory does not suffice.
        DataError: the loss is not a number, or it refuses the data.
    """
    own = lesson.folder / OWN_FOLDER
    own.mkdir(parents=True, exist_ok=True)
    kept = lesson.folder / CHECKPOINTS
    kept.mkdir(parents=True, exist_ok=True)
    target = kept / _WEIGHTS
    request = {
        **recipe.request,
        "work": "train",
        "weights": None if recipe.weights is None else str(recipe.weights.absolute()),
        "names": list(recipe.names),
        "classes": list(lesson.classes),
        "target": str(target.absolute()),
        "state": str((kept / _STATE).absolute()),
        "resume": lesson.resume,
        "settings": settings(recipe, lesson),
    }
    done = process.run(request, lesson.hear, family=recipe.family, log=lesson.folder / LOG_NAME)
    network = GraphNetwork(recipe, load_file(target))
    return Learned(network, int(done["best_epoch"]), int(done["epochs"]), str(done["version"]))


def settings(recipe: Recipe, lesson: Lesson) -> dict[str, Any]:
    """Return Ultralytics' settings: its own recipe, and what the project file says otherwise."""
    options, asked = lesson.options, lesson.options.model_fields_set
    own = {word: getattr(options, key) for key, word in _WORDS.items() if key in asked}
    own = {word: value for word, value in own.items() if value is not None}
    if options.augment == "none" and "augment" in asked:
        own |= dict.fromkeys(_PLAIN, 0.0)
    if "lr0" in own or "optimizer" in asked:
        own["optimizer"] = _OPTIMIZERS[options.optimizer]
        if options.optimizer == "adamw":
            own["warmup_bias_lr"] = 0.0  # as where Ultralytics chooses AdamW; its default is for SGD
    if lesson.by_heart and recipe.weights is None and "lr0" not in own:
        own |= {"lr0": _RATE_FROM_NOTHING, "optimizer": "AdamW", "warmup_bias_lr": 0.0}
    batch = int(own.get("batch", _BATCH))
    if lesson.by_heart:
        batch = min(batch, _BATCH_BY_HEART)
        own |= {"batch": batch, "nbs": batch, "val": False}
    elif "accumulate" in asked:
        own["nbs"] = batch * options.accumulate
    return {
        "task": "segment" if recipe.task == "instance" else "detect",
        "mode": "train",
        "model": f"{recipe.backbone}.yaml",
        "data": str(lesson.data.absolute()),
        "imgsz": recipe.preprocess.size_px[0],
        "epochs": EPOCHS,
        "seed": options.seed,
        "device": "0" if lesson.device == "cuda" else lesson.device,
        "amp": _PRECISIONS[options.precision],
        "cos_lr": "schedule" in asked and options.schedule == "cosine",
        "project": str((lesson.folder / OWN_FOLDER).absolute()),
        "name": "own",
        "exist_ok": True,
        "plots": False,
        "verbose": False,
        "pretrained": False,
        **own,
    }
