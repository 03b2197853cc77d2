"""The camera's conventions, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vision_cli.synth.scene import focal_of_view, plane_axes, plane_depth, ray, rays


def test_the_axis_goes_through_the_middle_and_the_edges_see_the_angle() -> None:
    focal = focal_of_view(641, 60)
    view = rays((481, 641), focal)
    assert view[240, 320] == pytest.approx((0, 0, 1))
    assert view[0, 0, 0] < 0
    assert view[0, 0, 1] < 0
    half = math.degrees(math.atan(view[240, 640, 0] + 0.5 / focal))  # to the outer edge of the last pixel
    assert half == pytest.approx(30, abs=1e-4)
    assert ray((10, 20), (481, 641), focal) == pytest.approx(view[20, 10], abs=1e-6)


def test_the_depth_of_a_floor_falls_towards_the_bottom() -> None:
    """A floor one metre under a level camera: depth = focal / rows below the horizon."""
    view = rays((101, 101), 50.0)
    depth = plane_depth(np.array([0.0, -1.0, 0.0]), -1.0, view)
    assert depth[60, 50] == pytest.approx(50 / 10)
    assert depth[100, 0] == pytest.approx(50 / 50)
    assert not np.isfinite(depth[50]).any()
    assert (depth[:50] < 0).all()


@pytest.mark.parametrize("normal", [(0, 0, -1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0), (0.6, 0.0, -0.8)])
def test_the_axes_of_a_plane_lie_in_it_and_are_not_mirrored(normal: tuple[float, float, float]) -> None:
    n = np.array(normal, float)
    right, down = plane_axes(n)
    assert [right @ n, down @ n, right @ down] == pytest.approx([0, 0, 0], abs=1e-12)
    assert [np.linalg.norm(right), np.linalg.norm(down)] == pytest.approx([1, 1])
    # Seen from the side that the normal points to, right x down leads into the plane.
    assert np.cross(right, down) == pytest.approx(-n)


def test_a_wall_ahead_has_the_photos_own_axes() -> None:
    right, down = plane_axes(np.array([0, 0, -1.0]))
    assert right == pytest.approx((1, 0, 0))
    assert down == pytest.approx((0, 1, 0))
