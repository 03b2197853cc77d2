"""Layers whose output is a map of the photo, by name: pictures with channels first or last, or rows of tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vision_cli.core.catalogue import suggestion
from vision_cli.core.errors import UsageError

Size = tuple[int, int]
_MOST_PREFIX = 16
"""Tokens before those of places: class, distillation and registers."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Spot:
    """A layer that gives a map.

    Attributes:
        name: in the backbone, as `vision embed --layer` takes it; of other layers, in the whole network.
        module: that gives it.
        channels: of the map.
        size: (height, width) of the map.
        stride: pixels of the input a place, across.
        in_backbone: whether it is a layer of the backbone.
        tokens: whether it gives rows of tokens.
        normalises: whether it is a layer norm.
    """

    name: str
    module: nn.Module
    channels: int
    size: Size
    stride: int
    in_backbone: bool
    tokens: bool
    normalises: bool


def as_maps(output: Any, input_px: Size) -> Tensor | None:
    """Return a layer's output as maps (N, channels, height, width); None where it is none of the photo.

    Args:
        output: of the layer.
        input_px: (height, width) of the network's input.
    """
    if not isinstance(output, Tensor) or not output.is_floating_point():
        return None
    if output.ndim == 4:
        if _is_grid(output.shape[2:], input_px):
            return output
        return output.permute(0, 3, 1, 2) if _is_grid(output.shape[1:3], input_px) else None
    if output.ndim != 3:
        return None
    for prefix in range(_MOST_PREFIX + 1):
        size = _grid_of(output.shape[1] - prefix, input_px)
        if size is not None:
            return output[:, prefix:].transpose(1, 2).reshape(len(output), output.shape[2], *size)
    return None


def _is_grid(size: Sequence[int], input_px: Size) -> bool:
    """Return whether a map of (height, width) covers an input: one stride both ways up to rounding, several places."""
    height, width = size
    if height * width < 2 or height > input_px[0] or width > input_px[1]:
        return False
    stride = max(input_px[0] / height, input_px[1] / width)
    return abs(input_px[0] / stride - height) < 1.01 and abs(input_px[1] / stride - width) < 1.01


def _grid_of(tokens: int, input_px: Size) -> Size | None:
    if tokens < 4:
        return None
    height = math.sqrt(tokens * input_px[0] / input_px[1])
    size = (round(height), round(tokens / max(height, 1)))
    return size if size[0] * size[1] == tokens and _is_grid(size, input_px) else None


@contextmanager
def watched(module: nn.Module, *, leaves: bool) -> Iterator[list[Tensor]]:
    """Collect what a module gives, whenever it is called.

    Args:
        module: of a network that is run inside of the context.
        leaves: the network goes on from what is collected, so that gradients of it can be had, and nothing before it
            is recorded.
    """
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> Tensor | None:
        if not isinstance(output, Tensor):
            return None
        seen.append(output.detach().requires_grad_(leaves))
        # A copy, as what follows may change it in place.
        return seen[-1].clone() if leaves else None

    handle = module.register_forward_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()


def spots(network: nn.Module, photo: Tensor) -> list[Spot]:
    """Return the layers that give maps, in the order in which they are done with a photo; the last call of each counts.

    Args:
        network: in evaluation mode.
        photo: float32 (1, channels, height, width).
    """
    input_px = (int(photo.shape[2]), int(photo.shape[3]))
    names = _names(network)
    found: dict[str, Spot] = {}

    def note(module: nn.Module, _inputs: Any, output: Any) -> None:
        maps = as_maps(output, input_px)
        if maps is not None and len(maps) == len(photo):  # and not one region each of a two-stage detector
            name, inside = names[id(module)]
            size = (int(maps.shape[2]), int(maps.shape[3]))
            facts = (int(maps.shape[1]), size, round(input_px[1] / size[1]), inside)
            found.pop(name, None)
            found[name] = Spot(name, module, *facts, output.ndim == 3, isinstance(module, nn.LayerNorm))

    handles = [module.register_forward_hook(note) for module in network.modules() if id(module) in names]
    try:
        with torch.no_grad():
            network(photo)
    finally:
        for handle in handles:
            handle.remove()
    return list(found.values())


def _names(network: nn.Module) -> dict[int, tuple[str, bool]]:
    """Return the name of each module, by its id, and whether it lies in the backbone."""
    names = {id(module): (name, False) for name, module in network.named_modules() if name}
    backbone = getattr(network, "backbone", None)
    inside = backbone.named_modules() if isinstance(backbone, nn.Module) else ()
    return {**names, **{id(module): (name, True) for name, module in inside if name}}


def find(known: Sequence[Spot], name: str) -> Spot:
    """Return a layer by name.

    Raises:
        UsageError: there is none, or it gives no map; the details list some that do.
    """
    for spot in known:
        if spot.name == name:
            return spot
    names = [spot.name for spot in known]
    guess = suggestion(name, names)
    outline = [spot for spot in known if spot.name.count(".") < 2] or list(known)
    raise UsageError(
        f"--layer: no layer '{name}' gives a map of the photo.",
        hint=f"{f'''Did you mean '{guess}'? ''' if guess else ''}--layers lists all {len(known)}.",
        details=[f"{spot.name}: {said(spot)}" for spot in outline[-_SHOWN:]],
    )


def said(spot: Spot) -> str:
    """Return what a layer gives, in words."""
    return f"{spot.channels} x {spot.size[0]} x {spot.size[1]}"


def last(known: Sequence[Spot], stride: int | None = None) -> Spot:
    """Return the backbone's last map, of a stride or of the next coarser one where one is asked for.

    Of transformers it is the last normalised map that others are still mixed into: what follows attention is read from
    one token alone in networks with a class token, and has no gradient at places.

    Raises:
        UsageError: the network has no map.
    """
    inside = [spot for spot in known if spot.in_backbone] or list(known)
    if not inside:
        raise UsageError("the network makes no map of the photo.", hint="Only networks with maps can be explained.")
    if inside[-1].tokens:
        return _before_attention(inside)
    if stride is not None:
        strides = sorted({spot.stride for spot in inside if spot.stride >= stride})
        wanted = strides[0] if strides else max(spot.stride for spot in inside)
        there = [spot for spot in inside if spot.stride == wanted]
        # Detectors take the end of a stage, not the first layers of the next one, which still have its size.
        outermost = min(spot.name.count(".") for spot in there)
        return [spot for spot in there if spot.name.count(".") == outermost][-1]
    return inside[-1]


def _before_attention(known: Sequence[Spot]) -> Spot:
    norms = [spot for spot in known if spot.tokens and spot.normalises]
    named = [spot for spot in norms if spot.name.endswith(("norm1", "ln_1", "layernorm_before"))]
    return (named or norms or list(known))[-1]
