"""Photos cut into tiles to learn from: against what the colours of each tile show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from colour_scenes import ALL, BACKGROUND, IGNORED, check, numbers, written

from vision_cli.core.preprocess import Preprocess
from vision_cli.core.tiling import Tiles
from vision_cli.training.places.batches import repeat_factors
from vision_cli.training.places.scene import LEAST_VISIBLE
from vision_cli.training.places.scenes import SceneReader, tiled

SIZES = [(260, 180), (180, 260), (200, 200), (320, 150)]
"""The third photo has no object."""
TILES = Tiles((128, 96), 0.25)
SEEN = Preprocess((128, 96), "letterbox", interpolation="bilinear", tiles=TILES)


@pytest.mark.parametrize("task", ["detect", "instance", "semantic", "panoptic"])
def test_tiles_are_where_the_photo_shows_them(tmp_path: Path, task: str) -> None:
    scenes = tiled(written(tmp_path, task, SIZES), TILES)
    read = SceneReader(scenes, SEEN)
    assert len(scenes) == 3 * 3 + 1 + 2 * 4 + 1 + 2 * 3 + 1 + 3 * 2 + 1
    for index in range(len(scenes)):
        for found in (read(index), read(index)):  # Decoded, and from memory.
            assert found.size_px == (128, 96)
            check(replace(found, pixels=None), turned=task == "semantic")
            if found.pixels is not None:
                plain = (found.photo == 0).all(axis=-1)
                assert (found.pixels[plain] == (BACKGROUND if task == "semantic" else IGNORED)).all()
                shown = numbers(found.photo)
                sharp = np.isin(found.photo, (0, 255)).all(axis=-1) & (shown > 0)
                assert (found.pixels[sharp] != shown[sharp]).sum() <= 0.01 * sharp.sum()


def test_what_a_border_leaves_less_than_a_quarter_of_is_no_object_and_no_background(tmp_path: Path) -> None:
    scenes = tiled(written(tmp_path, "detect", SIZES), TILES)
    read = SceneReader(scenes, SEEN)
    crowds = 0
    for index in range(len(scenes)):
        photo, (left, top, width, height) = scenes.view(index)
        rows = np.flatnonzero(scenes.truth.photo == photo)
        boxes = scenes.truth.xyxy()[rows]
        cut = np.clip(boxes, [left, top] * 2, [left + width, top + height] * 2)
        shares = (cut[:, 2:] - cut[:, :2]).prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        whole = index + 1 == len(scenes) or scenes.view(index + 1)[0] != photo
        sides = boxes[:, 2:] - boxes[:, :2]
        # What a tile shows in whole is not asked of the whole photo, 128 x 96 px.
        small = whole & (sides <= [0.25 * 128, 0.25 * 96]).all(axis=1)
        assert not whole or (width, height) == SIZES[photo]
        shares = np.where(small & (shares > 0), 0.01, shares)
        expected = {
            int(scenes.truth.class_id[row]): bool(share < LEAST_VISIBLE)
            for row, share in zip(rows, shares, strict=True)
            if share > 0
        }
        found = read(index)
        assert dict(zip(found.labels.tolist(), found.crowd.tolist(), strict=True)) == expected
        crowds += sum(expected.values())
    assert crowds >= 3


def test_empty_tiles_are_kept_up_to_their_share(tmp_path: Path) -> None:
    whole = written(tmp_path, "detect", [(600, 600)] * 4, wanted=(1, 2))
    every = tiled(whole, TILES)
    empty = np.array([not len(every.rows(index)) for index in range(len(every))])
    assert 0.4 < empty.mean() < 1
    for share in (0.0, 0.25, 0.5):
        some = tiled(whole, TILES, negatives=share, seed=3)
        without = sum(not len(some.rows(index)) for index in range(len(some)))
        full = len(some) - without
        assert full == (~empty).sum()
        assert without == int(full * share / (1 - share) + 1e-9) or without == empty.sum()
        assert some.views == tiled(whole, TILES, negatives=share, seed=3).views
        assert list(some.views) == [view for view in every.views if view in set(some.views)]
    assert tiled(whole, TILES, negatives=0.25, seed=3).views != tiled(whole, TILES, negatives=0.25, seed=4).views
    assert len(tiled(whole, TILES, negatives=1.0)) == len(every)


def test_tiles_of_photos_with_rare_classes_come_more_often(tmp_path: Path) -> None:
    whole = written(tmp_path, "detect", SIZES, wanted=ALL)
    scenes = tiled(whole, TILES)
    factors, of_photos = repeat_factors(scenes, 1.0), repeat_factors(whole, 1.0)
    assert len(factors) == len(scenes)
    assert (factors == of_photos[[row for row, _ in scenes.views]]).all()
    assert of_photos.max() > of_photos.min()
