"""Maps of what is truly there, against masks painted one by one."""

from __future__ import annotations

import numpy as np
import pytest

from vision_cli.core import rle, rle_columns
from vision_cli.core.detections import Truth
from vision_cli.core.errors import DataError
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.truth_maps import class_map, segment_map

WIDTH, HEIGHT = 31, 23
Masks = list[np.ndarray]  # type: ignore[type-arg]


def truth_of(masks: Masks, photo: list[int], classes: list[int], **flags: list[int]) -> Truth:
    number = len(masks)
    texts = [rle.to_text(rle.encode(mask)).encode() for mask in masks]
    sizes = np.tile([WIDTH, HEIGHT], (max(photo, default=0) + 2, 1))
    return Truth(
        sizes,
        np.array(photo, dtype=np.int64),
        np.array(classes, dtype=np.int64),
        np.tile([0.0, 0.0, 5.0, 5.0], (number, 1)),
        rle_columns.of_texts(texts),
        areas=np.array([mask.sum() for mask in masks], dtype=np.float64),
        crowd=np.isin(np.arange(number), flags.get("crowd", [])),
        difficult=np.isin(np.arange(number), flags.get("difficult", [])),
    )


def drawn(rng: np.random.Generator, number: int) -> Masks:
    masks = []
    for _ in range(number):
        top, left = rng.integers(0, HEIGHT - 2), rng.integers(0, WIDTH - 2)
        mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
        mask[top : top + rng.integers(1, 14), left : left + rng.integers(1, 14)] = True
        masks.append(mask & (rng.random(mask.shape) < 0.9))
    return masks


@pytest.mark.parametrize("seed", range(5))
def test_each_pixel_shows_the_smallest_object_that_covers_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks, photo = drawn(rng, 12), sorted(rng.integers(0, 3, 12).tolist())
    classes, crowd, difficult = rng.integers(0, 4, 12).tolist(), [2, 5], [7]
    truth = truth_of(masks, photo, classes, crowd=crowd, difficult=difficult)
    for which in range(4):
        rows = [row for row in range(12) if photo[row] == which]
        found, segments = class_map(truth, which, 9), segment_map(truth, which, np.array([True, True, False, False]))
        assert found.dtype == np.int16
        shown = set()
        for y in range(HEIGHT):
            for x in range(WIDTH):
                covering = [row for row in rows if masks[row][y, x]]
                if not covering:
                    assert (found[y, x], segments.ids[y, x]) == (9, 0)
                    continue
                top = min(covering, key=lambda row: (masks[row].sum(), -row))
                assert found[y, x] == (IGNORED if top in crowd + difficult else classes[top])
                number = segments.ids[y, x]
                if top in difficult:
                    assert number == 0
                    continue
                assert (segments.classes[number - 1], segments.crowd[number - 1]) == (classes[top], top in crowd)
                shown.add((number, "stuff" if classes[top] > 1 and top not in crowd else top, classes[top]))
        # One segment an object, one a class of stuff, and none without a pixel.
        assert len({number for number, _, _ in shown}) == len(shown) == len(segments.classes)


def test_a_photo_without_objects_is_background() -> None:
    truth = truth_of([], [], [])
    assert (class_map(truth, 0, 3) == 3).all()
    assert (class_map(truth, 0) == IGNORED).all()
    found = segment_map(truth, 0, np.array([True]))
    assert (found.ids.shape, found.ids.max(), len(found.classes)) == ((HEIGHT, WIDTH), 0, 0)


def test_boxes_alone_make_no_map() -> None:
    truth = truth_of([np.ones((HEIGHT, WIDTH), dtype=bool)], [0], [0])
    boxes = Truth(
        truth.sizes,
        truth.photo,
        truth.class_id,
        truth.boxes,
        areas=truth.areas,
        crowd=truth.crowd,
        difficult=truth.difficult,
    )
    with pytest.raises(DataError, match="only boxes"):
        class_map(boxes, 0)


@pytest.mark.parametrize("seed", range(5))
def test_a_part_of_a_photo_is_cut_from_what_all_of_it_shows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks, photo = drawn(rng, 12), sorted(rng.integers(0, 3, 12).tolist())
    truth = truth_of(masks, photo, rng.integers(0, 4, 12).tolist(), crowd=[2, 5], difficult=[7])
    for which in range(3):
        whole = class_map(truth, which, 9)
        for _ in range(20):
            left, top = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT))
            wide, high = int(rng.integers(1, WIDTH - left + 1)), int(rng.integers(1, HEIGHT - top + 1))
            part = class_map(truth, which, 9, (left, top, wide, high))
            assert np.array_equal(part, whole[top : top + high, left : left + wide])
