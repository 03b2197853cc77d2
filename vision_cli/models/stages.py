"""A backbone's modules in groups from input to output: what freezes, thaws and gets a learning rate together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import torch
from torch import nn

_FEWEST_BY_RESOLUTION = 4


def cover(root: nn.Module, stage_of: Mapping[str, int]) -> list[list[nn.Module]]:
    """Return the largest modules that lie in one stage each, by stage.

    Every parameter is covered once. A parameter that hangs directly on a module of several stages (a class token) is
    wrapped in a `ParameterList` that shares it.

    Args:
        root: the backbone.
        stage_of: stage of every parameter, by its name in `root`.
    """
    groups: dict[int, list[nn.Module]] = {}
    _cover(root, "", stage_of, groups)
    return [groups[stage] for stage in sorted(groups)]


def _cover(module: nn.Module, prefix: str, stage_of: Mapping[str, int], groups: dict[int, list[nn.Module]]) -> None:
    found = {stage_of[prefix + name] for name, _ in module.named_parameters()}
    if len(found) <= 1:
        # A module without parameters (pooling, dropout) goes with what came before it.
        stage = found.pop() if found else max(groups, default=0)
        groups.setdefault(stage, []).append(module)
        return
    for name, parameter in module.named_parameters(recurse=False):
        groups.setdefault(stage_of[prefix + name], []).append(nn.ParameterList([parameter]))
    for name, child in module.named_children():
        _cover(child, f"{prefix}{name}.", stage_of, groups)


def by_resolution(root: nn.Module, photo: torch.Tensor) -> list[list[nn.Module]]:
    """Group a network without a grouping of its own: a stage ends where the picture gets smaller.

    Networks of constant resolution (ViT) get one stage a block.

    Args:
        root: the backbone.
        photo: float32 (1, channels, height, width), for one forward pass.
    """
    units = dict(_units(root, "", sum(parameter.numel() for parameter in root.parameters())))
    order = _call_order(root, units, photo)
    stage_of_unit = _breaks(list(order.values()))
    by_unit = dict(zip(order, stage_of_unit, strict=True))
    return cover(root, {name: _stage(name, by_unit) for name, _ in root.named_parameters()})


def _units(module: nn.Module, prefix: str, total: int) -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        size = sum(parameter.numel() for parameter in child.parameters())
        plain = type(child) in (nn.Sequential, nn.ModuleList)
        if any(True for _ in child.children()) and (plain or size > total / 2):
            yield from _units(child, f"{prefix}{name}.", total)
        else:
            yield f"{prefix}{name}", child


def _call_order(root: nn.Module, units: Mapping[str, nn.Module], photo: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """Return the units with parameters in the order they run, each with its output's shape but batch and channels."""
    order: dict[str, tuple[int, ...]] = {}

    def record(name: str, output: object) -> None:
        # Swin keeps the channels last: there it is the width that gets smaller, which serves as well.
        order.setdefault(name, tuple(output.shape[2:]) if isinstance(output, torch.Tensor) else ())

    hooks = [
        unit.register_forward_hook(lambda _module, _inputs, output, name=name: record(name, output))
        for name, unit in units.items()
        if any(True for _ in unit.parameters())
    ]
    try:
        with torch.no_grad():
            root.eval()(photo)
    finally:
        for hook in hooks:
            hook.remove()
    return order


def _breaks(shapes: list[tuple[int, ...]]) -> list[int]:
    stages = [0]
    for before, after in itertools.pairwise(shapes):
        stages.append(stages[-1] + (before != after))
    return stages if stages[-1] + 1 >= _FEWEST_BY_RESOLUTION else list(range(len(shapes)))


def _stage(parameter: str, by_unit: Mapping[str, int]) -> int:
    return next((stage for unit, stage in by_unit.items() if parameter.startswith(f"{unit}.")), 0)
