"""Upsampling that begins as bilinear and learns (Long et al. 2015, Fully Convolutional Networks, section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Bilinear(nn.Module):
    """Make a map larger by a whole factor, without anything to learn."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, scores: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, factor * h, factor * w)."""
        return functional.interpolate(scores, scale_factor=float(self.factor), mode="bilinear", align_corners=False)


class Learned(nn.Module):
    """A transposed convolution from classes to classes that starts as `Bilinear` to the last pixel of the border.

    Attributes:
        factor: an even number.
    """

    def __init__(self, n_classes: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.grow = nn.ConvTranspose2d(n_classes, n_classes, 2 * factor, stride=factor, bias=False)
        with torch.no_grad():
            self.grow.weight.zero_()
            each = torch.arange(n_classes)
            self.grow.weight[each, each] = _bilinear(factor)

    def forward(self, scores: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, factor * h, factor * w)."""
        # The border's cells once more around them: what interpolation takes for granted.
        wide = torch.cat([scores[..., :1], scores, scores[..., -1:]], dim=3)
        grown: Tensor = self.grow(torch.cat([wide[:, :, :1], wide, wide[:, :, -1:]], dim=2))
        # Cut here instead of padding there: TFLite's operator has no padding of that width.
        edge = self.factor + self.factor // 2
        return grown[:, :, edge:-edge, edge:-edge]


def _bilinear(factor: int) -> Tensor:
    """Return the weights (2 * factor, 2 * factor) of bilinear interpolation."""
    side = 1 - (torch.arange(2 * factor) + 0.5 - factor).abs() / factor
    return side[:, None] * side
