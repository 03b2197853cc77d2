"""Photos that look like photos, and data sets of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vision_cli.core.dataset import ClassMap, Dataset
from vision_cli.core.photo_labels import PhotoColumns, PhotoLabels, build

Scene = Callable[[int], NDArray[np.uint8]]


@pytest.fixture(scope="session")
def scene() -> Scene:
    """Return a function that draws a smooth random picture, uint8 (120, 160, 3), by seed."""

    def draw(seed: int) -> NDArray[np.uint8]:
        coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
        return np.asarray(Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC))

    return draw


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes an array as a JPEG and returns its name."""

    def write(name: str, photo: NDArray[np.uint8], quality: int = 95) -> str:
        Image.fromarray(photo).save(tmp_path / name, "JPEG", quality=quality)
        return name

    return write


@pytest.fixture(scope="session")
def labelled() -> Callable[..., Dataset]:
    """Return a function that builds a data set of paths, splits and labels below a folder."""

    def make(root: Path, paths: Sequence[str], splits: Sequence[str], labels: Sequence[Sequence[str]] = ()) -> Dataset:
        labels = labels or [["x"]] * len(paths)
        names = tuple(sorted({name for row in labels for name in row}))
        class_rows = [(row, names.index(name)) for row, found in enumerate(labels) for name in found]
        photos = PhotoColumns(paths, [(160, 120)] * len(paths), splits)
        return build("s", root, photos, PhotoLabels(ClassMap(names), class_rows))

    return make


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the checkout, or skip."""
    folder = Path(__file__).parents[2].parent / "shared/data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout")
    return folder
