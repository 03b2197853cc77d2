"""The family `fasterrcnn`: torchvision's Faster R-CNN (Ren et al. 2015), its own networks or any of timm's."""

from __future__ import annotations

from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from vision_cli.models.network import Trunk
from vision_cli.models.places.fpn import REGION_STRIDES, SIZE_PX, FpnBackbone
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.places.two_stage import TwoStage


def _over_timm(trunk: Trunk, n_outputs: int) -> nn.Module:
    network: nn.Module = FasterRCNN(FpnBackbone(trunk, REGION_STRIDES, LastLevelMaxPool()), n_outputs)
    return network


FAMILY = TorchvisionFamily("fasterrcnn", TwoStage, _over_timm, SIZE_PX)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
