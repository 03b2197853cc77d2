"""Whatever moves the photo moves boxes, masks and pixels: presets, mosaic, copy-paste against what colours show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from colour_scenes import ALL, IGNORED, box_of, check, colour, numbers, scene

from vision_cli.core.errors import UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.training.places import augment
from vision_cli.training.places.augment import augmented, preset
from vision_cli.training.places.mixing import copy_paste, mosaic
from vision_cli.training.places.scene import LEAST_VISIBLE, Scene

INPUT = Preprocess((128, 96), "letterbox")
PRESETS = ("none", "light", "medium", "strong")


@pytest.fixture
def uncoloured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the steps that move no pixel: they change the colours that tell."""
    monkeypatch.setattr(augment, "colour_steps", lambda *_: [])


@pytest.mark.usefixtures("uncoloured")
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("kind", [{"masks": False}, {"masks": True}, {"masks": True, "pixels": True}])
def test_presets_move_everything_with_the_photo(name: str, kind: dict[str, bool]) -> None:
    compose = preset(name, INPUT)
    seen, shifts = set(), []
    for seed in range(60):
        before = scene(seed, (192, 144), **kind)
        found = augmented(compose, before, (seed, 1, 2))
        assert found.size_px == INPUT.size_px
        shifts += check(found, turned=name == "strong" and found.masks is None)
        seen.add(len(found.labels))
    if kind["masks"]:
        assert len(shifts) > 100
        assert np.abs(np.mean(shifts, axis=0)).max() < 0.06  # OpenCV's INTER_NEAREST has 0.3.
        assert np.abs(shifts).max() < 1.1  # Where samples lie on an edge.
    if name == "none":
        assert seen == {7}
    else:
        assert len(seen) > 1  # Some objects were cut away.


@pytest.mark.usefixtures("uncoloured")
@pytest.mark.parametrize("name", PRESETS)
def test_maps_without_objects_move_too(name: str) -> None:
    """Stuff has no boxes; and a photo may have nothing at all."""
    compose = preset(name, INPUT)
    for seed in range(20):
        whole = scene(seed, (192, 144), pixels=True)
        check_only_pixels = whole.take(np.empty(0, dtype=np.int64))
        found = augmented(compose, check_only_pixels, (seed, 0, 0))
        assert (found.boxes.shape, found.labels.shape) == ((0, 4), (0,))
        assert found.masks is not None
        assert found.masks.shape == (0, 96, 128)
        objects = augmented(compose, whole, (seed, 0, 0))
        assert (objects.pixels == found.pixels).all()
        assert (objects.photo == found.photo).all()
    empty = augmented(compose, scene(0, (192, 144), (), masks=False), (1, 2, 3))
    assert (len(empty.labels), empty.masks, empty.pixels) == (0, None, None)


@pytest.mark.usefixtures("uncoloured")
def test_flips_are_exact() -> None:
    """A box of edges in a mirror: not a pixel to the left."""
    flip = augment.A.Compose(
        [augment._Flip(p=1.0)], keypoint_params=augment.A.KeypointParams("xy", remove_invisible=False)
    )
    for seed in range(5):
        before = scene(seed, masks=False)
        found = augmented(flip, before, (0,))
        check(found, exact=True)
        assert (found.boxes == before.flipped().boxes).all()
        check(before.flipped(), exact=True)
        check(scene(seed, pixels=True).flipped(), exact=True)


@pytest.mark.parametrize("scale", [0.4, 0.55, 1.3])
def test_shrinking_moves_boxes_and_photo_alike(scale: float) -> None:
    """Over many boxes what rounding does to the shown ones is nothing: albumentations' points are off by 0.3 at 0.4."""
    shrink = augment.A.Compose(
        [augment._Affine(scale=(scale, scale), translate_percent=(-0.1, 0.1), p=1.0)],
        keypoint_params=augment.A.KeypointParams("xy", remove_invisible=False),
    )
    offs = []
    for seed in range(60):
        found = augmented(shrink, scene(seed, (192, 144), masks=False), (seed,))
        whole = (found.boxes > 1).all(axis=1) & (found.boxes[:, 2:] < [191, 143]).all(axis=1)
        for row in np.flatnonzero(whole).tolist():
            offs.append(found.boxes[row] - box_of(numbers(found.photo) == found.labels[row]))
    assert len(offs) > 20
    assert np.abs(np.mean(offs, axis=0)).max() < 0.12


