"""Batch norms over the batch of all processes, on any device, so that its statistics do not depend on their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from vision_cli.training.team import Team


def learn_statistics(module: nn.Module) -> bool:
    """Return whether a batch norm of a module takes its statistics from the batch."""
    return any(isinstance(each, _BatchNorm) and each.training for each in module.modules())


class JointNorms(TorchFunctionMode):
    """Within, `batch_norm` of a training network sees the batches of all processes.

    torch's SyncBatchNorm does it on GPUs alone, and replaces modules.
    """

    def __init__(self, team: Team) -> None:
        super().__init__()
        self._team = team

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run a function of torch, `batch_norm` in our way."""
        named = dict(kwargs or {})
        if func is F.batch_norm and named.get("training"):
            return _batch_norm(self._team, *args, **named)
        return func(*args, **named)


def _batch_norm(  # noqa: PLR0913  as torch's own
    team: Team,
    inputs: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise by mean and variance of all processes' inputs (N, C, ...), and follow with the running statistics.

    Sums are of float64, so that a variance may be told from them: the mean of the squares less the square of the mean.
    """
    channels = inputs.shape[1]
    places = [0, *range(2, inputs.ndim)]
    var, mean = (each.double() for each in torch.var_mean(inputs.float(), places, correction=0))
    count = inputs.numel() // channels
    own = torch.cat([mean * count, (var + mean.square()) * count, mean.new_tensor([count])])
    sums = team.summed(own)
    total = sums[-1]
    mean = sums[:channels] / total
    var = (sums[channels:-1] / total - mean.square()).clamp(min=0)
    _follow(running_mean, mean, momentum)
    _follow(running_var, var * (total / (total - 1).clamp(min=1)), momentum)
    scale = torch.rsqrt(var + eps) * (1 if weight is None else weight)
    shift = (0 if bias is None else bias) - mean * scale
    shape = [1, channels, *[1] * (inputs.ndim - 2)]
    normal: Tensor = inputs * scale.to(inputs.dtype).view(shape) + shift.to(inputs.dtype).view(shape)
    return normal


@torch.no_grad()
def _follow(running: Tensor | None, value: Tensor, momentum: float) -> None:
    if running is not None:
        running.lerp_(value.to(running.dtype), momentum)
