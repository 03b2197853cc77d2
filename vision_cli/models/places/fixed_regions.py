"""Inference of two-stage detectors in arrays of fixed shape, as exporters need it; torchvision's have any length.

The same answer as torchvision's own: places that it leaves out are filled, carried along, and left out at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops import clip_boxes_to_image, nms, roi_align
from torchvision.ops.poolers import MultiScaleRoIAlign, _setup_scales

from vision_cli.models.places import plain_regions, ranking

_CANDIDATES = 2000
"""Boxes of a photo that suppression looks at; torchvision takes all above its threshold."""
_PLAIN_CANDIDATES = 1000
"""The same without an operator for suppression, which then takes memory by the square of it."""
_LEAST_PX = 1e-2
_NONE = -1.0

Size = tuple[int, int]
Features = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class _Photo:
    """One photo's features by level, itself (1, channels, height, width), and which operators there are."""

    levels: Features
    pixels: Tensor
    plain: bool

    @property
    def size(self) -> Size:
        return int(self.pixels.shape[2]), int(self.pixels.shape[3])


def detections(network: Any, features: Features, batch: Tensor, *, plain: bool = False) -> tuple[Tensor, Tensor | None]:
    """Return boxes (N, D, 6), empty rows full of -1, and the masks (N, D, M, M) in them where the network has masks.

    Args:
        network: torchvision's Faster R-CNN or Mask R-CNN.
        features: of the batch, by level.
        batch: float32 (N, channels, height, width).
        plain: with operators that every runtime has, instead of those for suppression and pooling.
    """
    rows, masks = [], []
    for index in range(batch.shape[0]):
        here = {name: level[index : index + 1] for name, level in features.items()}
        photo = _Photo(here, batch[index : index + 1], plain)
        found = _rows(network.roi_heads, photo, _proposals(network.rpn, photo))
        rows.append(found)
        if network.roi_heads.has_mask():
            masks.append(_masks(network.roi_heads, photo, found))
    return torch.stack(rows), torch.stack(masks) if masks else None


def proposals(rpn: Any, features: Features, photo: Tensor) -> Tensor:
    """Return the boxes (P, 4) that are proposed for one photo (1, channels, height, width), in any number."""
    boxes, real = _proposals(rpn, _Photo(features, photo, plain=False))
    return boxes[real]


def _proposals(rpn: Any, photo: _Photo) -> tuple[Tensor, Tensor]:
    """Return boxes (P, 4) and bool (P,), whether they are there."""
    levels = list(photo.levels.values())
    objectness, deltas = rpn.head(levels)
    counts = [each.shape[1] * each.shape[2] * each.shape[3] for each in objectness]
    objectness, deltas = concat_box_prediction_layers(objectness, deltas)
    (anchors,) = rpn.anchor_generator(ImageList(photo.pixels, [photo.size]), levels)
    boxes = rpn.box_coder.decode(deltas, [anchors])[:, 0]
    most = rpn._pre_nms_top_n["testing"]
    best = [ranking.best_first(part, most) for part in objectness[:, 0].split(counts)]
    groups = torch.cat([chosen.new_full(chosen.shape, level) for level, (chosen, _) in enumerate(best)])
    order = torch.cat([chosen + sum(counts[:level]) for level, (chosen, _) in enumerate(best)])
    boxes = clip_boxes_to_image(boxes[order], photo.size)
    scores = _kept_scores(torch.cat([ranks for _, ranks in best]), boxes, rpn.min_size)
    limits = (rpn.nms_thresh, rpn._post_nms_top_n["testing"])
    if photo.plain:
        kept, real = _suppressed_plainly(boxes, scores, groups, limits, [len(chosen) for chosen, _ in best])
    else:
        kept, real = _suppressed(boxes, scores, groups, limits)
    return boxes[kept], real


