"""Anchors: fitted sizes, places and offsets, against torchvision and against what a fit must do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList

from vision_cli.core.place_decode import Level
from vision_cli.models.places import anchors
from vision_cli.models.places.torchvision_module import levels_of

STRIDES = (8, 16, 32)


def image_list(width: int, height: int) -> ImageList:
    return ImageList(torch.zeros(1, 3, height, width), [(height, width)])


def maps(width: int, height: int, strides: tuple[int, ...]) -> list[torch.Tensor]:
    return [torch.zeros(1, 1, -(-height // stride), -(-width // stride)) for stride in strides]


@pytest.mark.parametrize("size", [(128, 128), (256, 128)])
def test_anchors_without_an_offset_are_those_of_torchvision(size: tuple[int, int]) -> None:
    generator = AnchorGenerator(((32, 45), (64, 90), (128, 181)), ((0.5, 1.0, 2.0),) * 3)
    (theirs,) = generator(image_list(*size), maps(*size, STRIDES))
    ours = anchors.over_grid(levels_of(generator, STRIDES), size)
    assert torch.equal(ours, theirs)


def test_anchors_in_the_middle_of_cells_are_the_default_boxes_of_torchvision() -> None:
    generator = DefaultBoxGenerator([[2], [2, 3], [2]], steps=list(STRIDES))
    (theirs,) = generator(image_list(160, 160), maps(160, 160, STRIDES))
    levels = tuple(
        Level(stride, tuple((w, h) for w, h in (pairs.clamp(0, 1) * 160).tolist()))
        for stride, pairs in zip(STRIDES, generator._wh_pairs, strict=True)
    )
    torch.testing.assert_close(anchors.over_grid(levels, (160, 160)), theirs, rtol=0, atol=1e-3)


def test_points_are_the_cells() -> None:
    found = anchors.over_grid((Level(8), Level(16)), (16, 16))
    assert found.tolist() == [[0, 0, 8, 8], [8, 0, 16, 8], [0, 8, 8, 16], [8, 8, 16, 16], [0, 0, 16, 16]]
    assert anchors.strides_over_grid((Level(8), Level(16)), (16, 16)).tolist() == [8, 8, 8, 8, 16]


def test_strides_count_the_anchors_of_a_cell() -> None:
    levels = (Level(8, ((8.0, 8.0), (9.0, 9.0))), Level(16, ((16.0, 16.0),)))
    assert anchors.strides_over_grid(levels, (16, 16)).tolist() == [8.0] * 8 + [16.0]


@pytest.mark.parametrize("weights", [(10.0, 10.0, 5.0, 5.0), (1.0, 1.0, 1.0, 1.0)])
def test_offsets_mean_what_they_mean_to_torchvision(weights: tuple[float, float, float, float]) -> None:
    torch.manual_seed(0)
    boxes = anchors.over_grid((Level(8, ((10.0, 30.0),)),), (64, 48))
    offsets = torch.randn(len(boxes), 4) * 30
    theirs = BoxCoder(weights).decode_single(offsets, boxes)
    torch.testing.assert_close(anchors.decode(offsets, boxes, weights), theirs, rtol=1e-5, atol=1e-3)


def test_three_groups_of_objects_give_their_sizes() -> None:
    rng = np.random.default_rng(3)
    groups = [(12.0, 10.0), (40.0, 80.0), (200.0, 150.0)]
    sizes = np.concatenate([np.array(group) * rng.uniform(0.95, 1.05, (50, 2)) for group in groups])
    levels = anchors.fitted(sizes, STRIDES, 1)
    for level, group in zip(levels, groups, strict=True):
        assert np.allclose(level.anchors[0], group, rtol=0.03)


@given(st.integers(0, 1000), st.integers(60, 200))
@settings(max_examples=25, deadline=None)
def test_a_fit_depends_on_no_order_and_beats_the_defaults(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.normal(3.5, 0.8, (count, 1))) * np.exp(rng.normal(0, 0.3, (count, 2))) + 2
    levels = anchors.fitted(sizes, STRIDES, 2)
    assert levels == anchors.fitted(rng.permutation(sizes), STRIDES, 2)
    found = np.array([anchor for level in levels for anchor in level.anchors])
    plain = np.array([anchor for level in anchors.fitted([], STRIDES, 2) for anchor in level.anchors])
    assert (np.diff(found.prod(axis=1)) >= -1).all()
    assert best_iou(sizes, found) > best_iou(sizes, plain)


def best_iou(sizes: np.ndarray, found: np.ndarray) -> float:
    total = 0.0
    for w, h in sizes:
        ious = []
        for a, b in found:
            inner = min(w, a) * min(h, b)
            ious.append(inner / (w * h + a * b - inner))
        total += max(ious)
    return total / len(sizes)


@pytest.mark.parametrize("sizes", [[], [[5.0, 5.0]], [[0.0, 3.0]] * 100, [[float("nan"), 3.0]] * 100])
def test_too_few_objects_give_plain_anchors(sizes: list[list[float]]) -> None:
    levels = anchors.fitted(sizes, STRIDES, 2)
    assert [level.anchors[0] for level in levels] == [(32.0, 32.0), (64.0, 64.0), (128.0, 128.0)]


def test_all_objects_alike_give_their_size_everywhere() -> None:
    levels = anchors.fitted([[20.0, 30.0]] * 200, STRIDES, 2)
    assert {anchor for level in levels for anchor in level.anchors} == {(20.0, 30.0)}


def best_fit(levels: tuple[Level, ...], sizes: np.ndarray) -> float:  # type: ignore[type-arg]
    every = np.array([size for level in levels for size in level.anchors])
    inner = np.minimum(sizes[:, None], every[None]).prod(axis=2)
    union = sizes.prod(axis=1)[:, None] + every.prod(axis=1)[None] - inner
    return float((inner / union).max(axis=1).mean())


@pytest.mark.parametrize("factor", [0.25, 0.5, 1.0, 2.0])
def test_anchors_are_scaled_as_a_whole_to_small_and_large_objects(factor: float) -> None:
    levels = tuple(Level(stride, ((2.0 * stride, 2.0 * stride), (1.5 * stride, 3.0 * stride))) for stride in STRIDES)
    around = np.random.default_rng(0).uniform(0.9, 1.1, (60, 2))
    sizes = around * 2 * factor * np.repeat(STRIDES, 20)[:, None]
    found = anchors.scaled(levels, sizes)
    ratio = np.array([level.anchors for level in found]) / np.array([level.anchors for level in levels])
    assert ratio.min() == pytest.approx(ratio.max())
    assert ratio.max() == pytest.approx(factor)
    assert best_fit(found, sizes) > 0.8


def test_too_few_objects_scale_nothing() -> None:
    levels = (Level(8, ((16.0, 16.0),)),)
    assert anchors.scaled(levels, np.full((19, 2), 4.0)) == levels
    assert anchors.scaled(levels, np.zeros((0, 2))) == levels
