"""The text classifier: a linear model whose weights are 8-bit numbers with a scale a class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core import files
from vision_cli.scoping import features
from vision_cli.scoping.wording import Worded

FILE = Path(__file__).with_name("task_weights.npz")
_STEPS = 127

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted classifier.

    Attributes:
        steps: int8 (classes, BUCKETS).
        scales: float32 (classes,): what a step is worth.
        biases: float32 (classes,).
        temperature: that sums are divided by before they become confidences.
    """

    steps: np.ndarray[Any, np.dtype[np.int8]]
    scales: np.ndarray[Any, np.dtype[np.float32]]
    biases: np.ndarray[Any, np.dtype[np.float32]]
    temperature: float


def rounded(coefficients: Floats, biases: Floats, temperature: float) -> Weights:
    """Round weights (classes, BUCKETS) to 8 bits, a scale a class."""
    scales = np.abs(coefficients).max(axis=1) / _STEPS
    steps = np.rint(coefficients / scales[:, None]).astype(np.int8)
    return Weights(steps, scales.astype(np.float32), biases.astype(np.float32), temperature)


def logits(said: Worded, weights: Weights) -> Floats:
    """Return the sum of each outcome, float64 (classes,)."""
    row = features.vector(said)
    used = np.flatnonzero(row)
    sums = weights.steps[:, used].astype(np.float64) @ row[used].astype(np.float64)
    return np.asarray(sums * weights.scales + weights.biases, dtype=np.float64)


@cache
def shipped() -> Weights:
    """Return the weights that come with the package."""
    with np.load(FILE, allow_pickle=False) as found:
        return Weights(found["steps"], found["scales"], found["biases"], float(found["temperature"]))


def write(weights: Weights, path: Path) -> None:
    """Write weights."""
    held = BytesIO()
    temperature = np.float64(weights.temperature)
    np.savez_compressed(
        held, steps=weights.steps, scales=weights.scales, biases=weights.biases, temperature=temperature
    )
    files.write_bytes(path, held.getvalue())