def _rows(heads: Any, photo: _Photo, proposals: tuple[Tensor, Tensor]) -> Tensor:
    """Return the best boxes (D, 6) of the second stage."""
    boxes, real = proposals
    logits, deltas = heads.box_predictor(heads.box_head(_pooled(heads.box_roi_pool, photo, boxes)))
    scores = logits.softmax(dim=1)[:, 1:]
    classes = torch.arange(scores.shape[1], device=scores.device).expand_as(scores).flatten()
    whole = clip_boxes_to_image(heads.box_coder.decode(deltas, [boxes]), photo.size)[:, 1:].reshape(-1, 4)
    scores = torch.where(real[:, None], scores, _NONE).flatten()
    scores = _kept_scores(torch.where(scores > heads.score_thresh, scores, _NONE), whole, _LEAST_PX)
    best = scores.topk(min(_PLAIN_CANDIDATES if photo.plain else _CANDIDATES, scores.shape[0]))
    whole, classes = whole[best.indices], classes[best.indices]
    limits = (heads.nms_thresh, heads.detections_per_img)
    if photo.plain:
        kept, there = _suppressed_plainly(whole, best.values, classes, limits, [len(classes)])
    else:
        kept, there = _suppressed(whole, best.values, classes, limits)
    rows = torch.cat([whole[kept], best.values[kept, None], classes[kept, None].to(whole.dtype)], dim=1)
    return torch.where(there[:, None], rows, _NONE)


def _masks(heads: Any, photo: _Photo, rows: Tensor) -> Tensor:
    """Return the probabilities (D, M, M) of each row's class; 0 in empty rows."""
    real = rows[:, 5] >= 0
    boxes = torch.where(real[:, None], rows[:, :4], 0.0)
    logits = heads.mask_predictor(heads.mask_head(_pooled(heads.mask_roi_pool, photo, boxes)))
    labels = (rows[:, 5].clamp(min=0) + 1).long()
    own = logits[torch.arange(len(rows), device=labels.device), labels]
    return torch.where(real[:, None, None], own.sigmoid(), 0.0)


def _kept_scores(scores: Tensor, boxes: Tensor, least_px: float) -> Tensor:
    sides = boxes[:, 2:] - boxes[:, :2]
    return torch.where((sides >= least_px).all(dim=1), scores, _NONE)


def _suppressed(boxes: Tensor, scores: Tensor, groups: Tensor, limits: tuple[float, int]) -> tuple[Tensor, Tensor]:
    """Return the places (count,) of what suppression in groups leaves, best first, and bool (count,): real ones.

    Args:
        boxes: float (n, 4).
        scores: float (n,), negative for what is not there.
        groups: int64 (n,), boxes of different ones do not suppress each other.
        limits: the IoU, and the count.
    """
    iou, count = limits
    # As torchvision: far apart by group. What is not there lies in a group of its own.
    apart = (groups + 1) * (scores >= 0) * (boxes.max() + 1)
    kept = nms(boxes + apart[:, None], scores, iou)
    torch._check(kept.shape[0] >= 0)
    filled = torch.cat([kept, kept.new_zeros(count)])[:count]
    real = (torch.arange(count, device=boxes.device) < kept.shape[0]) & (scores[filled] >= 0)
    return filled, real


def _suppressed_plainly(
    boxes: Tensor, scores: Tensor, groups: Tensor, limits: tuple[float, int], blocks: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return the same as `_suppressed`, of boxes in blocks that are sorted and share no group."""
    iou, count = limits
    # Slices, as LiteRT's converter cannot split into one part.
    parts = [slice(sum(blocks[:index]), sum(blocks[: index + 1])) for index in range(len(blocks))]
    left = torch.cat([plain_regions.kept(boxes[part], scores[part], groups[part], iou) for part in parts])
    best = torch.where(left, scores, _NONE).topk(min(count, scores.shape[0]))
    missing = count - best.indices.shape[0]
    filled = torch.cat([best.indices, best.indices.new_zeros(missing)]) if missing else best.indices
    real = torch.cat([best.values, best.values.new_full((missing,), _NONE)]) if missing else best.values
    return filled, real >= 0


def _pooled(pool: MultiScaleRoIAlign, photo: _Photo, boxes: Tensor) -> Tensor:
    """Return features (P, C, s, s) of boxes (P, 4), each from the level of its size."""
    levels = [photo.levels[name] for name in pool.featmap_names if name in photo.levels]
    scales, mapper = _setup_scales(levels, [photo.size], pool.canonical_scale, pool.canonical_level)
    level_of = mapper([boxes])
    if photo.plain and pool.sampling_ratio == plain_regions.SAMPLES:
        return plain_regions.pooled(levels, boxes, level_of, scales, pool.output_size[0])
    regions = torch.cat([boxes.new_zeros(boxes.shape[0], 1), boxes], dim=1)
    pooled = [
        roi_align(values, regions, pool.output_size, scale, pool.sampling_ratio)
        for values, scale in zip(levels, scales, strict=True)
    ]
    found: Tensor = pooled[0]
    for level, values in enumerate(pooled[1:], 1):
        found = torch.where((level_of == level)[:, None, None, None], values, found)
    return found
