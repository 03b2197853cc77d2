"""The family `deeplabv3`: atrous pyramid pooling (Chen et al. 2017), torchvision's networks or any of timm's."""

from __future__ import annotations

from torch import nn
from torchvision.models.segmentation.deeplabv3 import DeepLabHead

from vision_cli.models.defaults import PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.semantic.torchvision_pixels import NamedMaps, PixelPlaces

STRIDE = 16
_RATES = (6, 12, 18)
"""Of the paper for stride 16; torchvision's own networks of stride 8 take twice as much."""


class OverTimm(nn.Module):
    """DeepLabV3 over a timm network whose last map is of stride 16, enlarged where the network cannot dilate."""

    def __init__(self, trunk: Trunk, n_classes: int) -> None:
        super().__init__()
        self.backbone = NamedMaps(trunk, {"out": STRIDE})
        self.classifier = DeepLabHead(self.backbone.channels["out"], n_classes, _RATES)


FAMILY = TorchvisionFamily("deeplabv3", PixelPlaces, OverTimm, PLACE_SIZE_PX, output_stride=STRIDE)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
