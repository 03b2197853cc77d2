"""Which of a training's pictures a report shows, and masks among the labels that it draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vision_cli.core import rle, rle_columns
from vision_cli.core.detections import Truth
from vision_cli.imaging.overlay import colour_of
from vision_cli.stages.evaluating import report_pictures, report_places


@pytest.mark.parametrize(
    ("there", "shown"),
    [
        ([], []),
        (["train-batch-1.jpg", "train-batch-2.jpg"], ["train-batch-1.jpg"]),
        (["val-epoch-0001.jpg"], ["val-epoch-0001.jpg"]),
        (
            ["val-epoch-0001.jpg", "val-epoch-0002.jpg", "val-epoch-0016.jpg"],
            ["val-epoch-0001.jpg", "val-epoch-0016.jpg"],
        ),
        (
            ["train-batch-1.jpg", "val-best.jpg", "val-epoch-0001.jpg", "val-epoch-0002.jpg"],
            ["train-batch-1.jpg", "val-epoch-0001.jpg", "val-best.jpg"],
        ),
    ],
)
def test_three_pictures_tell_enough(tmp_path: Path, there: list[str], shown: list[str]) -> None:
    (tmp_path / "pictures").mkdir()
    for name in there:
        (tmp_path / "pictures" / name).write_bytes(name.encode())
    assert [jpeg.decode() for _, jpeg in report_pictures.of_training(tmp_path)] == shown


def test_masks_of_things_are_drawn_with_their_boxes() -> None:
    thing, stuff = np.zeros((2, 40, 60), dtype=bool)
    thing[10:30, 20:40], stuff[30:] = True, True
    texts = [rle.to_text(rle.encode(mask)).encode() for mask in (thing, stuff)]
    boxes = np.array([[20.0, 10.0, 20.0, 20.0], [0.0, 30.0, 60.0, 10.0]])
    masks, none = rle_columns.of_texts(texts), np.zeros(2, dtype=bool)
    areas = np.array([400.0, 600.0])
    sizes, photo, classes = np.array([[60, 40]]), np.zeros(2, np.int64), np.array([1, 0])
    truth = Truth(sizes, photo, classes, boxes, masks, areas=areas, crowd=none, difficult=none)
    (found,) = report_places._true_objects(truth, 0, np.array([False, True]), masks=True)
    assert (found.box, found.colour) == ((20.0, 10.0, 40.0, 30.0), 1)
    assert found.mask is not None
    assert np.array_equal(found.mask, thing)
    shown = report_places.overlay.with_objects(np.zeros((40, 60, 3), np.uint8), [found])
    assert tuple(shown[10, 30]) == colour_of(1)
    assert 0 < shown[20, 30].max() < max(colour_of(1))
    (bare,) = report_places._true_objects(truth, 0, np.array([False, True]), masks=False)
    assert bare.mask is None
