"""What the classifier sees of a description: hashed words, pairs of words, pieces of words, and its concepts.

Hashing (Weinberger et al. 2009, Feature hashing for large scale multitask learning) needs no list of words beside the
weights. CRC-32 is the same on every machine and with every hash seed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from vision_cli.scoping.wording import Worded

BUCKETS = 1 << 14
_WORD = re.compile(r"\w+")
_PIECES = (3, 4, 5)
_WEIGHTS = {"concept": 1.0, "pair": 0.6, "word": 1.0, "words": 0.8, "piece": 0.7, "first": 0.6}

Vector = np.ndarray[Any, np.dtype[np.float32]]


def vector(said: Worded) -> Vector:
    """Return a description as float32 (BUCKETS,); each kind of feature has length 1 at most, times its weight."""
    row = np.zeros(BUCKETS, dtype=np.float32)
    for kind, weight in _WEIGHTS.items():
        seen = {zlib.crc32(f"{kind} {each}".encode("utf-8", "surrogatepass")) % BUCKETS for each in _each(kind, said)}
        if seen:
            row[sorted(seen)] += weight / np.sqrt(len(seen)) * _LENGTH.get(kind, 1.0)
    return row


_LENGTH = {"concept": 1.6}


def _each(kind: str, said: Worded) -> Iterator[str]:
    words = _WORD.findall(said.text)
    match kind:
        case "concept":
            yield from said.concepts
            yield from (f"not {name}" for name in said.denied)
        case "pair":
            names = sorted(said.concepts)
            yield from (f"{one} {other}" for i, one in enumerate(names) for other in names[i + 1 :])
        case "word":
            yield from words
        case "words":
            yield from (f"{one} {other}" for one, other in pairwise(words))
        case "first":
            yield from words[:1]
            yield " ".join(words[:2])
        case _:
            padded = (f" {word} " for word in words)
            yield from (word[i : i + n] for word in padded for n in _PIECES for i in range(len(word) - n + 1))
