"""Maps of features of any timm network, at the strides that a detector or segmenter asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from vision_cli.core.config import InputConfig
from vision_cli.core.errors import UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.models import timm
from vision_cli.models.network import Trunk


@dataclass(frozen=True, slots=True)
class _Tap:
    """Where the map of one stride comes from: an intermediate of the network, made smaller or larger."""

    index: int
    channels: int
    shrink: int
    grow: int


class Maps(nn.Module):
    """A timm network that gives maps of features instead of an embedding.

    Attributes:
        trunk: the timm module, without what lies behind its last map.
        strides: of the maps, in pixels of the input.
        channels: of the maps.
        stages: see `contracts.Network`.
    """

    def __init__(self, trunk: Trunk, strides: Sequence[int], *, deepest: bool = False) -> None:
        """Cut a trunk down to what the maps need.

        Args:
            trunk: changed.
            strides: of the maps, growing.
            deepest: the last map comes from the end of the network, enlarged if it must be.

        Raises:
            UsageError: the network gives no maps, or none from which these strides could be made.
        """
        super().__init__()
        shapes = _shapes(trunk)
        taps = [_tap(trunk.name, shapes, stride) for stride in strides]
        if deepest:
            taps[-1] = _last(shapes, strides[-1])
        wanted = sorted({tap.index for tap in taps})
        kept = trunk.module.prune_intermediate_layers(wanted, prune_norm=False, prune_head=True)  # type: ignore[operator]
        by_index = dict(zip(wanted, kept, strict=True))
        self.trunk = trunk.module
        self.strides = tuple(strides)
        self.channels = tuple(tap.channels for tap in taps)
        self._taps = tuple(replace(tap, index=wanted.index(tap.index)) for tap in taps)
        self._indices = [by_index[index] for index in wanted]
        self.stages = timm.stages_of(trunk.module)

    def forward(self, batch: Tensor) -> list[Tensor]:
        """Map float32 (N, channels, height, width) to one (N, C, height / stride, width / stride) a stride."""
        found = self.trunk.forward_intermediates(batch, indices=self._indices, intermediates_only=True)  # type: ignore[operator]
        return [_resized(found[tap.index], tap) for tap in self._taps]


def sized(inputs: InputConfig, size_px: tuple[int, int]) -> InputConfig:
    """Return the input section with the family's size where none is declared."""
    return inputs.model_copy(update={"size": inputs.size or size_px})


def check_grids(maps: Sequence[Tensor], strides: Sequence[int], preprocess: Preprocess) -> None:
    """Refuse an input size at which a map has another grid than decoding takes for granted.

    Raises:
        UsageError: a map has not ceil(size / stride) cells.
    """
    width, height = preprocess.size_px
    for found, stride in zip(maps, strides, strict=True):
        if tuple(found.shape[-2:]) != (-(-height // stride), -(-width // stride)):
            multiple = max(strides)
            other = (_round(width, multiple), _round(height, multiple))
            raise UsageError(
                f"model.input.size: {width} x {height} pixels do not fit this network's maps of stride {stride}.",
                hint="Leave it out: the network was made for one size."
                if other == (width, height)
                else f"Take multiples of {multiple}, such as {other[0]} x {other[1]}.",
            )


def _round(size: int, multiple: int) -> int:
    return max(1, round(size / multiple)) * multiple


def _shapes(trunk: Trunk) -> list[tuple[int, int]]:
    """Return stride and channels of every intermediate map."""
    forward = getattr(trunk.module, "forward_intermediates", None)
    width, height = trunk.preprocess.size_px
    if forward is None:
        raise _no_maps(trunk.name, "gives no maps of features")
    trunk.module.eval()
    with torch.no_grad():
        maps = forward(torch.zeros(1, trunk.preprocess.channels, height, width), intermediates_only=True)
    return [(round(width / found.shape[-1]), int(found.shape[1])) for found in maps]


def _tap(name: str, shapes: Sequence[tuple[int, int]], stride: int) -> _Tap:
    """Return the last map of a stride, else the nearest one with the factor to resize it by."""
    last = {found: (index, channels) for index, (found, channels) in enumerate(shapes)}
    if stride in last:
        return _Tap(*last[stride], shrink=1, grow=1)
    finer = [found for found in last if found < stride and stride % found == 0]
    coarser = [found for found in last if found > stride and found % stride == 0]
    if coarser and (not finer or min(coarser) // stride <= stride // max(finer)):
        nearest = min(coarser)
        return _Tap(*last[nearest], shrink=1, grow=nearest // stride)
    if finer:
        nearest = max(finer)
        return _Tap(*last[nearest], shrink=stride // nearest, grow=1)
    raise _no_maps(name, f"gives maps of strides {sorted(last)}, none of which fits {stride}")


def _last(shapes: Sequence[tuple[int, int]], stride: int) -> _Tap:
    found, channels = shapes[-1]
    return _Tap(len(shapes) - 1, channels, shrink=max(1, stride // found), grow=max(1, found // stride))


def _resized(found: Tensor, tap: _Tap) -> Tensor:
    if tap.shrink > 1:
        return functional.max_pool2d(found, tap.shrink, ceil_mode=True)
    if tap.grow > 1:
        return functional.interpolate(found, scale_factor=float(tap.grow), mode="nearest")
    return found


def _no_maps(name: str, why: str) -> UsageError:
    return UsageError(
        f"model.backbone: '{name}' {why}.", hint="Take another backbone, such as tf_efficientnet_lite0 or resnet50."
    )
