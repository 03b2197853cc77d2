"""A network that finds things, as `contracts.PlaceNetwork` describes it, and how it comes back from an artefact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from torch import Tensor, nn

from vision_cli.core.artefact import Card
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.place_targets import PlaceTargets
from vision_cli.core.preprocess import Preprocess
from vision_cli.models.network import load_artefact
from vision_cli.models.places.class_rows import ClassRows


class PlaceModule(nn.Module):
    """A backbone that gives maps, and a head that makes raw outputs of them; satisfies `contracts.PlaceNetwork`.

    Attributes:
        options: what `Card.model` must hold for `rebuild`.
        class_rows: its tensors that run over classes.
        prefix: of its tensors' names, before those of the library that it wraps.
        own_parts: beginnings of the names of tensors that published files lack, as the library has no such part.
    """

    class_rows: tuple[ClassRows, ...] = ()
    prefix = ""
    own_parts: tuple[str, ...] = ()

    backbone: nn.Module
    head: nn.Module
    stages: Sequence[Sequence[nn.Module]]
    n_features = 0
    preprocess: Preprocess
    licence: str
    decode: PlaceDecode
    kept: Sequence[str]
    options: dict[str, Any]

    def __init__(self, *, preprocess: Preprocess, licence: str, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.preprocess = preprocess
        self.licence = licence
        self.options = dict(options)
        self.kept = ()

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Map float32 (N, channels, height, width) to raw outputs, as `decode.layout` says."""
        raise NotImplementedError

    def losses(self, batch: Tensor, targets: PlaceTargets) -> dict[str, Tensor]:
        """Return the parts of the loss by name; see `contracts.PlaceNetwork.losses`."""
        raise NotImplementedError

    def judged(self, batch: Tensor, targets: PlaceTargets) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
        """Return losses and raw outputs of validation photos; a network that can compute both at once does."""
        return self.losses(batch, targets), self(batch)


Place = TypeVar("Place", bound=PlaceModule)


def restore(network: Place, card: Card, state: Mapping[str, Tensor]) -> Place:
    """Return the network of an artefact, with its tensors.

    Raises:
        DataError: see `load_artefact`.
    """
    load_artefact(network, card, state)
    network.preprocess, network.licence, network.decode = card.preprocess, card.licence, card.place_decode
    return network.eval()
