"""Logos that are in a photo are found where they are; photos without them give low scores."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vision_cli.synth import logos
from vision_cli.synth.spotting.judging import Pyramid, corners_of, is_plausible, judge
from vision_cli.synth.spotting.prints import JUDGED_PX, RIM_PX, print_of, slopes_of
from vision_cli.synth.spotting.spot import Wanted, overlap, spot

SURE = 0.5


def badge(seed: int) -> logos.Logo:
    """Return a round badge with a pattern of its own."""
    rng = np.random.default_rng(seed)
    rgba = np.zeros((160, 160, 4), np.uint8)
    cv2.circle(rgba, (80, 80), 76, (*rng.integers(0, 255, 3).tolist(), 255), -1)
    for _ in range(7):
        one, other = rng.integers(30, 130, (2, 2)).tolist()
        cv2.line(rgba, one, other, (*rng.integers(0, 255, 3).tolist(), 255), int(rng.integers(4, 16)))
    return logos.of_pixels(rgba, f"badge{seed}")


def wall(seed: int) -> np.ndarray:
    """Return a photo of coloured boxes with noise, uint8 (240, 320, 3)."""
    rng = np.random.default_rng(seed)
    photo = np.full((240, 320, 3), rng.integers(60, 200, 3), np.float64)
    for _ in range(12):
        left, top, w, h = rng.integers((0, 0, 20, 20), (300, 220, 120, 90)).tolist()
        photo[top : top + h, left : left + w] = rng.integers(30, 230, 3)
    return (photo + rng.normal(0, 4, photo.shape)).clip(0, 255).astype(np.uint8)


def put(photo: np.ndarray, logo: logos.Logo, corners: list[tuple[float, float]]) -> np.ndarray:
    """Lay a logo over a photo, its corners there."""
    height, width = logo.rgba.shape[:2]
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(frame, np.array(corners, np.float32))
    laid = cv2.warpPerspective(logo.rgba, matrix, (photo.shape[1], photo.shape[0]), flags=cv2.INTER_AREA)
    alpha = laid[..., 3:] / 255
    return (photo * (1 - alpha) + laid[..., :3] * alpha).astype(np.uint8)


@pytest.fixture(scope="module")
def wanted() -> Wanted:
    return Wanted.of([badge(seed) for seed in range(4)])


@pytest.mark.parametrize(
    "corners",
    [
        [(40, 60), (120, 60), (120, 140), (40, 140)],
        [(180, 50), (250, 70), (228, 142), (160, 120)],
        [(150, 120), (200, 132), (196, 196), (148, 206)],
    ],
    ids=["facing", "turned", "tilted"],
)
@pytest.mark.parametrize("which", [0, 2])
def test_a_logo_is_found_where_it_is(wanted, corners, which):
    found = spot(put(wall(3 + which), badge(which), corners), wanted)
    points = np.array(corners)
    box = (*points.min(axis=0), *np.ptp(points, axis=0))
    assert found[0].class_name == f"badge{which}"
    assert found[0].score > SURE
    assert overlap(found[0].box, box) > 0.6


def test_photos_without_logos_score_low(wanted):
    best = [max((each.score for each in spot(wall(seed), wanted)), default=0.0) for seed in range(20, 26)]
    assert max(best) < SURE


def test_places_in_a_large_photo_are_in_its_own_pixels(wanted):
    small = put(wall(9), badge(1), [(40, 60), (130, 60), (130, 150), (40, 150)])
    large = cv2.resize(small, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    found = spot(large, wanted)
    assert found[0].class_name == "badge1"
    assert overlap(found[0].box, (160, 240, 360, 360)) > 0.6


def test_the_same_photo_gives_the_same_sightings(wanted):
    photo = put(wall(5), badge(3), [(60, 60), (120, 66), (118, 128), (58, 122)])
    assert spot(photo, wanted) == spot(photo.copy(), wanted)


def test_photos_of_one_colour_or_a_few_pixels_give_nothing(wanted):
    for shape in ((240, 320, 3), (48, 48, 3), (50, 600, 3)):
        assert all(each.score < SURE for each in spot(np.full(shape, 90, np.uint8), wanted))


def test_slopes_are_blind_to_which_side_is_bright():
    grey = wall(1)[..., 0].astype(np.float32)
    assert np.allclose(slopes_of(grey), slopes_of(255 - grey), atol=1e-4)


def test_a_logo_on_itself_is_perfect_and_another_is_not():
    one, other = print_of(badge(0)), print_of(badge(1))
    photo = Pyramid.of(cv2.copyMakeBorder(one.rgb.astype(np.uint8), *(30,) * 4, cv2.BORDER_CONSTANT, value=(128,) * 3))
    pose = np.array([[1, 0, 30], [0, 1, 30], [0, 0, 1]], np.float64)
    same, different = judge(photo, one, pose), judge(photo, other, pose)
    assert same is not None
    assert same.score > 0.97
    assert different is None or different.score < SURE


def test_impossible_quadrilaterals_are_refused():
    look = print_of(badge(0))
    flat = corners_of(look, np.array([[1, 0, 10], [0, 1, 10], [0, 0, 1]], np.float64))
    assert is_plausible(flat, (240, 320))
    assert not is_plausible(flat[::-1], (240, 320))  # seen from behind
    assert not is_plausible(flat * np.float32([1, 0.05]), (240, 320))  # edge on
    assert not is_plausible(flat + np.float32([400, 0]), (240, 320))  # outside
    assert np.allclose(flat[2] - flat[0], JUDGED_PX)
    assert np.allclose(flat[0], 10 + RIM_PX - 0.5)
