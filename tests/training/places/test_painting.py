"""Labels and answers drawn into photos as a network sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from colour_scenes import written

from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.place_targets import IGNORED, PlaceTargets
from vision_cli.core.preprocess import Preprocess
from vision_cli.imaging.overlay import colour_of
from vision_cli.training.places.painting import ScenePainter
from vision_cli.training.places.scene_album import album_of

SIDE = 60
NAMES = ("sky", "bird")
PREPROCESS = Preprocess((SIDE, SIDE), "letterbox", interpolation="bilinear")
NONE = np.zeros(0, dtype=np.int64)


def painter(decode: PlaceDecode, **options: int | None) -> ScenePainter:
    return ScenePainter(NAMES, decode, PREPROCESS, **options)  # type: ignore[arg-type]


def edges(picture: np.ndarray, colour: int) -> tuple[int, int, int, int]:  # type: ignore[type-arg]
    """Return left, top, right, bottom of the pixels of a class's own colour, in a photo of 5 px a pixel."""
    y, x = np.nonzero((picture == colour_of(colour)).all(axis=-1))
    return int(x.min()), int(y.min()), int(x.max() + 1), int(y.max() + 1)


def boxes(photo: list[int], xyxy: list[list[float]], labels: list[int], crowd: list[bool]) -> PlaceTargets:
    return PlaceTargets(
        1,
        np.array(photo),
        np.array(xyxy, np.float32).reshape(-1, 4),
        np.array(labels),
        np.array(crowd, dtype=np.bool_),
    )


def test_boxes_lie_where_labels_and_answers_have_them() -> None:
    photos = np.full((1, SIDE, SIDE, 3), 128, dtype=np.uint8)
    raw = np.full((1, 3, 6), -1.0, dtype=np.float32)
    raw[0, 0] = (30, 30, 50, 55, 0.9, 0)
    raw[0, 1] = (5, 5, 15, 15, 0.2, 0)  # not sure enough to be shown
    draws = painter(PlaceDecode("boxes"))
    (tile,) = draws.answered(photos, boxes([0], [[10, 20, 40, 50]], [1], [False]), (raw,))
    truth, answer = tile.photos
    assert truth.shape == answer.shape == (300, 300, 3)
    left, _, right, bottom = edges(truth, 1)
    assert (left, right, bottom) == (50, 200, 250)
    left, _, right, bottom = edges(answer, 0)
    assert (left, right, bottom) == (150, 250, 275)
    assert not (truth == colour_of(0)).all(axis=-1).any()


def test_masks_are_tinted_inside_and_have_a_rim() -> None:
    photos = np.zeros((1, SIDE, SIDE, 3), dtype=np.uint8)
    mask = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
    mask[0, 20:40, 10:30] = 1
    there = boxes([0], [[10, 20, 30, 40]], [1], [False])
    targets = PlaceTargets(1, there.photo, there.boxes, there.labels, there.crowd, mask)
    (tile,) = painter(PlaceDecode("boxes")).labelled(photos, targets)
    shown = tile.photos[0].astype(int)
    assert np.abs(shown[180, 100] - 0.45 * np.array(colour_of(1))).max() < 1
    assert (shown[250, 250] == 0).all()


@pytest.mark.parametrize("unmarked", [None, 0])
def test_pixels_have_the_colour_of_their_class(unmarked: int | None) -> None:
    photos = np.zeros((1, SIDE, SIDE, 3), dtype=np.uint8)
    pixels = np.full((1, SIDE, SIDE), IGNORED, dtype=np.int64)
    pixels[0, :, 20:40], pixels[0, :, 40:] = 0, 1
    targets = PlaceTargets(1, NONE, np.zeros((0, 4), np.float32), NONE, NONE.astype(np.bool_), None, pixels)
    logits = np.zeros((1, 2, SIDE, SIDE), dtype=np.float32)
    logits[0, 1] = 1.0
    (tile,) = painter(PlaceDecode("pixels"), unmarked=unmarked).answered(photos, targets, (logits,))
    truth, answer = (photo.astype(int) for photo in tile.photos)
    tints = [0.45 * np.array(colour_of(index)) for index in (0, 1)]
    assert (truth[50, 50] == 0).all()
    assert np.abs(truth[50, 150] - (tints[0] if unmarked is None else 0)).max() < 1
    assert np.abs(truth[50, 250] - tints[1]).max() < 1
    assert all(np.abs(answer[50, x] - tints[1]).max() < 1 for x in (50, 150, 250))
    # The middle of a region bears its name.
    named = {x: len(np.unique(truth[145:155, x - 15 : x + 15].reshape(-1, 3), axis=0)) > 1 for x in (50, 150, 250)}
    assert named == {50: False, 150: unmarked is None, 250: True}


@pytest.mark.parametrize("task", ["detect", "instance", "semantic", "panoptic"])
def test_validation_scenes_with_objects_are_shown(tmp_path: Path, task: str) -> None:
    scenes = written(tmp_path, task, [(260, 180), (180, 260), (200, 200)])
    album = album_of(tmp_path, painter(PlaceDecode("boxes")), scenes, PREPROCESS)
    assert album is not None
    sample = album.sample()
    assert sample is not None
    assert sample.photos.shape[1:] == (SIDE, SIDE, 3)
    assert len(sample.targets) == len(sample.photos)
