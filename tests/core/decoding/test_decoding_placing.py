"""Where boxes and pixels of the input lie in the photo: through the resampling that networks are fed with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core.decoding.photos import pixels_of
from vision_cli.core.decoding.pixels import classes_of_photo
from vision_cli.core.decoding.placing import clipped, place
from vision_cli.core.errors import UsageError
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.preprocess import Preprocess
from vision_cli.imaging.prepare import resized

WAYS = ("crop", "stretch", "letterbox")
FILTERS = ("bilinear", "bicubic", "area", "nearest")


def preprocess_of(way: Any, size_px: tuple[int, int] = (128, 96), filter_: Any = "bilinear") -> Preprocess:
    return Preprocess(size_px=size_px, resize=way, interpolation=filter_, crop_pct=0.8)


@pytest.mark.parametrize("filter_", FILTERS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("photo_px", [(400, 300), (300, 417), (90, 70), (251, 97), (61, 128)])
def test_a_drawn_marker_maps_back_to_where_it_is(way: str, filter_: str, photo_px: tuple[int, int]) -> None:
    width, height = photo_px
    preprocess = preprocess_of(way, filter_=filter_)
    placement = place(photo_px, preprocess)
    # In the middle of the photo: inside of every crop, and more than a pixel of every input.
    box = np.array([[width * 0.40, height * 0.45, width * 0.55, height * 0.62]]).round()
    photo = np.zeros((height, width, 3), np.uint8)
    left, top, right, bottom = box[0].astype(int)
    photo[top:bottom, left:right] = 255
    seen = resized(photo, preprocess)[:, :, 0].astype(float)
    if way == "letterbox":
        seen[seen == 114] = 0
    # Edges by area: a pixel half covered counts half.
    columns, rows = seen.sum(axis=0) / seen.sum(axis=0).max(), seen.sum(axis=1) / seen.sum(axis=1).max()
    centre = [(profile * (np.arange(len(profile)) + 0.5)).sum() / profile.sum() for profile in (columns, rows)]
    middle = np.array([centre[0], centre[1], centre[0], centre[1]])
    found = placement.to_photo(middle[None])[0]
    expected = (box[0, :2] + box[0, 2:]) / 2
    # `nearest` takes a pixel or leaves it: up to half a pixel of the input is lost.
    slack = 0.5 if filter_ != "nearest" else 0.5 + 0.5 * max(1 / placement.scale[0], 1 / placement.scale[1])
    assert np.abs(found[:2] - expected).max() < slack
    sizes = np.array([columns.sum(), rows.sum()]) / placement.scale
    tolerance = 1 + (1 / np.array(placement.scale) if filter_ in ("nearest", "area") else 0)
    assert (np.abs(sizes - (box[0, 2:] - box[0, :2])) < tolerance).all()


@pytest.mark.parametrize("way", WAYS)
@given(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), st.tuples(st.integers(8, 640), st.integers(8, 640)))
@settings(max_examples=100, deadline=None)
def test_there_and_back(way: str, photo_px: tuple[int, int], size_px: tuple[int, int]) -> None:
    placement = place(photo_px, preprocess_of(way, size_px))
    boxes = np.array([[0, 0, *photo_px], [photo_px[0] / 3, photo_px[1] / 4, photo_px[0] / 2, photo_px[1]]])
    assert np.abs(placement.to_photo(placement.to_input(boxes)) - boxes).max() < 1e-6
    whole = placement.to_input(boxes[:1])[0]
    if way == "crop":  # the photo covers the input
        assert (whole[:2] <= 1e-6).all()
        assert (whole[2:] >= np.array(size_px) - 1e-6).all()
    else:  # the input holds the photo
        assert (whole[:2] >= -1e-6).all()
        assert (whole[2:] <= np.array(size_px) + 1e-6).all()


def test_an_unknown_way_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown way 'melt'"):
        place((10, 10), preprocess_of("melt"))


def test_clipping() -> None:
    boxes = np.array([[-5.0, 2, 30, 4], [11, 11, 12, 12]])
    assert clipped(boxes, (20, 10)).tolist() == [[0, 2, 20, 4], [11, 10, 12, 10]]


@pytest.mark.parametrize("photo_px", [(160, 112), (31, 77), (64, 48), (20, 9), (200, 1)])
@pytest.mark.parametrize("cells", [(16, 12), (64, 48), (5, 7), (1, 1)])
def test_pixels_as_torch_interpolates(photo_px: tuple[int, int], cells: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(5, cells[1], cells[0])).astype(np.float32)
    larger = torch.nn.functional.interpolate(
        torch.from_numpy(logits)[None].double(), size=photo_px[::-1], mode="bilinear", align_corners=False
    )[0]
    found = classes_of_photo(logits, place(photo_px, preprocess_of("stretch", (64, 48))))
    assert found.dtype == np.int16
    assert found.shape == photo_px[::-1]
    # Where two classes are as good as equal, float32 may decide otherwise.
    best = larger.topk(2, dim=0).values
    clear = (best[0] - best[1] > 1e-5).numpy()
    assert clear.mean() > 0.99
    assert (found == larger.argmax(dim=0).numpy())[clear].all()


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_of_two_halves_comes_back_through_every_way(way: str) -> None:
    photo_px, preprocess = (300, 200), preprocess_of(way)
    photo = np.zeros((200, 300, 3), np.uint8)
    photo[:, 140:] = 255
    seen = resized(photo, preprocess)[:, :, 0].astype(np.float32)
    found = pixels_of(np.stack([128 - seen, seen - 128]), place(photo_px, preprocess)).classes
    looked = found != IGNORED
    assert (found[:, :139][looked[:, :139]] == 0).all()
    assert (found[:, 141:][looked[:, 141:]] == 1).all()
    # Of the crop only what the network saw is answered: 80 % of the side that fits.
    share = {"crop": 0.8**2 * (200 * 4 / 3) / 300, "stretch": 1.0, "letterbox": 1.0}[way]
    assert looked.mean() == pytest.approx(share, abs=0.01)


def test_a_large_photo_decodes_as_its_parts_do() -> None:
    """The shortcut for cells that agree is exact: the same as interpolating everywhere."""
    rng = np.random.default_rng(2)
    coarse = rng.normal(size=(4, 6, 8)).astype(np.float32).repeat(5, axis=1).repeat(5, axis=2)
    placement = place((401, 299), preprocess_of("letterbox", (64, 48)))
    found = classes_of_photo(coarse, placement)
    columns = np.clip(placement.columns() * (40 / 64) - 0.5, 0, 39)
    rows = np.clip(placement.rows() * (30 / 48) - 0.5, 0, 29)
    for y, x in rng.integers(0, (299, 401), (500, 2)):
        low_x, low_y = int(columns[x]), int(rows[y])
        corners = coarse[:, low_y : low_y + 2, low_x : low_x + 2].astype(np.float64)
        right, down = columns[x] - low_x, rows[y] - low_y
        across = corners[:, :, 0] * (1 - right) + corners[:, :, -1] * right
        values = across[:, 0] * (1 - down) + across[:, -1] * down
        assert values.max() - values[found[y, x]] < 1e-5
