"""The head of the family `features`: a fitted shallow classifier as plain tensors.

The embedding is scaled to length 1. Centring, selecting, PCA and a linear classifier are affine maps, so that together
they are one. The squared distance to a stored embedding is affine in the photo's embedding too, up to a term that all
share. Hence every head is one linear map and a link: the same file serves in torch, ONNX and TFLite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear, log_softmax, logsigmoid, normalize

from vision_cli.core.errors import DataError

Link = Literal["none", "softmax", "one-vs-rest", "vote-share", "vote-odds", "vote-mean"]
_VOTES = ("vote-share", "vote-odds", "vote-mean")


class FeatureHead(nn.Module):
    """Maps an embedding (N, n_features) to raw outputs (N, n_outputs).

    Args:
        weight: float32 (rows, n_features).
        bias: float32 (rows,).
        votes: float32 (rows, n_outputs), what each stored photo votes for; only for the links of k-NN.
        link: what happens to the rows: `none`; `softmax` and `one-vs-rest` give log-probabilities; `vote-share` gives
            the log of the neighbours' share a class, `vote-odds` the log-odds a label, `vote-mean` their mean value.
        neighbours: k of k-NN.
    """

    weight: Tensor
    bias: Tensor
    votes: Tensor
    attribute_weight: np.ndarray[Any, np.dtype[np.float64]] | None = None
    """What attributes of photos add to the raw outputs, (n_outputs, K): kept in the model card, not in the graph."""

    def __init__(
        self, weight: Tensor, bias: Tensor, *, link: Link, votes: Tensor | None = None, neighbours: int = 0
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        if votes is not None:
            self.register_buffer("votes", votes)
        self.link = link
        self.neighbours = neighbours
        self.n_outputs = int(weight.shape[0] if votes is None else votes.shape[1])

    @property
    def options(self) -> dict[str, Any]:
        """What `rebuild_head` needs beside the tensors."""
        return {"link": self.link, "neighbours": self.neighbours}

    def forward(self, embedding: Tensor) -> Tensor:
        """Map float32 (N, n_features) to raw outputs (N, n_outputs)."""
        rows = linear(normalize(embedding, dim=1), self.weight, self.bias)
        match self.link:
            case "softmax":
                return log_softmax(rows, dim=1)
            case "one-vs-rest":
                return log_softmax(logsigmoid(rows), dim=1)
            case "none":
                return rows
            case _:
                return self._vote(rows)

    def _vote(self, nearness: Tensor) -> Tensor:
        nearest = torch.topk(nearness, self.neighbours, dim=1).indices
        votes = self.votes[nearest].sum(dim=1)
        match self.link:
            case "vote-share":
                # One vote shared by all classes (Perks 1947) keeps the logarithm finite.
                return torch.log((votes + 1 / self.n_outputs) / (self.neighbours + 1))
            case "vote-odds":
                # Half a vote for yes and for no (Jeffreys).
                return torch.log((votes + 0.5) / (self.neighbours - votes + 0.5))
            case _:
                return votes / self.neighbours


def rebuild_head(options: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> FeatureHead:
    """Return an empty head for the tensors of an artefact.

    Args:
        options: as `FeatureHead.options` gave them.
        shapes: of `weight`, `bias` and, for k-NN, `votes`.

    Raises:
        DataError: the options or shapes are not those of a head.
    """
    try:
        link, neighbours = options["link"], int(options["neighbours"])
        rows, n_features = shapes["weight"]
        votes = torch.zeros(shapes["votes"]) if link in _VOTES else None
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"model card: the head's options are not whole: {error!r}.") from error
    if link not in get_args(Link) or (votes is not None and not 1 <= neighbours <= rows):
        raise DataError(f"model card: unknown head {link!r} with {neighbours} neighbours of {rows} photos.")
    return FeatureHead(torch.zeros(rows, n_features), torch.zeros(rows), link=link, votes=votes, neighbours=neighbours)
