"""Lightning's banners, tips and advice, silenced in one place while a training runs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("pytorch_lightning", "lightning_fabric", "lightning", "lightning.pytorch", "lightning.fabric")

# Each is a choice made here on purpose, or advice that the user of a command line cannot follow.
_MESSAGES = (
    r"The '(train|val)_dataloader' does not have many workers",
    r"The number of training batches \(\d+\) is smaller than the logging interval",
    r"You defined a `validation_step` but have no `val_dataloader`",
    r"GPU available but not used",
    r"Found \d+ module\(s\) in eval mode at the start of training",
    r"Experiment logs directory .* exists and is not empty",
    r"Starting from v1\.9\.0, `tensorboardX` has been removed",
    r"Trying to infer the `batch_size` from an ambiguous collection",
    r".*use of fork\(\) may lead to deadlocks in the child",
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
    r".*does not have a deterministic implementation",
)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Lightning, and put everything back."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for message in _MESSAGES:
            warnings.filterwarnings("ignore", message=message)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
