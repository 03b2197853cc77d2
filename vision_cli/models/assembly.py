"""What every family does with a trunk: weights in, head on, or back from an artefact."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from vision_cli.core.artefact import Card
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.models import weights
from vision_cli.models.network import Classifier, LinearHead, Trunk, restore


def build(trunk: Trunk, config: ModelConfig, n_outputs: int, *, offline: bool, progress: Progress) -> Classifier:
    """Load the configured weights into a trunk and put a new head on it."""
    licence = weights.load(trunk, config.weights, offline=offline, progress=progress)
    return Classifier(trunk, LinearHead(trunk.n_features, n_outputs, config.dropout), licence=licence)


def rebuild(make: Callable[[str, InputConfig], Trunk], card: Card, state: Mapping[str, Tensor]) -> Classifier:
    """Build an artefact's network and load its tensors.

    Raises:
        DataError: the card lacks an option, or the tensors do not fit.
    """
    trunk = make(*backbone_of(card))
    try:
        head = LinearHead(trunk.n_features, int(card.model["n_outputs"]), float(card.model["dropout"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"model card: the options of '{card.family}' are not whole: {error!r}.") from error
    return restore(Classifier(trunk, head, licence=card.licence), card, state)


def backbone_of(card: Card) -> tuple[str, InputConfig]:
    """Return the name and the input of an artefact's backbone.

    Raises:
        DataError: the card names none.
    """
    name = card.model.get("backbone")
    if not isinstance(name, str):
        raise DataError(f"model card: no backbone for the family '{card.family}'.")
    preprocess = card.preprocess
    inputs = InputConfig.model_construct(
        size=preprocess.size_px, channels=preprocess.channels, resize=preprocess.resize
    )
    return name, inputs
