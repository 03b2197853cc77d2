"""Photos of which the centre crop shows little."""

from __future__ import annotations

from pathlib import Path

import pytest

from vision_cli.advice.framing import cropped
from vision_cli.core.dataset import Dataset
from vision_cli.core.photo_labels import PhotoColumns, PhotoLabels, build
from vision_cli.core.preprocess import Preprocess


def photos(*sizes: tuple[int, int]) -> Dataset:
    columns = PhotoColumns([f"{row}.jpg" for row in range(len(sizes))], sizes, [None] * len(sizes))
    return build("s", Path(), columns, PhotoLabels())


def test_portraits_lose_what_arithmetic_says() -> None:
    """3:4 at crop_pct 0.875: 0.75 * 0.765625 = 57.4 %."""
    found = cropped(photos((300, 400), (400, 300)), Preprocess())
    assert found is not None
    assert found.figure == pytest.approx(0.75 * 0.875**2)
    assert "57%" in found.message
    assert "model.input.resize=stretch" in found.message


def test_an_input_of_the_photos_shape_shows_them() -> None:
    assert cropped(photos((300, 400)), Preprocess(size_px=(168, 224))) is None


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_whole_photos_squares_and_nothing_are_fine(resize: str) -> None:
    assert cropped(photos((300, 900)), Preprocess(resize=resize)) is None  # type: ignore[arg-type]
    assert cropped(photos((300, 300), (320, 300)), Preprocess()) is None
    assert cropped(photos(), Preprocess()) is None
