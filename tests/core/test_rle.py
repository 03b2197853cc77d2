"""Run-length masks against a slow implementation of their definition, and bad ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vision_cli.core import rle
from vision_cli.core.errors import DataError

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def slow_counts(mask: np.ndarray) -> list[int]:
    counts, value, length = [], False, 0
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            counts.append(length)
            value, length = pixel, 0
        length += 1
    return [*counts, length]


def slow_text(counts: list[int]) -> str:
    """Return what `rleToString` of pycocotools' maskApi.c writes, number by number."""
    text = ""
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            low, value = value & 31, value >> 5
            more = value != (-1 if low & 16 else 0)
            text += chr(low + 32 * more + 48)
    return text


@settings(max_examples=150, deadline=None)
@given(MASKS)
def test_counts_are_those_of_a_slow_walk_and_decode_again(mask):
    counts = rle.encode(mask)
    assert counts == slow_counts(mask)
    assert (rle.decode(counts, *mask.shape) == mask).all()
    assert rle.area(counts) == mask.sum()


@settings(max_examples=100, deadline=None)
@given(MASKS)
def test_box_is_around_the_pixels(mask):
    rows, columns = np.nonzero(mask)
    wanted = (0, 0, 0, 0)
    if rows.size:
        left, top = columns.min(), rows.min()
        wanted = (left, top, columns.max() - left + 1, rows.max() - top + 1)
    assert rle.box(rle.encode(mask), mask.shape[0]) == wanted


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=30))
def test_text_is_pycocotools_and_comes_back(counts):
    text = rle.to_text(counts)
    assert text == slow_text(counts)
    assert rle.from_text(text) == rle.from_text(text.encode()) == counts


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        (np.pad(np.ones((3, 3), dtype=bool), ((1, 2), (2, 1))), "=330005"),
        (np.ones((3, 4), dtype=bool), "0<"),
        (np.zeros((3, 4), dtype=bool), "<"),
    ],
)
def test_texts_of_pycocotools(mask, text):
    """What pycocotools 2.0.11 encodes these as."""
    assert rle.to_text(rle.encode(mask)) == text


@settings(max_examples=80, deadline=None)
@given(arrays.arrays(np.int32, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.integers(0, 4)))
def test_all_labels_of_a_picture_at_once(labels):
    ids, counts = rle.encode_labels(labels)
    assert ids.tolist() == sorted(set(labels.ravel().tolist()))
    for number, each in zip(ids, counts, strict=True):
        assert each.tolist() == rle.encode(labels == number)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.integers(-1, 40), st.integers(-1, 40))
def test_random_bytes_end_in_a_mask_or_a_data_error(data, height, width):
    try:
        mask = rle.decode(rle.from_text(data), height, width)
    except DataError:
        return
    assert mask.shape == (height, width)


@pytest.mark.parametrize(
    ("counts", "size", "message"),
    [
        ([], (2, 2), "0 run lengths"),
        ([1, 2], (2, 2), "make 3 pixels"),
        ([-1, 5], (2, 2), "is -1"),
        ([1.5, 2.5], (2, 2), "no whole number"),
        ([4.0], (2, 2), "no whole number"),
        ([True, 3.0], (2, 2), "no whole number"),
        (["4"], (2, 2), "no whole number"),
        ([[1, 3]], (2, 2), "no whole number"),
        ([2**64 - 1, 5], (2, 2), "over 100 megapixels|is 18446744073709551615|no whole"),
        ([2**63], (2, 2), "over 100 megapixels"),
        ([2**70], (2, 2), "no whole number"),
        ([0] * 6 + [4], (2, 2), "7 run lengths"),
        ([4], (2, True), "not possible"),
        ([4], (2.0, 2), "not possible"),
        ([0], (0, 5), "not possible"),
        ([10**10], (100_000, 100_000), "over 100 megapixels"),
        ([1], (-1, -1), "not possible"),
    ],
)
def test_bad_counts_are_refused(counts, size, message):
    with pytest.raises(DataError, match=message):
        rle.decode(counts, *size)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a b", "character 2"),
        ("äö", "character 1"),
        ("o", "cut off"),
        ("ooooooo0", "too long"),
    ],
)
def test_bad_texts_are_refused(text, message):
    with pytest.raises(DataError, match=message):
        rle.from_text(text)


def test_too_many_numbers_are_refused():
    with pytest.raises(DataError, match="too many"):
        rle.from_text("0" * 100, max_counts=50)


@pytest.mark.parametrize("seed", range(6))
def test_columns_of_a_mask_are_those_of_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(1, 40, 2))
    mask = rng.random((height, width)) < rng.choice([0.0, 0.1, 0.9, 1.0])
    counts = rle.encode(mask)
    for first in range(width):
        end = int(rng.integers(first + 1, width + 1))
        assert np.array_equal(rle.decode_columns(counts, (height, width), first, end), mask[:, first:end])
