"""The family `ssd`: torchvision's SSD300 (Liu et al. 2016), its SSDLite on MobileNetV3, or SSD on a timm network."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from functools import partial

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD
from torchvision.models.detection.ssdlite import _extra_block
from torchvision.ops import box_iou

from vision_cli.core.place_decode import Level, PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.models.defaults import PLACE_SIZE_PX
from vision_cli.models.network import Trunk
from vision_cli.models.places import anchors
from vision_cli.models.places.class_rows import ClassRows
from vision_cli.models.places.maps import Maps, check_grids
from vision_cli.models.places.torchvision_family import TorchvisionFamily
from vision_cli.models.places.torchvision_module import Target, TorchvisionPlaces, as_targets, inside_crowd

_STRIDES = (8, 16, 32)
_EXTRA = (256, 256, 128)
_SURE = 30.0


class SsdPlaces(TorchvisionPlaces):
    """SSD with raw outputs `anchors`; the first logit is the background."""

    background = 1
    class_rows = (
        ClassRows(r"network\.head\.classification_head\.module_list\.\d+\.(1\.)?(weight|bias)", background=1),
    )

    def decoding(self) -> PlaceDecode:
        """Return torchvision's default boxes at the declared size.

        Raises:
            UsageError: the network does not take that size.
        """
        width, height = self.preprocess.size_px
        training = self.network.training
        with torch.no_grad():
            maps = self.network.eval().backbone(torch.zeros(1, self.preprocess.channels, height, width))
        self.network.train(training)
        generator = self.network.anchor_generator
        strides = generator.steps or [round(width / found.shape[-1]) for found in maps.values()]
        check_grids(list(maps.values()), strides, self.preprocess)
        size = torch.tensor([float(width), float(height)])
        pairs = [(pair.clamp(0, 1) * size).tolist() for pair in generator._wh_pairs]
        levels = tuple(
            Level(int(stride), tuple((w, h) for w, h in pair)) for stride, pair in zip(strides, pairs, strict=True)
        )
        return PlaceDecode("anchors", levels=levels, nms_iou=0.45, max_detections=200)

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, channels, height, width) to offsets and logits (N, A, 4 + 1 + K)."""
        found = self.network.head(list(self.features(batch).values()))
        return (torch.cat([found["bbox_regression"], found["cls_logits"]], dim=2),)

    def losses(self, batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Return torchvision's cross-entropy with hard negatives and its loss of the boxes."""
        outputs = self.network.head(list(self.features(batch).values()))
        boxes = anchors.over_grid(self.decode.levels, (batch.shape[3], batch.shape[2])).to(batch.device)
        photos = as_targets(targets, first_label=1)
        matched = [self._matched(photo, boxes) for photo in photos]
        ignored = torch.stack(
            [(found < 0) & inside_crowd(boxes, photo["crowd"]) for found, photo in zip(matched, photos, strict=True)]
        )
        # The loss has no word for 'do not count': a background that is sure of itself is no hard negative.
        logits = torch.where(ignored[..., None], _sure_background(outputs["cls_logits"]), outputs["cls_logits"])
        found: dict[str, Tensor] = self.network.compute_loss(
            photos, {**outputs, "cls_logits": logits}, [boxes] * len(photos), matched
        )
        return found

    def _matched(self, photo: Target, boxes: Tensor) -> Tensor:
        if len(photo["boxes"]) == 0:
            return torch.full((len(boxes),), -1, device=boxes.device)
        found: Tensor = self.network.proposal_matcher(box_iou(photo["boxes"], boxes))
        return found


def _sure_background(logits: Tensor) -> Tensor:
    sure = torch.zeros_like(logits)
    sure[..., 0] = _SURE
    return sure


class _TimmMaps(nn.Module):
    """The maps of a timm network, and smaller ones below as in SSDLite."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
        self.features = Maps(trunk, _STRIDES)
        # Linear bottlenecks give maps of any scale; SSD puts its first map on one scale for the same reason.
        self.norms = nn.ModuleList(norm(width) for width in self.features.channels)
        widths = [self.features.channels[-1], *_EXTRA]
        self.extra = nn.ModuleList(_extra_block(before, after, norm) for before, after in itertools.pairwise(widths))
        self.out_channels = [*self.features.channels, *_EXTRA]

    def forward(self, batch: Tensor) -> OrderedDict[str, Tensor]:
        """Map (N, channels, height, width) to maps by name, from fine to coarse."""
        maps = [norm(found) for norm, found in zip(self.norms, self.features(batch), strict=True)]
        for block in self.extra:
            maps.append(block(maps[-1]))
        return OrderedDict((str(index), found) for index, found in enumerate(maps))


def _over_timm(trunk: Trunk, n_outputs: int) -> nn.Module:
    width, height = trunk.preprocess.size_px
    backbone = _TimmMaps(trunk)
    steps = [_STRIDES[0] * 2**level for level in range(len(backbone.out_channels))]
    boxes = DefaultBoxGenerator([[2, 3]] * len(steps), min_ratio=0.07, max_ratio=0.9, steps=steps)
    network: nn.Module = SSD(backbone, boxes, (width, height), n_outputs)
    return network


FAMILY = TorchvisionFamily("ssd", SsdPlaces, _over_timm, PLACE_SIZE_PX)
names = FAMILY.names
build_places = FAMILY.build
rebuild = FAMILY.rebuild
