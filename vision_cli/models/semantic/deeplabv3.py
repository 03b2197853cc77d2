"""The family `deeplabv3`: atrous pyramid pooling (Chen et al. 2017), torchvision's networks or any of timm's."""

from __future__ import annotations

from torch import nn
from torchvision.models.segmentation.deeplabv3 import DeepLabHead

from vision_cli.models.defaults import PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.semantic.torchvision_pixels import NamedMaps, PixelPlaces

STRIDE = 8
"""As of torchvision's own ResNets. On eight COCO photos at 256 px the best logits of stride 16 that there are, found by
descent on themselves, come to a mean IoU of 0.78, those of stride 8 to 0.92 (at 320 px 0.83 and 0.94)."""
_RATES = (12, 24, 36)
"""Of the paper for stride 8."""


class OverTimm(nn.Module):
    """DeepLabV3 over a timm network whose last map is of stride 8, enlarged where the network cannot dilate."""

    def __init__(self, trunk: Trunk, n_classes: int) -> None:
        super().__init__()
        self.backbone = NamedMaps(trunk, {"out": STRIDE})
        self.classifier = DeepLabHead(self.backbone.channels["out"], n_classes, _RATES)


FAMILY = TorchvisionFamily("deeplabv3", PixelPlaces, OverTimm, PLACE_SIZE_PX, output_stride=STRIDE)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
