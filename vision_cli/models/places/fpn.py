"""A feature pyramid (Lin et al. 2017) over the maps of any timm network, as torchvision's detectors want it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock, LastLevelP6P7

from vision_cli.models.network import Trunk
from vision_cli.models.places.maps import Maps

CHANNELS = 128
"""Of every level: half as many as torchvision has over ResNet-50, a quarter of the work, so that it runs on a CPU."""
REGION_STRIDES = (4, 8, 16, 32)
"""Of the maps that two-stage detectors take regions from; they see one more level (`LastLevelMaxPool`)."""
DENSE_STRIDES = (8, 16, 32, 64, 128)
"""Of the levels of RetinaNet and FCOS: three maps, and two that are made of the last."""
_SHAPES = (0.5, 1.0, 2.0)


class FpnBackbone(nn.Module):
    """Maps and the pyramid over them; the twin of torchvision's BackboneWithFPN.

    Attributes:
        body: the maps.
        out_channels: of every level.
    """

    def __init__(self, trunk: Trunk, strides: Sequence[int], extra: ExtraFPNBlock) -> None:
        super().__init__()
        self.body = Maps(trunk, strides)
        self.fpn = FeaturePyramidNetwork(list(self.body.channels), CHANNELS, extra)
        self.out_channels = CHANNELS

    def forward(self, batch: Tensor) -> OrderedDict[str, Tensor]:
        """Map (N, channels, height, width) to levels by name, from fine to coarse."""
        maps = OrderedDict((str(index), found) for index, found in enumerate(self.body(batch)))
        levels: OrderedDict[str, Tensor] = self.fpn(maps)
        return levels


def dense(trunk: Trunk) -> FpnBackbone:
    """Return the pyramid of `DENSE_STRIDES` over a timm network."""
    return FpnBackbone(trunk, DENSE_STRIDES[:3], LastLevelP6P7(CHANNELS, CHANNELS))


def square_anchors(sides_px: Sequence[tuple[int, ...]]) -> AnchorGenerator:
    """Return anchors of given sides a level, each as a square and as an upright and a lying box of the same area."""
    return AnchorGenerator(tuple(sides_px), (_SHAPES,) * len(sides_px))
