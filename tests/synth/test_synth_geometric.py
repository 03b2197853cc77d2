"""The offline guess, against rooms whose walls the test knows."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import painted_rooms as rooms
import pytest

from vision_cli.synth import analysis
from vision_cli.synth.depth.frame import find_frame, find_lines, horizon
from vision_cli.synth.scene import AnalysisSettings, Background

CAMERAS = [(0, 0), (8, 0), (0, 20), (10, -15), (-6, 30), (15, 10), (5, 40)]


def background(room: rooms.Room) -> Background:
    return Background(room.photo, Path("room.png"), "0" * 64)


@pytest.mark.parametrize(("pitch_deg", "yaw_deg"), CAMERAS)
def test_lines_tell_which_way_is_down(pitch_deg: float, yaw_deg: float) -> None:
    room = rooms.build(pitch_deg, yaw_deg)
    frame = find_frame(find_lines(room.photo, room.focal_px))
    assert math.degrees(math.acos(min(1.0, frame.gravity @ room.gravity))) < 1.5
    assert frame.support > 0.9
    for axis in frame.axes[1:]:  # one of the walls' normals each, either way round
        assert np.degrees(np.arccos(np.abs(room.normals @ axis).max().clip(0, 1))) < 1.5


def test_the_horizon_is_where_sights_are_level() -> None:
    """A camera that looks down by 10 degrees sees the horizon tan(10) focal lengths above its middle."""
    room = rooms.build(10, 0)
    row, slope = horizon(room.gravity, room.depth.shape, room.focal_px)
    assert row == pytest.approx(239.5 - room.focal_px * math.tan(math.radians(10)))
    assert slope == pytest.approx(0)


def test_noise_without_lines_gets_the_usual_camera() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    frame = find_frame(find_lines(photo, 300.0))
    assert frame.support == 0
    assert frame.gravity[1] > 0.98


@pytest.mark.parametrize(("pitch_deg", "yaw_deg"), CAMERAS)
def test_most_planes_of_a_room_have_their_walls_direction(pitch_deg: float, yaw_deg: float) -> None:
    """Within 10 degrees for at least 85 % of all pixels that got a plane; cards that face the camera far fewer."""
    room = rooms.build(pitch_deg, yaw_deg)
    scene = analysis.analyse(background(room), AnalysisSettings())
    off, facing = [], []
    for plane in scene.planes:
        truth = room.normals[room.wall[scene.regions == plane.region]]
        off.append(np.degrees(np.arccos(np.clip(truth @ plane.normal, -1, 1))))
        facing.append(np.degrees(np.arccos(np.clip(-truth[:, 2], -1, 1))))
    assert sum(map(len, off)) > 0.6 * room.wall.size
    right = (np.concatenate(off) < 10).mean()
    assert right > 0.85
    assert right > (np.concatenate(facing) < 10).mean() + 0.2


def test_depth_is_about_right_up_to_its_scale() -> None:
    """Within a factor of 1.6 for nine pixels of ten in the middle room of seven, and six of ten in the worst."""
    told = []
    for pitch_deg, yaw_deg in CAMERAS:
        room = rooms.build(pitch_deg, yaw_deg)
        scene = analysis.analyse(background(room), AnalysisSettings())
        assert np.median(scene.depth) == pytest.approx(1, abs=1e-3)
        ratio = scene.depth / room.depth
        ratio /= np.median(ratio)
        told.append((np.maximum(ratio, 1 / ratio) < 1.6).mean())
    assert np.median(told) > 0.9
    assert min(told) > 0.6


def test_the_sky_gets_no_plane() -> None:
    photo = np.zeros((240, 320, 3), np.uint8)
    photo[:130] = np.linspace((90, 140, 220), (190, 215, 240), 130)[:, None]
    photo[130:] = np.random.default_rng(0).normal((110, 120, 60), 12, (110, 320, 3)).clip(0, 255)
    scene = analysis.analyse(Background(photo, Path("field.png"), "0" * 64), AnalysisSettings())
    assert scene.depth[20, 160] > 10 * scene.depth[200, 160]
    assert scene.rejected.get("too far")
    assert all(plane.centre[1] > 120 for plane in scene.planes)
