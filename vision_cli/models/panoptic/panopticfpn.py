"""The family `panopticfpn`: Panoptic FPN (Kirillov et al. 2019): Mask R-CNN and a semantic branch over one pyramid.

The semantic branch tells all classes apart, things too: decoding takes things from the instance branch alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from vision_cli.core.config import ModelConfig
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.models.defaults import LARGE_PLACE_SIZE_PX
from vision_cli.models.instance.maskrcnn import MaskPlaces, over_trunk
from vision_cli.models.panoptic.stuff import StuffBranch
from vision_cli.models.places.class_rows import ClassRows
from vision_cli.models.places.fpn import REGION_STRIDES
from vision_cli.models.places.request import PlaceRequest
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.places.torchvision_module import TorchvisionPlaces
from vision_cli.models.semantic import pixel_loss

_STUFF = 0.5
"""Share of the semantic branch in the loss, of the instance branch 1: the paper's choice for COCO (section 4)."""


class PanopticPlaces(MaskPlaces):
    """Mask R-CNN and a semantic branch, with raw outputs `panoptic`."""

    own_parts = ("network.stuff.",)
    class_rows = (*MaskPlaces.class_rows, ClassRows(r"network\.stuff\.last\.(weight|bias)"))

    def __init__(self, network: nn.Module, *, preprocess: Preprocess, licence: str, options: Mapping[str, Any]) -> None:
        parts: Any = network
        n_classes = parts.roi_heads.box_predictor.cls_score.out_features - self.background
        parts.stuff = StuffBranch(parts.backbone.out_channels, len(REGION_STRIDES), n_classes)
        super().__init__(network, preprocess=preprocess, licence=licence, options=options)

    def decoding(self) -> PlaceDecode:
        """Return torchvision's thresholds; which classes are things is up to who builds the network."""
        return replace(super().decoding(), layout="panoptic")

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, channels, height, width) to boxes, the masks in them, and logits (N, C, h, w)."""
        features = self.features(batch)
        return (*self.boxes_and_masks(features, batch), self._stuff(features))

    def losses(self, batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Return torchvision's losses of the instance branch, and the cross-entropy of the semantic one."""
        features = self.features(batch)
        logits = pixel_loss.at_size(self._stuff(features), targets.pixels)
        pixel = _STUFF * pixel_loss.cross_entropy(logits, targets.pixels)
        return {**self.losses_of(features, batch, targets), "pixel": pixel}

    def _stuff(self, features: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = self.network.stuff(list(features.values())[: len(REGION_STRIDES)])
        return logits


FAMILY = TorchvisionFamily("panopticfpn", PanopticPlaces, over_trunk, LARGE_PLACE_SIZE_PX, parent="maskrcnn")
names = FAMILY.names
rebuild = FAMILY.rebuild


def build_places(config: ModelConfig, request: PlaceRequest, *, offline: bool, progress: Progress) -> TorchvisionPlaces:
    """Build a network that knows which of the request's classes are things; see `models.build_places`."""
    network = FAMILY.build(config, request, offline=offline, progress=progress)
    network.decode = replace(network.decode, things=request.things)
    return network
