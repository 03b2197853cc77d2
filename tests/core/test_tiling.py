"""Tiles cover a photo with the declared overlap, and a card carries them."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core.errors import DataError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.tiling import Tiles, windows

SIDES = st.integers(1, 900)


@settings(max_examples=200, deadline=None)
@given(
    photo=st.tuples(SIDES, SIDES), tile=st.tuples(st.integers(20, 300), st.integers(20, 300)), share=st.floats(0, 0.9)
)
def test_every_pixel_is_seen_and_neighbours_overlap_as_declared(
    photo: tuple[int, int], tile: tuple[int, int], share: float
) -> None:
    found = windows(photo, Tiles(tile, share, whole=False))
    seen = np.zeros(photo[::-1], dtype=bool)
    for left, top, width, height in found:
        assert (width, height) == (min(photo[0], tile[0]), min(photo[1], tile[1]))
        assert 0 <= left <= photo[0] - width
        assert 0 <= top <= photo[1] - height
        seen[top : top + height, left : left + width] = True
    assert seen.all()
    assert len(set(found)) == len(found)
    for axis in (0, 1):
        for one, other in itertools.pairwise(sorted({(window[axis], window[axis + 2]) for window in found})):
            assert one[0] + one[1] - other[0] >= share * one[1] - 1  # a step is a whole number of pixels


def test_no_tile_is_wasted() -> None:
    # 1000 px in tiles of 400 px of which 100 overlap: 400, 700, 1000.
    assert [window[0] for window in windows((1000, 400), Tiles((400, 400), 0.25, whole=False))] == [0, 300, 600]
    assert windows((401, 10), Tiles((400, 400), 0.0, whole=False)) == [(0, 0, 400, 10), (1, 0, 400, 10)]


def test_the_whole_photo_comes_last_and_a_small_one_once() -> None:
    assert windows((500, 300), Tiles((400, 400)))[-1] == (0, 0, 500, 300)
    assert windows((400, 300), Tiles((400, 400))) == [(0, 0, 400, 300)]


def test_a_card_carries_them() -> None:
    preprocess = Preprocess(tiles=Tiles((640, 480), 0.3, whole=False))
    assert Preprocess.from_json(json.loads(json.dumps(preprocess.as_json()))) == preprocess
    assert "tiles" not in Preprocess().as_json()
    assert Preprocess.from_json(Preprocess().as_json()) == Preprocess()


@pytest.mark.parametrize(
    "wrong",
    [
        {"size_px": [0, 640]},
        {"size_px": [640]},
        {"overlap": 0.95},
        {"overlap": None},
        {"whole": "yes"},
        {"shift": 3},
        {"size_px": None},
    ],
)
def test_tiles_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    document = {**Preprocess().as_json(), "tiles": {**Tiles((640, 480)).as_json(), **wrong}}
    with pytest.raises(DataError, match="tiles"):
        Preprocess.from_json(document)
