"""Bent pictures against a slow reference: lines of sight cut with a real cylinder, one pixel at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vision_cli.synth.bend import Bend, bent, draw, forward


def stripes() -> np.ndarray:
    """Return a picture whose red tells the column and whose green tells the row."""
    rgba = np.zeros((100, 200, 4), np.uint8)
    rgba[..., 0] = np.arange(200)
    rgba[..., 1] = np.arange(100)[:, None]
    rgba[..., 3] = 255
    return rgba


@pytest.mark.parametrize("angle", [20.0, 45.0, 70.0])
def test_a_label_around_a_mug_is_where_lines_of_sight_meet_it(angle: float) -> None:
    seen, light = bent(stripes(), Bend("cylinder", angle))
    middle = seen.shape[1] // 2
    half = math.radians(angle)
    radius = 100 / math.sin(half)  # in pixels of the picture: it is as wide as the cylinder's visible part
    for offset in range(-95, 96, 10):
        turned = math.asin((offset + 0.5) / radius)  # where the line of sight at this distance from the axis meets it
        column = turned / half * 100 + 100 - 0.5  # arc length, from the left edge of the picture
        assert seen[50, middle + offset, 0] == pytest.approx(column, abs=1.1)
        assert seen[50, middle + offset, 1] == pytest.approx(49, abs=1.1)
    assert (np.diff(light[50, middle:-3]) <= 1e-6).all()  # the surface turns away from the light


def test_a_bow_hangs_lower_at_the_sides_and_forward_says_where() -> None:
    bend = Bend("cylinder", 60.0, bow=0.2)
    seen, _ = bent(stripes(), bend)
    pad = (seen.shape[0] - 100) // 2
    top_middle = np.flatnonzero(seen[:, seen.shape[1] // 2, 3] > 128)[0] - pad
    left = (seen.shape[1] - 200) // 2
    top_side = np.flatnonzero(seen[:, left + 1, 3] > 128)[0] - pad
    assert top_middle == pytest.approx(0, abs=1)
    assert top_side == pytest.approx(20, abs=2.5)
    told = forward(np.array([[0.5, 0.0], [0.0, 0.0]], np.float32), bend)
    assert told[:, 1] == pytest.approx([0, 0.2], abs=1e-5)


@pytest.mark.parametrize("bend", [Bend("cylinder", 50.0, 0.1), Bend("cylinder", 50.0, 0.1, across=True)])
def test_a_point_is_drawn_where_forward_says(bend: Bend) -> None:
    rgba = np.zeros((120, 160, 4), np.uint8)
    rgba[..., 3] = 255
    rgba[28:33, 118:123, 0] = 255
    seen, _ = bent(rgba, bend)
    rows, columns = np.nonzero(seen[..., 0] > 128)
    share = forward(np.array([[120.5 / 160, 30.5 / 120]], np.float32), bend)[0]
    pad_x, pad_y = (seen.shape[1] - 160) / 2, (seen.shape[0] - 120) / 2
    assert columns.mean() + 0.5 - pad_x == pytest.approx(share[0] * 160, abs=1.2)
    assert rows.mean() + 0.5 - pad_y == pytest.approx(share[1] * 120, abs=1.2)


@pytest.mark.parametrize("kind", ["cylinder", "cloth"])
def test_drawn_bends_lose_nothing_of_the_picture(kind: str) -> None:
    for seed in range(20):
        bend = draw(np.random.default_rng(seed), kind)  # type: ignore[arg-type]
        seen, light = bent(stripes(), bend)
        assert seen[[0, -1], :, 3].max() < 140
        assert light.min() >= 0.25
        assert light.max() <= 1.6
        assert (seen[..., 3] > 128).sum() == pytest.approx(100 * 200, rel=0.06)
