"""Masks pasted into photos, and the panoptic merge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection.roi_heads import paste_masks_in_image

from vision_cli.core import rle
from vision_cli.core.decoding import masks
from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels
from vision_cli.core.decoding.merging import merge
from vision_cli.core.place_targets import IGNORED

SIZE = (150, 100)


def blob(cells: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    y, x = (np.indices((cells, cells)) + 0.5) / cells
    angle = np.arctan2(y - 0.5, x - 0.5)
    reach = 0.35 + 0.12 * np.sin(angle * rng.integers(1, 5) + rng.uniform(0, 6))
    return (1 / (1 + np.exp(20 * (np.hypot(y - 0.5, x - 0.5) - reach)))).astype(np.float32)


def pasted(mask: Any, box: Any, size: tuple[int, int] = SIZE) -> Any:
    counts = masks.counts_of_masks(mask[None], np.array([box], dtype=np.float64), size)[0]
    return rle.decode(rle.runs(counts, size[1], size[0]), size[1], size[0])


@given(
    st.tuples(st.floats(-60, 140), st.floats(-60, 90)),
    st.tuples(st.floats(0.01, 200), st.floats(0.01, 200)),
    st.sampled_from([1, 7, 28]),
)
@settings(max_examples=60, deadline=None)
def test_each_pixel_is_interpolated_at_its_centre(corner: Any, sides: Any, cells: int) -> None:
    """Detectron2's `paste_masks_in_image`: torch's grid_sample over the photo's pixels."""
    box = np.array([*corner, corner[0] + sides[0], corner[1] + sides[1]])
    mask = np.random.default_rng(cells).random((cells, cells)).astype(np.float32)
    x = (torch.arange(SIZE[0], dtype=torch.float64) + 0.5 - box[0]) / (box[2] - box[0]) * 2 - 1
    y = (torch.arange(SIZE[1], dtype=torch.float64) + 0.5 - box[1]) / (box[3] - box[1]) * 2 - 1
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=2)[None]
    values = torch.nn.functional.grid_sample(
        torch.from_numpy(mask)[None, None].double(), grid, align_corners=False, padding_mode="zeros"
    )[0, 0].numpy()
    inside = np.ix_(
        (np.arange(SIZE[1]) + 1 > box[1]) & (np.arange(SIZE[1]) < box[3]),
        (np.arange(SIZE[0]) + 1 > box[0]) & (np.arange(SIZE[0]) < box[2]),
    )
    expected, clear = np.zeros(SIZE[::-1], bool), np.ones(SIZE[::-1], bool)
    expected[inside] = values[inside] >= masks.THRESHOLD
    clear[inside] = np.abs(values[inside] - masks.THRESHOLD) > 1e-4
    assert (pasted(mask, box) == expected)[clear].all()


@pytest.mark.parametrize("seed", range(6))
def test_as_torchvision_pastes_but_for_its_whole_boxes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    box = np.concatenate([low := rng.uniform(-10, 50, 2), low + rng.uniform(40, 90, 2)])
    mask = blob(28, seed)
    theirs = paste_masks_in_image(torch.from_numpy(mask)[None, None], torch.from_numpy(box)[None].float(), SIZE[::-1])
    expected = theirs[0, 0].numpy() >= 0.5
    found = pasted(mask, box)
    assert (found & expected).sum() / (found | expected).sum() > 0.95


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_run_lengths_of_a_part(seed: int, full_height: bool) -> None:
    rng = np.random.default_rng(seed)
    width, height = (int(each) for each in rng.integers(1, 12, 2))
    x, y = (int(rng.integers(0, side + 1)) for side in (width, height))
    if full_height:
        y = 0
    part = rng.random((height - y if full_height else rng.integers(0, height - y + 1), width - x)) < rng.random()
    whole = np.zeros((height, width), bool)
    whole[y : y + part.shape[0], x : x + part.shape[1]] = part
    assert masks.counts_of_part(part, (x, y), (width, height)).tolist() == rle.encode(whole)


def objects_of(*shapes: tuple[Any, int, float]) -> PhotoObjects:
    """Objects of (mask bool (H, W), class, score), best first."""
    return PhotoObjects(
        SIZE,
        np.zeros((len(shapes), 4)),
        np.array([score for _, _, score in shapes]),
        np.array([class_id for _, class_id, _ in shapes]),
        tuple(np.array(rle.encode(mask), dtype=np.int64) for mask, _, _ in shapes),
    )


def rectangle(left: int, top: int, right: int, bottom: int) -> Any:
    mask = np.zeros(SIZE[::-1], bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_panoptic_merge_of_the_paper() -> None:
    """Things 0 and 1, stuff 2 and 3; each pixel of the expectation is written down by hand."""
    objects = objects_of(
        (rectangle(10, 10, 50, 50), 0, 0.9),
        (rectangle(30, 10, 70, 50), 1, 0.8),  # half covered: stays, with what is left
        (rectangle(31, 10, 71, 50), 1, 0.7),  # covered but for a column: dropped
        (np.zeros(SIZE[::-1], bool), 0, 0.6),  # empty: dropped
    )
    classes = np.full(SIZE[::-1], 2, np.int16)
    classes[60:] = 0  # a thing's class without an object: no segment
    classes[:, 149] = 3  # too little of it
    classes[0] = IGNORED
    found = merge(objects, PhotoPixels(classes), things=(0, 1), min_stuff_share=0.02)
    expected = np.zeros(SIZE[::-1], np.int32)
    expected[1:60, :149] = 3
    expected[10:50, 10:50] = 1
    expected[10:50, 50:70] = 2
    assert np.array_equal(found.ids, expected)
    assert found.classes.tolist() == [0, 1, 2]
    assert found.scores.tolist() == [0.9, 0.8, 1.0]
    assert found.is_thing.tolist() == [True, True, False]
    assert (len(found), found.size_px) == (3, SIZE)


def slow_merge(shapes: Any, classes: Any, things: Any, share: float) -> tuple[Any, list[int]]:
    """Detectron2's `combine_semantic_and_instance_outputs`, pixel by pixel."""
    ids, found = np.zeros(classes.shape, np.int32), []
    for mask, class_id, _ in shapes:
        area = int(mask.sum())
        if area == 0 or (mask & (ids > 0)).sum() / area > 0.5:
            continue
        found.append(class_id)
        ids[mask & (ids == 0)] = len(found)
    for class_id in sorted(set(classes.ravel().tolist())):
        left = (classes == class_id) & (ids == 0)
        if class_id in things or class_id < 0 or left.sum() < max(1, share * classes.size):
            continue
        found.append(class_id)
        ids[left] = len(found)
    return ids, found


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.02, 0.2]))
@settings(max_examples=40, deadline=None)
def test_the_panoptic_merge_as_a_slow_one(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    shapes = []
    for score in np.linspace(0.9, 0.5, rng.integers(0, 6)):
        left, top = rng.integers(0, (120, 80))
        part = rectangle(left, top, left + rng.integers(0, 90), top + rng.integers(0, 60))
        shapes.append((part & (rng.random(part.shape) < 0.9), int(rng.integers(0, 2)), float(score)))
    classes = rng.integers(-1, 5, (5, 6)).astype(np.int16).repeat(20, axis=0).repeat(25, axis=1)
    found = merge(objects_of(*shapes), PhotoPixels(classes), things=(0, 1), min_stuff_share=share)
    ids, expected = slow_merge(shapes, classes, (0, 1), share)
    assert found.classes.tolist() == expected
    assert np.array_equal(found.ids, ids)
