"""Exponential moving average of weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Average:
    """Moving average of a module's weights and norm statistics, kept on the module's device.

    The decay grows as (1 + t) / (10 + t) until it reaches its value (as TensorFlow's ExponentialMovingAverage does it),
    so that the start does not weigh on short trainings.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._module, self._decay = module, decay
        self.updates = 0
        self.weights = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take the module's weights after a step."""
        decay = min(self._decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for name, value in self._module.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - decay)
            else:
                self.weights[name].copy_(value)

    def load(self, weights: dict[str, Tensor], updates: int) -> None:
        """Continue from saved weights."""
        self.updates = updates
        for name, value in weights.items():
            self.weights[name].copy_(value)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the average and the module's weights."""
        for name, value in self._module.state_dict().items():
            own = value.clone()
            value.copy_(self.weights[name])
            self.weights[name].copy_(own)
