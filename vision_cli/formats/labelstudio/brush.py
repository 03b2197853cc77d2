"""Label Studio's brush masks: the bit stream of @thi.ng/rle-pack over the photo's RGBA bytes, of which alpha counts.

See https://github.com/HumanSignal/label-studio-sdk (`converter/brush.py`) and https://github.com/thi-ng/umbrella
(`packages/rle-pack`): 32 bits number of values, 5 bits value size - 1, 4 times 4 bits run size - 1; then runs, each a
bit that says whether one value is repeated, 2 bits that choose the run size, the run's length - 1, and its values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.core.errors import DataError

_CHANNELS = 4
_RUN_BITS = (3, 4, 8, 16)
_MAX_RUN = 1 << 16


class _Bits:
    """Reads bits, highest first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._end = data, 0, 8 * len(data)

    def take(self, bits: int) -> int:
        if self._at + bits > self._end:
            raise DataError("the brush's rle is cut off")
        first, last = self._at >> 3, (self._at + bits + 7) >> 3
        value = int.from_bytes(self._data[first:last], "big") >> (8 * last - self._at - bits)
        self._at += bits
        return value & ((1 << bits) - 1)


def counts_of(packed: Sequence[int], width: int, height: int) -> NDArray[np.int64]:
    """Return COCO's counts of a brush mask.

    Args:
        packed: bytes as Label Studio stores them, 0 to 255 each.
        width: of the photo, in pixels.
        height: likewise.

    Raises:
        DataError: no bytes, cut off, or another number of values than the photo has.
    """
    rle.check_size(height, width)
    if not all(isinstance(value, int) and 0 <= value < 256 for value in packed):
        raise DataError("the brush's rle is not a list of bytes")
    bits = _Bits(bytes(packed))
    values, expected = bits.take(32), width * height * _CHANNELS
    if values != expected:
        raise DataError(f"the brush's rle makes {values} values; {width} x {height} pixels have {expected}")
    lengths, levels = _runs(bits, values)
    return _column_counts(lengths, levels, width, height)


def _runs(bits: _Bits, values: int) -> tuple[list[int], list[int]]:
    """Return lengths and values of all runs."""
    size = bits.take(5) + 1
    sizes = [bits.take(4) + 1 for _ in range(4)]
    lengths: list[int] = []
    levels: list[int] = []
    done = 0
    while done < values:
        repeated, length = bits.take(1), bits.take(sizes[bits.take(2)]) + 1
        length = min(length, values - done)
        done += length
        if repeated:
            lengths.append(length)
            levels.append(bits.take(size))
        else:
            lengths.extend([1] * length)
            levels.extend(bits.take(size) for _ in range(length))
    return lengths, levels


def _column_counts(lengths: list[int], levels: list[int], width: int, height: int) -> NDArray[np.int64]:
    # Alpha is the last of four values: the run [start, end) holds it of the pixels start // 4 to end // 4.
    pixels = np.diff(np.cumsum(np.asarray(lengths, dtype=np.int64)) // _CHANNELS, prepend=0)
    alpha = np.repeat(np.asarray(levels, dtype=np.uint64) > 0, pixels).reshape(height, width)
    return np.asarray(rle.encode(alpha), dtype=np.int64)


def pack(mask: NDArray[np.bool_]) -> list[int]:
    """Return the bytes of a mask bool (H, W), as label-studio-converter packs white pixels on transparent ones."""
    rle.check_size(*mask.shape)
    flat = np.repeat(mask.ravel(), _CHANNELS)
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate([[0], edges, [flat.size]])
    levels = np.where(flat[bounds[:-1]], 255, 0).tolist()
    text = [f"{flat.size:032b}{7:05b}", *(f"{bits - 1:04b}" for bits in _RUN_BITS)]
    for length, level in zip(np.diff(bounds).tolist(), levels, strict=True):
        text.extend(_packed(length, level))
    joined = "".join(text)
    joined += "0" * (-len(joined) % 8)
    return list(int(joined, 2).to_bytes(len(joined) // 8, "big"))


def _packed(length: int, level: int) -> Iterator[str]:
    while length > 0:
        part = min(length, _MAX_RUN)
        index = next(index for index, bits in enumerate(_RUN_BITS) if part <= 1 << bits)
        yield f"1{index:02b}{part - 1:0{_RUN_BITS[index]}b}{level:08b}"
        length -= part
