"""Boxes of detectors: each explained by the score of its class where the box came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.decoding.anchors import n_places
from vision_cli.core.decoding.answers import PhotoObjects
from vision_cli.core.decoding.candidates import N_COORDINATES, Boxes, best_boxes
from vision_cli.core.decoding.placing import clipped, place
from vision_cli.core.errors import UsageError
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.models.explaining import HIRESCAM
from vision_cli.stages.explaining.asked import Part
from vision_cli.stages.explaining.evidence import Ask, Look, Seen, explained

if TYPE_CHECKING:
    from vision_cli.models.explaining.question import Score

Floats = NDArray[np.float64]
_FINEST_STRIDE = 16
"""Maps before it know edges and colours, and hardly things."""


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What a network said of the views of a photo.

    Attributes:
        raw: its outputs, float32 (views, ...) each.
        regions: of each view, what a two-stage detector looked at (P, 4) and its shares (P, K + 1); empty for others.
    """

    raw: tuple[NDArray[np.float32], ...]
    regions: tuple[tuple[Any, Any], ...] = ()


def outputs(look: Look, seen: Seen) -> Outputs:
    """Run the network on all views of a photo.

    Raises:
        UsageError: its boxes come from nowhere that could be asked.
    """
    import torch

    from vision_cli.models.explaining import scores
    from vision_cli.models.places.two_stage import TwoStage

    network = look.subject.network
    if look.subject.card.place_decode.layout in ("boxes", "panoptic"):
        if not isinstance(network, TwoStage):
            raise UsageError(
                f"a model of '{look.subject.card.family}' suppresses boxes by itself: their origin is not known.",
                hint="Explain one of another family, such as ssdlite, fasterrcnn or maskrcnn.",
            )
        found = [scores.proposals(network, view) for view in seen.views]
        said, regions = [each[0] for each in found], tuple((each[1], each[2]) for each in found)
    else:
        with torch.no_grad():
            said, regions = [network(view) for view in seen.views], ()
    raw = tuple(np.concatenate([each.float().numpy() for each in column]) for column in zip(*said, strict=True))
    return Outputs(raw, regions)


def explain(look: Look, seen: Seen, said: Outputs, objects: PhotoObjects) -> list[Part]:
    """Return one map a box, the surest first.

    Raises:
        UsageError: the layer or the method does not fit.
    """
    card = look.subject.card
    views = [_candidates(said.raw, view, look, seen) for view in range(len(seen.views))]
    parts = []
    for at in range(min(len(objects), look.how.most)):
        box, class_id, score = objects.boxes[at], int(objects.classes[at]), float(objects.scores[at])
        view, row = _origin(views, box, class_id, score)
        asked, stride = _score(look, said, (view, row), class_id, score)
        left, top, right, bottom = (float(value) for value in box)
        spot = look.spot(None if stride is None else max(stride, _FINEST_STRIDE))
        ask = Ask(spot, asked, HIRESCAM, card.classes.names[class_id], score, view, box=(left, top, right, bottom))
        parts.append(explained(look, seen, ask))
        look.progress.step("boxes", at + 1, min(len(objects), look.how.most))
    return parts


def _candidates(raw: Sequence[NDArray[np.float32]], view: int, look: Look, seen: Seen) -> tuple[Floats, Boxes]:
    """Return the boxes that one view gave, in pixels of the photo, and where they came from."""
    decode, card = look.subject.card.place_decode, look.subject.card
    rows = raw[0][view]
    if decode.layout == "scored" and len(raw) > 1:
        rows = rows[:, : N_COORDINATES + len(card.classes)]
    left, top, width, height = seen.windows[view]
    placement = place((width, height), card.preprocess)
    found = best_boxes(rows, decode, placement.input_px)
    inside = clipped(placement.to_photo(clipped(found.xyxy, placement.input_px)), placement.photo_px)
    return inside + np.array([left, top, left, top], np.float64), found


def _origin(views: Sequence[tuple[Floats, Boxes]], box: Floats, class_id: int, score: float) -> tuple[int, int]:
    """Return view and row of the raw output that a box came from: of its class, nearest in place, then in score."""
    best = (-1.0, -math.inf, 0, 0)
    for view, (boxes, found) in enumerate(views):
        for at in np.flatnonzero(found.classes == class_id).tolist():
            fit = (_iou(boxes[at], box), -abs(float(found.scores[at]) - score))
            if fit > best[:2]:
                best = (*fit, view, int(found.rows[at]))
    return best[2], best[3]


def _iou(one: Floats, other: Floats) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = float(np.prod(np.maximum(sides, 0.0)))
    areas = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]))
    return shared / max(areas - shared, 1e-9)


def _score(look: Look, said: Outputs, origin: tuple[int, int], class_id: int, score: float) -> tuple[Score, int | None]:
    """Return what is explained of a box, and the stride of the map that it was found on; None where it is not known."""
    from vision_cli.models.explaining.scores import OfAnchor, OfProposal, region_of

    decode, network = look.subject.card.place_decode, look.subject.network
    view, row = origin
    if said.regions:
        column = class_id + network.background
        regions, shares = said.regions[view]
        region = region_of(regions, shares, column, score)
        return OfProposal(network, region, column), _stride_of_region(network, region)
    background = decode.layout == "anchors" and decode.activation == "softmax"
    stride = _stride_of_row(decode, row, look.subject.card.preprocess.size_px)
    return OfAnchor(network, row, N_COORDINATES + background + class_id), stride


def _stride_of_row(decode: PlaceDecode, row: int, size_px: tuple[int, int]) -> int | None:
    first = 0
    for level in decode.levels:
        first += n_places((level,), size_px)
        if row < first:
            return level.stride_px
    return None


def _stride_of_region(network: Any, region: Any) -> int:
    """Return the stride of the pyramid's level that a region is pooled from (Lin et al. 2017, equation 1)."""
    pool = network.network.roi_heads.box_roi_pool
    side = float((region[2] - region[0]).clamp(min=1) * (region[3] - region[1]).clamp(min=1)) ** 0.5
    level = math.floor(pool.canonical_level + math.log2(side / pool.canonical_scale))
    return int(2 ** min(max(level, 2), 5))
