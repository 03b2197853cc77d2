"""Which parts of a network learn, and how fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from vision_cli.core.config import TrainConfig
from vision_cli.core.contracts import Network

SMALL_SET = 5000
_FITTED_HEAD = 0.05
_EARLY = 0.4
_EVERYTHING = 1 << 30


@dataclass(frozen=True, slots=True)
class Freezing:
    """A plan of what is frozen when.

    Attributes:
        stages: of the backbone that stay frozen, from the input on.
        backbone: all of the backbone stays frozen, so that its embeddings need computing only once.
        keep_norms: batch norms keep the statistics of the weights.
        thaw_every: epochs after which one more stage thaws, from the head down; None thaws all at once.
    """

    stages: int = 0
    backbone: bool = False
    keep_norms: bool = False
    thaw_every: int | None = None

    def frozen_at(self, epoch: int, n_stages: int) -> int:
        """Return how many stages are frozen in an epoch, counted from 0; above `n_stages` is all of the backbone."""
        if self.backbone:
            return _EVERYTHING
        if self.thaw_every is None:
            return self.stages
        thawed = epoch // self.thaw_every
        return max(self.stages, n_stages - thawed) if thawed else _EVERYTHING


def plan(options: TrainConfig, *, photos: int, accelerated: bool) -> Freezing:
    """Return what the options mean for a set of this size.

    `auto` freezes the backbone when there is no accelerator and at most 5,000 photos. Gradual unfreezing starts from a
    frozen backbone and thaws all of it, or all but the first N stages.
    """
    words = options.freeze.split()
    stages = int(words[0]) if words[0].isdecimal() else 0
    keep = options.norms == "keep" or (options.norms == "auto" and photos <= SMALL_SET)
    if options.unfreeze_every is not None:
        return Freezing(stages, keep_norms=keep, thaw_every=options.unfreeze_every)
    small = options.freeze == "auto" and not accelerated and photos <= SMALL_SET
    return Freezing(stages, backbone=small or options.freeze == "backbone", keep_norms=keep)


def early(options: TrainConfig, network: Network, *, photos: int) -> Freezing:
    """Return what the options mean for a network whose answers are about places.

    `auto` freezes the first two fifths of the stages for a small set: those of large maps, which take most of the time
    and know edges and colours, as torchvision's detectors do (2 of a ResNet's 5).
    """
    found = plan(options, photos=photos, accelerated=True)
    small = options.freeze == "auto" and options.unfreeze_every is None and photos <= SMALL_SET
    return replace(found, stages=round(_EARLY * len(network.stages))) if small else found


def starts_fitted(options: TrainConfig) -> bool:
    """Return whether the backbone learns below a head that was fitted to its frozen embeddings first."""
    return options.head_first and options.unfreeze_every is None


def set_modes(network: Network, freezing: Freezing, epoch: int) -> None:
    """Freeze and thaw for an epoch: what is frozen learns nothing, and its norms keep their statistics."""
    frozen = freezing.frozen_at(epoch, len(network.stages))
    network.head.train().requires_grad_(True)
    whole = frozen > len(network.stages)
    network.backbone.train(not whole).requires_grad_(not whole)
    if freezing.keep_norms:
        for module in network.backbone.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
    for stage in network.stages[: min(frozen, len(network.stages))]:
        for module in stage:
            module.eval().requires_grad_(False)


def groups(network: Network, options: TrainConfig, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """Return the optimizer's parameter groups, of all stages, frozen or not.

    Each stage below the head learns `layer_decay` times as fast as the one above. A head that was fitted first learns a
    twentieth of its rate: it is where it should be, and the backbone moves towards it. Biases and norms do not decay.
    """
    depths = dict(_depths(network))
    rates = [learning_rate * options.layer_decay**depth for depth in range(len(network.stages) + 1)]
    rates[0] *= _FITTED_HEAD if starts_fitted(options) else 1.0
    found: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for parameter, depth in depths.items():
        found.setdefault((depth, parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": rates[depth],
            "base_lr": rates[depth],
            "weight_decay": weight_decay if decays else 0.0,
        }
        for (depth, decays), parameters in sorted(found.items(), key=lambda item: item[0])
    ]


def _depths(network: Network) -> Iterator[tuple[nn.Parameter, int]]:
    """Yield every parameter with its stage's distance from the head; what is in no stage counts as the last one."""
    yield from ((parameter, 1) for parameter in network.backbone.parameters())
    for index, stage in enumerate(network.stages):
        for module in stage:
            yield from ((parameter, len(network.stages) - index) for parameter in module.parameters())
    yield from ((parameter, 0) for parameter in network.head.parameters())