def test_colours_change_no_place() -> None:
    """With the colour steps everything is where it is without them."""
    compose = preset("medium", INPUT)
    bare = augment.A.Compose(compose.transforms[:2], keypoint_params=compose.processors["keypoints"].params)
    for seed in range(5):
        before = scene(seed, (192, 144), pixels=True)
        one, two = (augmented(each, before, (seed, 0, 0)) for each in (compose, bare))
        assert (one.boxes == two.boxes).all()
        assert (one.pixels == two.pixels).all()
        assert (one.masks == two.masks).all()  # type: ignore[union-attr]


def test_the_key_alone_decides() -> None:
    compose, other = preset("strong", INPUT), preset("strong", INPUT)
    before = scene(3, (192, 144), pixels=True)
    first = augmented(compose, before, (1, 2, 3))
    augmented(compose, scene(4, (192, 144)), (9, 9, 9))
    for again in (augmented(compose, before, (1, 2, 3)), augmented(other, before, (1, 2, 3))):
        assert same(first, again)
    assert not any(same(first, augmented(compose, before, key)) for key in ((1, 2, 4), (1, 3, 3), (2, 2, 3)))


def same(one: Scene, two: Scene) -> bool:
    """Tell whether two scenes are equal to the bit."""
    parts = [(getattr(one, name), getattr(two, name)) for name in Scene.__slots__]
    return all((a is None and b is None) or np.array_equal(a, b) for a, b in parts)


def test_grey_photos_stay_grey() -> None:
    before = scene(1, (192, 144))
    grey = replace(before, photo=before.photo[:, :, :1])
    found = augmented(
        preset("strong", Preprocess((128, 96), "letterbox", channels=1, mean=(0.5,), std=(0.5,))), grey, (1,)
    )
    assert found.photo.shape == (96, 128, 1)


def test_unknown_presets_are_refused() -> None:
    with pytest.raises(UsageError, match="no preset 'wild'"):
        preset("wild", INPUT)


def quarters(seed: int, **kind: bool) -> list[Scene]:
    """Return four scenes that share no colour."""
    return [
        scene(seed * 4 + place, (150, 120), wanted, **kind)
        for place, wanted in enumerate(((1, 2), (3, 4), (5, 6), (7,)))
    ]


@pytest.mark.parametrize("kind", [{"masks": False}, {"masks": True}, {"masks": True, "pixels": True}])
def test_mosaics_show_what_they_say(kind: dict[str, bool]) -> None:
    kept = set()
    for seed in range(60):
        found = mosaic(quarters(seed, **kind), np.random.default_rng(seed))
        assert found.size_px == (150, 120)
        check(found, exact=True)
        kept.add(len(found.labels))
    assert len(kept) > 2


def test_mosaics_of_nothing() -> None:
    parts = [scene(1, (150, 120), ())] * 4
    assert mosaic(parts, np.random.default_rng(0)).masks.shape == (0, 120, 150)  # type: ignore[union-attr]


@pytest.mark.parametrize("pixels", [False, True])
def test_pasted_objects_hide_what_is_below(pixels: bool) -> None:
    """Against painting one scene over the other by hand."""
    pasted_some = 0
    for seed in range(60):
        below, above = (
            scene(seed + shift, (150, 120), wanted, pixels=pixels)
            for shift, wanted in ((0, (1, 2, 3, 4)), (100, (5, 6, 7)))
        )
        found = copy_paste(below, above, np.random.default_rng(seed))
        new = [number for number in found.labels.tolist() if number > 4]
        pasted_some += bool(new)
        expected = below.photo.copy()
        for number in new:
            expected[numbers(above.photo) == number] = colour(number)
        assert (found.photo == expected).all()
        check(found, exact=True)
        for row, number in enumerate(found.labels.tolist()):
            before = (numbers((above if number > 4 else below).photo) == number).sum()
            left = (numbers(found.photo) == number).sum()
            assert found.crowd[row] == (left < LEAST_VISIBLE * before)
    assert pasted_some > 30


