"""Model families. Importing this room imports no torch: `build` and `rebuild` load the family they are asked for.

A family is a module with `names()`, `rebuild(card, state)` and, by its tasks, `build(config, n_outputs, *, offline,
progress)` for answers about a whole photo, or `build_places(config, request, *, offline, progress)` for places in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vision_cli.core import policy
from vision_cli.core.artefact import Card as ModelCard
from vision_cli.core.catalogue import Catalogue, suggestion
from vision_cli.core.config import ModelConfig
from vision_cli.core.contracts import Network, PlaceNetwork
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.tasks import PHOTO_TASKS
from vision_cli.models import defaults
from vision_cli.models.cards import FamilyCard, box_ap, mask_ap, mean_iou, tasks_of
from vision_cli.models.places.request import PlaceRequest
from vision_cli.models.ultralytics import published as ultralytics

_DETECTION = ("torch", "torchvision", "timm", "safetensors")
_SEGMENTATION = (*_DETECTION, "segmentation_models_pytorch")


def _smp(name: str, summary: str) -> FamilyCard:
    return FamilyCard(
        f"vision_cli.models.semantic.{name}",
        summary,
        licence="MIT",
        extra="train",
        needs=_SEGMENTATION,
        tasks=("semantic",),
    )


FAMILIES = Catalogue(
    "model family",
    {
        "timm": FamilyCard(
            "vision_cli.models.timm",
            "Any timm network by name: EfficientNet, MobileNet, ConvNeXt, ViT and over a thousand more",
            extra="train",
            needs=("torch", "timm", "safetensors"),
        ),
        "torchvision": FamilyCard(
            "vision_cli.models.torchvision",
            "VGG, AlexNet, GoogLeNet, Inception, ResNet, MobileNet, EfficientNet, ConvNeXt, ViT, Swin",
            licence="BSD-3-Clause",
            extra="train",
            needs=("torch", "torchvision", "safetensors"),
        ),
        "features": FamilyCard(
            "vision_cli.models.features",
            "A frozen backbone's embedding, then an SVM, logistic regression or k-NN with calibrated confidence",
            extra="train",
            needs=("torch", "timm", "sklearn", "safetensors"),
        ),
        "ssdlite": FamilyCard(
            "vision_cli.models.detect.ssdlite",
            "A one-stage detector for the edge on any timm network, with anchors fitted to the data",
            extra="train",
            needs=_DETECTION,
            tasks=("detect",),
        ),
        "ssd": FamilyCard(
            "vision_cli.models.detect.ssd",
            "torchvision's SSD300 on VGG-16 and SSDLite on MobileNetV3, or SSD on any timm network",
            licence="BSD-3-Clause",
            extra="train",
            needs=_DETECTION,
            tasks=("detect",),
            reported=box_ap(ssd300_vgg16=25.1, ssdlite320_mobilenet_v3_large=21.3),
        ),
        "fasterrcnn": FamilyCard(
            "vision_cli.models.detect.fasterrcnn",
            "torchvision's Faster R-CNN on ResNet-50, MobileNetV3 or any timm network",
            licence="BSD-3-Clause",
            extra="train",
            needs=_DETECTION,
            tasks=("detect",),
            reported=box_ap(
                fasterrcnn_resnet50_fpn=37.0,
                fasterrcnn_resnet50_fpn_v2=46.7,
                fasterrcnn_mobilenet_v3_large_fpn=32.8,
                fasterrcnn_mobilenet_v3_large_320_fpn=22.8,
            ),
        ),
        "retinanet": FamilyCard(
            "vision_cli.models.detect.retinanet",
            "torchvision's RetinaNet on ResNet-50 or any timm network",
            licence="BSD-3-Clause",
            extra="train",
            needs=_DETECTION,
            tasks=("detect",),
            reported=box_ap(retinanet_resnet50_fpn=36.4, retinanet_resnet50_fpn_v2=41.5),
        ),
        "fcos": FamilyCard(
            "vision_cli.models.detect.fcos",
            "torchvision's FCOS, which has no anchors, on ResNet-50 or any timm network",
            licence="BSD-3-Clause",
            extra="train",
            needs=_DETECTION,
            tasks=("detect",),
            reported=box_ap(fcos_resnet50_fpn=39.2),
        ),
        "maskrcnn": FamilyCard(
            "vision_cli.models.instance.maskrcnn",
            "torchvision's Mask R-CNN on ResNet-50 or any timm network",
            licence="BSD-3-Clause",
            extra="train",
            needs=_DETECTION,
            tasks=("instance",),
            reported=mask_ap(maskrcnn_resnet50_fpn=34.6, maskrcnn_resnet50_fpn_v2=41.8),
        ),
        "unet": _smp("unet", "U-Net on any timm network, with logits for every pixel"),
        "fpn": _smp("fpn", "A feature pyramid on any timm network"),
        "pspnet": _smp("pspnet", "Pooling at four scales on any timm network"),
        "deeplabv3plus": _smp("deeplabv3plus", "DeepLabV3+ on any timm network"),
        "segformer": _smp("segformer", "SegFormer's light head on any timm network"),
        "fcn": FamilyCard(
            "vision_cli.models.semantic.fcn",
            "torchvision's FCN on ResNet, or FCN-8s on any timm network; upsampling that learns, if wanted",
            licence="BSD-3-Clause",
            extra="train",
            needs=_SEGMENTATION,
            tasks=("semantic",),
            reported=mean_iou(fcn_resnet50=60.5, fcn_resnet101=63.7),
        ),
        "deeplabv3": FamilyCard(
            "vision_cli.models.semantic.deeplabv3",
            "torchvision's DeepLabV3 on ResNet, MobileNetV3 or any timm network",
            licence="BSD-3-Clause",
            extra="train",
            needs=_SEGMENTATION,
            tasks=("semantic",),
            reported=mean_iou(deeplabv3_resnet50=66.4, deeplabv3_resnet101=67.4, deeplabv3_mobilenet_v3_large=60.3),
        ),
        "lraspp": FamilyCard(
            "vision_cli.models.semantic.lraspp",
            "torchvision's Lite R-ASPP, for the edge, on MobileNetV3 or any timm network",
            licence="BSD-3-Clause",
            extra="train",
            needs=_SEGMENTATION,
            tasks=("semantic",),
            reported=mean_iou(lraspp_mobilenet_v3_large=57.9),
        ),
        "panopticfpn": FamilyCard(
            "vision_cli.models.panoptic.panopticfpn",
            "Panoptic FPN: Mask R-CNN and a semantic branch over one pyramid, on ResNet-50 or any timm network",
            licence="BSD-3-Clause",
            extra="train",
            needs=_DETECTION,
            tasks=("panoptic",),
        ),
        "yolo": FamilyCard(
            "vision_cli.models.ultralytics.yolo",
            "Ultralytics' YOLOv8, YOLO11 and YOLO26, trained by their own recipe in a process of its own",
            licence=ultralytics.LICENCE,
            extra="yolo",
            needs=("torch", "safetensors"),
            tasks=("detect",),
            reported=ultralytics.reported("detect"),
            own_process=("ultralytics",),
        ),
        "yolo-seg": FamilyCard(
            "vision_cli.models.ultralytics.yolo_seg",
            "Ultralytics' YOLOv8, YOLO11 and YOLO26 with masks, trained by their own recipe in a process of its own",
            licence=ultralytics.LICENCE,
            extra="yolo",
            needs=("torch", "safetensors"),
            tasks=("instance",),
            reported=ultralytics.reported("instance"),
            own_process=("ultralytics",),
        ),
    },
    group="models",
    listing="vision models list",
)


def build(config: ModelConfig, n_outputs: int, *, offline: bool = False, progress: Progress | None = None) -> Network:
    """Build a network with the configured weights and a new head.

    Random weights come from torch's generator: seed it first.

    Args:
        config: family, backbone, weights, input and dropout.
        n_outputs: of the head.
        offline: forbids downloads; so does VISION_OFFLINE.
        progress: hears of downloads and of what a weights file brought.

    Raises:
        UsageError: the family, the backbone or the input size is not known or does not fit.
        MissingPartError: a package or a weights file is not on this machine and cannot be fetched.
        DataError: the weights file is refused.
    """
    config = defaults.resolved(config, "classify")
    _check_task(config.family, PHOTO_TASKS)
    _check_weights(config)
    family = FAMILIES.load(config.family)
    network: Network = family.build(
        config, n_outputs, offline=offline or policy.offline(), progress=progress or Silent()
    )
    return network


def build_places(
    config: ModelConfig, request: PlaceRequest, *, offline: bool = False, progress: Progress | None = None
) -> PlaceNetwork:
    """Build a network that finds things, with the configured weights and heads for the request's classes.

    Where the weights know some of the classes by name, that part of their heads is kept: see `PlaceNetwork.kept`.
    Random weights come from torch's generator: seed it first.

    Args:
        config: family, backbone, weights and input.
        request: what the data asks for.
        offline: forbids downloads; so does VISION_OFFLINE.
        progress: hears of downloads and of what a weights file brought.

    Raises:
        UsageError: the family, the backbone, the weights or the input size is not known or does not fit the task.
        MissingPartError: a package or a weights file is not on this machine and cannot be fetched.
        DataError: the weights file is refused.
    """
    config = defaults.resolved(config, request.task)
    _check_task(config.family, (request.task,))
    _check_weights(config)
    family = FAMILIES.load(config.family)
    network: PlaceNetwork = family.build_places(
        config, request, offline=offline or policy.offline(), progress=progress or Silent()
    )
    return network


def families_for(task: str) -> tuple[str, ...]:
    """Return the families that answer a task."""
    return tuple(name for name, card in FAMILIES.cards().items() if task in tasks_of(card))


def check_family(family: str, task: str | None) -> None:
    """Refuse a family that is unknown or whose packages are not there.

    Raises:
        UsageError: it is unknown; the hint names those that answer the task.
        MissingPartError: what it needs is not installed.
    """
    if family not in FAMILIES:
        raise UsageError(
            f"model.family: unknown model family '{family}'.", hint=FAMILIES.hint(family, families_for(task or ""))
        )
    FAMILIES.load(family)


def _check_task(family: str, tasks: Sequence[str]) -> None:
    card = FAMILIES.card(family)
    if not set(tasks) & set(tasks_of(card)):
        raise UsageError(
            f"model.family: '{family}' does not do the task '{tasks[0]}', but {', '.join(tasks_of(card))}.",
            hint=f"Families for it: {', '.join(families_for(tasks[0]))}.",
        )


def _check_weights(config: ModelConfig) -> None:
    """Refuse weights of one of our families that are neither one of its words nor a file.

    Raises:
        DataError: they are not; `coco` for a family of places is left to the family, which knows what has such weights.
    """
    path, words = Path(config.weights).expanduser(), defaults.weight_words(config.family)
    known = FAMILIES.card(config.family)
    places = not set(PHOTO_TASKS) & set(tasks_of(known))
    if config.weights in words or (places and config.weights in defaults.WEIGHT_WORDS) or path.is_file():
        return
    if not known.module.startswith("vision_cli."):  # another package's own words
        return
    guess = suggestion(path.name, words)
    meant = f"Did you mean '{guess}'? " if guess else ""
    raise DataError(
        f"model.weights: {path} {'is not a file' if path.exists() else 'does not exist'}.",
        hint=f"{meant}With the family {config.family} it is {', '.join(words)}, or the path of a file of weights.",
    )


def rebuild(card: ModelCard, state: Mapping[str, Any]) -> Network:
    """Build an artefact's network and load its tensors. Never downloads.

    Raises:
        UsageError: the card's family or backbone is unknown here.
        DataError: the tensors do not fit the card.
    """
    network: Network = FAMILIES.load(card.family).rebuild(card, state)
    return network


def options(config: ModelConfig, network: Network) -> dict[str, Any]:
    """Return what `Card.model` must hold for `rebuild`."""
    own = getattr(network, "options", None)
    if own is not None:
        return dict(own)
    head = getattr(network.head, "options", None)
    return {
        "backbone": config.backbone,
        "dropout": config.dropout,
        "n_outputs": int(getattr(network.head, "n_outputs", 0)),
        **({"head": dict(head)} if head is not None else {}),
    }


def names(family: str) -> list[str]:
    """Return the backbones that a family knows, sorted.

    Raises:
        UsageError: the family is unknown.
        MissingPartError: its library is not installed.
    """
    found: list[str] = FAMILIES.load(family).names()
    return found
