"""CRC-32C, vectorised: the checksum of TFRecord files.

Castagnoli's polynomial 0x1EDC6F41, reflected (RFC 3720, section 12.1 and appendix B.4). The bytes are dealt into lanes
that are summed side by side, two bytes a step; lanes are then joined pairwise, which is linear algebra over GF(2).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

_POLYNOMIAL = 0x82F63B78
_LANE_BYTES = 256
_MASK_DELTA = 0xA282EAD8
_ALL = 0xFFFFFFFF

Words = np.ndarray[Any, np.dtype[np.uint32]]


def crc32c(data: bytes) -> int:
    """Return the checksum of some bytes."""
    if len(data) < 4:
        return _bytewise(data)
    # All bits set at the start is the same as the first four bytes inverted, with zeros before them.
    head = np.bitwise_xor(np.frombuffer(data[:4], np.uint8), 0xFF)
    lanes = -(-len(data) // _LANE_BYTES)
    padded = np.zeros(lanes * _LANE_BYTES, dtype=np.uint8)
    padded[-len(data) :] = np.frombuffer(data, np.uint8)
    start = len(padded) - len(data)
    padded[start : start + 4] = head
    sums = _lane_sums(padded.view("<u2").reshape(lanes, -1))
    return int(_joined(sums)) ^ _ALL


def masked(data: bytes) -> int:
    """Return the checksum as TFRecord stores it: rotated right by 15 bits, plus a constant."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & _ALL


def _bytewise(data: bytes) -> int:
    table, crc = _byte_table(), _ALL
    for byte in data:
        crc = int(table[(crc ^ byte) & 0xFF]) ^ crc >> 8
    return crc ^ _ALL


def _lane_sums(words: np.ndarray[Any, np.dtype[np.uint16]]) -> Words:
    """Return the sum of each row, begun with zero."""
    table = _word_table()
    sums = np.zeros(len(words), dtype=np.uint32)
    for column in np.ascontiguousarray(words.T):
        sums = table[(sums & 0xFFFF) ^ column] ^ sums >> 16
    return sums


def _joined(sums: Words) -> np.uint32:
    """Return the sum of all lanes one after the other."""
    level = 0
    while len(sums) > 1:
        if len(sums) % 2:
            sums = np.concatenate([np.zeros(1, np.uint32), sums])
        sums = _applied(_shift_tables(level), sums[0::2]) ^ sums[1::2]
        level += 1
    return np.uint32(sums[0])


@cache
def _byte_table() -> Words:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ _POLYNOMIAL, table >> 1).astype(np.uint32)
    return table


@cache
def _word_table() -> Words:
    """Return the step of two bytes, (65536,)."""
    table, values = _byte_table(), np.arange(1 << 16, dtype=np.uint32)
    once = table[values & 0xFF] ^ values >> 8
    return np.asarray(table[once & 0xFF] ^ once >> 8, dtype=np.uint32)


@cache
def _shift_tables(level: int) -> Words:
    """Return (4, 256): what each byte of a sum becomes after `_LANE_BYTES << level` zeros."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    if level:
        tables = _shift_tables(level - 1)
        for _ in range(2):
            bits = _applied(tables, bits)
    else:
        table = _byte_table()
        for _ in range(_LANE_BYTES):
            bits = table[bits & 0xFF] ^ bits >> 8
    values = np.arange(256, dtype=np.uint32)
    places = [bits[place * 8 : place * 8 + 8] for place in range(4)]
    return np.stack(
        [np.bitwise_xor.reduce(np.where(values[:, None] >> np.arange(8) & 1, place, 0), axis=1) for place in places]
    ).astype(np.uint32)


def _applied(tables: Words, sums: Words) -> Words:
    """Return sums as they are after the zeros that the tables stand for."""
    first = tables[0][sums & 0xFF] ^ tables[1][sums >> 8 & 0xFF]
    return np.asarray(first ^ tables[2][sums >> 16 & 0xFF] ^ tables[3][sums >> 24], dtype=np.uint32)
