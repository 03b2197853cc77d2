"""A feature pyramid (Lin et al. 2017) over the maps of any timm network, as torchvision's detectors want it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock, LastLevelP6P7

from vision_cli.models.network import Trunk
from vision_cli.models.places.maps import Maps

CHANNELS = 256
SIZE_PX = (512, 512)
"""Of the input over a timm trunk, where the project file does not say it."""
REGION_STRIDES = (4, 8, 16, 32)
"""Of the maps that two-stage detectors take regions from; they see one more level (`LastLevelMaxPool`)."""
DENSE_STRIDES = (8, 16, 32, 64, 128)
"""Of the levels of RetinaNet and FCOS: three maps, and two that are made of the last."""


class FpnBackbone(nn.Module):
    """Maps and the pyramid over them; the twin of torchvision's BackboneWithFPN.

    Attributes:
        body: the maps.
        out_channels: of every level.
    """

    def __init__(self, trunk: Trunk, strides: Sequence[int], extra: ExtraFPNBlock, *, channels: int = CHANNELS) -> None:
        super().__init__()
        self.body = Maps(trunk, strides)
        self.fpn = FeaturePyramidNetwork(list(self.body.channels), channels, extra)
        self.out_channels = channels

    def forward(self, batch: Tensor) -> OrderedDict[str, Tensor]:
        """Map (N, channels, height, width) to levels by name, from fine to coarse."""
        maps = OrderedDict((str(index), found) for index, found in enumerate(self.body(batch)))
        levels: OrderedDict[str, Tensor] = self.fpn(maps)
        return levels


def dense(trunk: Trunk) -> FpnBackbone:
    """Return the pyramid of `DENSE_STRIDES` over a timm network."""
    return FpnBackbone(trunk, DENSE_STRIDES[:3], LastLevelP6P7(CHANNELS, CHANNELS))
