"""What `auto` means in the section `model` of a project file."""

from __future__ import annotations

from vision_cli.core.config import ModelConfig
from vision_cli.core.tasks import PHOTO_TASKS

AUTO = "auto"
_FAMILIES = {"detect": "ssdlite", "instance": "maskrcnn", "semantic": "unet", "panoptic": "panopticfpn"}
_BACKBONE = "tf_efficientnet_lite0"
_BACKBONES = {"yolo": "yolo11n", "yolo-seg": "yolo11n-seg"}
"""Of families that do not take any timm network."""
_COCO_BACKBONES = {
    "ssd": "ssd300_vgg16",
    "fasterrcnn": "fasterrcnn_resnet50_fpn",
    "maskrcnn": "maskrcnn_resnet50_fpn",
    "retinanet": "retinanet_resnet50_fpn",
    "fcos": "fcos_resnet50_fpn",
    "fcn": "fcn_resnet50",
    "deeplabv3": "deeplabv3_resnet50",
    "lraspp": "lraspp_mobilenet_v3_large",
    "panopticfpn": "maskrcnn_resnet50_fpn",
}
"""Of families whose COCO weights are those of one of torchvision's own networks."""
_COCO_ONLY = frozenset({"yolo", "yolo-seg"})
"""Families without ImageNet weights: where nobody says otherwise they begin with those of COCO."""

PLACE_SIZE_PX = (320, 320)
"""(width, height) of the input of detectors and segmenters for the edge, where the project file does not say it."""
LARGE_PLACE_SIZE_PX = (512, 512)
"""The same for families whose networks are made for larger photos."""
_LARGE = frozenset({"fasterrcnn", "retinanet", "fcos", "maskrcnn", "panopticfpn"})
ANY_SHAPE = frozenset({"ssdlite", "unet", "fpn", "pspnet", "deeplabv3plus", "segformer", "fcn", "deeplabv3", "lraspp"})
"""Families of places that take an input of any shape whose sides are multiples of 32, and have no size of their own."""


WEIGHT_WORDS = ("imagenet", "coco", "none")
"""What `model.weights` may say beside paths, in one family or another."""


def weight_words(family: str) -> tuple[str, ...]:
    """Return the words that `model.weights` takes beside paths, with one of our families."""
    if family in _COCO_ONLY:
        return ("coco", "none")
    return WEIGHT_WORDS if family in _COCO_BACKBONES else ("imagenet", "none")


def resolved(config: ModelConfig, task: str) -> ModelConfig:
    """Return the section with every `auto` replaced by what it means for a task."""
    family = _FAMILIES.get(task, "timm") if config.family == AUTO else config.family
    backbone = _backbone(family, config.weights) if config.backbone == AUTO else config.backbone
    inputs = config.input
    if inputs.resize == AUTO:
        inputs = inputs.model_copy(update={"resize": "crop" if task in PHOTO_TASKS else "letterbox"})
    update = {"family": family, "backbone": backbone, "input": inputs}
    if family in _COCO_ONLY and "weights" not in config.model_fields_set:
        update["weights"] = "coco"
    return config.model_copy(update=update)


def place_size_px(family: str) -> tuple[int, int]:
    """Return the (width, height) of the input of a family over a timm network, where the project file is silent."""
    return LARGE_PLACE_SIZE_PX if family in _LARGE else PLACE_SIZE_PX


def _backbone(family: str, weights: str) -> str:
    if weights == "coco" and family in _COCO_BACKBONES:
        return _COCO_BACKBONES[family]
    return _BACKBONES.get(family, _BACKBONE)
