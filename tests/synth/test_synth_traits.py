"""What light, camera and file did to a photo, against photos that the test did it to."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vision_cli.synth import traits

Photo = NDArray[np.uint8]


def blocks(seed: int = 0) -> NDArray[np.float64]:
    """Return a sharp picture of flat patches, (240, 320, 3)."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(40, 210, (6, 8, 1)).astype(float)
    return np.repeat(np.repeat(np.repeat(patches, 40, axis=0), 40, axis=1), 3, axis=2)


def as_photo(values: NDArray[np.float64]) -> Photo:
    return np.rint(values).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [1.5, 3.0, 6.0, 12.0])
def test_noise_is_measured_as_it_was_added(sigma: float) -> None:
    noise = np.random.default_rng(1).normal(0, sigma, (240, 320, 1))  # the same in all channels: luminance has it whole
    assert traits.noise_sigma(as_photo(blocks() + noise)) == pytest.approx(sigma, rel=0.2)


def test_a_clean_photo_has_no_noise_and_a_tiny_or_black_one_neither() -> None:
    assert traits.noise_sigma(as_photo(blocks())) < 0.3
    assert traits.noise_sigma(np.zeros((100, 100, 3), np.uint8)) == 0
    assert traits.noise_sigma(np.zeros((8, 8, 3), np.uint8)) == 0


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5, 2.5, 4.0])
def test_blur_is_measured_as_it_was_done(sigma: float) -> None:
    blurred = cv2.GaussianBlur(blocks(), (0, 0), sigma) + np.random.default_rng(2).normal(0, 1, (240, 320, 3))
    assert traits.blur_sigma(as_photo(blurred)) == pytest.approx(sigma, rel=0.25)


def test_a_photo_without_edges_counts_as_sharp() -> None:
    assert traits.blur_sigma(np.full((100, 100, 3), 128, np.uint8)) == pytest.approx(0.3)


@pytest.mark.parametrize("light", [(1.0, 1.0, 1.0), (1.3, 1.0, 0.7), (0.8, 1.0, 1.2)])
def test_grey_things_tell_the_colour_of_the_light(light: tuple[float, float, float]) -> None:
    found = traits.white(as_photo(blocks() * 0.8 * light))
    assert found.mean() == pytest.approx(1, abs=1e-6)
    assert found == pytest.approx(np.array(light) / np.mean(light), abs=0.03)


def test_clipped_pixels_tell_no_colour() -> None:
    lamp = as_photo(blocks() * 0.6 * (1.2, 1.0, 0.8))
    lamp[:60] = 255
    assert traits.white(lamp) == pytest.approx((1.2, 1.0, 0.8), abs=0.03)
    assert (traits.white(np.full((60, 60, 3), 255, np.uint8)) == 1).all()


def test_shading_keeps_light_and_leaves_texture() -> None:
    across = np.linspace(60, 200, 320)[None, :, None]
    checks = 25 * (-1) ** (np.indices((240, 320)).sum(axis=0) // 4)[..., None]
    found = traits.shading(as_photo(across + checks + np.zeros((240, 320, 3))))
    assert found.shape == (240, 320)
    inner = found[30:-30, 40:-40].astype(float)
    assert np.abs(inner - across[0, 40:-40, 0]).max() < 8
    assert inner.std(axis=0).max() < 3


def test_a_sloped_edge_is_no_blurred_one() -> None:
    """A gentle ramp has gradients everywhere and edges nowhere: it must not read as blur beyond what is measurable."""
    ramp = np.tile(np.linspace(0, 255, 320), (240, 1))[..., None].repeat(3, axis=2)
    assert 0.3 <= traits.blur_sigma(as_photo(ramp)) <= 6 + math.ulp(6)
