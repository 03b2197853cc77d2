"""What was drawn for each photo of a run, in bins that a user can act on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vision_cli.stages.synth.making.maker import Record
from vision_cli.synth.distance import FEWEST, Floats, Ids, Parameter

_BINS = 3

_NUMBERS: dict[str, Callable[[Record], float]] = {
    "size, share of the photo": lambda row: _mean(row, lambda each: each["size_px"] / max(row["width"], row["height"])),
    "turned, degrees": lambda row: _mean(row, lambda each: abs(each["angle_deg"])),
    "tilt, degrees": lambda row: _mean(row, lambda each: each["tilt_deg"]),
    "contrast": lambda row: _mean(row, lambda each: each["contrast"]),
    "visibility": lambda row: _mean(row, lambda each: each["visibility"]),
    "blur, px": lambda row: _mean(row, lambda each: each["blur_px"]),
    "motion, px": lambda row: _mean(row, lambda each: each["motion_px"]),
    "share on a surface": lambda row: _mean(row, lambda each: float(each["plane"] is not None)),
    "objects": lambda row: float(len(row["objects"])),
    "noise of the background, grey levels": lambda row: float(row["noise_sigma"]),
    "JPEG quality": lambda row: float(row["jpeg_quality"]),
}
_WORDS: dict[str, Callable[[Record], str | None]] = {
    "blend": lambda row: str(row["blend"]),
    "look of the largest": lambda row: _largest(row)["look"] if row["objects"] else None,
    "mirrored": lambda row: "yes" if row["mirrored"] else "no",
}


def _mean(row: Record, value: Callable[[Record], float]) -> float:
    values = [value(each) for each in row["objects"]]
    return float(np.mean(values)) if values else float("nan")


def _largest(row: Record) -> Record:
    found: Record = max(row["objects"], key=lambda each: each["size_px"])
    return found


def parameters(records: Sequence[Record], scenes: Ids) -> list[Parameter]:
    """Return each parameter of photos in bins with enough photos; numbers are those of the whole scene."""
    found = []
    for name, number in _NUMBERS.items():
        values = np.array([_safe(number, row) for row in records], np.float64)
        found.append(_numeric(name, _by_scene(values, scenes)))
    for name, word in _WORDS.items():
        found.append(_named(name, [word(row) for row in records]))
    return [each for each in found if each is not None]


def _safe(number: Callable[[Record], float], row: Record) -> float:
    """Return a figure; NaN where a log of another version does not hold it."""
    try:
        return number(row)
    except KeyError:
        return float("nan")


def _by_scene(values: Floats, scenes: Ids) -> Floats:
    _, place = np.unique(scenes, return_inverse=True)
    known = np.isfinite(values)
    sums = np.bincount(place, np.where(known, values, 0.0))
    counts = np.bincount(place, known.astype(np.float64))
    with np.errstate(invalid="ignore"):
        return np.asarray((sums / counts)[place], np.float64)


def _numeric(name: str, values: Floats) -> Parameter | None:
    known = np.isfinite(values)
    if not known.any():
        return None
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, _BINS + 1)[1:-1]))
    of = np.where(known, np.searchsorted(edges, values, side="left"), -1)
    used, compact = np.unique(of[known], return_inverse=True)
    of[known] = compact
    names = [f"{values[of == each].min():.3g} to {values[of == each].max():.3g}" for each in range(len(used))]
    return Parameter(name, tuple(names), np.asarray(of, np.int64)) if len(names) > 1 else None


def _named(name: str, words: Sequence[str | None]) -> Parameter | None:
    kept = sorted({word for word in words if word is not None and words.count(word) >= FEWEST})
    of = np.array([kept.index(word) if word in kept else -1 for word in words], np.int64)
    return Parameter(name, tuple(kept), of) if len(kept) > 1 else None
