"""Carry what a network knows of some classes over to a network of other classes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from vision_cli.models.network import State

_COUNTER = "num_batches_tracked"


@dataclass(frozen=True, slots=True)
class ClassRows:
    """Tensors whose first axis runs over classes: anchors, then classes, then values of each.

    Attributes:
        pattern: of the tensors' names.
        background: rows of a class before the first.
        values: rows a class: 4 where each class has a box of its own.
    """

    pattern: str
    background: int = 0
    values: int = 1

    def owns(self, name: str) -> bool:
        """Return whether a tensor is one of them."""
        return re.fullmatch(self.pattern, name) is not None


@dataclass(frozen=True, slots=True)
class Carried:
    """A state dict for a network, put together from another one's.

    Attributes:
        state: every tensor that the network wants.
        taken: names of the tensors that came from the other network, in whole or for some classes.
        other: names of the tensors that have no counterpart of their shape in the other network.
    """

    state: State
    taken: tuple[str, ...]
    other: tuple[str, ...]


def carry(
    have: Mapping[str, Tensor],
    want: Mapping[str, Tensor],
    rows: Sequence[ClassRows],
    classes: tuple[Sequence[int], int],
) -> Carried:
    """Return the wanted tensors with what the other network has of them.

    Args:
        have: the other network's tensors.
        want: the tensors of the network as it is; returned where the other has nothing.
        rows: which tensors run over classes.
        classes: for each class of the network its index in the other one, or -1; and the other's number of classes.
    """
    state = dict(want)
    taken, other = [], []
    for name, tensor in want.items():
        part = next((part for part in rows if part.owns(name)), None)
        found = have.get(name)
        moved = None if found is None else (found if part is None else _moved(found, tensor, part, classes))
        if moved is not None and moved.shape == tensor.shape:
            state[name] = moved.to(tensor.dtype)
            taken.append(name)
        elif not name.endswith(_COUNTER):
            other.append(name)
    return Carried(state, tuple(taken), tuple(other))


def _moved(have: Tensor, want: Tensor, part: ClassRows, classes: tuple[Sequence[int], int]) -> Tensor | None:
    """Return the wanted rows with those of known classes replaced; None when anchors or widths differ."""
    indices, known = classes
    before, after = known + part.background, len(indices) + part.background
    if not before or have.shape[0] % (before * part.values) or have.shape[1:] != want.shape[1:]:
        return None
    source = have.reshape(-1, before, part.values, *have.shape[1:])
    target = want.clone().reshape(-1, after, part.values, *want.shape[1:])
    if source.shape[0] != target.shape[0]:
        return None
    target[:, : part.background] = source[:, : part.background]
    for position, index in enumerate(indices):
        if index >= 0:
            target[:, part.background + position] = source[:, part.background + index]
    return target.reshape(want.shape)
