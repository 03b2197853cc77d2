"""A trained YOLO as a graph of plain operations: runs and exports here, without Ultralytics' code in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from vision_cli.core.errors import UsageError
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.models.places.network import PlaceModule
from vision_cli.models.ultralytics import process
from vision_cli.models.ultralytics.recipe import Recipe


class GraphNetwork(PlaceModule):
    """A network that has learned; satisfies `contracts.PlaceNetwork` but for learning on.

    Attributes:
        tensors: what it was made of, by Ultralytics' own names; an artefact keeps these.
    """

    def __init__(self, recipe: Recipe, tensors: Mapping[str, Tensor]) -> None:
        super().__init__(preprocess=recipe.preprocess, licence=recipe.licence, options=recipe.options)
        self.decode = recipe.decode
        self.kept = recipe.kept
        self.stages = ()
        self.tensors = dict(tensors)
        self.backbone = _graph(recipe, self.tensors)
        self.head = nn.Identity()

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, 3, height, width) to raw outputs, as `decode.layout` says."""
        return tuple(self.backbone(batch))

    def train(self, mode: bool = True) -> GraphNetwork:
        """Stay as it is: the graph was drawn in evaluation mode."""
        self.training = False
        return self

    def losses(self, batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Refuse: it learns by a recipe of its own.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"'{self.options['backbone']}' learns by Ultralytics' own recipe, not by this loop.")


def _graph(recipe: Recipe, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Let the child draw the graph. Only files that our own child has just written are opened so."""
    with tempfile.TemporaryDirectory(prefix="vision-yolo-") as folder:
        weights, target = Path(folder) / "weights.safetensors", Path(folder) / "graph.pt2"
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, weights)
        request = {**recipe.request, "work": "graph", "weights": str(weights), "target": str(target)}
        process.run(request, lambda _: None, family=recipe.family)
        module: Any = torch.export.load(target).module()
    return module  # type: ignore[no-any-return]  # torch.fx is not typed here
