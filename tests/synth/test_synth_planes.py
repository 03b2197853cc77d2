"""Planes against planes that the test laid out, with outliers and noise."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vision_cli.synth import planes, ransac
from vision_cli.synth.scene import NO_REGION, AnalysisSettings, plane_depth, rays

SHAPE = (120, 160)
FOCAL = 140.0
SETTINGS = AnalysisSettings()


def normal_of(turn_deg: float, nod_deg: float) -> NDArray[np.float64]:
    """Return the normal of a wall ahead, turned about the vertical and then nodded."""
    turn, nod = math.radians(turn_deg), math.radians(nod_deg)
    return np.array([math.sin(turn) * math.cos(nod), -math.sin(nod), -math.cos(turn) * math.cos(nod)])


def depth_of(normal: NDArray[np.float64], offset: float = -3.0) -> NDArray[np.float32]:
    return plane_depth(normal, offset, rays(SHAPE, FOCAL)).astype(np.float32)


def angle_deg(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    return math.degrees(math.acos(min(1.0, abs(float(one @ other)) / np.linalg.norm(one) / np.linalg.norm(other))))


@settings(max_examples=60, deadline=None)
@given(st.floats(-50, 50), st.floats(-40, 40), st.floats(0.5, 50))
def test_a_plane_is_found_among_a_third_of_outliers(turn_deg: float, nod_deg: float, far: float) -> None:
    normal = normal_of(turn_deg, nod_deg)
    rng = np.random.default_rng(1)
    view = rays(SHAPE, FOCAL).reshape(-1, 3)[rng.integers(0, SHAPE[0] * SHAPE[1], 400)].astype(float)
    depth = plane_depth(normal, -far, view)
    kept = depth > 0
    outliers = rng.random(400) < 1 / 3
    depth = np.where(outliers, depth * rng.uniform(1.3, 4, 400), depth * rng.normal(1, 0.003, 400))
    found = ransac.fit((view * depth[:, None])[kept], 0.02, np.random.default_rng(2))
    assert found is not None
    assert angle_deg(found.m, normal) < 1.0
    assert 1 / np.linalg.norm(found.m) == pytest.approx(far, rel=0.01)
    assert found.share == pytest.approx(1 - outliers[kept].mean(), abs=0.02)


@pytest.mark.parametrize(
    "points",
    [np.zeros((0, 3)), np.ones((2, 3)), np.ones((50, 3)), np.linspace(1, 2, 50)[:, None] * [1.0, 2.0, 3.0]],
)
def test_points_that_span_no_plane_have_none(points: NDArray[np.float64]) -> None:
    assert ransac.fit(points, 0.02, np.random.default_rng(0)) is None


@pytest.mark.parametrize(("turn_deg", "nod_deg"), [(0, 0), (40, 0), (-30, 20), (0, 60), (10, -50)])
def test_a_region_gets_the_plane_it_was_drawn_from(turn_deg: float, nod_deg: float) -> None:
    normal = normal_of(turn_deg, nod_deg)
    regions = np.full(SHAPE, NO_REGION, np.int16)
    regions[40:80, 60:110] = 0
    found = planes.find(regions, depth_of(normal), FOCAL, SETTINGS)
    (plane,) = found.planes
    assert (found.regions == regions).all()
    assert angle_deg(plane.normal, normal) < 0.05
    assert plane.normal @ normal > 0  # turned to the camera
    assert plane.offset == pytest.approx(-3, rel=1e-3)
    assert (plane.bbox, plane.area_px, plane.inliers) == ((60, 40, 110, 80), 40 * 50, 1.0)
    assert plane.room_px == pytest.approx(20, abs=1)
    assert not found.rejected
    sight = rays(SHAPE, FOCAL)[plane.centre[1], plane.centre[0]]
    assert plane.tilt_deg == pytest.approx(angle_deg(normal, sight), abs=0.1)


def test_each_refusal_has_its_reason() -> None:
    depth = depth_of(normal_of(0, 0), -1.0)
    rng = np.random.default_rng(3)
    regions = np.full(SHAPE, NO_REGION, np.int16)
    places = [np.s_[0:40, 0:50], np.s_[0:40, 60:110], np.s_[50:90, 0:50], np.s_[50:58, 60:150], np.s_[70:110, 60:110]]
    for label, place in enumerate(places):
        regions[place] = label
    depth[places[0]] = rng.uniform(1, 2, (40, 50))  # rubble
    depth[places[1]] = depth_of(normal_of(84, 0), -0.5)[places[1]]  # almost edge on
    depth[places[2]] = 100  # the sky
    found = planes.find(regions, depth, FOCAL, SETTINGS)
    assert found.rejected == {"not flat": 1, "seen too obliquely": 1, "too far": 1, "no room inside": 1}
    assert [plane.region for plane in found.planes] == [4]


def test_a_corner_is_no_plane_but_its_walls_are() -> None:
    left, right = depth_of(normal_of(45, 0)), depth_of(normal_of(-45, 0))
    depth = np.minimum(np.where(left > 0, left, 1e3), np.where(right > 0, right, 1e3))
    depth = np.where(np.arange(SHAPE[1]) < SHAPE[1] // 2, left, right).astype(np.float32)
    one = np.zeros(SHAPE, np.int16)
    part = planes.find(one, depth, FOCAL, SETTINGS)
    (kept,) = part.planes  # one of the two walls, to within a few columns of the corner
    assert kept.area_px == (part.regions == 0).sum() == pytest.approx(one.size / 2, rel=0.08)
    assert min(angle_deg(kept.normal, normal_of(turn, 0)) for turn in (45, -45)) < 0.2
    two = np.repeat((np.arange(SHAPE[1]) >= SHAPE[1] // 2)[None].astype(np.int16), SHAPE[0], axis=0)
    found = planes.find(two, depth, FOCAL, SETTINGS).planes
    assert [angle_deg(plane.normal, normal_of(turn, 0)) < 0.1 for plane, turn in zip(found, (45, -45), strict=True)]
    assert angle_deg(found[0].normal, found[1].normal) == pytest.approx(90, abs=0.1)


def test_the_same_photo_gives_the_same_planes_and_no_region_none() -> None:
    rng = np.random.default_rng(4)
    depth = (depth_of(normal_of(20, 10)) * rng.normal(1, 0.01, SHAPE)).astype(np.float32)
    regions = np.repeat(np.repeat(np.arange(12, dtype=np.int16).reshape(3, 4), 40, axis=0), 40, axis=1)
    one, other = (planes.find(regions, depth, FOCAL, SETTINGS).planes for _ in range(2))
    assert len(one) == 12
    for a, b in zip(one, other, strict=True):
        assert (a.normal == b.normal).all()
        assert dataclasses.replace(a, normal=b.normal) == b
    nothing = planes.find(np.full(SHAPE, NO_REGION, np.int16), depth, FOCAL, SETTINGS)
    assert (nothing.planes, nothing.rejected) == ((), {})


def test_a_road_is_kept_up_to_where_it_is_seen_too_obliquely() -> None:
    """A floor one unit under a level camera, seen down to the horizon: tilt grows with distance."""
    view = rays(SHAPE, FOCAL)
    depth = np.where(view[..., 1] > 0.01, 1 / np.maximum(view[..., 1], 0.01), 100).astype(np.float32)
    regions = np.where(view[..., 1] > 0.01, 0, NO_REGION).astype(np.int16)
    found = planes.find(regions, depth, FOCAL, SETTINGS)
    (plane,) = found.planes
    assert angle_deg(plane.normal, np.array([0, -1, 0])) < 0.1
    tilt = np.degrees(np.arccos(view[..., 1] / np.linalg.norm(view, axis=2)))
    assert ((found.regions == 0) == ((tilt < SETTINGS.most_tilt_deg) & (regions == 0))).mean() > 0.99
    assert plane.tilt_deg < SETTINGS.most_tilt_deg
