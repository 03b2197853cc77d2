"""Scores that can be explained: of a class of the whole photo, of a box, of a region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from vision_cli.models.feature_head import FeatureHead


@dataclass(frozen=True, slots=True)
class OfClass:
    """The raw output of a class, before softmax or sigmoid; of a value, the value.

    Of the family `features` it is the decision value: the raw outputs of its heads are log-probabilities, which weigh
    the other classes in. Of k-NN, which decides by votes and has no slope, it is the mean nearness of the nearest
    photos that vote for the class.

    Attributes:
        network: of a backbone and a head.
        column: of the class.
    """

    network: Any
    column: int

    def __call__(self, batch: Tensor) -> Tensor:
        """Return the scores (N,)."""
        return self._values(self.embedding(batch))

    def embedding(self, batch: Tensor) -> Tensor:
        """Return what the head sees, (N, D)."""
        found: Tensor = self.network.backbone(batch)
        return found

    def direction(self, embedding: Tensor) -> Tensor | None:
        """Return the weights (D,) by which the score is linear in one embedding (1, D); None where it is not."""
        head = self.network.head
        if isinstance(head, FeatureHead):
            rows = self._voters(head, embedding)[0] if head.link.startswith("vote") else torch.tensor([self.column])
            scaled: Tensor = head.weight[rows].mean(dim=0) / embedding.norm().clamp(min=1e-12)
            return scaled
        layers = (
            [layer for layer in head if not isinstance(layer, nn.Dropout)] if isinstance(head, nn.Sequential) else []
        )
        if len(layers) != 1 or not isinstance(layers[0], nn.Linear):
            return None
        return layers[0].weight[self.column].detach()

    def _values(self, embedding: Tensor) -> Tensor:
        head = self.network.head
        if not isinstance(head, FeatureHead):
            found: Tensor = head(embedding)[:, self.column]
            return found
        rows = linear(normalize(embedding, dim=1), head.weight, head.bias)
        if not head.link.startswith("vote"):
            return rows[:, self.column]
        return rows.gather(1, self._voters(head, embedding)).mean(dim=1)

    def _voters(self, head: FeatureHead, embedding: Tensor) -> Tensor:
        """Return the rows (N, k) of the nearest photos that vote for the class; of values, of the nearest ones."""
        with torch.no_grad():
            near = linear(normalize(embedding, dim=1), head.weight, head.bias)
            vote = torch.ones_like(near[0]) if head.link == "vote-mean" else head.votes[:, self.column]
            near = torch.where(vote > 0, near, -torch.inf)
            return torch.topk(near, max(1, min(head.neighbours, int((vote > 0).sum()))), dim=1).indices


@dataclass(frozen=True, slots=True)
class OfAnchor:
    """One value of a dense detector's first output: the class's logit of an anchor.

    Attributes:
        network: gives (N, A, values) first.
        row: of the anchor.
        column: of the class among the values.
    """

    network: Any
    row: int
    column: int

    def __call__(self, batch: Tensor) -> Tensor:
        """Return the scores (N,)."""
        found: Tensor = self.network(batch)[0][:, self.row, self.column]
        return found


@dataclass(frozen=True, slots=True)
class OfProposal:
    """The class's logit of one region that a two-stage detector looked at; the region stays where it is.

    Attributes:
        network: of `models.places.two_stage`.
        region: float32 (4,), in pixels of the input.
        column: of the class among the second stage's logits, the background included.
    """

    network: Any
    region: Tensor
    column: int

    def __call__(self, batch: Tensor) -> Tensor:
        """Return the scores (N,)."""
        heads, count = self.network.network.roi_heads, len(batch)
        sizes = [(int(batch.shape[2]), int(batch.shape[3]))] * count
        pooled = heads.box_roi_pool(self.network.features(batch), [self.region[None]] * count, sizes)
        found: Tensor = heads.box_predictor(heads.box_head(pooled))[0][:, self.column]
        return found


@dataclass(frozen=True, slots=True)
class OfRegion:
    """The mean logit of a class over a region (Vinogradova et al. 2020, Seg-Grad-CAM, arXiv 2002.11434).

    Attributes:
        network: gives logits (N, C, h, w) last.
        region: bool (h, w), at the size of the logits; some of it is true.
        column: of the class.
    """

    network: Any
    region: Tensor
    column: int

    def __call__(self, batch: Tensor) -> Tensor:
        """Return the scores (N,)."""
        logits: Tensor = self.network(batch)[-1][:, self.column]
        return (logits * self.region).sum(dim=(1, 2)) / self.region.sum()


def proposals(network: Any, photo: Tensor) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
    """Return a two-stage detector's outputs for a photo, the regions (P, 4) it looked at and their shares (P, K + 1).

    Args:
        network: of `models.places.two_stage`.
        photo: float32 (1, channels, height, width).
    """
    heads = network.network.roi_heads
    regions: list[Tensor] = []
    logits: list[Tensor] = []
    handles = [
        heads.box_roi_pool.register_forward_hook(lambda _module, inputs, _output: regions.append(inputs[1][0])),
        heads.box_predictor.register_forward_hook(lambda _module, _inputs, output: logits.append(output[0])),
    ]
    try:
        with torch.no_grad():
            outputs = network(photo)
    finally:
        for handle in handles:
            handle.remove()
    return outputs, regions[0], logits[0].softmax(dim=1)


def region_of(regions: Tensor, shares: Tensor, column: int, score: float) -> Tensor:
    """Return the region (4,) that gave a class a score: the one whose share of it is nearest."""
    return regions[int((shares[:, column] - score).abs().argmin())]
