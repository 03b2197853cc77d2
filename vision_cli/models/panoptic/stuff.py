"""The semantic branch of Panoptic FPN: the levels of a pyramid, summed at stride 4 (Kirillov et al. 2019, figure 3)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from vision_cli.models.places.last_layer import last_layer

_CHANNELS = 128
_GROUPS = 32


class StuffBranch(nn.Module):
    """Convolutions and doublings a level, until all are at the finest; their sum gives the logits."""

    def __init__(self, inputs: int, n_levels: int, n_classes: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(_level(inputs, index) for index in range(n_levels))
        self.last = last_layer(_CHANNELS, n_classes, std=0.01)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Map levels of growing strides to logits (N, C, h, w) of the stride of the first."""
        found = [branch(level) for branch, level in zip(self.levels, levels, strict=True)]
        finest = found[0].shape[-2:]
        total = found[0]
        for each in found[1:]:
            total = total + _fitted(each, finest)
        logits: Tensor = self.last(total)
        return logits


class _Double(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return functional.interpolate(values, scale_factor=2.0, mode="bilinear", align_corners=False)


def _level(inputs: int, doublings: int) -> nn.Sequential:
    steps: list[nn.Module] = []
    for index in range(max(1, doublings)):
        convolution = nn.Conv2d(inputs if index == 0 else _CHANNELS, _CHANNELS, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
        steps += [convolution, nn.GroupNorm(_GROUPS, _CHANNELS), nn.ReLU(inplace=True)]
        if doublings:
            steps.append(_Double())
    return nn.Sequential(*steps)


def _fitted(values: Tensor, size: Sequence[int]) -> Tensor:
    """Return a map at a size; doubled maps of odd grids are a little too large."""
    if tuple(values.shape[-2:]) == tuple(size):
        return values
    return functional.interpolate(values, tuple(size), mode="bilinear", align_corners=False)
