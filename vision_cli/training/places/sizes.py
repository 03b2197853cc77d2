"""Whether a network learns at other sizes than its own, asked before any photo is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from vision_cli.core.contracts import PlaceNetwork
from vision_cli.core.errors import UsageError
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.training.places import lesson
from vision_cli.training.places.scenes import MASKED, PIXELWISE

_TRIED = 41
_REFUSED = (RuntimeError, ValueError, IndexError, AssertionError)


def check_multi_scale(network: PlaceNetwork, task: str, backbone: str) -> None:
    """Refuse `multi_scale` for a network that one of its sizes does not fit: each is tried with one grey photo.

    Raises:
        UsageError: with the first size that does not fit.
    """
    module: Any = network
    training = module.training
    width, height = network.preprocess.size_px
    photo = torch.zeros(1, network.preprocess.channels, height, width)
    # Statistics stay as they are, and what is drawn by chance is drawn again.
    with torch.no_grad(), torch.random.fork_rng():
        module.eval()
        for inputs, targets in _sizes(photo, _one_object(task, width, height)):
            try:
                module.losses(inputs, targets)
            except _REFUSED as error:
                size = f"{inputs.shape[3]} x {inputs.shape[2]}"
                raise UsageError(
                    f"train.multi_scale: '{backbone}' does not learn at {size} px, only at {width} x {height}.",
                    hint="Leave train.multi_scale out, or choose another model.backbone or model.family.",
                ) from error
    module.train(training)


def _sizes(photo: torch.Tensor, targets: PlaceTargets) -> list[tuple[torch.Tensor, PlaceTargets]]:
    found = {}
    for scale in np.linspace(*lesson._SCALES, _TRIED).tolist():
        inputs, moved = lesson.rescaled(photo, targets, scale)
        found[tuple(inputs.shape)] = (inputs, moved)
    return list(found.values())


def _one_object(task: str, width: int, height: int) -> PlaceTargets:
    box = torch.tensor([[width * 0.25, height * 0.25, width * 0.75, height * 0.75]])
    plane = torch.zeros(1, height, width)
    plane[:, height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = 1
    none = torch.zeros(1, dtype=torch.int64)
    return PlaceTargets(
        1,
        none,
        box,
        none,
        torch.zeros(1, dtype=torch.bool),
        plane.to(torch.uint8) if task in MASKED else None,
        torch.zeros(1, height, width, dtype=torch.int64) if task in PIXELWISE else None,
    )
