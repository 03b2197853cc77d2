"""The text classifier: a convolution over vectors of words, the strongest answer of each filter, and a linear layer.

Kim 2014, Convolutional neural networks for sentence classification. A filter looks at one to four words in a row, so
that it learns turns of speech ("one by one", "how many") and, by the vectors, those of like meaning. Plain numpy; the
weights are learned by `bench/task_classifier.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import files
from vision_cli.scoping import vocabulary
from vision_cli.scoping.evidence import evidence
from vision_cli.scoping.vocabulary import Table
from vision_cli.scoping.wording import Worded

FILE = Path(__file__).with_name("task_weights.npz")
WIDTHS = (1, 2, 3, 4)
"""Words in a row that a filter looks at."""
MOST_WORDS = 120

Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted classifier.

    Attributes:
        own: vectors of the words of the phrases, which learning has moved; other words have those of the shipped table.
        arrays: float16 `filters{width}` (filters, dimensions, width) and `biases{width}` (filters,); `layer`
            (classes, filters in all + evidence) and `bias` (classes,).
        temperature: that sums are divided by before they become confidences.
    """

    own: Table
    arrays: Mapping[str, np.ndarray[Any, np.dtype[np.float16]]]
    temperature: float


def vectors(words: Sequence[str], own: Table) -> Floats:
    """Return the vectors of words, float32 (words, dimensions); zeros for those of no table."""
    table = vocabulary.shipped()
    nothing = np.zeros(table.steps.shape[1], dtype=np.float32)
    found = (own.vector(word) if word in own.rows else table.vector(word) for word in words[:MOST_WORDS])
    return np.stack([nothing if each is None else each for each in found] or [nothing])


def _answers(said: Floats, filters: Floats, biases: Floats) -> Floats:
    """Return the strongest answer of each filter anywhere in a text, float32 (filters,)."""
    width = filters.shape[2]
    edge = np.zeros((width, said.shape[1]), dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([edge, said, edge]), width, axis=0)
    sums = np.einsum("ndw,fdw->nf", windows, filters, optimize=True)
    return np.asarray(np.maximum(sums.max(axis=0) + biases, 0), dtype=np.float32)


def logits(said: Worded, weights: Weights) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the sum of each outcome, float64 (classes,)."""
    text = vectors(vocabulary.tokens(said.text), weights.own)
    arrays = {name: each.astype(np.float32) for name, each in weights.arrays.items()}
    strongest = [_answers(text, arrays[f"filters{width}"], arrays[f"biases{width}"]) for width in WIDTHS]
    row = np.concatenate([*strongest, evidence(said)])
    return np.asarray(arrays["layer"] @ row + arrays["bias"], dtype=np.float64)


@cache
def shipped() -> Weights:
    """Return the weights that come with the package."""
    with np.load(FILE, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    own = vocabulary.unpacked({name: arrays.pop(name) for name in ("words", "steps", "scales")})
    return Weights(own, arrays, float(arrays.pop("temperature")))


def write(weights: Weights, path: Path) -> None:
    """Write weights."""
    held = BytesIO()
    arrays: dict[str, Any] = {
        **vocabulary.packed(weights.own),
        **weights.arrays,
        "temperature": np.float64(weights.temperature),
    }
    np.savez_compressed(held, **arrays)
    files.write_bytes(path, held.getvalue())
