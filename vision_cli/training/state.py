"""What a training knows at the end of an epoch, and its checkpoint on disk: tensors and plain values, no code."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vision_cli.core import files
from vision_cli.core.errors import DataError
from vision_cli.training.schedule import Plateau

LAST, PREVIOUS = "last.ckpt", "last-1.ckpt"
_FORMAT = 2
_BROKEN = (RuntimeError, ValueError, EOFError, OSError, KeyError, TypeError)
Weights = dict[str, Tensor]


@dataclass(slots=True)
class Record:
    """The course of a training.

    Attributes:
        epoch: epochs finished.
        step: optimizer steps done.
        history: one row an epoch.
        best_epoch: of the best weights, from 1; 0 before the first.
        best_value: what the best weights have of it: a loss, or a score with its sign turned.
        waited: epochs without a better one.
        best: the best weights, on the CPU.
        batch_size: photos a batch, after what running out of memory took.
        accumulate: batches a step.
        stopped: why it ended; empty while it runs.
        seconds: spent in epochs.
        last: the weights after the last epoch, on the CPU; a checkpoint holds them as its average or model.
        best_by: the column of a row that tells the best epoch: `val_loss` or `val_score`.
    """

    batch_size: int
    accumulate: int
    plateau: Plateau
    epoch: int = 0
    step: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int = 0
    best_value: float = math.inf
    waited: int = 0
    best: Weights = field(default_factory=dict)
    stopped: str = ""
    seconds: float = 0.0
    last: Weights = field(default_factory=dict)
    best_by: str = "val_loss"

    def see(self, row: dict[str, Any], weights: Weights) -> None:
        """Take an epoch's row and weights, on the CPU; without validation photos the last weights are the best."""
        self.epoch, self.last = row["epoch"], weights
        self.history.append(row)
        self.seconds += row["seconds"]
        value = row[self.best_by]
        if value is not None:
            value = value if self.best_by == "val_loss" else -value
            self.plateau.see(value)
            self.waited += 1
        if value is None or value < self.best_value:
            self.best_epoch, self.best, self.waited = self.epoch, weights, 0
            self.best_value = self.best_value if value is None else value

    def as_plain(self) -> dict[str, Any]:
        """Return plain values and tensors."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "last"}
        return {**values, "plateau": asdict(self.plateau)}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Record:
        """Read what `as_plain` wrote."""
        return cls(**{**values, "plateau": Plateau(**values["plateau"])})

    def copy(self) -> Record:
        """Return a record that goes its own way."""
        return replace(self, history=list(self.history), best=dict(self.best), plateau=replace(self.plateau))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training between two epochs.

    Attributes:
        fingerprint: of data and plan; another one is not continued.
        model: weights while learning.
        optimizer: state of the optimizer; empty before the first step.
        average: moving average of the weights, if there is one.
        average_updates: how often it was updated.
        scaler: state of mixed precision, if there is one.
        record: the course so far.
    """

    fingerprint: str
    model: Weights
    optimizer: dict[str, Any]
    average: Weights
    average_updates: int
    scaler: dict[str, Any]
    record: Record


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write `last.ckpt`; its predecessor goes only after the new file was read back.

    Raises:
        ResourceError: disk full or read-only.
        DataError: the file does not read back.
    """
    content = packed(checkpoint)
    last, previous = folder / LAST, folder / PREVIOUS
    with files.disk_errors(last):
        if last.exists():
            os.replace(last, previous)
    files.write_bytes(last, content)
    _check_written(last, content)
    with files.disk_errors(previous), suppress(FileNotFoundError):
        previous.unlink()


def _check_written(path: Path, content: bytes) -> None:
    """Compare a file with what was written; to build a checkpoint of it would take ten times as long."""
    with files.disk_errors(path):
        if path.read_bytes() != content:
            raise DataError(f"{path}: the checkpoint does not read as it was written.", hint="Check the disk.")


def packed(checkpoint: Checkpoint) -> bytes:
    """Return the content of a checkpoint's file."""
    values = {name: getattr(checkpoint, name) for name in checkpoint.__slots__}
    buffer = io.BytesIO()
    torch.save({"format": _FORMAT, **values, "record": checkpoint.record.as_plain()}, buffer)
    return buffer.getvalue()


def unpacked(content: bytes) -> Checkpoint:
    """Return what `packed` packed."""
    return _opened(io.BytesIO(content))


def load(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint that reads, or None if there is no file at all.

    Raises:
        DataError: there are files, but none reads.
    """
    present = [folder / name for name in (LAST, PREVIOUS) if (folder / name).is_file()]
    errors = []
    for path in present:
        try:
            return _read(path)
        except DataError as error:
            errors.append(error.message)
    if errors:
        raise DataError(errors[0], hint="Train anew without --resume.", details=errors[1:])
    return None


def _opened(source: Path | io.BytesIO) -> Checkpoint:
    values = torch.load(source, map_location="cpu", weights_only=True)
    if values.pop("format") != _FORMAT:
        raise ValueError("written by another version of vision")
    checkpoint = Checkpoint(**{**values, "record": Record.from_plain(values["record"])})
    checkpoint.record.last = checkpoint.average or checkpoint.model
    return checkpoint


def _read(path: Path) -> Checkpoint:
    try:
        return _opened(path)
    except _BROKEN as error:
        raise DataError(f"{path}: the checkpoint does not read: {error}.") from error
    except Exception as error:
        if type(error).__name__ != "UnpicklingError":
            raise
        raise DataError(f"{path}: the checkpoint holds more than tensors and values; refused.") from error
