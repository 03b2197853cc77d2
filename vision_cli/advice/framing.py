"""Warn of photos of which the network's centre crop shows little."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vision_cli.advice.finding import Finding
from vision_cli.core.dataset import Dataset
from vision_cli.core.preprocess import Preprocess

_SHOWN = 0.65
"""Of portraits 3:4, cut to a square of 87.5 % of their width, 57 % are seen; of squares, 77 %."""
_LONGEST = 2.0
_STEP_PX = 32


def cropped(dataset: Dataset, preprocess: Preprocess) -> Finding | None:
    """Return a finding if evaluation sees little of the photos, while training crops come from all of them."""
    if preprocess.resize != "crop" or not len(dataset):
        return None
    share = float(_shares(dataset, preprocess).mean())
    if share >= _SHOWN:
        return None
    message = (
        f"The centre crop shows {share:.0%} of a photo on average, and training crops come from all of it: what lies "
        "outside of the centre is learned and never seen again. model.input.resize=stretch shows all of each photo."
    )
    return Finding("cropped", message, share)


def _shares(dataset: Dataset, preprocess: Preprocess) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return float64 (N,): the share of each photo's area that the centre crop keeps."""
    width = dataset.images["width"].to_numpy().astype(np.float64)
    height = dataset.images["height"].to_numpy().astype(np.float64)
    aspect = preprocess.size_px[0] / preprocess.size_px[1]
    wide = np.minimum(width, height * aspect)
    return np.asarray(preprocess.crop_pct**2 * wide * (wide / aspect) / (width * height), dtype=np.float64)


def shape_of(dataset: Dataset, area_px: int) -> tuple[int, int]:
    """Return the (width, height) of about an area that the photos' median shape fills, in multiples of 32 pixels.

    Shapes longer than 2 to 1 are taken for 2 to 1; where no photo's size is known, it is a square.
    """
    widths, heights = (dataset.images[name].drop_null().to_numpy().astype(float) for name in ("width", "height"))
    known = len(widths) == len(heights) and len(widths) > 0 and heights.min() > 0 and widths.min() > 0
    shape = float(np.clip(np.median(widths / heights), 1 / _LONGEST, _LONGEST)) if known else 1.0
    sides = (math.sqrt(area_px * shape), math.sqrt(area_px / shape))
    width, height = (max(_STEP_PX, round(side / _STEP_PX) * _STEP_PX) for side in sides)
    return width, height
