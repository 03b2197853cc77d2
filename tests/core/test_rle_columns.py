"""Columns of compressed masks against one mask at a time."""

from __future__ import annotations

import numpy as np
import pytest

from vision_cli.core import rle, rle_columns
from vision_cli.core.errors import DataError


def masks(rng: np.random.Generator, number: int) -> tuple[list[bytes], np.ndarray]:  # type: ignore[type-arg]
    sizes = rng.integers(1, 40, (number, 2))
    texts = []
    for width, height in sizes.tolist():
        kind = rng.integers(0, 4)
        share = [0.0, 1.0, 0.5, 0.05][kind]
        mask = rng.uniform(size=(height, width)) < share
        if kind == 2:
            mask[:, : width // 2] = True  # Runs over several columns.
        texts.append(rle.to_text(rle.encode(mask)).encode())
    return texts, sizes


def one(text: bytes, width: int, height: int) -> tuple[bool, int, tuple[int, int, int, int]]:
    try:
        counts = rle.runs(rle.from_text(text, max_counts=width * height + 1), height, width)
    except DataError:
        return False, 0, (0, 0, 0, 0)
    return True, rle.area(counts), rle.box(counts, height)


def check(texts: list[bytes], sizes: np.ndarray) -> int:  # type: ignore[type-arg]
    found = rle_columns.figures(rle_columns.of_texts(texts), sizes)
    expected = [one(text, *size) for text, size in zip(texts, sizes.tolist(), strict=True)]
    assert found.sound.tolist() == [each[0] for each in expected]
    assert found.areas.tolist() == [each[1] for each in expected]
    assert found.boxes.tolist() == [list(each[2]) for each in expected]
    return sum(each[0] for each in expected)


@pytest.mark.parametrize("block", [1, 100, 30_000])
def test_sound_masks(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rle_columns, "_BLOCK_BYTES", block)
    assert check(*masks(np.random.default_rng(0), 400)) == 400


def spoilt(rng: np.random.Generator, text: bytes) -> bytes:
    letters = bytearray(text)
    place = int(rng.integers(len(letters))) if letters else 0
    match int(rng.integers(6)):
        case 0:
            letters[place : place + 1] = bytes([int(rng.integers(0, 256))])
        case 1:
            del letters[place:]
        case 2:
            return bytes(rng.integers(48, 112, rng.integers(0, 60)).astype(np.uint8))
        case 3:
            counts = rle.from_text(text)
            counts[0], counts[-1] = counts[0] - 1, counts[-1] + 1  # The sum stays; a run may fall below zero.
            return rle.to_text(counts).encode()
        case 4:
            letters[place:place] = b"oooooooo"  # A number of many groups.
        case _:
            letters += b"0"
    return bytes(letters)


def test_hostile_masks_among_sound_ones() -> None:
    rng = np.random.default_rng(1)
    texts, sizes = masks(rng, 4000)
    texts = [spoilt(rng, text) if rng.uniform() < 0.7 else text for text in texts]
    assert 1200 < check(texts, sizes) < 2500


def test_sizes_that_no_photo_has() -> None:
    texts = [rle.to_text([4]).encode()] * 4
    sizes = np.array([[2, 2], [-2, -2], [0, 4], [20_000, 20_000]])
    assert rle_columns.figures(rle_columns.of_texts(texts), sizes).sound.tolist() == [True, False, False, False]
    assert rle_columns.figures(rle_columns.of_texts([b"", b""]), sizes[:2]).sound.tolist() == [False, False]
    assert len(rle_columns.figures(rle_columns.of_texts([]), sizes[:0]).areas) == 0


def test_a_fault_is_named() -> None:
    assert "make 3 pixels; 2 x 2 are 4" in rle_columns.fault(rle.to_text([1, 2]).encode(), 2, 2).message
    assert "it is empty" in rle_columns.fault(b"", 2, 2).message
