"""The golden input's outputs: close values pass, rows of boxes in any order, and nothing else does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vision_cli.core.artefact import Card, Decode
from vision_cli.core.dataset import ClassMap
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.preprocess import Preprocess
from vision_cli.stages.training.golden_outputs import difference

TOLERANCE = 1e-4


def card(layout: Any = None) -> Card:
    decode = PlaceDecode(layout) if layout else Decode()
    task = {"boxes": "instance", "pixels": "semantic", "panoptic": "panoptic", None: "classify"}[layout]
    return Card(task, ClassMap(("a", "b")), Preprocess(), decode, "small", {}, "Apache-2.0", "cells", "2025-01-01")


def panoptic(seed: int = 0) -> tuple[Any, Any, Any]:
    """60 boxes, 40 of which are some, with masks and pixels."""
    rng = np.random.default_rng(seed)
    boxes = np.concatenate([rng.uniform(0, 300, (60, 4)), rng.random((60, 1)), rng.integers(0, 2, (60, 1))], axis=1)
    boxes[40:] = [0, 0, 0, 0, 0, -1]
    masks, pixels = rng.random((1, 60, 7, 7)), rng.normal(size=(1, 2, 8, 8))
    return boxes[None].astype(np.float32), masks.astype(np.float32), pixels.astype(np.float32)


def relative(found: Any, kept: Any, layout: Any) -> float:
    return difference(found, kept, card(layout), TOLERANCE)[1]


def test_values_are_judged_by_the_largest_of_their_output() -> None:
    kept = (np.array([[100.0, 1.0]], np.float32),)
    assert relative((kept[0] + 0.005,), kept, None) < TOLERANCE
    assert relative((kept[0] + 0.05,), kept, None) > TOLERANCE
    assert relative((np.zeros((1, 3), np.float32),), kept, None) == np.inf
    assert relative((*kept, *kept), kept, None) == np.inf


@pytest.mark.parametrize("number", [2, 3])
def test_rows_may_come_in_another_order(number: int) -> None:
    kept = panoptic()[:number]
    order = np.random.default_rng(1).permutation(60)
    found = (kept[0][:, order] + np.float32(0.001), kept[1][:, order], *kept[2:])
    layout = {2: "boxes", 3: "panoptic"}[number]
    assert 0 < relative(found, kept, layout) < TOLERANCE
    # Other outputs have an order, and masks stay with their boxes.
    assert relative(found, kept, "pixels") > 0.1
    assert relative((found[0], kept[1], *kept[2:]), kept, layout) > 0.1


def test_other_boxes_are_found() -> None:
    kept = panoptic()
    other = kept[0].copy()
    other[:, :2, :4] += 5  # two of forty
    assert relative((other, *kept[1:]), kept, "panoptic") > TOLERANCE
    assert relative((np.full_like(kept[0], -1), *kept[1:]), kept, "panoptic") > TOLERANCE
    assert relative((*kept[:2], kept[2] + 0.01), kept, "panoptic") > TOLERANCE
    one = kept[0].copy()
    one[:, 0, :4] += 5  # as good as equal boxes may be dropped the other way round, but not one of forty
    assert relative((one, *kept[1:]), kept, "panoptic") > TOLERANCE


def test_no_boxes_at_all() -> None:
    kept = panoptic()
    empty = (np.broadcast_to(np.float32([0, 0, 0, 0, 0, -1]), kept[0].shape), *kept[1:])
    assert relative(empty, empty, "panoptic") == 0
    assert relative(kept, empty, "panoptic") > TOLERANCE
