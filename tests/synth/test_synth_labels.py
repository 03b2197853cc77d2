"""Labels against the photo itself: rendered with and without an object, the pixels that differ are its box."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import drawn_scenes
import numpy as np
import pytest
from pycocotools import mask as coco

from vision_cli.synth import cache, labels, logos
from vision_cli.synth.analysis import read_background
from vision_cli.synth.labels import CHANGED_LEVELS, Placed
from vision_cli.synth.logos import LogoBook
from vision_cli.synth.lot import Lot
from vision_cli.synth.render import Rendered, render
from vision_cli.synth.scene import AnalysisSettings, Background, Scene
from vision_cli.synth.settings import EFFECTS, RenderSettings

SETTINGS = RenderSettings(negatives=0.0)
OLD_COPY = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' decode


def make(index: int, settings: RenderSettings = SETTINGS, seed: int = 5) -> Rendered:
    """Return photo `index` of the drawn room."""
    background, scene = drawn_scenes.room()
    return render(background, scene, drawn_scenes.book(), settings, Lot(seed, index, settings.scene_photos))


def check_boxes(background: Background, scene: Scene, book: LogoBook, settings: RenderSettings, lot: Lot) -> int:
    """Compare every label of a photo with the pixels that its object changes; return how many there are."""
    whole = render(background, scene, book, settings, lot)
    for number, placed in enumerate(whole.objects):
        without = render(background, scene, book, replace(settings, omit=number), lot)
        differ = np.abs(whole.photo.astype(int) - without.photo.astype(int)).max(axis=2) >= CHANGED_LEVELS
        rows, columns = np.nonzero(differ)
        x, y, width, height = placed.box
        found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        assert found == (x, y, x + width, y + height), (lot, number)
        assert not (differ & ~placed.full(differ.shape)).any(), (lot, number)
        check_mask(placed, whole.photo.shape[:2])
    return len(whole.objects)


def check_mask(placed: Placed, shape: tuple[int, int]) -> None:
    """Hold box, mask and run lengths against each other, by pycocotools."""
    mask = placed.full(shape)
    counts = placed.counts(shape).tolist()
    packed = coco.frPyObjects({"size": list(shape), "counts": counts}, *shape)
    assert (coco.decode(packed).astype(bool) == mask).all()
    assert coco.toBbox(packed).tolist() == list(placed.box)
    assert 0 < placed.visibility <= 1
    x, y, width, height = placed.full_box
    assert placed.box[0] >= x - 12
    assert placed.box[0] + placed.box[2] <= x + width + 12
    assert placed.box[1] >= y - 12
    assert placed.box[1] + placed.box[3] <= y + height + 12


@OLD_COPY
def test_every_box_is_of_the_pixels_that_its_object_changed() -> None:
    background, scene = drawn_scenes.room()
    settings = replace(SETTINGS, occluders=0.6, overlap=0.4)
    counted = sum(
        check_boxes(background, scene, drawn_scenes.book(), settings, Lot(1, index, settings.scene_photos))
        for index in range(12)
    )
    assert counted > 15


@OLD_COPY
@pytest.mark.slow
@pytest.mark.skipif(not drawn_scenes.COINS.is_dir(), reason="shared data are not here")
def test_every_box_of_coins_on_real_photos(tmp_path: Path) -> None:
    book = logos.load(drawn_scenes.COINS)
    backgrounds = [read_background(path) for path in sorted(drawn_scenes.PHOTOS.glob("*.jpg"))[:16]]
    scenes = [cache.scene_of(each, AnalysisSettings(), tmp_path) for each in backgrounds]
    settings = RenderSettings(negatives=0.0)
    counted = 0
    for index in range(64):
        which = index // settings.scene_photos % len(scenes)
        lot = Lot(9, index, settings.scene_photos)
        counted += check_boxes(backgrounds[which], scenes[which], book, settings, lot)
    assert counted > 100


def test_no_photo_is_without_a_label_unless_it_is_negative() -> None:
    found = [make(index, replace(RenderSettings(negatives=0.5), photos_a_scene=1)) for index in range(20)]
    empty = sum(not each.objects for each in found)
    assert 4 <= empty <= 16
    assert all(make(index).objects for index in range(12))


def test_photos_of_one_scene_share_objects_and_poses_and_differ_in_the_blend() -> None:
    photos = [make(index) for index in range(4, 8)]
    assert [each.blend for each in photos] == list(SETTINGS.blends)
    assert len({each.mirrored for each in photos}) == 1
    corners = [[placed.parameters["corners"] for placed in each.objects] for each in photos]
    assert corners[0] == corners[1] == corners[2] == corners[3]
    assert len({each.photo.tobytes() for each in photos}) == 4
    assert make(8).objects[0].parameters["corners"] != corners[0][0]


def test_a_photo_depends_on_seed_and_index_alone() -> None:
    forward = [make(index).photo.tobytes() for index in range(6)]
    backward = [make(index).photo.tobytes() for index in reversed(range(6))]
    assert forward == backward[::-1]
    assert make(0, seed=6).photo.tobytes() != forward[0]


def test_another_process_makes_the_same_bytes() -> None:
    code = (
        "import hashlib, test_synth_labels as t;"
        "print(hashlib.sha256(b''.join(t.make(i).photo.tobytes() for i in (2, 5))).hexdigest())"
    )
    here = Path(__file__).parent
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{here}:{here.parents[1]}", "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert len(said[0].strip()) == 64


def test_distractors_and_pieces_get_no_label() -> None:
    settings = replace(SETTINGS, negatives=1.0, distractors=(3, 3))
    photos = [make(index, settings) for index in range(3)]
    background, _ = drawn_scenes.room()
    assert all(not each.objects for each in photos)
    for each in photos:
        plain = background.photo[:, ::-1] if each.mirrored else background.photo
        assert (np.abs(each.photo.astype(int) - plain) > 20).mean() > 0.005


def test_what_leaves_the_photo_is_truncated() -> None:
    settings = replace(SETTINGS, loose=1.0, size_px=(200, 300), visibility_least=0.4, distractors=(0, 0), occluders=0.0)
    found = [placed for index in range(0, 48, 4) for placed in make(index, settings).objects]
    assert {placed.truncated for placed in found} == {True, False}
    for placed in found:
        x, y, width, height = placed.full_box
        beyond = x < -1 or y < -1 or x + width > 641 or y + height > 481
        assert placed.truncated == beyond
        assert placed.visibility >= 0.4 - 1e-6
        if not placed.truncated and not placed.occluded:
            assert placed.visibility > 0.97


def test_what_is_nearer_hides() -> None:
    """A post before the back wall, known to be nearer."""
    background, scene = drawn_scenes.room(0, 0)
    regions, depth = scene.regions.copy(), scene.depth.copy()
    regions[:, 310:330] = 9
    depth[:, 310:330] = 0.1
    back = tuple(plane for plane in scene.planes if plane.region == 4)
    scene = replace(scene, regions=regions, depth=depth, planes=back)
    settings = replace(
        SETTINGS, loose=0.0, occluders=0.0, size_px=(60, 90), distractors=(0, 0), per_photo=(1, 1),
        looks={"plain": 1.0}, mirror=False, inside_least=0.3,
    )  # fmt: skip
    behind = 0
    for index in range(0, 80, 4):
        photo = render(background, scene, drawn_scenes.book(), settings, Lot(2, index, 4))
        for placed in photo.objects:
            mask = placed.full((480, 640))
            if placed.plane is None:
                continue
            assert not mask[:, 313:327].any()
            left, right = mask[:, :310].any(), mask[:, 330:].any()
            if left and right:
                behind += 1
                assert placed.occluded
    assert behind > 0
    hidden_nowhere = render(background, scene, drawn_scenes.book(), replace(settings, occlusion=False), Lot(2, 0, 4))
    assert not any(placed.occluded for placed in hidden_nowhere.objects)


@pytest.mark.parametrize("effect", EFFECTS)
def test_each_effect_can_be_left_out_and_does_something(effect: str) -> None:
    changed = 0
    for index in range(0, 24, 4):
        settings = replace(SETTINGS, mirror=False)
        bare = replace(settings, effects=settings.effects - {effect})
        one, other = make(index, settings), make(index, bare)
        assert [placed.class_name for placed in one.objects] == [placed.class_name for placed in other.objects]
        changed += one.photo.tobytes() != other.photo.tobytes()
    assert changed > 0


def test_mirrored_backgrounds_never_mirror_an_object() -> None:
    """A logo that is red on its left stays so."""
    rgba = np.zeros((100, 100, 4), np.uint8)
    rgba[10:90, 10:50] = (220, 0, 0, 255)
    rgba[10:90, 50:90] = (0, 0, 220, 255)
    book = LogoBook((logos.of_pixels(rgba, "flag"),))
    background, scene = drawn_scenes.room()
    settings = replace(
        SETTINGS, rotation_deg=5, lying_rotation_deg=5, looks={"plain": 1.0}, per_photo=(1, 1), occluders=0.0,
        distractors=(0, 0), size_px=(90, 140), photos_a_scene=1, blends=("alpha",), curvature=0.0,
    )  # fmt: skip
    seen: Counter[bool] = Counter()
    for index in range(16):
        made = render(background, scene, book, settings, Lot(4, index, 1))
        for placed in made.objects:
            if placed.truncated:
                continue
            mask = placed.full((480, 640))
            red = mask & (made.photo[..., 0].astype(int) > made.photo[..., 2].astype(int) + 40)
            blue = mask & (made.photo[..., 2].astype(int) > made.photo[..., 0].astype(int) + 40)
            assert np.nonzero(red)[1].mean() < np.nonzero(blue)[1].mean()
            first, second = placed.parameters["corners"][:2]
            assert first[0] < second[0]
            seen[made.mirrored] += 1
    assert min(seen[True], seen[False]) > 0


def test_counts_join_columns_that_fill_the_photo() -> None:
    background, _ = drawn_scenes.room()
    placed = replace(make(0).objects[0], left=3, top=0, mask=np.ones((480, 5), bool), box=(3, 0, 5, 480))
    assert placed.counts((480, 640)).tolist() == [3 * 480, 5 * 480, 632 * 480]
    assert background.photo.shape[:2] == (480, 640)


def test_nothing_changed_is_no_label() -> None:
    assert labels.visible(np.full((4, 4), 3, np.uint8), np.ones((4, 4), np.float32)) is None
    mask, box = labels.visible(np.eye(4, dtype=np.uint8) * 50, np.zeros((4, 4), np.float32)) or (None, None)
    assert box == (0, 0, 4, 4)
    assert mask is not None
    assert mask.sum() == 4
