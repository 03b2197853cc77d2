"""What is kept of a photo for a classifier."""

from __future__ import annotations

from dataclasses import replace

import drawn_scenes
import numpy as np
import pytest

from vision_cli.synth.cropping import Crop, cropped
from vision_cli.synth.lot import Lot
from vision_cli.synth.render import Rendered, render
from vision_cli.synth.settings import RenderSettings

SETTINGS = RenderSettings(negatives=0.0, per_photo=(1, 1), size_share=(0.2, 0.6))


def make(index: int, settings: RenderSettings = SETTINGS) -> Rendered:
    background, scene = drawn_scenes.room()
    return render(background, scene, drawn_scenes.book(), settings, Lot(2, index, settings.scene_photos))


def test_an_object_keeps_its_pixels_its_margin_and_its_mask() -> None:
    crop, margins = Crop((0.1, 0.5)), []
    for index in range(24):
        whole, lot = make(index), Lot(2, index, 4)
        if not whole.objects:
            continue
        found = cropped(whole, crop, SETTINGS, lot)
        (before,), (after,) = whole.objects, found.objects
        assert after.box[2:] == before.box[2:]
        assert after.left == after.box[0]
        shift_x, shift_y = int(before.box[0] - after.box[0]), int(before.box[1] - after.box[1])
        height, width = found.photo.shape[:2]
        assert (found.photo == whole.photo[shift_y : shift_y + height, shift_x : shift_x + width]).all()
        mask = before.full(whole.photo.shape[:2])[shift_y : shift_y + height, shift_x : shift_x + width]
        assert (after.full((height, width)) == mask).all()
        corners = np.array(before.parameters["corners"]) - np.array(after.parameters["corners"])
        assert corners == pytest.approx(np.tile([shift_x, shift_y], (4, 1)))
        x, y, w, h = before.box
        longer = max(w, h)
        rooms = (x - shift_x, y - shift_y, shift_x + width - x - w, shift_y + height - y - h)
        edges = (shift_x == 0, shift_y == 0, shift_x + width == 640, shift_y + height == 480)
        for room, at_edge in zip(rooms, edges, strict=True):
            assert 0 <= room <= 0.5 * longer + 1
            assert at_edge or room >= 0.1 * longer
            margins.append(room / longer)
    assert np.std(margins) > 0.05


def test_photos_of_one_scene_are_cropped_each_in_its_own_way() -> None:
    shapes = {cropped(make(index), Crop((0.1, 0.6)), SETTINGS, Lot(2, index, 4)).photo.shape for index in range(4)}
    assert len(shapes) > 1


def test_a_photo_without_an_object_keeps_a_part_of_the_size_of_one() -> None:
    settings = replace(SETTINGS, negatives=1.0)
    longer = []
    for index in range(60):
        whole, lot = make(index % 4, settings), Lot(2, index, 4)
        found = cropped(whole, Crop((0.1, 0.1)), settings, lot)
        assert found.objects == ()
        height, width = found.photo.shape[:2]
        assert 16 <= height <= 480
        assert 16 <= width <= 640
        longer.append(max(height, width) / 640)
    assert min(longer) < 0.4
    assert max(longer) > 0.55
