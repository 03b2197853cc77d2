"""The family `fcn`: fully convolutional networks, torchvision's on dilated ResNets or FCN-8s on any timm network.

Long et al. 2015: scores of the coarsest map, made larger and added to those of finer ones. With `model.upsample` of
`learned` the enlarging begins as bilinear interpolation and learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torchvision.models.segmentation.fcn import FCNHead

from vision_cli.core.preprocess import Preprocess
from vision_cli.models.defaults import PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places.last_layer import last_layer
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.semantic.torchvision_pixels import NamedMaps, PixelPlaces
from vision_cli.models.semantic.upsampling import Bilinear, Learned

STRIDES = {"fine": 8, "middle": 16, "out": 32}
_LEARNED = "learned"
_STRIDE = 8


class SkipHead(nn.Module):
    """FCN-8s: scores of three maps, from coarse to fine."""

    def __init__(self, channels: Mapping[str, int], n_classes: int) -> None:
        super().__init__()
        self.coarse = FCNHead(channels["out"], n_classes)
        # As in the paper: finer maps begin without a say.
        self.middle = last_layer(channels["middle"], n_classes, std=0.0)
        self.fine = last_layer(channels["fine"], n_classes, std=0.0)
        self.grow: nn.ModuleList = nn.ModuleList([Bilinear(2), Bilinear(2)])

    def forward(self, maps: Mapping[str, Tensor]) -> Tensor:
        """Map features of strides 8, 16 and 32 to logits of stride 8."""
        scores = self.grow[0](self.coarse(maps["out"])) + self.middle(maps["middle"])
        logits: Tensor = self.grow[1](scores) + self.fine(maps["fine"])
        return logits


class OverTimm(nn.Module):
    """FCN-8s, with the names of torchvision's FCN."""

    def __init__(self, trunk: Trunk, n_classes: int) -> None:
        super().__init__()
        self.backbone = NamedMaps(trunk, STRIDES)
        self.classifier = SkipHead(self.backbone.channels, n_classes)


class FcnPlaces(PixelPlaces):
    """FCN with raw outputs `pixels`: of stride 8, or of stride 1 where upsampling is learned."""

    own_parts = ("network.upsampling.",)

    def __init__(self, network: nn.Module, *, preprocess: Preprocess, licence: str, options: Mapping[str, Any]) -> None:
        parts: Any = network
        parts.upsampling = nn.Identity()
        if options["upsample"] == _LEARNED:
            skips, n_classes = isinstance(parts.classifier, SkipHead), _n_classes(parts.classifier)
            parts.upsampling = Learned(n_classes, _STRIDE)
            if skips:
                parts.classifier.grow = nn.ModuleList([Learned(n_classes, 2), Learned(n_classes, 2)])
        super().__init__(network, preprocess=preprocess, licence=licence, options=options)

    def scores(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return logits (N, C, h, w) of the maps."""
        classifier = self.network.classifier
        found = classifier(features if isinstance(classifier, SkipHead) else features["out"])
        logits: Tensor = self.network.upsampling(found)
        return logits


def _n_classes(classifier: Any) -> int:
    return int((classifier.coarse if isinstance(classifier, SkipHead) else classifier)[-1].out_channels)


FAMILY = TorchvisionFamily("fcn", FcnPlaces, OverTimm, PLACE_SIZE_PX, settings=("upsample",))
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
