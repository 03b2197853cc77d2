"""torchvision's detectors and segmenters, by its own names: where their weights come from, how well they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torchvision
from torch import nn
from torchvision.models import MobileNet_V3_Large_Weights, ResNet50_Weights, ResNet101_Weights, VGG16_Weights

from vision_cli.core import files
from vision_cli.core.preprocess import IMAGENET_MEAN, IMAGENET_STD
from vision_cli.core.weights import Source

LICENCE = "BSD-3-Clause"
BACKGROUND = "background"
"""What projects call the class that torchvision's segmenters call `__background__`."""


@dataclass(frozen=True, slots=True)
class Published:
    """One network of torchvision.models.detection or torchvision.models.segmentation.

    Attributes:
        name: of torchvision's function.
        size_px: (width, height) that it takes here where nothing is declared.
        backbone: its ImageNet weights; None where torchvision has none that fit.
        body: of the module, path of what these weights fill.
        mean: a channel, that the COCO weights were trained with, and whatever else torchvision's own builder makes.
        std: a channel.
        zero_eps: the COCO weights were trained with batch norms of epsilon 0.
        segments: it gives a class for each pixel, of which the first is the background.
        auxiliary: it has a second classifier, which only learns.
    """

    name: str
    size_px: tuple[int, int]
    backbone: Any = None
    body: str = "backbone.body"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    zero_eps: bool = False
    segments: bool = False
    auxiliary: bool = False

    @property
    def coco(self) -> Source:
        """Where the COCO weights come from."""
        return Source.from_url(self._weights.url, licence=LICENCE)

    @property
    def coco_names(self) -> tuple[str, ...]:
        """COCO's classes in the order of the outputs, from 0, which is the background or stands for nothing."""
        names = tuple(self._weights.meta["categories"])
        return (BACKGROUND, *names[1:]) if self.segments else names

    def is_coco(self, path: Path) -> bool:
        """Return whether a file is that of the COCO weights, by its checksum."""
        prefix = self.coco.sha256_prefix
        return bool(prefix) and path.is_file() and files.file_sha256(path).startswith(prefix)

    @property
    def imagenet(self) -> Source | None:
        """Where the ImageNet weights of the backbone come from."""
        return Source.from_url(self.backbone.url, licence=LICENCE) if self.backbone is not None else None

    @property
    def _weights(self) -> Any:
        return torchvision.models.get_model_weights(self.name).DEFAULT

    def module(self, n_outputs: int) -> nn.Module:
        """Build the network with random weights.

        Args:
            n_outputs: classes, with the background where the network has one.
        """
        make: Callable[..., nn.Module] = torchvision.models.get_model_builder(self.name)
        more = {"aux_loss": True} if self.auxiliary else {}
        return make(weights=None, weights_backbone=None, num_classes=n_outputs, **more)


_RESNET = ResNet50_Weights.IMAGENET1K_V1
_RESNET_101 = ResNet101_Weights.IMAGENET1K_V1
_MOBILENET = MobileNet_V3_Large_Weights.IMAGENET1K_V1
_PUBLISHED = (
    Published("fasterrcnn_resnet50_fpn", (640, 640), _RESNET, zero_eps=True),
    Published("fasterrcnn_resnet50_fpn_v2", (640, 640), _RESNET),
    Published("fasterrcnn_mobilenet_v3_large_fpn", (640, 640), _MOBILENET),
    Published("fasterrcnn_mobilenet_v3_large_320_fpn", (320, 320), _MOBILENET),
    Published("maskrcnn_resnet50_fpn", (640, 640), _RESNET, zero_eps=True),
    Published("maskrcnn_resnet50_fpn_v2", (640, 640), _RESNET),
    Published("retinanet_resnet50_fpn", (640, 640), _RESNET, zero_eps=True),
    Published("retinanet_resnet50_fpn_v2", (640, 640), _RESNET),
    Published("fcos_resnet50_fpn", (640, 640), _RESNET),
    Published(
        "ssd300_vgg16",
        (300, 300),
        VGG16_Weights.IMAGENET1K_V1,
        body="backbone",
        mean=(0.48235, 0.45882, 0.40784),
        std=(1 / 255, 1 / 255, 1 / 255),
    ),
    # ImageNet's MobileNetV3 has a wider tail than the detector's.
    Published("ssdlite320_mobilenet_v3_large", (320, 320), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    *(
        Published(name, (520, 520), backbone, body="backbone", segments=True, auxiliary=auxiliary)
        for name, backbone, auxiliary in (
            ("fcn_resnet50", _RESNET, True),
            ("fcn_resnet101", _RESNET_101, True),
            ("deeplabv3_resnet50", _RESNET, True),
            ("deeplabv3_resnet101", _RESNET_101, True),
            ("deeplabv3_mobilenet_v3_large", _MOBILENET, True),
            ("lraspp_mobilenet_v3_large", _MOBILENET, False),
        )
    ),
)
PUBLISHED = {found.name: found for found in _PUBLISHED}


def names(family: str) -> tuple[str, ...]:
    """Return torchvision's networks of a family, whose name they begin with."""
    return tuple(name for name in PUBLISHED if name.startswith(family))
