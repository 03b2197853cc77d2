"""Inference of two-stage detectors in arrays of fixed shape, as exporters need it; torchvision's have any length.

The same answer as torchvision's own: places that it leaves out are filled, carried along, and left out at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops import clip_boxes_to_image, nms, roi_align
from torchvision.ops.poolers import MultiScaleRoIAlign, _setup_scales

_CANDIDATES = 2000
"""Boxes of a photo that suppression looks at; torchvision takes all above its threshold."""
_LEAST_PX = 1e-2
_NONE = -1.0

Size = tuple[int, int]
Features = Mapping[str, Tensor]


def detections(network: Any, features: Features, batch: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return boxes (N, D, 6), empty rows full of -1, and the masks (N, D, M, M) in them where the network has masks.

    Args:
        network: torchvision's Faster R-CNN or Mask R-CNN.
        features: of the batch, by level.
        batch: float32 (N, channels, height, width).
    """
    size = (int(batch.shape[2]), int(batch.shape[3]))
    rows, masks = [], []
    for index in range(batch.shape[0]):
        here = {name: level[index : index + 1] for name, level in features.items()}
        boxes, real = _proposals(network.rpn, here, batch[index : index + 1])
        found = _rows(network.roi_heads, here, (boxes, real), size)
        rows.append(found)
        if network.roi_heads.has_mask():
            masks.append(_masks(network.roi_heads, here, found, size))
    return torch.stack(rows), torch.stack(masks) if masks else None


def _proposals(rpn: Any, features: Features, photo: Tensor) -> tuple[Tensor, Tensor]:
    """Return boxes (P, 4) and bool (P,), whether they are there."""
    levels, size = list(features.values()), (int(photo.shape[2]), int(photo.shape[3]))
    objectness, deltas = rpn.head(levels)
    counts = [each.shape[1] * each.shape[2] * each.shape[3] for each in objectness]
    objectness, deltas = concat_box_prediction_layers(objectness, deltas)
    (anchors,) = rpn.anchor_generator(ImageList(photo, [size]), levels)
    boxes = rpn.box_coder.decode(deltas, [anchors])[:, 0]
    best = [
        part.topk(min(rpn._pre_nms_top_n["testing"], count)).indices + sum(counts[:level])
        for level, (part, count) in enumerate(zip(objectness[:, 0].split(counts), counts, strict=True))
    ]
    groups = torch.cat([each.new_full(each.shape, level) for level, each in enumerate(best)])
    order = torch.cat(best)
    boxes = clip_boxes_to_image(boxes[order], size)
    scores = _kept_scores(objectness[order, 0].sigmoid(), boxes, rpn.min_size)
    kept, real = _suppressed(boxes, scores, groups, (rpn.nms_thresh, rpn._post_nms_top_n["testing"]))
    return boxes[kept], real


def _rows(heads: Any, features: Features, proposals: tuple[Tensor, Tensor], size: Size) -> Tensor:
    """Return the best boxes (D, 6) of the second stage."""
    boxes, real = proposals
    values = heads.box_head(_pooled(heads.box_roi_pool, features, boxes, size))
    logits, deltas = heads.box_predictor(values)
    scores = logits.softmax(dim=1)[:, 1:]
    classes = torch.arange(scores.shape[1], device=scores.device).expand_as(scores).flatten()
    whole = clip_boxes_to_image(heads.box_coder.decode(deltas, [boxes]), size)[:, 1:].reshape(-1, 4)
    scores = torch.where(real[:, None], scores, _NONE).flatten()
    scores = _kept_scores(torch.where(scores > heads.score_thresh, scores, _NONE), whole, _LEAST_PX)
    best = scores.topk(min(_CANDIDATES, scores.shape[0]))
    whole, classes = whole[best.indices], classes[best.indices]
    kept, there = _suppressed(whole, best.values, classes, (heads.nms_thresh, heads.detections_per_img))
    rows = torch.cat([whole[kept], best.values[kept, None], classes[kept, None].to(whole.dtype)], dim=1)
    return torch.where(there[:, None], rows, _NONE)


def _masks(heads: Any, features: Features, rows: Tensor, size: Size) -> Tensor:
    """Return the probabilities (D, M, M) of each row's class; 0 in empty rows."""
    real = rows[:, 5] >= 0
    boxes = torch.where(real[:, None], rows[:, :4], 0.0)
    logits = heads.mask_predictor(heads.mask_head(_pooled(heads.mask_roi_pool, features, boxes, size)))
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


def _pooled(pool: MultiScaleRoIAlign, features: Features, boxes: Tensor, size: Size) -> Tensor:
    """Return features (P, C, s, s) of boxes (P, 4), each from the level of its size."""
    levels = [features[name] for name in pool.featmap_names if name in features]
    scales, mapper = _setup_scales(levels, [size], pool.canonical_scale, pool.canonical_level)
    level_of = mapper([boxes])
    regions = torch.cat([boxes.new_zeros(boxes.shape[0], 1), boxes], dim=1)
    pooled = [
        roi_align(values, regions, pool.output_size, scale, pool.sampling_ratio)
        for values, scale in zip(levels, scales, strict=True)
    ]
    found: Tensor = pooled[0]
    for level, values in enumerate(pooled[1:], 1):
        found = torch.where((level_of == level)[:, None, None, None], values, found)
    return found
