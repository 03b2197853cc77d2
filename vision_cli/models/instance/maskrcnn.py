"""The family `maskrcnn`: torchvision's Mask R-CNN (He et al. 2017), its own networks or any of timm's."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

from vision_cli.models.defaults import LARGE_PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places import fixed_regions
from vision_cli.models.places.class_rows import ClassRows
from vision_cli.models.places.fpn import CHANNELS
from vision_cli.models.places.region_parts import region_parts
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.places.two_stage import TwoStage, filled


class MaskPlaces(TwoStage):
    """Mask R-CNN with raw outputs `boxes` and masks (N, D, 28, 28)."""

    class_rows = (
        *TwoStage.class_rows,
        ClassRows(r"network\.roi_heads\.mask_predictor\.mask_fcn_logits\.(weight|bias)", background=1),
    )

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, channels, height, width) to boxes (N, D, 6) and the probabilities inside of each."""
        return self.boxes_and_masks(self.features(batch), batch)

    def boxes_and_masks(self, features: dict[str, Tensor], batch: Tensor) -> tuple[Tensor, ...]:
        """Return both outputs from features that are there already."""
        if torch.compiler.is_exporting():
            rows, found = fixed_regions.detections(self.network, features, batch, plain=self.plain_operators)
            return (rows,) if found is None else (rows, found)
        photos, count = self.detections_of(features, batch), self.decode.max_detections
        masks = torch.stack([filled(photo["masks"][:, 0], count, 0.0) for photo in photos])
        return torch.stack([self._rows(photo) for photo in photos]), masks


def over_trunk(trunk: Trunk, n_outputs: int) -> nn.Module:
    """Return torchvision's module over a timm trunk, for classes and the background."""
    network: nn.Module = MaskRCNN(
        **region_parts(trunk, n_outputs),
        mask_head=MaskRCNNHeads(CHANNELS, (CHANNELS,) * 4, 1),
        mask_predictor=MaskRCNNPredictor(CHANNELS, CHANNELS, n_outputs),
    )
    return network


FAMILY = TorchvisionFamily("maskrcnn", MaskPlaces, over_trunk, LARGE_PLACE_SIZE_PX)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