def test_objects_that_are_wholly_hidden_are_gone() -> None:
    below = square(1, 20, 20, 40, 40)
    above = square(2, 10, 10, 60, 60)
    seed = next(seed for seed in range(50) if np.random.default_rng(seed).random(1)[0] < 0.5)
    found = copy_paste(below, above, np.random.default_rng(seed))
    assert found.labels.tolist() == [2]
    untouched = next(seed for seed in range(50) if np.random.default_rng(seed).random(1)[0] > 0.5)
    assert copy_paste(below, above, np.random.default_rng(untouched)).labels.tolist() == [1]


def test_crowds_are_not_pasted_and_stay_crowds() -> None:
    above = replace(scene(1), crowd=np.ones(7, dtype=bool))
    below = scene(2, wanted=(1, 2))
    for seed in range(10):
        assert same(copy_paste(below, above, np.random.default_rng(seed)), below)
    found = augmented(preset("none", Preprocess((150, 120), "stretch")), above, (1,))
    assert found.crowd.all()
    assert len(found.labels) == len(ALL)


def square(number: int, left: int, top: int, right: int, bottom: int, *, masks: bool = True) -> Scene:
    """Return one rectangle on 100 x 80 pixels."""
    photo = np.zeros((80, 100, 3), dtype=np.uint8)
    photo[top:bottom, left:right] = colour(number)
    mask = (numbers(photo) == number).astype(np.uint8)[None]
    box = np.array([[left, top, right, bottom]], dtype=np.float32)
    return Scene(photo, box, np.array([number]), np.zeros(1, dtype=bool), mask if masks else None)


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize(
    ("cut", "crowd"),
    [(20, False), (50, False), (55, False), (56, True), (59, True), (60, None), (75, None)],
)
def test_cut_objects_become_crowds_below_a_quarter(masks: bool, cut: int, crowd: bool | None) -> None:
    """20 pixels wide, of which the window's left edge takes some: 5 that are left are a quarter."""
    part = square(3, 40, 10, 60, 50, masks=masks).window(cut, 0, 100 - cut, 80)
    left = int((numbers(part.photo) == 3).sum())
    if crowd is None:
        assert (len(part.labels), left) == (0, 0)
        return
    assert part.crowd.tolist() == [crowd]
    assert crowd == (left < LEAST_VISIBLE * 20 * 40 - 1e-9) == (60 - max(cut, 40) < 5)
    check(part, exact=True)


@pytest.mark.usefixtures("uncoloured")
@pytest.mark.parametrize("masks", [False, True])
def test_presets_flag_cut_objects(masks: bool) -> None:
    """One square whose whole size after zooming is known from the scale of its sides that are not cut."""
    compose, flags = preset("medium", Preprocess((100, 80), "stretch")), []
    for seed in range(300):
        found = augmented(compose, square(3, 0, 30, 20, 50, masks=masks), (seed,))
        if not len(found.labels):
            continue
        left, top, right, bottom = found.boxes[0].tolist()
        if top <= 0 or bottom >= 80:
            continue
        # Wide as it is high, but for a change of shape of up to a third.
        share = (right - left) / (bottom - top)
        if share < 0.25 * 0.7:
            assert found.crowd[0]
            flags.append(True)
        elif share > 0.25 * 1.4:
            assert not found.crowd[0]
            flags.append(False)
    assert 3 < sum(flags) < len(flags) - 100


def test_what_comes_from_outside_is_ignored() -> None:
    seen = 0
    for seed in range(80):
        found = augmented(preset("light", INPUT), scene(seed, (192, 144), ALL[:-1], pixels=True), (seed,))
        grey = (found.photo == 114).all(axis=-1)
        if grey.sum() > 500:
            seen += 1
            assert (found.pixels[grey] == IGNORED).mean() > 0.99  # type: ignore[index]
            assert not found.masks[:, grey].any()  # type: ignore[index]
    assert seen > 2
