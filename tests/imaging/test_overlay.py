"""Pictures of what was found: texts stay readable, classes can be named from their colours."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from vision_cli.imaging import legend, overlay, palette, regions
from vision_cli.imaging.legend import Key

GREY = np.full((200, 300, 3), 128, np.uint8)


def is_near(picture: np.ndarray, colour: tuple[int, int, int], by: int = 2) -> np.ndarray:  # type: ignore[type-arg]
    return np.asarray(np.abs(picture.astype(int) - colour).max(axis=-1) <= by)


def ground(picture: np.ndarray, colour: tuple[int, int, int]) -> tuple[slice, slice]:  # type: ignore[type-arg]
    y, x = np.nonzero(is_near(picture, colour))
    return slice(y.min(), y.max() + 1), slice(x.min(), x.max() + 1)


def test_no_edge_of_another_box_strikes_through_a_label() -> None:
    low = overlay.Marked((40, 100, 200, 190), "platelets 51%", 1)
    best = overlay.Marked((20, 93, 260, 150), "", 0)  # its upper edge crosses the other one's text
    alone = overlay.with_objects(GREY, [low])
    letters = slice(80, 100), slice(42, 110)
    both = overlay.with_objects(GREY, [best, low])
    assert (both[letters] == alone[letters]).all()
    assert (both[letters] != GREY[letters]).any()
    assert is_near(both, palette.colour_of(0)).any()


def test_letters_are_readable_after_shrinking() -> None:
    photo = np.zeros((1200, 1600, 3), np.uint8)
    box = overlay.Marked((100, 400, 900, 1100), "bus 91%", 2)
    plain, large = (ground(overlay.with_objects(photo, [box], shown_px=px), palette.colour_of(2)) for px in (None, 400))
    heights = [400 - rows.start for rows, _ in (plain, large)]
    assert heights[1] >= 4 * 11  # eleven pixels are left of a letter when four are made one
    assert heights[0] < heights[1]


def test_an_object_may_have_a_colour_of_its_own() -> None:
    shown = overlay.with_objects(GREY, [overlay.Marked((10, 10, 100, 100), "", (1, 2, 3))])
    assert is_near(shown[50, :20], (1, 2, 3)).any()


def test_a_tint_is_seen_whatever_the_colour_of_the_photo() -> None:
    photo = np.zeros((60, 90, 3), np.uint8)
    photo[:, :45], photo[:, 45:] = (200, 30, 30), (30, 30, 200)
    shown = overlay.with_classes(photo, np.zeros((60, 90), np.int16))
    hues = [colorsys.rgb_to_hsv(*(shown[30, x] / 255))[0] for x in (20, 70)]
    wanted = colorsys.rgb_to_hsv(*(np.array(palette.colour_of(0)) / 255))[0]
    assert hues == pytest.approx([wanted, wanted], abs=0.02)


def test_pixels_of_no_class_keep_their_colours() -> None:
    photo = np.random.default_rng(1).integers(0, 255, (50, 50, 3), np.uint8)
    plane = np.full((50, 50), -1, np.int16)
    plane[:, 30:] = 4
    shown = overlay.with_classes(photo, plane, names=["?"] * 5)
    assert (shown[:, :20] == photo[:, :20]).all()
    assert (shown[:, 32:] != photo[:, 32:]).any(axis=-1).mean() > 0.9


def test_names_stand_in_the_middle_of_their_regions_and_none_covers_another() -> None:
    plane = np.zeros((200, 300), np.int16)
    plane[:, 150:] = 1
    plane[90:93, 20:60] = 2  # too thin for letters
    shown = overlay.with_classes(GREY, plane, names=["sky", "sea", "bird"])
    bare = overlay.with_classes(GREY, plane)
    changed = (shown != bare).any(axis=-1)
    y, x = np.nonzero(changed)
    sides = [x < 150, x >= 150]
    assert all(side.any() for side in sides)
    assert 180 < x[sides[1]].mean() < 270
    assert 60 < y[sides[1]].mean() < 140
    assert changed[90:93, 20:60].mean() < 0.9  # nobody wrote on the bird


def test_middles_are_the_deepest_places() -> None:
    plane = np.full((90, 120), -1, np.int16)
    plane[10:31, 20:101] = 5
    plane[60:63, 40:43] = 3
    found = regions.middles(plane)
    assert set(found) == {3, 5}
    assert (found[3].x, found[3].y, found[3].room_px) == (41, 61, 2)
    assert (found[5].y, found[5].room_px) == (20, 11)
    assert 30 <= found[5].x <= 90


def test_middles_of_large_photos_are_where_the_region_is() -> None:
    plane = np.zeros((3000, 4000), np.int16)
    plane[500:1500, 2500:3500] = 1
    middle = regions.middles(plane)[1]
    assert abs(middle.x - 3000) < 60
    assert abs(middle.y - 1000) < 60
    assert 400 < middle.room_px <= 550


def lab(colour: tuple[int, int, int]) -> np.ndarray:  # type: ignore[type-arg]
    """Return CIELAB under D65, another space than the table was made in."""
    shares = np.array(colour) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    ratio = xyz / (0.95047, 1.0, 1.08883)
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colours: list[tuple[int, int, int]]) -> float:
    seen = np.array([lab(each) for each in colours])
    gaps = np.linalg.norm(seen[:, None] - seen, axis=-1)
    return float(gaps[~np.eye(len(seen), dtype=bool)].min())


def test_colours_of_the_first_classes_lie_far_apart() -> None:
    assert nearest([palette.colour_of(index) for index in range(12)]) > 25
    assert nearest([palette.colour_of(index) for index in range(144)]) > 4
    assert palette.colour_of(144) == palette.colour_of(0)


def test_classes_of_one_picture_can_be_told_apart() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        chosen = rng.choice(300, 11, replace=False).tolist()
        found = palette.apart(chosen)
        assert list(found) == chosen
        assert found[chosen[0]] == palette.colour_of(chosen[0])
        assert nearest(list(found.values())) > 12
    assert palette.apart([0, 144])[0] != palette.apart([0, 144])[144]
    assert len(palette.apart(range(500))) == 500


def legend_of(count: int, **options: int) -> np.ndarray:  # type: ignore[type-arg]
    shares = np.arange(count, 0, -1) / (count * (count + 1) / 2)
    colours = palette.apart(range(count))
    photo = np.full((480, 640, 3), 128, np.uint8)
    keys = [Key(f"class {at}", colours[at], share) for at, share in enumerate(shares.tolist())]
    return legend.under(photo, keys, **options)


@pytest.mark.parametrize("count", [1, 3, 10, 11])
def test_every_class_of_a_legend_has_a_swatch_of_its_colour(count: int) -> None:
    shown = legend_of(count)
    assert (shown[:480, :640] == 128).all()
    for colour in palette.apart(range(count)).values():
        assert is_near(shown[480:], colour, 0).sum() > 80


def test_a_long_legend_sums_the_rest_up() -> None:
    shown = legend_of(40)
    there = [is_near(shown[480:], colour, 0).sum() > 80 for colour in palette.apart(range(40)).values()]
    assert there == [True] * legend.MOST + [False] * (40 - legend.MOST)
    assert len(shown) < 480 + 200
    named, rest = legend.summed([Key(f"k{at}", None, 1 / 40) for at in range(40)])
    assert rest is not None
    assert (len(named), rest.name[:17], round(rest.share, 9)) == (10, "30 more: k10, k11", 0.75)


@pytest.mark.parametrize("slots", [1, 5, 30])
def test_pictures_of_a_series_are_of_one_size(slots: int) -> None:
    assert len({legend_of(count, slots=slots).shape for count in (1, min(slots, 4), slots)}) == 1


@pytest.mark.parametrize("shape", [(3, 4), (30, 2000), (2000, 30), (240, 240)])
def test_any_photo_and_any_name_go_into_a_legend(shape: tuple[int, int]) -> None:
    names = ["", "雪", "x" * 10_000, "a\nb"]
    colours = palette.apart(range(4))
    shown = legend.under(
        np.zeros((*shape, 3), np.uint8), [Key(name, colours[at], 0.25) for at, name in enumerate(names)]
    )
    assert shown.shape[1] >= 240
    plane = np.arange(shape[0] * shape[1], dtype=np.int16).reshape(shape) % 4
    overlay.with_classes(np.zeros((*shape, 3), np.uint8), plane, names=names)
