"""Corners of many outlines read at once, held against Python's own reading of numbers and a comparison of all pairs."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_cli.core import crossing_columns, outline_rings, plain_numbers
from vision_cli.core.outline_rings import Rings

PLAIN = st.from_regex(r"[0-9]{1,8}|[0-9]{1,4}\.[0-9]{1,3}|\.[0-9]{1,7}", fullmatch=True)


def read(words: list[str]) -> np.ndarray | None:
    text = np.frombuffer(b" " * plain_numbers.PAD + " ".join(words).encode(), np.uint8)
    widths = np.array([len(word) for word in words], dtype=np.int64)
    ends = plain_numbers.PAD + np.cumsum(widths + 1) - 1
    return plain_numbers.parse(text, ends, widths)


@given(st.lists(PLAIN, min_size=1, max_size=30))
def test_plain_numbers_are_the_doubles_that_python_reads(words):
    assert read(words).tolist() == [float(word) for word in words]


@given(st.text(alphabet="0123456789.-+eE_ ,[]\x00\xb5", min_size=1, max_size=9))
def test_anything_else_is_left_to_others(word):
    try:
        plain = word.isascii() and not set(word) & set("-+eE_ ,[]\x00") and not word.endswith(".") and len(word) <= 8
        wanted = float(word) if plain else None
    except ValueError:
        wanted = None
    found = read([word]) if word.isascii() else None
    assert (None if found is None else found.tolist()) == (None if wanted is None else [wanted])


def test_more_numbers_than_are_read_at_once():
    values = np.random.default_rng(0).integers(0, 10**6, 50_000) / 100
    assert (read([str(value) for value in values.tolist()]) == values).all()


def column(texts: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([text.encode() for text in texts], pa.binary())])


NUMBER = st.one_of(st.integers(0, 5000), st.integers(0, 10**6).map(lambda value: value / 100))
FLAT = st.lists(NUMBER, min_size=3, max_size=9).map(lambda values: [*values, *values])


@given(
    st.lists(st.lists(FLAT, min_size=1, max_size=3), min_size=1, max_size=20),
    st.sampled_from([(", ", ": "), (",", ":")]),
    st.integers(-1, 3),
)
def test_corners_are_those_of_a_json_reader(outlines, separators, negative):
    if 0 <= negative < len(outlines):
        outlines[negative][0][0] = -12.5  # such a block takes the slower way
    texts = [json.dumps(each, separators=separators) for each in outlines]
    ((rows, _, found),) = outline_rings.blocks(column(texts))
    assert rows.tolist() == list(range(len(outlines)))
    assert found.points.ravel().tolist() == [value for each in outlines for ring in each for value in ring]
    assert (2 * found.lengths).tolist() == [len(ring) for each in outlines for ring in each]
    assert np.diff([*found.object_starts, len(found.lengths)]).tolist() == [len(each) for each in outlines]


@pytest.mark.parametrize(
    "text",
    [
        "[[1,2,3,4,5]]",
        "[[1,2,3,4,5,6],[]]",
        "[[1,2,3,4,5,6] [1,2,3,4,5,6]]",
        "[[1,2,3],4,5,6]",
        "[[[1,2,3,4,5,6]]]",
        "[[1,2,,3,4,5]]",
        "[[1,2,3,4,5,NaN]]",
        "[[1,2,3,4,5,1e300]]",
        '[["a",2,3,4,5,6]]',
        "[[1 1,2,3,4,5,6]]",
    ],
)
def test_doubtful_outlines_are_left_to_the_strict_parser(text):
    assert [found for _, _, found in outline_rings.blocks(column(["[[1,2,3,4,5,6]]", text]))] == [None]


def slow(ring: list[tuple[int, int]]) -> bool:
    """Compare all pairs of edges in exact numbers: crossing inside of both, or running along one another one way."""
    edges = [(a, b) for a, b in zip(ring, ring[1:] + ring[:1], strict=True) if a != b]
    return any(meets(*one, *two) for at, one in enumerate(edges) for two in edges[:at])


def meets(a, b, c, d) -> bool:
    def side(p, q, r):
        return Fraction(q[0] - p[0]) * (r[1] - p[1]) - Fraction(q[1] - p[1]) * (r[0] - p[0])

    if side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0:
        return True
    if side(a, b, c) or side(a, b, d):
        return False
    along = (b[0] - a[0]) * (d[0] - c[0]) + (b[1] - a[1]) * (d[1] - c[1])
    axis = int(a[0] == b[0])
    low = max(min(a[axis], b[axis]), min(c[axis], d[axis]))
    return along > 0 and low < min(max(a[axis], b[axis]), max(c[axis], d[axis]))


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=11), min_size=1, max_size=12
    ),
    st.sampled_from([0.125, 1.0, 2048.0, 2.0**20]),
)
def test_crossings_are_those_of_a_slow_comparison_of_all_pairs(polygons, scale):
    lengths = np.array([len(ring) for ring in polygons], dtype=np.int64)
    points = np.concatenate([np.array(ring, dtype=float) for ring in polygons]) * scale - 3 * scale
    rings = Rings(points, np.cumsum(lengths) - lengths, lengths, np.arange(len(polygons)))
    assert crossing_columns.crossing_rings(rings).tolist() == [slow(ring) for ring in polygons]


def test_rings_of_very_many_corners_are_looked_at_too():
    angles = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    sound = 100 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    crossed = sound.copy()
    crossed[[10, 11]] = crossed[[11, 10]]
    rings = Rings(np.concatenate([sound, crossed]), np.array([0, 300]), np.array([300, 300]), np.arange(2))
    assert crossing_columns.crossing_rings(rings).tolist() == [False, True]
