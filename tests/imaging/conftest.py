"""Photos made by Pillow, numpy or by hand, with known pixel values."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Encode = Callable[..., bytes]


def encoded(photo: NDArray[Any] | Image.Image, kind: str, **options: Any) -> bytes:
    """Encode with Pillow."""
    image = photo if isinstance(photo, Image.Image) else Image.fromarray(photo)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def encode() -> Encode:
    """Return a function that encodes an array or image with Pillow."""
    return encoded


@pytest.fixture(scope="session")
def scene() -> NDArray[np.uint8]:
    """Return a photo-like picture, uint8 (241, 325, 3): gradients, edges, texture; no side divides by 2."""
    y, x = np.mgrid[0:241, 0:325].astype(float)
    layers = [x * 255 / 325, y * 255 / 241, 128 + 90 * np.sin(x / 17 + y / 11)]
    photo = np.stack(layers, axis=-1)
    photo[60:150, 90:200] = (200, 30, 60)
    photo += np.random.default_rng(5).normal(0, 4, photo.shape)
    return photo.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the checkout, or skip."""
    folder = Path(__file__).parents[2].parent / "shared/data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout")
    return folder
