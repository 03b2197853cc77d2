"""Label Studio's brush: what label-studio-converter writes, bit by bit, and round trips."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core import rle
from vision_cli.formats.labelstudio import brush as labelstudio_brush

# label-studio-converter 0.0.59, encode_rle of a 9 x 6 mask: rows 1 to 3, columns 2 to 6, and the last pixel.
PEER_RLE = [0, 0, 0, 216, 57, 27, 254, 43, 0, 194, 127, 247, 192, 48, 159, 253, 240, 12, 39, 255, 146, 192, 35, 255, 0]


def test_brush_is_what_the_peer_writes():
    mask = np.zeros((6, 9), dtype=np.bool_)
    mask[1:4, 2:7] = mask[5, 8] = True
    assert [*labelstudio_brush.pack(mask), 0] == PEER_RLE  # the peer adds a byte where none is needed
    assert (rle.decode(labelstudio_brush.counts_of(PEER_RLE, 9, 6), 6, 9) == mask).all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32), st.sampled_from([0.0, 0.01, 0.5, 1.0]))
def test_brush_round_trip(width, height, seed, share):
    mask = np.random.default_rng(seed).random((height, width)) < share
    assert (
        rle.decode(labelstudio_brush.counts_of(labelstudio_brush.pack(mask), width, height), height, width) == mask
    ).all()


def test_brush_of_single_values_is_read():
    """Runs may be lists of values as well; here 8 values of one pixel each, two pixels, the second one set."""
    bits = f"{8:032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in (3, 4, 8, 16))
    bits += "0" + "00" + "111" + "".join(f"{value:08b}" for value in (9, 9, 9, 0, 9, 9, 9, 1))
    bits += "0" * (-len(bits) % 8)
    packed = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    assert labelstudio_brush.counts_of(packed, 2, 1).tolist() == [1, 1]
