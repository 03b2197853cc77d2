"""Vectors of everyday English words, so that words that no phrase holds mean something; and the spelling of rare ones.

The table is GloVe (Pennington, Socher, Manning 2014; public domain, PDDL 1.0), brought down to 64 dimensions and 8
bits by `bench/word_vectors.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import files

FILE = Path(__file__).with_name("word_vectors.npz")
_STEPS = 127
_TOKENS = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|[?,:;.()-]+|[^\w\s]|\w+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LEAST_LETTERS = 6
"""Shorter words have too many neighbours to be put right."""

Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Table:
    """Words and their vectors.

    Attributes:
        rows: by word, the frequent ones first.
        steps: int8 (words, dimensions).
        scales: float16 (words,): what a step is worth.
    """

    rows: Mapping[str, int]
    steps: np.ndarray[Any, np.dtype[np.int8]]
    scales: np.ndarray[Any, np.dtype[np.float16]]

    def vector(self, word: str) -> Floats | None:
        """Return the vector of a word, float32 (dimensions,); None of one that is not in the table."""
        row = self.rows.get(word)
        return None if row is None else self.steps[row].astype(np.float32) * np.float32(self.scales[row])


def rounded(words: list[str], vectors: Floats) -> Table:
    """Round vectors (words, dimensions) to 8 bits, a scale a word."""
    scales = (np.abs(vectors).max(axis=1) / _STEPS + 1e-6).astype(np.float16)
    steps = np.rint(vectors / scales[:, None].astype(np.float32)).clip(-_STEPS, _STEPS).astype(np.int8)
    return Table({word: row for row, word in enumerate(words)}, steps, scales)


def packed(table: Table) -> dict[str, Any]:
    """Return a table as arrays for a file."""
    words = np.frombuffer("\n".join(table.rows).encode(), dtype=np.uint8)
    return {"words": words, "steps": table.steps, "scales": table.scales}


def unpacked(arrays: Mapping[str, Any]) -> Table:
    """Return the table of a file's arrays."""
    words = arrays["words"].tobytes().decode().split("\n")
    return Table({word: row for row, word in enumerate(words)}, arrays["steps"], arrays["scales"])


def write(table: Table, path: Path) -> None:
    """Write a table."""
    held = BytesIO()
    np.savez_compressed(held, **packed(table))
    files.write_bytes(path, held.getvalue())


@cache
def shipped() -> Table:
    """Return the table that comes with the package."""
    with np.load(FILE, allow_pickle=False) as found:
        return unpacked(found)


def tokens(text: str) -> list[str]:
    """Return words, numbers (as one word) and marks of a text in small letters."""
    return ["0" if each.isdigit() else each for each in _TOKENS.findall(text)]


def spelled(text: str) -> str:
    """Put words right that are one slip away from a word of the table: 'milimetres', 'queing'."""
    return re.sub(rf"[a-z]{{{_LEAST_LETTERS},}}", lambda match: _right(match[0]), text)


def _right(word: str) -> str:
    rows = shipped().rows
    if word in rows:
        return word
    found = [rows[each] for each in _one_slip(word) if each in rows]
    return list(rows)[min(found)] if found else word


def _one_slip(word: str) -> Iterator[str]:
    """Yield what a word may have been before a letter was left out, put in, swapped or mistaken (Norvig 2007)."""
    for at in range(1, len(word) + 1):  # the first letter is hardly ever wrong
        head, tail = word[:at], word[at:]
        yield from (head + letter + tail for letter in _LETTERS)
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in _LETTERS)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
