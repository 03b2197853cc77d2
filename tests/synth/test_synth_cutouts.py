"""Objects cut out of photos that these tests made, so that the object is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vision_cli.core.errors import DataError
from vision_cli.synth.cutouts import cut, quadrilateral

CORNERS = np.array([[120, 80], [300, 110], [280, 330], [90, 280]], np.float32)


def picture() -> np.ndarray:
    """Return a card of four coloured quarters."""
    card = np.zeros((200, 160, 3), np.uint8)
    card[:100, :80], card[:100, 80:], card[100:, 80:], card[100:, :80] = (
        (220, 30, 30), (30, 200, 30), (30, 30, 220), (220, 220, 30),
    )  # fmt: skip
    return card


def photographed() -> tuple[np.ndarray, np.ndarray]:
    """Return a photo of the card in perspective on grey, and its mask."""
    source = np.array([[0, 0], [160, 0], [160, 200], [0, 200]], np.float32)
    transform = cv2.getPerspectiveTransform(source, CORNERS)
    photo = np.full((400, 400, 3), 128, np.uint8)
    seen = cv2.warpPerspective(picture(), transform, (400, 400))
    mask = cv2.warpPerspective(np.full((200, 160), 255, np.uint8), transform, (400, 400)) > 127
    photo[mask] = seen[mask]
    return photo, mask


def test_a_flat_rectangle_is_turned_to_the_camera() -> None:
    logo = cut(*photographed(), "card", "1", rectify=True)
    height, width = logo.rgba.shape[:2]
    quarters = [(0.25, 0.25), (0.25, 0.75), (0.75, 0.75), (0.75, 0.25)]
    colours = [logo.rgba[int(row * height), int(column * width), :3].tolist() for row, column in quarters]
    expected = [(220, 30, 30), (30, 200, 30), (30, 30, 220), (220, 220, 30)]
    assert colours == [pytest.approx(each, abs=6) for each in expected]
    assert logo.fill > 0.93
    grey = np.abs(logo.rgba[..., :3].astype(int) - 128).max(axis=2) < 12
    assert (grey & (logo.rgba[..., 3] > 128)).mean() < 0.01  # nothing of the photo's background came along


def test_without_rectifying_it_stays_as_it_was_seen() -> None:
    photo, mask = photographed()
    logo = cut(photo, mask, "card", "1", rectify=False)
    assert logo.aspect == pytest.approx(210 / 250, rel=0.05)
    assert logo.fill == pytest.approx(mask.sum() / (210 * 250), rel=0.08)


def test_corners_are_found_and_a_disc_has_none() -> None:
    _, mask = photographed()
    corners = quadrilateral(mask)
    assert corners is not None
    assert corners == pytest.approx(CORNERS, abs=2.5)
    disc = cv2.circle(np.zeros((200, 200), np.uint8), (100, 100), 70, 1, -1) > 0
    assert quadrilateral(disc) is None


def test_what_is_tiny_or_empty_is_refused() -> None:
    photo, mask = photographed()
    small = np.zeros_like(mask)
    small[10:20, 10:20] = True
    for each in (small, np.zeros_like(mask)):
        with pytest.raises(DataError, match="tiny"):
            cut(photo, each, "card", "1", rectify=True)
