"""Boxes that come with scores, and masks that are sums of prototypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torchvision.ops import batched_nms

from vision_cli.core import rle
from vision_cli.core.artefact import Card
from vision_cli.core.dataset import ClassMap
from vision_cli.core.decoding import shapes
from vision_cli.core.decoding.photos import decode_batch
from vision_cli.core.decoding.placing import place
from vision_cli.core.decoding.prototypes import counts_of_prototypes
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.preprocess import Preprocess

SIDE, CLASSES = 64, 3
PREPROCESS = Preprocess((SIDE, SIDE), "letterbox", mean=(0.0,) * 3, std=(1.0,) * 3)
DECODE = PlaceDecode("scored", "sigmoid", score_floor=0.05, nms_iou=0.5, max_detections=40)


def rows(number: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    corner, sides = rng.uniform(-8, SIDE - 12, (number, 2)), rng.uniform(10, 30, (number, 2))
    return np.hstack([corner, corner + sides, rng.random((number, CLASSES)) ** 3]).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_scored_boxes_are_those_that_torchvision_keeps(seed: int) -> None:
    raw = rows(120, seed)
    found = decode_batch((raw[None],), DECODE, PREPROCESS, [(SIDE, SIDE)])[0]
    boxes = torch.from_numpy(raw[:, :4]).double().clip(0, SIDE)
    places, classes = (torch.from_numpy(raw[:, 4:]) > DECODE.score_floor).nonzero(as_tuple=True)
    scores = torch.from_numpy(raw[:, 4:]).double()[places, classes]
    kept = batched_nms(boxes[places], scores, classes, DECODE.nms_iou)[: DECODE.max_detections]
    assert 10 < len(found) == len(kept)
    assert np.array_equal(found.scores, scores[kept].numpy())
    assert np.array_equal(found.classes, classes[kept].numpy())
    assert np.abs(found.boxes - boxes[places][kept].numpy()).max() < 1e-9


def test_nothing_is_suppressed_where_the_network_did_it() -> None:
    raw = np.repeat(rows(1, 0), 5, axis=0)
    raw[:, 4:] = 0.0
    raw[:, 4] = 0.9
    decode = PlaceDecode("scored", "sigmoid", nms_iou=1.0)
    assert len(decode_batch((raw[None],), decode, PREPROCESS, [(SIDE, SIDE)])[0]) == 5


@pytest.mark.parametrize("size", [(100, 60), (37, 80), (64, 64), (500, 400)])
def test_a_mask_is_its_logits_interpolated_at_the_centre_of_each_pixel(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    prototypes = rng.standard_normal((4, 16, 16)).astype(np.float32)
    coefficients = rng.standard_normal((3, 4)).astype(np.float32)
    corner = rng.uniform(0, 0.5, (3, 2)) * size
    boxes = np.hstack([corner, corner + rng.uniform(0.1, 0.5, (3, 2)) * size])
    found = counts_of_prototypes(coefficients, prototypes, boxes, place(size, PREPROCESS))
    logits = torch.from_numpy(np.tensordot(coefficients, prototypes, 1).astype(np.float64))
    scale = SIDE / max(size)
    inner = [round(side * scale) for side in size]
    margins = [(SIDE - side) // 2 for side in inner]
    for counts, box, logit in zip(found, boxes, logits, strict=True):
        mask = rle.decode(rle.runs(counts, size[1], size[0]), size[1], size[0])
        x = (np.arange(size[0]) + 0.5) * inner[0] / size[0] + margins[0]
        y = (np.arange(size[1]) + 0.5) * inner[1] / size[1] + margins[1]
        grid = torch.from_numpy(np.stack(np.meshgrid(x, y), axis=-1) / SIDE * 2 - 1)[None]
        values = torch.nn.functional.grid_sample(
            logit[None, None], grid, mode="bilinear", padding_mode="border", align_corners=False
        )[0, 0].numpy()
        across = (np.arange(size[0]) + 0.5 >= box[0]) & (np.arange(size[0]) + 0.5 < box[2])
        down = (np.arange(size[1]) + 0.5 >= box[1]) & (np.arange(size[1]) + 0.5 < box[3])
        expected = (values > 0) & across & down[:, None]
        clear = np.abs(values) > 1e-5
        assert expected.any()
        assert np.array_equal(mask[clear], expected[clear])


def test_masks_of_prototypes_belong_to_their_boxes() -> None:
    """Two objects: the first prototype is the left half of the photo, the second the right."""
    prototypes = np.full((2, 16, 16), -1.0, np.float32)
    prototypes[0, :, :8] = prototypes[1, :, 8:] = 1.0
    raw = np.zeros((1, 3, 4 + CLASSES + 2), np.float32)
    raw[0, 0] = [0, 0, 64, 64, 0, 0.9, 0, 1, 0]
    raw[0, 1] = [0, 16, 64, 48, 0, 0, 0.8, 0, 1]
    found = decode_batch((raw, prototypes[None]), DECODE, PREPROCESS, [(SIDE, SIDE)])[0]
    assert found.classes.tolist() == [1, 2]
    one, other = (rle.decode(rle.runs(counts, SIDE, SIDE), SIDE, SIDE) for counts in found.masks)
    assert one[:, :31].all()
    assert not one[:, 33:].any()
    assert other[16:48, 33:].all()
    assert not other[:, :31].any()
    assert not other[:16].any()


@pytest.mark.parametrize(
    ("task", "found", "fits"),
    [
        ("detect", [(2, 84, 7)], True),
        ("detect", [(2, 84, 8)], False),
        ("detect", [(2, 84, 9), (2, 2, 16, 16)], False),
        ("instance", [(2, 84, 9), (2, 2, 16, 16)], True),
        ("instance", [(2, 84, 9), (2, 3, 16, 16)], False),
        ("instance", [(2, 84, 7)], False),
    ],
)
def test_shapes_of_the_layout(task: str, found: list[tuple[int, ...]], fits: bool) -> None:
    classes = ClassMap(("a", "b", "c"))
    card = Card(task, classes, PREPROCESS, DECODE, "yolo", {}, "AGPL-3.0", "test", "2026-01-01T00:00:00Z")
    assert (shapes.faults(found, card, DECODE) == "") == fits
