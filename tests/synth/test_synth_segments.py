"""Regions of pictures that the test painted, and of real photos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vision_cli.synth import segments
from vision_cli.synth.analysis import read_background
from vision_cli.synth.scene import NO_REGION, AnalysisSettings

PHOTOS = Path(__file__).parents[3] / "shared/data/coco128_train/images"
SHAPE = (240, 320)


def painted() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return four flat areas with noise, and which is which."""
    truth = np.zeros(SHAPE, np.int64)
    truth[:, 160:] = 1
    cv2.circle(label := truth.astype(np.uint8), (80, 120), 50, 2, -1)
    cv2.fillConvexPoly(label, np.array([(190, 40), (300, 60), (290, 200), (200, 180)]), 3)
    colours = np.array([(90, 110, 140), (180, 170, 150), (200, 60, 50), (40, 90, 60)])
    photo = colours[label] + np.random.default_rng(0).normal(0, 4, (*SHAPE, 3))
    return photo.clip(0, 255).astype(np.uint8), label.astype(np.int64)


def test_painted_areas_come_back() -> None:
    photo, truth = painted()
    found = segments.divide(photo)
    assert found.shape == SHAPE
    for area in range(4):
        mine = truth == area
        best = np.bincount(found[mine]).argmax()
        union = (mine | (found == best)).sum()
        assert (mine & (found == best)).sum() / union > 0.93


def test_labels_run_by_falling_area_without_gaps() -> None:
    areas = segments.members(segments.divide(painted()[0])).areas
    assert (areas > 0).all()
    assert (np.diff(areas) <= 0).all()
    assert areas.sum() == SHAPE[0] * SHAPE[1]


def test_texture_does_not_fall_apart() -> None:
    """A field of fine random blades beside a plain wall: one region has most of either side."""
    rng = np.random.default_rng(1)
    photo = np.full((*SHAPE, 3), (200, 195, 185), np.float64)
    blades = cv2.GaussianBlur(rng.normal(0, 1, (SHAPE[0], 160)), (0, 0), 1.0)
    photo[:, 160:] = (70, 120, 50) + 90 * blades[..., None]
    found = segments.divide(photo.clip(0, 255).astype(np.uint8))
    for side in (np.s_[:, :155], np.s_[:, 165:]):
        assert np.bincount(found[side].ravel()).max() / found[side].size > 0.85


def test_members_are_the_pixels() -> None:
    labels = np.random.default_rng(2).integers(-1, 7, (13, 17)).astype(np.int32)
    found = segments.members(labels)
    assert len(found) == 7
    for label in range(7):
        assert (found.of(label) == np.flatnonzero(labels == label)).all()


def test_small_and_narrow_ones_are_discarded_with_their_reason() -> None:
    every = np.zeros((100, 100), np.int32)
    every[10:13, :] = 1  # 3 x 100
    every[50:80, 50:80] = 2
    every[90:93, 90:93] = 3
    kept, rejected = segments.keep(every, AnalysisSettings(least_region_share=0.01))
    assert rejected == {"small": 1, "narrow": 1}
    assert set(np.unique(kept)) == {NO_REGION, 0, 1}
    assert (kept[every == 2] == 1).all()
    _, rejected = segments.keep(every, AnalysisSettings(least_region_share=0.0, most_aspect=1e9, max_regions=2))
    assert rejected == {"beyond the largest": 2}


@pytest.mark.parametrize("turn_deg", [0, 30, 45, 77])
def test_aspect_does_not_depend_on_how_a_region_is_turned(turn_deg: float) -> None:
    mask = np.zeros((200, 200), np.uint8)
    corners = cv2.boxPoints(((100, 100), (120, 30), turn_deg))
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    assert segments.aspect(np.flatnonzero(mask), 200) == pytest.approx(4, rel=0.08)


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_blank_photo_is_one_region(colour: int) -> None:
    assert segments.divide(np.full((64, 80, 3), colour, np.uint8)).max() == 0


@pytest.mark.parametrize("shape", [(48, 640), (640, 48), (49, 51)])
def test_any_shape_is_divided(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(3).integers(0, 256, (*shape, 3)).astype(np.uint8)
    found = segments.divide(photo)
    assert found.shape == shape
    assert found.min() == 0


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the shared data are not here")
def test_real_photos_have_regions_to_put_things_on() -> None:
    for path in sorted(PHOTOS.rglob("*.jpg"))[:96:8]:
        photo = read_background(path).photo
        every = segments.divide(photo)
        assert (every == segments.divide(photo)).all()
        kept, _ = segments.keep(every, AnalysisSettings())
        assert 4 <= kept.max() + 1 <= 200
        assert (kept >= 0).mean() > 0.5
