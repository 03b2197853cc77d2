"""Which network is explained, refused before any work where it cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli import models, runtimes
from vision_cli.core import artefact
from vision_cli.core.artefact import Card
from vision_cli.core.catalogue import hint_for, listed, require, suggestion
from vision_cli.core.config import ModelConfig
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.models.cards import own_process_of
from vision_cli.models.explaining import CAM, METHODS
from vision_cli.stages.explaining.asked import AUTO, ExplainRequest
from vision_cli.stages.few_shot import answering, imagenet
from vision_cli.stages.running import loading


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A network that is ready to be asked.

    Attributes:
        path: of the model, or the name of a published network.
        card: of it; objects count from the confidence that was asked for.
        network: torch's, in evaluation mode.
        sha256: of its weights.
        folder: of the model; None for a published network.
        notes: one sentence each.
    """

    path: Path
    card: Card
    network: Any
    sha256: str
    folder: Path | None
    notes: tuple[str, ...] = ()


def check(request: ExplainRequest) -> None:
    """Refuse what no network could answer.

    Raises:
        UsageError: there is no such method, or it does not go with what was asked.
        MissingPartError: torch is not installed.
    """
    method = request.how.method
    if method != AUTO and method not in METHODS:
        raise UsageError(f"--method: unknown method '{method}'.", hint=hint_for(method, [AUTO, *METHODS]))
    if request.how.channels is not None and method != "scorecam":
        raise UsageError("--channels: is for Score-CAM.", hint="Add --method scorecam, or leave it out.")
    if request.classes and not imagenet.is_known(request.model):
        raise UsageError("--classes: is for a network known by its name.", hint=f"--model {imagenet.NAMES[0]}")
    require(("torch", "timm", "safetensors"), extra="train", what="vision explain")


def opened(request: ExplainRequest, progress: Progress) -> Subject:
    """Return the network that is meant.

    Raises:
        UsageError: it has no layers or no gradients here, or no such class.
        DataError: it is not there, or refused.
        MissingPartError: a package is not installed.
    """
    if answering.book_meant(request.project, request.model) is not None:
        raise UsageError(
            "few-shot classes look at a photo in three ways, and have no one map.",
            hint="Write them as a model: vision classes write shop && vision explain PHOTO --model shop",
        )
    subject = _published(request, progress) if imagenet.is_known(request.model) else _trained(request)
    _check_fit(request, subject.card)
    return subject


def _trained(request: ExplainRequest) -> Subject:
    path = loading.find_model(request.project, request.model)
    if runtimes.runtime_of(path) != "torch":
        raise UsageError(
            f"{path}: an exported file gives answers alone: neither the maps of its layers nor gradients can be had.",
            hint="Give the run or the model folder that it was exported from.",
        )
    card = artefact.load_card(path)
    process = own_process_of(models.FAMILIES.card(card.family))
    if process:
        raise UsageError(
            f"{path}: a model of '{card.family}' is one graph, drawn in a process of its own ({process[0]}): it has no "
            "layers by name to look into.",
            hint="Explain one of another family, such as ssdlite, fasterrcnn or maskrcnn.",
        )
    models.check_family(card.family, card.task)
    network: Any = loading.load_network(path, card)
    return Subject(path, card, network.eval(), card.sha256.get(card.weights_file, ""), path)


def _published(request: ExplainRequest, progress: Progress) -> Subject:
    """Return EfficientNet-Lite0 with ImageNet's classes, or with the user's that stand for some of them."""
    import torch

    from vision_cli.models.lite0 import weights
    from vision_cli.models.network import GroupedHead

    wanted = request.classes or tuple(request.project.config.classes or ())
    names, groups, said = imagenet.answered(wanted)
    config = ModelConfig(family="timm", backbone=imagenet.NAMES[1], weights="imagenet")
    network: Any = models.build(config, 1, offline=request.offline, progress=progress)
    values = weights.tensors()
    weight, bias = (torch.from_numpy(values[f"_fc.{part}"].copy()) for part in ("weight", "bias"))
    network.head = GroupedHead(weight, bias, groups)
    path = Path(imagenet.NAMES[0])
    return Subject(path, imagenet.card_of(names), network.eval(), weights.SHA256, None, said)


def _check_fit(request: ExplainRequest, card: Card) -> None:
    """Refuse what goes with other tasks.

    Raises:
        UsageError: saying which.
    """
    name, places = request.how.class_name, card.task in PLACE_TASKS
    if name is not None and card.task == "regress":
        raise UsageError("--class: the model answers with values.", hint="Leave it out.")
    if name is not None and name not in card.classes.names:
        raise UsageError(f"--class: the model knows no class '{name}'.", hint=_hint(name, card.classes.names))
    if request.how.method == CAM and places:
        raise UsageError(
            f"--method cam: is exact for answers about whole photos; the model's task is {card.task}.",
            hint="Take --method hirescam or gradcam.",
        )
    if card.task == "semantic" and card.preprocess.tiles is not None:
        raise UsageError(
            "the model looks at tiles, and a region of pixels goes over several of them: there is no one map.",
            hint="Explain a model without model.input.tiles.",
        )


def _hint(name: str, names: Sequence[str]) -> str:
    guess = suggestion(name, list(names))
    return f"Did you mean '{guess}'?" if guess else f"It knows {listed(names)}."
