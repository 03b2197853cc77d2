"""The family `lraspp`: Lite R-ASPP (Howard et al. 2019), a head for the edge, torchvision's own or any of timm's."""

from __future__ import annotations

from torch import nn
from torchvision.models.segmentation.lraspp import LRASPPHead

from vision_cli.models.defaults import PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.semantic.torchvision_pixels import NamedMaps, PixelPlaces

STRIDES = {"low": 8, "high": 16}
_CHANNELS = 128


class OverTimm(nn.Module):
    """LR-ASPP over a timm network whose last map is of stride 16, enlarged where the network cannot dilate."""

    def __init__(self, trunk: Trunk, n_classes: int) -> None:
        super().__init__()
        self.backbone = NamedMaps(trunk, STRIDES)
        channels = self.backbone.channels
        self.classifier = LRASPPHead(channels["low"], channels["high"], n_classes, _CHANNELS)


FAMILY = TorchvisionFamily("lraspp", PixelPlaces, OverTimm, PLACE_SIZE_PX, output_stride=STRIDES["high"])
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
