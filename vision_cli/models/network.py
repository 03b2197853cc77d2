"""A backbone without classifier (`Trunk`) and the network that puts a head on it (`Classifier`)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from vision_cli.core.artefact import Card
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.weights import Source

State = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Trunk:
    """A network without its classifier, with random weights.

    Attributes:
        name: as the user types it.
        module: float32 (N, channels, height, width) to an embedding (N, n_features).
        stages: see `contracts.Network`.
        n_features: length of the embedding.
        preprocess: what the ImageNet weights were trained with, at the declared size and channels.
        licence: SPDX identifier of the code.
        classifier: names of the modules that were taken off; their tensors in a file are dropped.
        source: where ImageNet weights come from; None when there are none.
        convert: the library's own conversion of older or foreign tensor names and positions.
    """

    name: str
    module: nn.Module
    stages: Sequence[Sequence[nn.Module]]
    n_features: int
    preprocess: Preprocess
    licence: str
    classifier: tuple[str, ...] = ()
    source: Source | None = None
    convert: Callable[[State], State] | None = None


class LinearHead(nn.Sequential):
    """Dropout, then one linear layer that starts near zero: the first outputs say nothing with confidence."""

    def __init__(self, n_features: int, n_outputs: int, dropout: float) -> None:
        linear = nn.Linear(n_features, n_outputs)
        nn.init.trunc_normal_(linear.weight, std=0.01)
        nn.init.zeros_(linear.bias)
        super().__init__(nn.Dropout(dropout), linear)
        self.n_outputs = n_outputs


class GroupedHead(nn.Sequential):
    """A published network's own classifier, some of whose classes may be answered under one name.

    Args:
        weight: float32 (classes, n_features).
        bias: float32 (classes,).
        groups: classes that share a name; their output is the log of their summed exponentials, whose softmax is the
            sum of their probabilities; empty for the classes themselves.
    """

    def __init__(self, weight: Tensor, bias: Tensor, groups: Sequence[Sequence[int]] = ()) -> None:
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.load_state_dict({"weight": weight, "bias": bias})
        super().__init__(linear, *([_Grouped(groups)] if groups else []))
        self.n_outputs = len(groups) or len(weight)


class _Grouped(nn.Module):
    """Logits (N, classes) to those of groups (N, groups)."""

    def __init__(self, groups: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.groups = [list(group) for group in groups]

    def forward(self, logits: Tensor) -> Tensor:
        return torch.stack([torch.logsumexp(logits[:, group], dim=1) for group in self.groups], dim=1)


class Classifier(nn.Module):
    """A backbone and a head; satisfies `contracts.Network`."""

    backbone: nn.Module
    head: nn.Module

    def __init__(self, trunk: Trunk, head: nn.Module, *, licence: str) -> None:
        super().__init__()
        self.backbone = trunk.module
        self.head = head
        self.stages = [list(stage) for stage in trunk.stages]
        self.n_features = trunk.n_features
        self.preprocess = trunk.preprocess
        self.licence = licence

    def forward(self, batch: Tensor) -> Tensor:
        """Map float32 (N, channels, height, width) to raw outputs (N, outputs)."""
        outputs: Tensor = self.head(self.backbone(batch))
        return outputs


def load_tensors(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load tensors by name, all of them and no others, as of the module's own version.

    Raises:
        RuntimeError: torch's, a line a difference.
    """
    # Some modules (MNASNet) refuse a state dict that does not say its version, which safetensors cannot.
    tensors: Any = OrderedDict(state)
    own: Any = module.state_dict()
    tensors._metadata = own._metadata
    module.load_state_dict(tensors, strict=True)


def embedding_length(module: nn.Module, preprocess: Preprocess, *, name: str) -> int:
    """Return the length of a backbone's embedding, by one forward pass of one black photo.

    Raises:
        UsageError: the network does not take that size, or has no (N, D) embedding.
    """
    width, height = preprocess.size_px
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            embedding = module(torch.zeros(1, preprocess.channels, height, width))
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        raise UsageError(
            f"model.input.size: '{name}' does not take {width} x {height} pixels: {str(error).splitlines()[0]}",
            hint="Leave model.input.size away to use the network's own size, or take another backbone.",
        ) from error
    finally:
        module.train(was_training)
    if not isinstance(embedding, Tensor) or embedding.ndim != 2:
        raise UsageError(f"model.backbone: '{name}' gives no embedding (N, D).", hint="Take another backbone.")
    return int(embedding.shape[1])


def load_artefact(network: nn.Module, card: Card, state: Mapping[str, Tensor]) -> None:
    """Load an artefact's tensors, all of them and no others.

    Raises:
        DataError: a name or a shape differs.
    """
    try:
        load_tensors(network, state)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:]]
        raise DataError(
            f"the weights do not fit the model card ('{card.family}', '{card.model.get('backbone')}').",
            hint="The folder was mixed from two models, or was written with another version of the network's library.",
            details=[line[:300] for line in lines],
        ) from error


def restore(network: Classifier, card: Card, state: Mapping[str, Tensor]) -> Classifier:
    """Return the network of an artefact, with its tensors.

    Raises:
        DataError: see `load_artefact`.
    """
    load_artefact(network, card, state)
    network.preprocess, network.licence = card.preprocess, card.licence
    return network.eval()


def without_dropout(network: object) -> None:
    """Let a network drop nothing out while it learns. What is no module of torch (an own recipe) stays as it is."""
    for module in network.modules() if isinstance(network, nn.Module) else ():
        if isinstance(module, _DropoutNd):
            module.p = 0.0
