"""The family `fasterrcnn`: torchvision's Faster R-CNN (Ren et al. 2015), its own networks or any of timm's."""

from __future__ import annotations

from torch import nn
from torchvision.models.detection import FasterRCNN

from vision_cli.models.defaults import LARGE_PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places.region_parts import region_parts
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.places.two_stage import TwoStage


def _over_timm(trunk: Trunk, n_outputs: int) -> nn.Module:
    network: nn.Module = FasterRCNN(**region_parts(trunk, n_outputs))
    return network


FAMILY = TorchvisionFamily("fasterrcnn", TwoStage, _over_timm, LARGE_PLACE_SIZE_PX)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
