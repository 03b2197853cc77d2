"""Protocols that rooms share without importing each other. torch's types are `Any` here: core does not know torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from vision_cli.core.artefact import Card
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.preprocess import Preprocess

Batch = np.ndarray[Any, np.dtype[np.float32]]


class Network(Protocol):
    """A torch module of two parts, as `models` builds it and `training` and `exporters` use it.

    Calling it maps float32 (N, channels, height, width) to float32 (N, outputs): `head(backbone(x))`.

    Attributes:
        backbone: module, (N, channels, height, width) to an embedding (N, n_features).
        head: module, (N, n_features) to raw outputs (N, outputs).
        stages: the backbone's modules from input to output, in groups that freeze and thaw together.
        n_features: length of the embedding.
        preprocess: what its weights were trained with, at the declared size and channels.
        licence: SPDX identifier of network and weights.
    """

    backbone: Any
    head: Any
    stages: Sequence[Sequence[Any]]
    n_features: int
    preprocess: Preprocess
    licence: str

    def __call__(self, batch: Any) -> Any:
        """Run a batch."""


class PlaceNetwork(Network, Protocol):
    """A detector or segmenter: a backbone that gives maps of features, and a head of everything else.

    Calling it maps float32 (N, channels, height, width) to a tuple of raw outputs, as `decode.layout` says.
    `n_features` is 0: it has no one embedding. What is its own, such as frozen statistics, is up to `train()`.

    Attributes:
        decode: how its raw outputs are read; the confidence is not chosen yet.
        kept: class names whose part of a pretrained head was kept.
    """

    decode: PlaceDecode
    kept: Sequence[str]

    def losses(self, batch: Any, targets: PlaceTargets) -> Mapping[str, Any]:
        """Return the parts of the loss by name, scalars to be added up, with gradients if torch records them.

        The same in training and evaluation mode; nothing of the network changes but statistics in training mode.
        """

    def judged(self, batch: Any, targets: PlaceTargets) -> tuple[Mapping[str, Any], tuple[Any, ...]]:
        """Return losses and raw outputs of the same photos."""


class Runner(Protocol):
    """A loaded model that runs batches, whatever the runtime.

    Attributes:
        runtime: `torch`, `onnx` or `tflite`.
        card: of the model.
        size_mb: of the weights' file, 1 MB = 10**6 bytes.
    """

    runtime: str
    card: Card
    size_mb: float

    def run(self, batch: Batch) -> Batch:
        """Map preprocessed float32 (N, channels, height, width) to raw outputs float32 (N, outputs)."""

    def run_all(self, batch: Batch) -> tuple[Batch, ...]:
        """Map preprocessed photos to all raw outputs; `run` returns the first."""
