"""A light pyramid over maps of features: top-down, then bottom-up, of depthwise separable convolutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn import functional

_KERNEL = 5
_EPSILON = 1e-3


def relu6() -> nn.Module:
    """Return the activation that quantises well."""
    return nn.ReLU6(inplace=True)


def pointwise(inputs: int, outputs: int, activation: Callable[[], nn.Module] = relu6) -> nn.Sequential:
    """Return a 1x1 convolution, its batch norm and its activation."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs, eps=_EPSILON), activation())


def depthwise(channels: int, stride: int) -> nn.Sequential:
    """Return a convolution of each channel by itself, its batch norm and ReLU6."""
    layer = nn.Conv2d(channels, channels, _KERNEL, stride, _KERNEL // 2, groups=channels, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(channels, eps=_EPSILON), relu6())


def separable(
    inputs: int, outputs: int, *, stride: int = 1, activation: Callable[[], nn.Module] = relu6
) -> nn.Sequential:
    """Return a depthwise convolution and a 1x1 one, which ends in `activation` (Howard et al. 2017)."""
    return nn.Sequential(depthwise(inputs, stride), pointwise(inputs, outputs, activation))


class Pyramid(nn.Module):
    """Mix maps of neighbouring strides (PANet, Liu et al. 2018), and add coarser levels below the last.

    Attributes:
        channels: of every level.
    """

    def __init__(self, inputs: Sequence[int], channels: int, *, extra: int = 0) -> None:
        super().__init__()
        pairs = len(inputs) - 1
        self.channels = channels
        self.lateral = nn.ModuleList(pointwise(found, channels) for found in inputs)
        self.down = nn.ModuleList(separable(channels, channels) for _ in range(pairs))
        self.shrink = nn.ModuleList(separable(channels, channels, stride=2) for _ in range(pairs))
        self.up = nn.ModuleList(separable(channels, channels) for _ in range(pairs))
        self.extra = nn.ModuleList(separable(channels, channels, stride=2) for _ in range(extra))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Map (N, C, h, w) of growing strides to as many of one width, and the extra ones."""
        levels = [lateral(found) for lateral, found in zip(self.lateral, maps, strict=True)]
        for fine in range(len(levels) - 2, -1, -1):
            grown = functional.interpolate(levels[fine + 1], size=levels[fine].shape[-2:], mode="nearest")
            levels[fine] = self.down[fine](levels[fine] + grown)
        for coarse in range(1, len(levels)):
            shrunk = self.shrink[coarse - 1](levels[coarse - 1])
            levels[coarse] = self.up[coarse - 1](levels[coarse] + shrunk)
        for smaller in self.extra:
            levels.append(smaller(levels[-1]))
        return levels
