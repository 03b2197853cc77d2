"""The loss and the validation of detectors and segmenters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vision_cli.core.errors import UsageError
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.training.lesson import Judged, Lesson

_STEP_PX = 32
_ONE_VALUE = "more than 1 value per channel"  # of torch's message
_SCALES = (0.75, 1.25)


class Judge(Protocol):
    """Scores what a network says of the validation photos, in their order."""

    def see(self, raw: tuple[np.ndarray[Any, Any], ...]) -> None:
        """Take the raw outputs of the next photos."""

    def score(self) -> float:
        """Return the figure of all photos; higher is better."""


class PlaceLesson(Lesson):
    """The network's own losses; the best epoch is that of the best score.

    Args:
        judge: makes a new judge of the validation photos.
        multi_scale: train at sizes between 0.75 and 1.25 of the network's, a batch each.
    """

    best_by = "val_score"

    def __init__(self, judge: Callable[[], Judge], *, multi_scale: bool = False) -> None:
        super().__init__()
        self._judge, self.multi_scale = judge, multi_scale

    def loss(self, net: Any, inputs: Tensor, targets: PlaceTargets, rng: np.random.Generator) -> Tensor:
        """Return the sum of the network's losses.

        Raises:
            UsageError: a batch of one photo, and a network that takes statistics of what is one value there.
        """
        if self.multi_scale:
            inputs, targets = rescaled(inputs, targets, float(rng.uniform(*_SCALES)))
        try:
            return _sum(net.losses(inputs, targets))
        except ValueError as error:
            if _ONE_VALUE not in str(error):
                raise
            raise UsageError(
                "train.batch_size: this network's norms cannot learn from a batch of one photo.",
                hint="Use 2 or more; where memory does not suffice for two, a smaller model.input.size.",
            ) from error

    def watch(self) -> Watched:
        """Return a new collector."""
        return Watched(self._judge())


class Watched:
    """Adds up losses, and lets a judge see raw outputs."""

    def __init__(self, judge: Judge) -> None:
        self._judge, self._loss, self._photos = judge, 0.0, 0

    def see(self, net: Any, inputs: Tensor, targets: PlaceTargets) -> None:
        """Take a batch."""
        losses, raw = net.judged(inputs, targets)
        self._loss += float(_sum(losses)) * len(targets)
        self._photos += len(targets)
        self._judge.see(tuple(part.float().cpu().numpy() for part in raw))

    def judged(self) -> Judged:
        """Return the mean loss and the judge's score."""
        return (self._loss / self._photos, self._judge.score()) if self._photos else (None, None)


def _sum(losses: Any) -> Tensor:
    return torch.stack(list(losses.values())).sum()


def rescaled(inputs: Tensor, targets: PlaceTargets, scale: float) -> tuple[Tensor, PlaceTargets]:
    """Return a batch at about `scale` times its size, in whole steps of 32 pixels."""
    height, width = inputs.shape[-2:]
    size = [max(_STEP_PX, round(side * scale / _STEP_PX) * _STEP_PX) for side in (height, width)]
    if size == [height, width]:
        return inputs, targets
    ratio = torch.tensor([size[1] / width, size[0] / height] * 2, device=inputs.device)
    return F.interpolate(inputs, size, mode="bilinear", antialias=True), replace(
        targets,
        boxes=targets.boxes * ratio,
        masks=_nearest(targets.masks, size),
        pixels=_nearest(targets.pixels, size),
    )


def _nearest(planes: Tensor | None, size: list[int]) -> Tensor | None:
    if planes is None or not len(planes):
        return None if planes is None else planes.new_zeros((0, *size))
    return F.interpolate(planes[:, None].float(), size, mode="nearest-exact")[:, 0].to(planes.dtype)
