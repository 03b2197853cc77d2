"""Regions of pixels: each explained by the mean logit of its class over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.decoding.placing import place
from vision_cli.models.explaining import GRADCAM
from vision_cli.stages.explaining.asked import Part
from vision_cli.stages.explaining.evidence import Ask, Look, Seen, explained


def explain(
    look: Look, seen: Seen, logits: NDArray[np.float32], classes: NDArray[np.int16], wanted: Sequence[int]
) -> tuple[list[Part], list[str]]:
    """Return one map a class, and a note on each class whose region is smaller than a cell of the logits.

    Args:
        look: the network.
        seen: the photo, in one view.
        logits: float32 (C, h, w), over the input.
        classes: int16 (H, W), the class of each pixel of the photo.
        wanted: class ids, in the order in which they are explained.

    Raises:
        UsageError: the layer or the method does not fit.
    """
    import torch

    from vision_cli.models.explaining.scores import OfRegion

    names = look.subject.card.classes.names
    cells = _inside(look, seen, logits)
    parts, notes = [], []
    for done, index in enumerate(wanted, start=1):
        cell, pixels = cells == index, classes == index
        if not cell.any():
            notes.append(f"'{names[index]}' is smaller than a place of the network's answer: no map.")
            continue
        score = OfRegion(look.subject.network, torch.from_numpy(cell), index)
        share = float(pixels.mean())
        ask = Ask(look.spot(), score, GRADCAM, names[index], None, region=pixels, share=share)
        parts.append(explained(look, seen, ask))
        look.progress.step("regions", done, len(wanted))
    return parts, notes


def largest(classes: NDArray[np.int16], most: int) -> list[int]:
    """Return the classes of a photo's pixels, those of most pixels first."""
    counts = np.bincount(classes[classes >= 0].astype(np.int64))
    order = np.argsort(-counts, kind="stable")
    return [int(index) for index in order if counts[index]][:most]


def _inside(look: Look, seen: Seen, logits: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return the class of each cell of the logits (h, w), -1 where its centre lies beside the photo."""
    cells: NDArray[np.int16] = logits.argmax(axis=0).astype(np.int16)
    placement = place(seen.size_px, look.subject.card.preprocess)
    height, width = cells.shape
    x = (np.arange(width) + 0.5) * placement.input_px[0] / width
    y = (np.arange(height) + 0.5) * placement.input_px[1] / height
    columns = (x - placement.offset[0]) / placement.scale[0]
    rows = (y - placement.offset[1]) / placement.scale[1]
    cells[:, (columns < 0) | (columns > seen.size_px[0])] = -1
    cells[(rows < 0) | (rows > seen.size_px[1])] = -1
    return cells
