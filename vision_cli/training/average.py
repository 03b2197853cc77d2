"""Exponential moving average of weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Average:
    """Moving average of a module's weights and norm statistics, kept on the module's device, where it has to stay.

    The decay grows as (1 + t) / (10 + t) until it reaches its value (as TensorFlow's ExponentialMovingAverage does it),
    so that the start does not weigh on short trainings.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._decay = decay
        self.updates = 0
        own = module.state_dict()  # made once: it takes longer than all else here
        self.weights = {name: value.detach().clone() for name, value in own.items()}
        pairs = [(self.weights[name], value.detach()) for name, value in own.items()]
        self._numbers = [pair for pair in pairs if pair[0].is_floating_point()]
        self._counts = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Take the module's weights after a step."""
        decay = min(self._decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        if self._numbers:
            mean, own = ([pair[side] for pair in self._numbers] for side in (0, 1))
            torch._foreach_lerp_(mean, own, 1 - decay)
        for count, value in self._counts:
            count.copy_(value)

    def load(self, weights: dict[str, Tensor], updates: int) -> None:
        """Continue from saved weights."""
        self.updates = updates
        for name, value in weights.items():
            self.weights[name].copy_(value)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the average and the module's weights."""
        for mean, value in (*self._numbers, *self._counts):
            own = value.clone()
            value.copy_(mean)
            mean.copy_(own)
