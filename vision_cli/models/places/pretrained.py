"""Weights of a whole detector or segmenter: published ones, or a file of the user's, matched to the classes by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from vision_cli.core.artefact import Card
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.core.weights import UNKNOWN_LICENCE
from vision_cli.models import checkpoint
from vision_cli.models.channels import adapt_weight, is_first_layer
from vision_cli.models.network import State, load_tensors
from vision_cli.models.places.class_names import matches
from vision_cli.models.places.class_rows import carry
from vision_cli.models.places.network import PlaceModule

_CARD = "artefact.json"
_WHOLE = 0.8
_COUNTER = "num_batches_tracked"
_PREFIXES = ("", "module.", "model.", "module.model.", "network.")
_RGB = 3
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Tensors of a whole network, and what they know.

    Attributes:
        state: by name.
        names: of its classes in the order of its outputs, without a background; empty when nobody says.
        licence: SPDX identifier.
        where: path or URL, for messages.
        mean: a channel, that they were trained with; empty when nobody says.
        std: likewise.
    """

    state: State
    names: Sequence[str]
    licence: str
    where: str
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


def read(path: Path) -> Pretrained:
    """Read a weights file, with the class names of the model card beside it, if there is one.

    Raises:
        DataError: the file or the card is refused.
    """
    state = checkpoint.read(path)
    beside = path.with_name(_CARD)
    if not beside.is_file():
        return Pretrained(state, (), UNKNOWN_LICENCE, str(path))
    try:
        document = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{beside}: cannot be read: {error}", hint="Copy the model's folder again.") from error
    card = Card.from_json(document, where=str(beside))
    seen = card.preprocess
    return Pretrained(state, card.classes.names, card.licence, str(path), seen.mean, seen.std)


def aligned(network: PlaceModule, found: Pretrained) -> Pretrained | None:
    """Return the tensors under the network's own names, or None when they are those of a bare backbone.

    Args:
        network: to be filled.
        found: tensors by any prefix that people put before names.
    """
    wanted = [
        name for name in network.state_dict() if not name.endswith(_COUNTER) and not name.startswith(network.own_parts)
    ]
    best: State = {}
    for strip in _PREFIXES:
        for add in dict.fromkeys(("", network.prefix)):
            renamed = {
                add + name.removeprefix(strip): tensor for name, tensor in found.state.items() if name.startswith(strip)
            }
            best = max(best, renamed, key=lambda state: sum(name in state for name in wanted))
    if sum(name in best for name in wanted) < _WHOLE * len(wanted):
        return None
    return replace(found, state=best)


def load(network: PlaceModule, found: Pretrained, classes: ClassMap, progress: Progress) -> None:
    """Load a whole network's tensors, and those of the classes that both know by name; sets `kept` and `licence`.

    Raises:
        DataError: tensors of the body are missing, or have another shape.
    """
    rows = network.class_rows
    by_name = matches(classes.names, found.names)
    indices = [by_name.get(position, -1) for position in range(len(classes))]
    want = network.state_dict()
    have = {name: _fitted(tensor, want.get(name), network.preprocess.channels) for name, tensor in found.state.items()}
    carried = carry(have, want, rows, (indices, len(found.names)))
    foreign = [
        name
        for name in carried.other
        if not any(part.owns(name) for part in rows) and not name.startswith(network.own_parts)
    ]
    if foreign:
        raise DataError(
            f"{found.where}: the weights of another network: {len(foreign)} of {len(want)} tensors are missing or have "
            "another shape.",
            hint="Set model.family and model.backbone to the network that the file was trained with.",
            details=foreign[:10],
        )
    load_tensors(network, carried.state)
    kept = any(part.owns(name) for part in rows for name in carried.taken)
    network.kept = tuple(classes.names[position] for position in sorted(by_name)) if kept else ()
    network.licence = found.licence
    progress.say(f"weights: {len(carried.taken)} tensors from {found.where}; {_kept_text(network.kept, classes)}")


def _fitted(tensor: Tensor, want: Tensor | None, channels: int) -> Tensor:
    if want is None or channels == _RGB or tensor.shape == want.shape or not is_first_layer(tensor, want, channels):
        return tensor
    return adapt_weight(tensor, channels)


def _kept_text(kept: Sequence[str], classes: ClassMap) -> str:
    if not kept:
        return "it knows none of the classes by name"
    others = len(kept) - _MOST_NAMED
    shown = ", ".join(kept[:_MOST_NAMED]) + (f" and {others} more" if others > 0 else "")
    return f"kept what it knows of {len(kept)} of {len(classes)} classes: {shown}"
