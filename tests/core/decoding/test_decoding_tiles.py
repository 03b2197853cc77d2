"""What a perfect detector says of each tile becomes each object once, in pixels of the photo."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.decoding.answers import PhotoObjects, PhotoPixels, PhotoSegments
from vision_cli.core.decoding.photos import decode_batch, views
from vision_cli.core.decoding.placing import place
from vision_cli.core.errors import DataError
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.tiling import Tiles

Floats = NDArray[np.float64]
DECODE = PlaceDecode("boxes")
LARGE = Preprocess((640, 640), "letterbox", tiles=Tiles((640, 640), 0.2))
VISIBLE = 0.25


def seen(boxes: Floats, classes: list[int], photo_px: tuple[int, int], preprocess: Preprocess) -> NDArray[np.float32]:
    """Return float32 (views, D, 6): of each view, boxes around what is left of the objects, in its input's pixels.

    The score of an object is the share of it that the view shows, as detectors are less sure of parts.
    """
    rows = []
    for left, top, width, height in views(photo_px, preprocess):
        corner = np.array([left, top, left, top])
        cut = np.clip(boxes - corner, 0, [width, height, width, height])
        shares = (cut[:, 2:] - cut[:, :2]).prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        inputs = place((width, height), preprocess).to_input(cut)
        found = np.column_stack([inputs, 0.9 * shares, classes])
        found[shares < VISIBLE, 5] = -1
        rows.append(found)
    return np.stack(rows).astype(np.float32)


def found_in(boxes: Floats, photo_px: tuple[int, int], preprocess: Preprocess = LARGE) -> PhotoObjects:
    raw = seen(boxes, [0] * len(boxes), photo_px, preprocess)
    (answer,) = decode_batch((raw,), DECODE, preprocess, [photo_px])
    assert isinstance(answer, PhotoObjects)
    return answer


def by_place(boxes: Floats) -> Floats:
    return np.array(sorted(np.round(boxes, 3).tolist()))


def test_small_objects_of_a_large_photo_are_found_once_and_exactly() -> None:
    rng = np.random.default_rng(0)
    cells = rng.permutation(100 * 75)[:300]  # Apart from each other: 40 px cells.
    corners = np.stack([cells % 100, cells // 100], axis=1) * 40 + rng.integers(0, 20, (300, 2))
    boxes = np.concatenate([corners, corners + rng.integers(8, 20, (300, 2))], axis=1).astype(np.float64)
    answer = found_in(boxes, (4000, 3000))
    assert len(views((4000, 3000), LARGE)) == 8 * 6 + 1
    assert len(answer) == 300
    assert np.abs(by_place(answer.boxes) - by_place(boxes)).max() < 1e-3
    assert (answer.scores > 0.8).all()


@pytest.mark.parametrize("at", [480, 520, 540, 560, 600, 620, 639, 640, 641])
@pytest.mark.parametrize("whole", [True, False])
def test_an_object_on_a_border_is_found_once(at: int, whole: bool) -> None:
    # Two tiles, 0 to 640 and 488 to 1128: the object begins at every place about their borders.
    preprocess = Preprocess((320, 320), "letterbox", tiles=Tiles((640, 640), 0.2, whole=whole))
    box = np.array([[at - 50, 100, at + 50, 180]], dtype=np.float64)
    answer = found_in(box, (1128, 640), preprocess)
    assert np.abs(answer.boxes - box).max() < 1e-2
    assert len(answer) == 1


def test_one_that_is_larger_than_the_overlap_is_found_once_in_the_whole_photo() -> None:
    box = np.array([[100, 100, 1000, 500]], dtype=np.float64)
    answer = found_in(box, (1128, 640))
    assert np.abs(answer.boxes - box).max() < 1e-2
    alone = Preprocess((640, 640), "letterbox", tiles=Tiles((640, 640), 0.2, whole=False))
    assert len(found_in(box, (1128, 640), alone)) == 2


def test_of_the_whole_photo_only_large_objects_are_taken() -> None:
    # Of 1128 x 640 px, every object of up to 128 px a width lies in a tile in whole.
    raw = np.zeros((3, 2, 6), dtype=np.float32)
    raw[..., 5] = -1
    raw[2] = [[100, 200, 170, 260, 0.9, 0], [300, 200, 380, 260, 0.9, 0]]
    (answer,) = decode_batch((raw,), DECODE, LARGE, [(1128, 640)])
    assert isinstance(answer, PhotoObjects)
    scale = 1128 / 640
    assert answer.boxes[:, 0] / scale == pytest.approx([300.0])
    assert 70 * scale < 0.2 * 640 < 80 * scale


def test_neighbours_and_other_classes_are_not_taken_for_parts() -> None:
    # A small whole object in front of a large one that a border cuts, and another class in the same place.
    boxes = np.array([[500, 100, 700, 300], [505, 150, 560, 200], [500, 100, 700, 300]], dtype=np.float64)
    raw = seen(boxes, [0, 0, 1], (1128, 640), LARGE)
    (answer,) = decode_batch((raw,), DECODE, LARGE, [(1128, 640)])
    assert isinstance(answer, PhotoObjects)
    assert len(answer) == 3
    assert np.bincount(answer.classes).tolist() == [2, 1]
    assert np.abs(by_place(answer.boxes) - by_place(boxes)).max() < 1e-2


def test_a_part_that_is_much_surer_than_the_whole_stays() -> None:
    raw = np.zeros((3, 1, 6), dtype=np.float32)
    raw[..., 5] = -1
    raw[0, 0] = [540, 100, 640, 200, 0.9, 0]  # cut by the first tile's right border
    raw[1, 0] = [52, 100, 252, 200, 0.02, 0]  # the whole of it, hardly believed
    (answer,) = decode_batch((raw,), DECODE, LARGE, [(1128, 640)])
    assert isinstance(answer, PhotoObjects)
    assert answer.scores[0] == pytest.approx(0.9)


def test_photos_of_a_batch_have_their_own_numbers_of_tiles() -> None:
    sizes = [(600, 400), (1128, 640), (640, 1500)]
    boxes = np.array([[30, 40, 90, 80]], dtype=np.float64)
    raw = np.concatenate([seen(boxes, [0], size, LARGE) for size in sizes])
    answers = decode_batch((raw,), DECODE, LARGE, sizes)
    assert [answer.size_px for answer in answers] == sizes
    for answer in answers:
        assert isinstance(answer, PhotoObjects)
        assert np.abs(answer.boxes - boxes).max() < 1e-2
    with pytest.raises(DataError, match="7 inputs cannot be decoded for 8"):
        decode_batch((raw[1:],), DECODE, LARGE, sizes)


def test_masks_move_with_their_tiles() -> None:
    preprocess = Preprocess((64, 64), "letterbox", tiles=Tiles((64, 64), 0.5, whole=False))
    photo_px = (96, 64)
    boxes = np.array([[38.0, 8.0, 58.0, 40.0]])
    raw = seen(boxes, [0], photo_px, preprocess)
    masks = np.ones((2, 1, 8, 8), dtype=np.float32)
    masks[..., :4, :4] = 0  # an L: nothing in the upper left quarter
    (answer,) = decode_batch((raw, masks), DECODE, preprocess, [photo_px])
    assert isinstance(answer, PhotoObjects)
    assert answer.masks is not None
    shown = rle.decode(answer.masks[0], 64, 96)
    expected = np.zeros((64, 96), dtype=bool)
    expected[8:40, 38:58] = True
    expected[8:24, 38:48] = False
    assert (shown ^ expected).sum() <= 12  # The corner of the L is interpolated.
    assert len(answer) == 1


def scene_map(photo_px: tuple[int, int]) -> NDArray[np.int64]:
    y, x = np.indices(photo_px[::-1])
    return np.asarray((x // 23 + y // 17) % 3)


def logits(shown: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.stack([(shown == name) * 9.0 for name in range(3)]).astype(np.float32)


@pytest.mark.parametrize("whole", [True, False])
def test_pixels_are_stitched_without_a_seam(whole: bool) -> None:
    photo_px = (150, 111)
    preprocess = Preprocess((64, 64), "letterbox", tiles=Tiles((64, 64), 0.2, whole=whole))
    truth = scene_map(photo_px)
    parts = views(photo_px, preprocess)
    raw = np.zeros((len(parts), 3, 64, 64), dtype=np.float32)
    for row, (left, top, width, height) in enumerate(parts):
        if (width, height) == (64, 64):
            raw[row] = logits(truth[top : top + 64, left : left + 64])
    (answer,) = decode_batch((raw,), PlaceDecode("pixels"), preprocess, [photo_px])
    assert isinstance(answer, PhotoPixels)
    assert (answer.classes == truth).all()


def test_objects_and_stuff_meet_after_the_tiles_are_merged() -> None:
    photo_px = (96, 64)
    preprocess = Preprocess((64, 64), "letterbox", tiles=Tiles((64, 64), 0.5, whole=False))
    box = np.array([[38.0, 8.0, 58.0, 40.0]])
    raw = seen(box, [0], photo_px, preprocess)
    masks = np.ones((2, 1, 8, 8), dtype=np.float32)
    stuff = np.zeros((2, 3, 64, 64), dtype=np.float32)
    stuff[:, 2] = 5
    decode = PlaceDecode("panoptic", things=(0,), confidence=(0.5,))
    (answer,) = decode_batch((raw, masks, stuff), decode, preprocess, [photo_px])
    assert isinstance(answer, PhotoSegments)
    assert answer.classes.tolist() == [0, 2]
    assert answer.ids[20, 48] == 1
    assert answer.ids[5, 90] == answer.ids[60, 2] == 2
    assert (answer.ids > 0).all()
