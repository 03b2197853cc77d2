"""A feature pyramid (Lin et al. 2017) over the maps of any timm network, as torchvision's detectors want it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from vision_cli.models.network import Trunk
from vision_cli.models.places.maps import Maps

CHANNELS = 256


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
