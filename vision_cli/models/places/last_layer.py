"""The layer that raw values come from, and where they begin."""

from __future__ import annotations

from torch import nn


def last_layer(inputs: int, outputs: int, *, std: float, bias: float = 0.0) -> nn.Conv2d:
    """Return a 1 x 1 convolution whose answers begin around `bias`, as far from it as `std` of its weights says."""
    layer = nn.Conv2d(inputs, outputs, 1)
    if std:
        nn.init.normal_(layer.weight, std=std)
    else:
        nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.constant_(layer.bias, bias)
    return layer
