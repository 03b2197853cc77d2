"""Outlines told by their texts alone, beside what decoding them says."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.formats.coco import outlines
from vision_cli.formats.coco.skeleton import skeleton
from vision_cli.formats.coco.texts import Texts

ABSENT = msgspec.Raw()
RING = "[1, 2.5, -3, 4, 5.25, 6]"
NUMBERS = st.one_of(st.integers(-20_000_000, 20_000_000), st.floats(-2e7, 2e7))
RINGS = st.lists(NUMBERS, max_size=9)
VALUES = st.one_of(st.lists(st.one_of(RINGS, NUMBERS, st.lists(RINGS, max_size=2)), max_size=3), NUMBERS, st.none())


def is_good(value: object) -> bool:
    """Tell by the rules of the format, number by number, whether a value is a list of polygons."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(ring, list)
            and len(ring) >= 6
            and len(ring) % 2 == 0
            and all(isinstance(number, int | float) and abs(number) < 1e7 for number in ring)
            for ring in value
        )
    )


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=4), st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]))
def test_every_value_is_judged_as_its_numbers_are(values: list[object], separators: tuple[str, str]) -> None:
    raws = [msgspec.Raw(json.dumps(value, separators=separators).encode()) for value in values]
    found = outlines.check(raws, ABSENT)
    good = [is_good(value) for value in values]
    assert found.parts.tolist() == [len(v) if ok else 0 for v, ok in zip(values, good, strict=True)]
    refused = {row for row, ok in enumerate(good) if not ok and values[row] is not None and values[row] != []}
    assert {row for row, _, _ in found.bad} == refused


@pytest.mark.parametrize(
    "text",
    [
        f"[{RING}, 5]", f"[5, {RING}]", f"[{RING}, 5, {RING}]", f"[[{RING}]]", "[[1, 2, 3, 4, 5]]", "[[1, 2, 3, 4]]",
        "[[10000000, 2, 3, 4, 5, 6]]", "[[-123456789.5, 2, 3, 4, 5, 6]]", "[[1e9, 2, 3, 4, 5, 6]]", "[[]]",
        '[["1", 2, 3, 4, 5, 6]]', "[[true, 2, 3, 4, 5, 6]]", "[[null, 2, 3, 4, 5, 6]]",
    ],
)  # fmt: skip
def test_odd_outlines_are_never_taken_for_good(text: str) -> None:
    assert skeleton(f"[{RING}],{text}".encode(), 2, 6, 200_000) is None


def test_long_fractions_and_seven_digits_are_good() -> None:
    text = b"[[9999999, 0.12345678901234567, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]]"
    found = skeleton(text + b",[]", 2, 6, 200_000)
    assert found is not None
    assert (found.parts.tolist(), found.doubtful) == ([2, 0], [1])


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.binary(max_size=5))), max_size=5))
def test_texts_come_back_in_one_piece(blocks: list[list[bytes | None]]) -> None:
    texts = Texts()
    for block in blocks:
        there = np.array([text is not None for text in block], dtype=np.bool_)
        texts.take([msgspec.Raw(b"dropped" if text is None else text) for text in block], there)
    column, expected = texts.column(), [text for block in blocks for text in block]
    if expected.count(None) == len(expected):
        assert column is None
    else:
        column.validate(full=True)
        assert column.to_pylist() == expected
    assert texts.column() is None
