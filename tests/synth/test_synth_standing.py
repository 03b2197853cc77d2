"""Things that stand in a room whose floor and depth are known because the tests built it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import drawn_scenes
import numpy as np
import pytest

from vision_cli.synth.labels import CHANGED_LEVELS
from vision_cli.synth.logos import LogoBook
from vision_cli.synth.lot import Lot
from vision_cli.synth.render import Rendered, render
from vision_cli.synth.settings import CUTOUT_LOOKS, RenderSettings

FLOOR = 0
SETTINGS = RenderSettings(
    negatives=0.0,
    standing=1.0,
    loose=0.0,
    rotation_deg=0.0,
    curvature=0.0,
    looks=CUTOUT_LOOKS,
    size_share=(0.1, 0.5),
    per_photo=(3, 3),
    distractors=(0, 0),
    mirror=False,
)


def make(index: int, settings: RenderSettings = SETTINGS, book: LogoBook | None = None) -> Rendered:
    background, scene = drawn_scenes.room()
    return render(background, scene, book or drawn_scenes.book(), settings, Lot(3, index, settings.scene_photos))


def standing(settings: RenderSettings = SETTINGS, photos: int = 40, book: LogoBook | None = None) -> list[list]:
    """Return what stands in each of some scenes."""
    found = []
    for index in range(0, photos * settings.scene_photos, settings.scene_photos):
        found.append([each for each in make(index, settings, book).objects if each.parameters["stands"]])
    return found


def test_feet_are_on_the_floor_and_pictures_are_not_warped() -> None:
    _, scene = drawn_scenes.room()
    every = [each for photo in standing() for each in photo]
    assert len(every) > 60
    for each in every:
        top_left, top_right, bottom_right, bottom_left = np.array(each.parameters["corners"])
        foot = (bottom_left + bottom_right) / 2
        column, row = (int(value) for value in foot)
        assert scene.regions[row, column] == FLOOR
        assert each.plane == FLOOR
        assert scene.depth[row, column] == pytest.approx(each.parameters["depth"], rel=0.02)
        assert bottom_left - bottom_right == pytest.approx(top_left - top_right, abs=0.05)
        assert top_left[0] == pytest.approx(bottom_left[0], abs=0.05)  # upright, and seen from the front
        assert each.tilt_deg == 0


def test_things_of_a_class_are_the_smaller_the_farther() -> None:
    """The size in space of two of a class in one room differs by their own spread only, whatever their distance."""
    one = LogoBook((drawn_scenes.one("card"),))
    ratios, distances = [], []
    for photo in standing(photos=60, book=one):
        for first, second in pairwise(photo):
            sizes = [each.size_px * each.parameters["depth"] for each in (first, second)]
            ratios.append(sizes[0] / sizes[1])
            distances.append(first.parameters["depth"] / second.parameters["depth"])
    assert np.std(np.log(distances)) > 0.12
    assert np.std(np.log(ratios)) < 0.25  # sizes that know nothing of each other: 0.66


def test_sizes_stay_in_their_limits_and_both_ends_occur() -> None:
    sizes = np.array([each.size_px / 640 for photo in standing(photos=60) for each in photo])
    assert sizes.min() >= 0.1 * 0.85
    assert sizes.max() <= 0.5 * 1.15
    assert sizes.min() < 0.16
    assert sizes.max() > 0.35


def test_without_a_floor_things_are_held() -> None:
    background, scene = drawn_scenes.room()
    walls = replace(scene, planes=tuple(plane for plane in scene.planes if plane.region > 1))
    objects = [
        each
        for index in range(0, 40, 4)
        for each in render(background, walls, drawn_scenes.book(), SETTINGS, Lot(3, index, 4)).objects
    ]
    assert objects
    assert all(each.plane is None and not each.parameters["stands"] for each in objects)


def test_no_other_photo_changes_because_things_can_stand() -> None:
    """What is on surfaces or held draws the same random numbers as ever: standing asks only where it is wanted."""
    settings = RenderSettings(negatives=0.0)
    assert settings.standing == 0
    for index in range(4):
        assert not any(each.parameters["stands"] for each in make(index, settings).objects)


def test_labels_are_the_pixels_that_change_without_the_thing_and_its_shadow_stays() -> None:
    checked = 0
    for index in range(12):
        whole = make(index)
        for number, placed in enumerate(whole.objects):
            without = make(index, replace(SETTINGS, omit=number))
            differs = np.abs(whole.photo.astype(int) - without.photo).max(axis=2) >= CHANGED_LEVELS
            rows, columns = np.nonzero(differs)
            x, y, w, h = placed.box
            found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            assert np.abs(np.array(found) - (x, y, x + w, y + h)).max() <= 1
            checked += 1
    assert checked >= 24


def test_the_floor_is_darker_around_a_foot_and_nowhere_far() -> None:
    background, scene = drawn_scenes.room()
    alone = replace(SETTINGS, per_photo=(1, 1), occluders=0.0)
    darker = 0
    for index in range(0, 80, 4):
        made = render(background, scene, drawn_scenes.book(), alone, Lot(3, index, 4))
        (placed,) = made.objects
        if not placed.parameters["stands"] or placed.truncated:
            continue
        change = background.photo.astype(int).mean(axis=2) - made.photo.astype(int).mean(axis=2)
        corners = np.array(placed.parameters["corners"])
        foot, width = (corners[2] + corners[3]) / 2, np.ptp(corners[:, 0])
        mask = placed.full(scene.shape)
        rows, columns = np.nonzero(~mask & (change > 10))
        if not len(rows):
            continue
        reach = np.hypot(columns - foot[0], rows - foot[1])
        assert reach.max() < 2.2 * placed.size_px + 20
        darker += bool((reach < width).any())
    assert darker >= 8
