"""What any layer of a frozen backbone makes of photos, as one vector a photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vision_cli.core.catalogue import suggestion
from vision_cli.core.contracts import Network
from vision_cli.core.errors import UsageError

PENULTIMATE = "penultimate"
"""The embedding that the head sees."""
_SHOWN = 60


class Layer(nn.Module):
    """A backbone up to one of its layers; what is a map or a row of tokens is averaged over places.

    Calling it maps float32 (N, channels, height, width) to (N, D). It satisfies what exporters ask of a network.

    Args:
        backbone: frozen.
        name: of one of its modules, or PENULTIMATE.
    """

    def __init__(self, backbone: nn.Module, name: str) -> None:
        super().__init__()
        self.backbone = backbone
        self.layer = name

    def forward(self, batch: Tensor) -> Tensor:
        """Return the vectors float32 (N, D)."""
        if self.layer == PENULTIMATE:
            return pooled(self.backbone(batch))
        seen: list[Any] = []
        handle = self.backbone.get_submodule(self.layer).register_forward_hook(lambda *what: seen.append(what[2]))
        try:
            self.backbone(batch)
        finally:
            handle.remove()
        return pooled(seen[-1])


def pooled(output: Any) -> Tensor:
    """Return the mean over places of (N, D, H, W) or over tokens of (N, T, D); (N, D) as it is; of several the last.

    Raises:
        UsageError: it is none of them.
    """
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, list | tuple) and output:
        output = output[-1]
    if not isinstance(output, Tensor) or output.ndim not in (2, 3, 4):
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise UsageError(f"--layer: the layer gives {shape}, which is no vector, map or row of tokens a photo.")
    if output.ndim == 4:
        return output.mean(dim=(2, 3))
    return output.mean(dim=1) if output.ndim == 3 else output


def names(network: Network) -> list[str]:
    """Return the layers of a network's backbone from input to output, PENULTIMATE last.

    Raises:
        UsageError: the network is a graph without layers of its own.
    """
    module = getattr(network, "backbone", None)
    if not isinstance(module, nn.Module):
        raise UsageError("the network has no layers to look into.", hint="Take a network of another family.")
    return [*(name for name, _ in module.named_modules() if name), PENULTIMATE]


def at(network: Network, layer: str) -> Layer:
    """Return the backbone up to a layer, in evaluation mode.

    Raises:
        UsageError: it has no such layer; the details list those that it has.
    """
    known = names(network)
    if layer not in known:
        guess = suggestion(layer, known)
        blocks = _outline(known)
        raise UsageError(
            f"--layer: there is no layer '{layer}'.",
            hint=f"Did you mean '{guess}'?" if guess else f"{PENULTIMATE} is what a classifier sees.",
            details=[*blocks[:_SHOWN], *([f"and {len(blocks) - _SHOWN} more"] if len(blocks) > _SHOWN else [])],
        )
    found = Layer(network.backbone, layer).eval()
    with torch.inference_mode():
        width, height = network.preprocess.size_px
        found(torch.zeros(1, network.preprocess.channels, height, width))
    return found


def _outline(known: list[str]) -> list[str]:
    """Return layers of at most two levels, which are those that people mean, and PENULTIMATE."""
    return [name for name in known if name.count(".") < 2]
