"""Geometry against an independent way: rays cut with the plane, and areas by counting."""

from __future__ import annotations

from collections import Counter

import drawn_scenes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.synth import pose as posing
from vision_cli.synth.placement import Placer, Pose
from vision_cli.synth.pose import Camera, frame, homography, overlap, quad
from vision_cli.synth.scene import rays
from vision_cli.synth.settings import RenderSettings

CAMERA = Camera((480, 640), 554.0)


@settings(deadline=None)
@given(st.floats(-60, 60), st.floats(-60, 60), st.floats(-180, 180), st.floats(20, 300), st.floats(0.3, 3))
def test_corners_seen_along_their_rays_are_a_rectangle_on_the_plane(
    pitch: float, yaw: float, angle: float, size: float, aspect: float
) -> None:
    up, aside = np.radians([pitch, yaw])
    normal = np.array([np.sin(aside) * np.cos(up), np.sin(up), -np.cos(aside) * np.cos(up)])
    at = CAMERA.ray(300, 260) * 1.7
    found = quad(CAMERA, frame(at, normal, angle), aspect, size)
    if found is None or normal @ at > -0.2:
        return
    corners, width = found
    sight = np.stack([(corners[:, 0] - 320) / 554, (corners[:, 1] - 240) / 554, np.ones(4)], 1)
    points = sight * ((normal @ at) / (sight @ normal))[:, None]
    sides = np.roll(points, -1, axis=0) - points
    lengths = np.linalg.norm(sides, axis=1)
    assert lengths == pytest.approx([width, width / aspect] * 2, rel=1e-6)
    assert sides[0] @ sides[1] == pytest.approx(0, abs=1e-6 * width * width)
    assert points.mean(axis=0) == pytest.approx(at, abs=1e-6)
    assert np.ptp(corners, axis=0).max() == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize(("normal", "up"), [((0, 0, -1), (0, -1)), ((0, -1, 0), (0, -1))])
def test_upright_is_up_on_a_wall_and_away_on_a_floor(normal: tuple[int, int, int], up: tuple[int, int]) -> None:
    axes = frame(np.array([0.0, 0.8, 3.0]), np.array(normal, float), 0.0)
    corners, _ = quad(CAMERA, axes, 1.0, 60) or (np.zeros((4, 2)), 0)
    top, bottom = corners[:2].mean(axis=0), corners[2:].mean(axis=0)
    seen = (top - bottom) / np.linalg.norm(top - bottom)
    assert seen == pytest.approx(up, abs=1e-6)
    assert corners[1, 0] > corners[0, 0]  # not mirrored


def test_turning_is_clockwise_on_the_screen() -> None:
    corners, _ = quad(CAMERA, frame(np.array([0.0, 0.0, 2.0]), np.array([0.0, 0.0, -1.0]), 90.0), 2.0, 100) or ([], 0)
    first, second = np.asarray(corners)[:2]
    assert second[1] - first[1] == pytest.approx(100, rel=0.01)  # its upper edge now runs down the right side
    assert first[0] > 320


def test_a_homography_leads_corners_to_corners() -> None:
    corners = np.array([[10, 20], [110, 40], [100, 150], [5, 120]], float)
    transform = homography(corners, 64, 32)
    for source, target in zip([(0, 0), (64, 0), (64, 32), (0, 32)], corners, strict=True):
        x, y, w = transform @ (*source, 1)
        assert (x / w, y / w) == pytest.approx(tuple(target), abs=1e-3)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_overlap_equals_counted_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = (np.array([[0, 0], [60, 5], [55, 70], [-5, 50]]) + rng.uniform(-25, 25, 2) for _ in range(2))
    grid = np.stack(np.meshgrid(np.arange(-40, 100, 0.5), np.arange(-40, 110, 0.5)), -1).reshape(-1, 2)
    both = _within(one, grid) & _within(other, grid)
    assert overlap(one, other) == pytest.approx(both.sum() * 0.25, abs=60)


def _within(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    inside = np.ones(len(points), bool)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        side, to = end - start, points - start
        inside &= side[0] * to[:, 1] - side[1] * to[:, 0] >= 0
    return inside


def _placed(asked: RenderSettings, number: int = 60) -> tuple[list[Pose], Counter[str]]:
    _, scene = drawn_scenes.room()
    rejects: Counter[str] = Counter()
    found = []
    for seed in range(number):
        placer = Placer(scene, asked, np.random.default_rng(seed), [], rejects)
        found.append(placer.place(drawn_scenes.one("card")))
    return [pose for pose in found if pose is not None], rejects


def test_things_on_surfaces_lie_in_the_surfaces_own_plane() -> None:
    _, scene = drawn_scenes.room()
    poses, _ = _placed(RenderSettings(loose=0.0, lean_deg=0.0, size_px=(40, 90)))
    assert len(poses) > 40
    on = [pose for pose in poses if pose.plane is not None]
    assert len(on) > 0.8 * len(poses)
    view = rays(scene.shape, scene.focal_px)
    for pose in on:
        assert pose.plane is not None
        middle = homography(pose.corners, 1, 1) @ (0.5, 0.5, 1)
        column, row = np.round(middle[:2] / middle[2] - 0.5).astype(int)
        if scene.regions[row, column] == pose.plane.region:
            point = view[row, column] * scene.depth[row, column]
            assert pose.normal @ point == pytest.approx(pose.offset, rel=0.02)
            assert abs(pose.normal @ pose.plane.normal) == pytest.approx(1, abs=1e-5)


def test_sizes_follow_what_was_asked_for() -> None:
    poses, _ = _placed(RenderSettings(size_px=(30, 120)), 200)
    sizes = np.log([pose.size_px for pose in poses])
    boxes = [np.ptp(pose.corners, axis=0).max() for pose in poses]
    assert boxes == pytest.approx([pose.size_px for pose in poses], rel=0.05)
    assert np.mean(sizes) == pytest.approx((np.log(30) + np.log(120)) / 2, abs=0.12)
    assert np.exp(sizes.min()) >= 29.9
    assert np.exp(sizes.max()) <= 120.1


def test_without_planes_everything_is_loose() -> None:
    poses, _ = _placed(RenderSettings(planes=False), 20)
    assert poses
    assert all(pose.plane is None for pose in poses)


def test_nothing_is_put_onto_something_else() -> None:
    _, scene = drawn_scenes.room()
    placer = Placer(scene, RenderSettings(overlap=0.1, size_px=(60, 140)), np.random.default_rng(3), [], Counter())
    placed = [pose.corners for _ in range(12) if (pose := placer.place(drawn_scenes.one("card"))) is not None]
    assert len(placed) > 3
    for index, one in enumerate(placed):
        for other in placed[:index]:
            smaller = min(posing.area(one), posing.area(other))
            assert overlap(one, other) <= 0.1 * smaller + 1e-6
    assert placer.rejects["overlaps another"] > 0
