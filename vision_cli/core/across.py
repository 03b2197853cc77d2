"""What the mean of a loss divides by, where several processes share a batch.

Their gradients are averaged. With n processes, the mean of sum / (total / n) is the sum of all over the total of all,
whatever share of the objects each of them saw; the mean of their own means would not be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Sharing(Protocol):
    """Processes that share a batch.

    Attributes:
        size: how many.
    """

    size: int

    def total(self, values: Any) -> Any:
        """Return the sum of a tensor over all processes; all of them call it, with tensors of one shape."""

    def summed(self, values: Any) -> Any:
        """Return the same with a gradient."""


_sharing: ContextVar[Sharing | None] = ContextVar("sharing", default=None)


@contextmanager
def processes(sharing: Sharing) -> Iterator[None]:
    """Let losses that are computed within divide by what all processes have together; one process changes nothing."""
    token = _sharing.set(sharing if sharing.size > 1 else None)
    try:
        yield
    finally:
        _sharing.reset(token)


def divisor(total: Any, *, at_least: float = 0.0) -> Any:
    """Return what the sum of this process's errors is divided by.

    Args:
        total: tensor of one number, without a gradient: objects, pixels or weights of this process.
        at_least: bound of the total of all processes.
    """
    sharing = _sharing.get()
    if sharing is None:
        return total.clamp(min=at_least)
    return sharing.total(total).clamp(min=at_least) / sharing.size


def summed(values: Any) -> Any:
    """Return the sum of a tensor over all processes, with a gradient, for a loss that is no mean of errors."""
    sharing = _sharing.get()
    return values if sharing is None else sharing.summed(values)


def weighed(mean: Any, count: Any) -> Any:
    """Return the mean loss over so many photos of this process, weighed by its share of the batch.

    Args:
        mean: tensor of one number.
        count: tensor of one number: photos, or the sum of their weights.
    """
    return mean if _sharing.get() is None else mean * (count / divisor(count))
