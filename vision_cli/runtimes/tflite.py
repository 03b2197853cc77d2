"""LiteRT on the CPU, with XNNPACK."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from vision_cli.core.artefact import METADATA_KEY, Card
from vision_cli.core.contracts import Batch
from vision_cli.core.errors import DataError
from vision_cli.core.quiet import kept_output
from vision_cli.runtimes import loading
from vision_cli.runtimes.flatbuffer import read_metadata


class TfliteRunner:
    """A loaded TFLite file; calls of `run` from several threads wait for each other."""

    runtime = "tflite"

    def __init__(self, path: Path, card: Card, interpreter: Any, *, size_mb: float) -> None:
        self.path = path
        self.card = card
        self.size_mb = size_mb
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]["index"]
        self._outputs = _outputs(interpreter)
        self._lock = threading.Lock()

    def run(self, batch: Batch) -> Batch:
        """Return the first of `run_all`."""
        return self.run_all(batch)[0]

    def run_all(self, batch: Batch) -> tuple[Batch, ...]:
        """Map preprocessed float32 (N, C, H, W) to all raw outputs float32 (N, ...), in order, photo by photo.

        Resizing the input to the batch is no faster a photo, and wrong for graphs that reshape to a fixed size.

        Raises:
            DataError: wrong size of photo, or the model answers NaN.
        """
        if not len(batch):
            return tuple(each[:0] for each in self.run_all(loading.grey(self.card)))
        photos = loading.as_layout(batch, self.card)
        with self._lock:
            rows = [self._run_one(photos[index : index + 1]) for index in range(len(photos))]
        raw = [np.concatenate(each) for each in zip(*rows, strict=True)]
        return loading.check_raw(raw, self.card, photos=len(batch), where=str(self.path))

    def _run_one(self, photo: Batch) -> list[Batch]:
        self._interpreter.set_tensor(self._input, photo)
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise loading.refused(self.path, "LiteRT", error) from error
        return [np.asarray(self._interpreter.get_tensor(index)) for index in self._outputs]


def open_model(path: Path, *, threads: int, card: Card | None = None) -> TfliteRunner:
    """Load a TFLite file.

    Args:
        path: the file.
        threads: that XNNPACK may use.
        card: instead of the one in the file's metadata.

    Raises:
        DataError: empty, cut, changed, no card, or outputs that do not fit the card.
    """
    content = loading.read_model(path)
    try:
        metadata = read_metadata(content)
    except ValueError as error:
        raise loading.damaged(path, f"not a whole TFLite file: {error}") from error
    card = loading.card_of(path, content, text=metadata.get(METADATA_KEY), given=card)
    interpreter = _built(path, content, threads)
    # Before memory is allocated: a damaged shape asks for all there is.
    _check_ports(path, card, interpreter)
    _allocate(path, interpreter)
    return loading.tried(TfliteRunner(path, card, interpreter, size_mb=len(content) / 1e6))


def _built(path: Path, content: bytes, threads: int) -> Any:
    with kept_output():
        from ai_edge_litert.interpreter import Interpreter

        try:
            return Interpreter(model_content=content, num_threads=threads)
        except (ValueError, RuntimeError) as error:
            raise loading.refused(path, "LiteRT", error) from error


def _allocate(path: Path, interpreter: Any) -> None:
    with kept_output():
        try:
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise loading.refused(path, "LiteRT", error) from error


def _check_ports(path: Path, card: Card, interpreter: Any) -> None:
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    loading.check_ports(path, card, [each["name"] for each in inputs], [each["name"] for each in outputs])
    shape = [int(size) for size in inputs[0]["shape"]]
    loading.check_input(path, card, shape, np.dtype(inputs[0]["dtype"]).name)
    if shape[0] != 1:
        raise DataError(f"{path}: takes {shape[0]} photos at once; expected one.", hint="Convert it for a batch of 1.")


def _outputs(interpreter: Any) -> list[int]:
    """Return the tensors of the network's outputs in its order: by the names of the signature, if there is one."""
    details = interpreter.get_output_details()
    signatures = interpreter.get_signature_list()
    if len(details) == 1 or not signatures:
        return [int(each["index"]) for each in details]
    named = interpreter.get_signature_runner(next(iter(signatures))).get_output_details()
    names = list(named)
    return [int(named[names[index]]["index"]) for index in loading.ordered(names)]
