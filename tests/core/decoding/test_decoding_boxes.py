"""Anchors, box coder, scores and suppression, against torchvision's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import batched_nms, clip_boxes_to_image

from vision_cli.core.decoding import anchors, candidates, suppression
from vision_cli.core.place_decode import Level, PlaceDecode

SIZE = (96, 64)
LEVELS = (Level(8, ((12.0, 9.0), (7.0, 20.0))), Level(16, ((30.0, 31.0),)))


def torchvision_anchors() -> np.ndarray[Any, Any]:
    """The cells of torchvision begin at 0, ours at half a stride."""
    generator = AnchorGenerator(((1,), (1,)), ((1.0,), (1.0,)))
    cells = [torch.tensor(level.anchors, dtype=torch.float64) / 2 for level in LEVELS]
    generator.cell_anchors = [
        torch.cat([-half, half], dim=1) + level.stride_px / 2 for half, level in zip(cells, LEVELS, strict=True)
    ]
    maps = [torch.zeros(1, 1, SIZE[1] // level.stride_px, SIZE[0] // level.stride_px).double() for level in LEVELS]
    return generator(ImageList(torch.zeros(1, 3, SIZE[1], SIZE[0]), [(SIZE[1], SIZE[0])]), maps)[0].numpy()


def centred(boxes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def test_anchors_lie_as_torchvision_lays_them() -> None:
    expected = torchvision_anchors()
    assert np.abs(anchors.anchors(LEVELS, SIZE) - centred(expected)).max() < 1e-9
    assert anchors.n_places(LEVELS, SIZE) == len(expected) == 12 * 8 * 2 + 6 * 4


def test_a_size_that_is_no_multiple_of_the_stride_has_the_cells_of_padded_convolutions() -> None:
    level = Level(16)
    for size in range(33, 66):
        maps = torch.zeros(1, 1, size, size)
        for _ in range(4):
            maps = torch.nn.functional.conv2d(maps, torch.zeros(1, 1, 3, 3), stride=2, padding=1)
        assert anchors.grid(level, (size, size)) == (maps.shape[3], maps.shape[2])


def test_points_are_the_centres_of_cells() -> None:
    found = anchors.points((Level(8), Level(32)), (64, 32))
    assert found[:3].tolist() == [[4, 4, 8], [12, 4, 8], [20, 4, 8]]
    assert found[8].tolist() == [4, 12, 8]
    assert found[-2:].tolist() == [[16, 16, 32], [48, 16, 32]]
    boxes = anchors.boxes_of_distances(np.array([[1.0, 0.5, 2.0, 0.25]]), found[-1:])
    assert boxes.tolist() == [[48 - 32, 16 - 16, 48 + 64, 16 + 8]]


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)])
def test_offsets_as_the_box_coder(weights: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(0)
    priors = torchvision_anchors()
    offsets = rng.normal(scale=8, size=(len(priors), 4))
    coder = BoxCoder(weights)
    expected = coder.decode_single(torch.from_numpy(offsets), torch.from_numpy(priors)).numpy()
    assert (offsets[:, 2:] / weights[2] > math.log(1000 / 16)).any()  # the clamp is at work
    assert np.abs(anchors.boxes_of_offsets(offsets, centred(priors), weights) - expected).max() < 1e-8
    boxes = np.concatenate([low := rng.uniform(0, 60, (len(priors), 2)), low + rng.uniform(1, 50, low.shape)], axis=1)
    encoded = coder.encode_single(torch.from_numpy(boxes), torch.from_numpy(priors)).numpy()
    assert np.abs(anchors.offsets_of_boxes(boxes, centred(priors), weights) - encoded).max() < 1e-8


def some_boxes(rng: np.random.Generator, number: int) -> tuple[Any, Any, Any]:
    # Whole numbers: equal boxes, equal scores, touching edges and boxes without area occur.
    low = rng.integers(0, 40, (number, 2)).astype(np.float64)
    boxes = np.concatenate([low, low + rng.integers(0, 25, (number, 2))], axis=1)
    return boxes, rng.integers(0, 50, number) / 50, rng.integers(0, 3, number)


@given(st.integers(0, 2**32 - 1), st.integers(0, 120), st.sampled_from([0.0, 0.3, 0.5, 0.75, 1.0]))
@settings(max_examples=60, deadline=None)
def test_suppression_as_batched_nms(seed: int, number: int, iou: float) -> None:
    boxes, scores, classes = some_boxes(np.random.default_rng(seed), number)
    kept = suppression.suppress(boxes, scores, classes, iou=iou)
    # torchvision moves the classes apart, which needs boxes of some size: never with none.
    expected = batched_nms(torch.from_numpy(boxes), torch.from_numpy(scores), torch.from_numpy(classes), iou).tolist()
    assert kept.tolist() == expected
    assert suppression.suppress(boxes, scores, classes, iou=iou, limit=7).tolist() == expected[:7]


def torchvision_candidates(raw: Any, decode: PlaceDecode, n_classes: int) -> list[tuple[Any, ...]]:
    """As `torchvision.models.detection.ssd` and `retinanet` post-process, all classes at once."""
    coder = BoxCoder(decode.box_weights)
    tensor = torch.from_numpy(raw).double()
    boxes = coder.decode_single(tensor[:, :4], torch.from_numpy(torchvision_anchors()))
    boxes = clip_boxes_to_image(boxes, (SIZE[1], SIZE[0]))
    logits = tensor[:, 4:]
    scores = logits.softmax(dim=1)[:, 1:] if decode.activation == "softmax" else logits.sigmoid()
    rows, classes = torch.where(scores > decode.score_floor)
    kept = batched_nms(boxes[rows], scores[rows, classes], classes, decode.nms_iou)[: decode.max_detections]
    return boxes[rows[kept]], scores[rows[kept], classes[kept]], classes[kept]


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("floor", [0.0, 0.05, 0.6])
def test_anchors_become_the_boxes_of_torchvision(activation: Any, floor: float) -> None:
    rng = np.random.default_rng(3)
    width = 4 + 3 + (activation == "softmax")
    raw = rng.normal(scale=2, size=(anchors.n_places(LEVELS, SIZE), width)).astype(np.float32)
    decode = PlaceDecode("anchors", activation, LEVELS, score_floor=floor, nms_iou=0.4, max_detections=60)
    found = candidates.best_boxes(raw, decode, SIZE)
    boxes, scores, classes = (each.numpy() for each in torchvision_candidates(raw, decode, 3))
    assert len(found.scores) == len(scores) > 5
    assert np.abs(found.scores - scores).max() < 1e-12
    assert np.abs(found.xyxy - boxes).max() < 1e-9
    assert found.classes.tolist() == classes.tolist()


def test_points_become_boxes_as_fcos_post_processes() -> None:
    """The formulas of torchvision/models/detection/fcos.py, postprocess_detections."""
    levels = (Level(8), Level(16))
    decode = PlaceDecode("points", "sigmoid", levels, score_floor=0.3, nms_iou=0.6, max_detections=50)
    rng = np.random.default_rng(5)
    raw = rng.normal(size=(anchors.n_places(levels, SIZE), 4 + 2 + 1)).astype(np.float32)
    raw[:, :4] = np.abs(raw[:, :4])
    tensor = torch.from_numpy(raw).double()
    scores = torch.sqrt(tensor[:, 4:6].sigmoid() * tensor[:, 6:].sigmoid())
    rows, classes = torch.where(scores > 0.3)
    centres = [
        (float(x), float(y), stride)
        for stride in (8, 16)
        for y in np.arange(stride / 2, 64, stride)
        for x in np.arange(stride / 2, 96, stride)
    ]
    x, y, stride = torch.tensor(centres, dtype=torch.float64).T
    left, top, right, bottom = (tensor[:, :4] * stride[:, None]).T
    boxes = clip_boxes_to_image(torch.stack([x - left, y - top, x + right, y + bottom], dim=1), (64, 96))
    kept = batched_nms(boxes[rows], scores[rows, classes], classes, 0.6)[:50]
    found = candidates.best_boxes(raw, decode, SIZE)
    assert len(kept) > 20
    assert np.abs(found.xyxy - boxes[rows[kept]].numpy()).max() < 1e-9
    assert np.abs(found.scores - scores[rows[kept], classes[kept]].numpy()).max() < 1e-12
    assert found.classes.tolist() == classes[kept].tolist()


def test_rows_of_a_network_that_suppresses_by_itself() -> None:
    raw = np.array(
        [[1, 2, 3, 4, 0.3, 1], [0, 0, 5, 5, 0.9, 0], [0, 0, 0, 0, 0, -1], [1, 1, 2, 2, 0.001, 1]], np.float32
    )
    found = candidates.best_boxes(raw, PlaceDecode("boxes"), SIZE)
    assert found.rows.tolist() == [1, 0]
    assert found.classes.tolist() == [0, 1]
    assert found.xyxy.tolist() == [[0, 0, 5, 5], [1, 2, 3, 4]]
    assert len(candidates.best_boxes(raw, PlaceDecode("boxes", max_detections=1), SIZE).rows) == 1


def test_extreme_logits_are_no_nan() -> None:
    raw = np.zeros((anchors.n_places(LEVELS, SIZE), 6), np.float32)
    raw[:, 4], raw[0, 5], raw[0, 4], raw[0, 2:4] = 3e38, 3e38, -3e38, 1e30
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = candidates.best_boxes(raw, PlaceDecode("anchors", levels=LEVELS), SIZE)
    assert found.scores.tolist() == [1.0]
    assert np.isfinite(found.xyxy).all()
