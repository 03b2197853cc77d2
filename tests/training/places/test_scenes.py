"""Photos and labels brought to a network's size: against what the colours of the photo show there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from colour_scenes import ALL, BACKGROUND, CLASSES, IGNORED, check, numbers, rim, written

from vision_cli.core import rle, rle_columns
from vision_cli.core.detections import Truth
from vision_cli.core.errors import DataError
from vision_cli.core.preprocess import Preprocess, Resize
from vision_cli.training.places.batches import PlainScenes
from vision_cli.training.places.scenes import SceneReader, Scenes

SIZES = [(260, 180), (180, 260), (200, 200), (320, 150)]
"""The third photo has no object."""
TASKS = ("detect", "instance", "semantic", "panoptic")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("resize", "size"),
    [("letterbox", (160, 128)), ("stretch", (160, 128)), ("stretch", (400, 300)), ("crop", (128, 128))],
)
def test_scenes_are_where_the_photo_shows_them(
    tmp_path: Path, task: str, resize: Resize, size: tuple[int, int]
) -> None:
    scenes = written(tmp_path, task, SIZES)
    read = SceneReader(scenes, Preprocess(size, resize, interpolation="bilinear"))
    for index in range(len(SIZES)):
        for found in (read(index), read(index)):  # Decoded, and from memory.
            assert found.size_px == size
            assert (found.masks is not None) == (task in ("instance", "panoptic"))
            assert (found.pixels is not None) == (task in ("semantic", "panoptic"))
            check(replace(found, pixels=None), turned=found.masks is None)
            if found.pixels is not None:
                check_map(found.pixels, found.photo, BACKGROUND if task == "semantic" else IGNORED)
            if resize != "crop":
                assert len(found.labels) == (0 if index == 2 else len(ALL))


def check_map(pixels: np.ndarray, photo: np.ndarray, background: int) -> None:  # type: ignore[type-arg]
    """Assert that a map shows the colours, the background where there is none, and nothing on a letterbox's bars."""
    grey, shown = (photo == 114).all(axis=-1), numbers(photo)
    plain = (photo == 0).all(axis=-1)
    assert (pixels[grey] == IGNORED).all()
    # Bilinear resampling with antialiasing reaches a pixel or two beyond an edge.
    assert (pixels[plain] == background).mean() > 0.995
    for number in np.unique(shown[shown > 0]):
        assert not ((pixels != number) & (shown == number) & ~rim(shown == number)).any()
        assert (pixels[shown == number] == number).mean() > 0.85


def test_a_small_thing_on_a_large_one_shows(tmp_path: Path) -> None:
    """The order of labels does not matter; and a crowd hides what is below it."""
    base = written(tmp_path, "semantic", [(60, 40)], ())
    planes = np.zeros((3, 40, 60), dtype=bool)
    planes[0, 10:20, 10:20], planes[1, :, :40], planes[2, 30:40, 30:36] = True, True, True
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        truth = Truth(
            base.truth.sizes,
            np.zeros(3, dtype=np.int64),
            np.array([4, 5, 6])[order],
            np.tile([0.0, 0.0, 5.0, 5.0], (3, 1)),
            rle_columns.of_texts([rle.to_text(rle.encode(planes[row])).encode() for row in order]),
            areas=planes[order].sum(axis=(1, 2)).astype(np.float64),
            crowd=np.array([False, False, True])[order],
            difficult=np.zeros(3, dtype=bool),
        )
        pixels = SceneReader(replace(base, truth=truth), Preprocess((60, 40), "stretch"))(0).pixels
        assert pixels is not None
        assert pixels[15, 15] == 4
        assert pixels[5, 5] == 5
        assert (pixels[30:40, 30:36] == IGNORED).all()
        assert pixels[5, 50] == BACKGROUND


def test_stuff_has_no_objects(tmp_path: Path) -> None:
    scenes = replace(written(tmp_path, "panoptic", [(200, 150)]), things=np.arange(CLASSES) < 3)
    found = SceneReader(scenes, Preprocess((100, 75), "stretch"))(0)
    assert sorted(found.labels.tolist()) == [1, 2]
    assert found.masks is not None
    assert len(found.masks) == 2
    assert set(np.unique(found.pixels).tolist()) == {IGNORED, *ALL}


def test_objects_that_a_crop_cuts_off_are_gone(tmp_path: Path) -> None:
    scenes = written(tmp_path, "detect", [(600, 100)])
    found = SceneReader(scenes, Preprocess((100, 100), "crop", crop_pct=1.0, interpolation="bilinear"))(0)
    assert 0 < len(found.labels) < len(ALL)
    assert set(found.labels.tolist()) == set(np.unique(numbers(found.photo))[1:].tolist())


def test_scenes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    scenes = written(tmp_path, "detect", SIZES)
    with pytest.raises(DataError, match="3 photos, but the truth is of 4"):
        Scenes("detect", scenes.paths[:3], scenes.truth, scenes.things)
    with pytest.raises(DataError, match="instance needs the outlines"):
        replace(scenes, task="instance")


def test_a_photo_that_cannot_be_read_comes_as_an_error(tmp_path: Path) -> None:
    scenes = written(tmp_path, "detect", SIZES)
    (tmp_path / "1.png").write_bytes(b"no photo")
    photos = PlainScenes(scenes, Preprocess((64, 64), "stretch"))
    assert isinstance(photos[1], DataError)
    assert not isinstance(photos[0], DataError)
