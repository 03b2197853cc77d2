"""Resizing against torchvision's evaluation transform written out in Pillow, and preparation against its formula."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.imaging.prepare import load, load_resized, normalise, prepare
from vision_cli.imaging.read import read_photo, read_scaled
from vision_cli.imaging.resize import crop_box, fit, letterbox_px

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def torchvision_eval(photo: NDArray[np.uint8], size: int, crop_pct: float, interpolation: str) -> NDArray[np.uint8]:
    """Do what `Resize(floor(size / crop_pct))` and `CenterCrop(size)` of torchvision 0.29 do on a Pillow image."""
    image = Image.fromarray(photo)
    short, long = sorted(image.size)
    shorter = int(size / crop_pct)
    longer = int(shorter * long / short)
    wide = image.width >= image.height
    image = image.resize((longer, shorter) if wide else (shorter, longer), FILTERS[interpolation])
    top, left = round((image.height - size) / 2.0), round((image.width - size) / 2.0)
    return np.asarray(image.crop((left, top, left + size, top + size)))


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("size", [32, 96, 112, 224, 300])
@pytest.mark.parametrize("crop_pct", [0.875, 0.9, 1.0])
def test_crop_equals_torchvision(scene: NDArray[np.uint8], interpolation: Any, size: int, crop_pct: float) -> None:
    for photo in (scene, np.ascontiguousarray(scene.swapaxes(0, 1)), scene[:200, :200]):
        ours = fit(photo, (size, size), "crop", crop_pct, interpolation)
        difference = np.abs(ours - torchvision_eval(photo, size, crop_pct, interpolation).astype(int))
        assert difference.mean() < 0.25
        assert difference.max() <= 2


@pytest.mark.parametrize("size", [40, 80, 112])
def test_a_jpeg_shrunk_while_decoding_ends_up_nearly_the_same(encode: Any, scene: NDArray[np.uint8], size: int) -> None:
    big = np.asarray(Image.fromarray(scene).resize((1299, 963), Image.Resampling.BICUBIC))
    data = encode(big, "JPEG", quality=92)
    preprocess = Preprocess(size_px=(size, size))
    extent = read_scaled(data, at_least=(200, 200))[1]
    assert extent == (1299 / 4, 963 / 4)
    ours = load_resized(data, preprocess)
    reference = torchvision_eval(np.asarray(Image.open(io.BytesIO(data))), size, 0.875, "bicubic")
    assert np.abs(ours - reference.astype(int)).mean() < 1


def test_real_photos_stay_within_two_grey_levels_of_torchvision(shared_data: Path) -> None:
    paths = sorted((shared_data / "coco128_train").rglob("*.jpg"))[:30]
    for path in paths:
        whole = np.asarray(Image.open(path).convert("RGB"))
        ours = load_resized(path, Preprocess(size_px=(112, 112)))
        assert np.abs(ours - torchvision_eval(whole, 112, 0.875, "bicubic").astype(int)).mean() < 2, path


def test_area_is_the_mean_of_each_block() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    means = photo.reshape(20, 3, 30, 3, 3).mean((1, 3))
    assert np.abs(fit(photo, (30, 20), "stretch", interpolation="area") - means).max() <= 0.5


def test_nearest_makes_no_new_values() -> None:
    labels = np.random.default_rng(1).choice([3, 90, 200], (50, 40, 1)).astype(np.uint8)
    assert set(np.unique(fit(labels, (33, 71), "stretch", interpolation="nearest"))) == {3, 90, 200}


def test_letterbox_keeps_the_ratio_and_pads_with_grey_114() -> None:
    photo = np.full((50, 100, 3), 9, np.uint8)
    boxed = fit(photo, (64, 64), "letterbox")
    assert (boxed[16:48] == 9).all()
    assert (boxed[:16] == 114).all()
    assert (boxed[48:] == 114).all()
    assert fit(np.full((50, 100, 4), 9, np.uint8), (64, 64), "letterbox")[0, 0].tolist() == [114, 114, 114, 255]


@pytest.mark.parametrize("how", ["crop", "stretch", "letterbox"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear", "area", "nearest"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_any_shape_comes_out_in_the_size_asked(how: Any, interpolation: Any, channels: int) -> None:
    for height, width in ((1, 1), (1, 20000), (20000, 1), (7, 5), (300, 400)):
        photo = np.full((height, width, channels), 77, np.uint8)
        photo[:, :, 3:] = 255
        fitted = fit(photo, (48, 32), how, 0.9, interpolation)
        assert fitted.shape == (32, 48, channels)
        assert fitted.dtype == np.uint8
        if how != "letterbox":
            assert (fitted[:, :, :3] == 77).all()


@given(
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
    size=st.tuples(st.integers(1, 600), st.integers(1, 600)),
    crop_pct=st.floats(0.1, 1.0),
)
def test_the_cropped_box_lies_inside_and_keeps_the_ratio(
    width: int, height: int, size: tuple[int, int], crop_pct: float
) -> None:
    left, top, right, bottom = crop_box((width, height), size, crop_pct)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    inner = letterbox_px((width, height), size)
    assert 1 <= inner[0] <= size[0]
    assert 1 <= inner[1] <= size[1]


def test_unknown_ways_are_refused(scene: NDArray[np.uint8]) -> None:
    with pytest.raises(UsageError, match="unknown way 'squash'"):
        fit(scene, (8, 8), "squash")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="unknown interpolation 'lanczos'"):
        fit(scene, (8, 8), interpolation="lanczos")  # type: ignore[arg-type]


def test_prepare_follows_its_formula(scene: NDArray[np.uint8]) -> None:
    preprocess = Preprocess(size_px=(325, 241), resize="stretch")
    prepared = prepare(scene, preprocess)
    expected = (scene.astype(np.float64) / 255 - preprocess.mean) / preprocess.std
    assert prepared.dtype == np.float32
    assert prepared.flags.c_contiguous
    np.testing.assert_allclose(prepared, expected.transpose(2, 0, 1), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_follow_the_network(encode: Any, scene: NDArray[np.uint8], channels: int) -> None:
    preprocess = Preprocess(
        size_px=(60, 50), resize="stretch", channels=channels, mean=(0.0,) * channels, std=(1.0,) * channels
    )
    data = encode(scene, "PNG")
    assert load(data, preprocess).shape == (channels, 50, 60)
    np.testing.assert_array_equal(load(data, preprocess), prepare(read_photo(data), preprocess))
    if channels == 1:
        grey = Image.fromarray(scene).convert("L").resize((60, 50), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(np.rint(load(data, preprocess)[0] * 255), np.asarray(grey))


def test_loading_twice_gives_the_same_bytes(encode: Any, scene: NDArray[np.uint8]) -> None:
    data = encode(scene, "JPEG")
    assert load(data, Preprocess()).tobytes() == load(data, Preprocess()).tobytes()


def test_normalise_needs_no_second_pass_for_black_and_white() -> None:
    plain = Preprocess(size_px=(2, 1), channels=1, mean=(0.5,), std=(0.5,))
    assert normalise(np.array([[[0], [255]]], np.uint8), plain).ravel().tolist() == [-1.0, 1.0]


def test_load_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "page.jpg"
    path.write_text("<html>")
    with pytest.raises(DataError, match="is not a photo but an HTML page"):
        load(path, Preprocess())
