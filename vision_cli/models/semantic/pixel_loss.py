"""The loss of a class for each pixel: cross-entropy, and Dice, which counts a rare class as much as a common one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vision_cli.core import across
from vision_cli.core.place_targets import IGNORED

_SMOOTH = 1.0


def losses(logits: Tensor, pixels: Tensor) -> dict[str, Tensor]:
    """Return both parts; pixels without a label count in neither.

    Args:
        logits: float (N, C, h, w), of any stride.
        pixels: int64 (N, H, W), class ids or IGNORED.
    """
    chances = functional.log_softmax(at_size(logits, pixels), dim=1)
    return {"pixel": _surprise(chances, pixels), "dice": _dice(chances.exp(), pixels)}


def at_size(logits: Tensor, pixels: Tensor) -> Tensor:
    """Return logits (N, C, H, W) in float32 at the size of the labels, bilinear as decoding reads them.

    As two products of matrices: forwards and backwards in a third to a half of the time that torch's own interpolation
    takes on a CPU for 133 classes, and with one result on a GPU, where that one's gradient varies from run to run.
    """
    logits = logits.float().contiguous()
    if logits.shape[-2:] == pixels.shape[-2:]:
        return logits
    rows, columns = (
        _weights(*sizes, logits.device) for sizes in zip(logits.shape[-2:], pixels.shape[-2:], strict=True)
    )
    with torch.autocast(logits.device.type, enabled=False):
        return rows @ (logits @ columns.T)


def _weights(before: int, after: int, device: torch.device) -> Tensor:
    """Return float32 (after, before): the share that each value has in each of the interpolated ones."""
    values = torch.eye(before, device=device)[None]
    return functional.interpolate(values, after, mode="linear", align_corners=False)[0].T


def cross_entropy(logits: Tensor, pixels: Tensor) -> Tensor:
    """Return the mean over the labelled pixels; 0 where there are none."""
    return _surprise(functional.log_softmax(logits, dim=1), pixels)


def _surprise(chances: Tensor, pixels: Tensor) -> Tensor:
    summed = functional.nll_loss(chances, pixels, ignore_index=IGNORED, reduction="sum")
    mean: Tensor = summed / across.divisor((pixels != IGNORED).sum(), at_least=1)
    return mean


def dice(logits: Tensor, pixels: Tensor) -> Tensor:
    """Return 1 - soft Dice (Milletari et al. 2016, V-Net, equation for sums), mean over the classes that the batch has.

    One pixel is added to both sides of the fraction, so that a class of few pixels has no wild gradient.
    """
    return _dice(logits.softmax(dim=1), pixels)


def _dice(chances: Tensor, pixels: Tensor) -> Tensor:
    labelled = pixels != IGNORED
    chances = chances * labelled[:, None]
    known = pixels.clamp(min=0)
    n_classes = chances.shape[1]
    own = chances.gather(1, known[:, None])[:, 0]
    shared = chances.new_zeros(n_classes).index_add(0, known.flatten(), own.flatten())
    counted = labelled.flatten().to(chances.dtype)
    counts = chances.new_zeros(n_classes).index_add(0, known.flatten(), counted)
    shared, said, counts = across.summed(torch.stack([shared, chances.sum(dim=(0, 2, 3)), counts]))
    found = (2 * shared + _SMOOTH) / (said + counts + _SMOOTH)
    there = counts > 0
    mean: Tensor = ((1 - found) * there).sum() / there.sum().clamp(min=1)
    return mean
