"""ONNX Runtime on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core.artefact import METADATA_KEY, Card
from vision_cli.core.contracts import Batch
from vision_cli.core.errors import DataError
from vision_cli.core.quiet import kept_output
from vision_cli.runtimes import loading
from vision_cli.runtimes.protobuf import OnnxHead, read_onnx

_LOG_FATAL = 4


class OnnxRunner:
    """A loaded ONNX file; `run` may be called from several threads.

    Attributes:
        takes_one: the file was made for one photo at a time; a batch is run photo by photo.
    """

    runtime = "onnx"

    def __init__(self, path: Path, card: Card, session: Any, *, size_mb: float) -> None:
        self.path = path
        self.card = card
        self.size_mb = size_mb
        self._session = session
        self._input = session.get_inputs()[0].name
        names = [port.name for port in session.get_outputs()]
        self._outputs = [names[index] for index in loading.ordered(names)]
        self.takes_one = session.get_inputs()[0].shape[0] == 1

    def run(self, batch: Batch) -> Batch:
        """Return the first of `run_all`."""
        return self.run_all(batch)[0]

    def run_all(self, batch: Batch) -> tuple[Batch, ...]:
        """Map preprocessed float32 (N, C, H, W) to all raw outputs float32 (N, ...), in the network's order.

        Raises:
            DataError: wrong size of photo, or the model answers NaN.
        """
        if not len(batch):
            return tuple(each[:0] for each in self.run_all(loading.grey(self.card)))
        photos = loading.as_layout(batch, self.card)
        parts = [photos[index : index + 1] for index in range(len(photos))] if self.takes_one else [photos]
        try:
            rows = [self._session.run(self._outputs, {self._input: part}) for part in parts]
        except _refusals() as error:
            raise loading.refused(self.path, "ONNX Runtime", error) from error
        raw = [np.concatenate(each) for each in zip(*rows, strict=True)]
        return loading.check_raw(raw, self.card, photos=len(batch), where=str(self.path))


def open_model(path: Path, *, threads: int, card: Card | None = None) -> OnnxRunner:
    """Load an ONNX file; nothing but the file itself (and its sidecar card) is read.

    Args:
        path: the file.
        threads: that one operator may use.
        card: instead of the one in the file's metadata.

    Raises:
        DataError: empty, cut, changed, no card, data in other files, or outputs that do not fit the card.
    """
    content = loading.read_model(path)
    head = _head(path, content)
    if head.reads_other_files:
        raise DataError(
            f"{path}: keeps its weights in other files, which are not followed.",
            hint="Save it as one file: onnx.save(onnx.load(...), path, save_as_external_data=False).",
        )
    card = loading.card_of(path, content, text=head.metadata.get(METADATA_KEY), given=card)
    session = _session(path, content, threads)
    _check_ports(path, card, session)
    return loading.tried(OnnxRunner(path, card, session, size_mb=len(content) / 1e6))


def _head(path: Path, content: bytes) -> OnnxHead:
    try:
        return read_onnx(content)
    except ValueError as error:
        raise loading.damaged(path, f"not a whole ONNX file: {error}") from error


def _session(path: Path, content: bytes, threads: int) -> Any:
    with kept_output():
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _LOG_FATAL
        try:
            # From bytes: a session of a path would look for files beside it.
            return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except _refusals() as error:
            raise loading.refused(path, "ONNX Runtime", error) from error


def _refusals() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as states

    return (
        states.Fail,
        states.InvalidArgument,
        states.InvalidGraph,
        states.InvalidProtobuf,
        states.NotImplemented,
        states.RuntimeException,
        UnicodeDecodeError,  # names that are not UTF-8
    )


def _check_ports(path: Path, card: Card, session: Any) -> None:
    try:
        inputs, outputs = session.get_inputs(), session.get_outputs()
        names = [port.name for port in inputs], [port.name for port in outputs]
    except UnicodeDecodeError as error:
        raise loading.damaged(path, "its inputs and outputs have no readable names") from error
    loading.check_ports(path, card, *names)
    dtype = {"tensor(float)": "float32"}.get(inputs[0].type, inputs[0].type)
    loading.check_input(path, card, inputs[0].shape, dtype)
