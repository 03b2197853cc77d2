"""What every runtime checks before and after it runs a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from vision_cli.core import files
from vision_cli.core.artefact import Card, parse_card, raw_names
from vision_cli.core.contracts import Batch, Runner
from vision_cli.core.decoding import shapes
from vision_cli.core.errors import DataError
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.seal import opened

AnyRunner = TypeVar("AnyRunner", bound=Runner)

_MAX_MODEL_BYTES = 2**31 - 1
"""Protobuf's and flatbuffers' own limit."""
_MAX_SIDECAR_BYTES = 10_000_000
_MAX_REASON_CHARS = 300
_DAMAGED_HINT = "Copy the file again, or export the model again."


def read_model(path: Path) -> bytes:
    """Read a model file.

    Raises:
        DataError: missing, empty or too large.
    """
    content = files.read_limited(path, max_bytes=_MAX_MODEL_BYTES, what="the model")
    if not content:
        raise DataError(f"{path}: the model is empty.", hint=_DAMAGED_HINT)
    return content


def sidecar(path: Path) -> Path:
    """Return where the card of a file without metadata of ours is looked for."""
    return path.with_name(f"{path.name}.json")


def card_of(path: Path, content: bytes, *, text: bytes | None, given: Card | None) -> Card:
    """Return a file's card: the one given, else its own metadata, else the sidecar.

    Args:
        path: the model file.
        content: its bytes.
        text: the card's JSON text in the file's metadata.
        given: a card from the caller.

    Raises:
        DataError: no card, a broken one, or the file's bytes were changed.
    """
    if given is not None:
        return given
    if text is not None:
        return opened(text, content, where=str(path))
    beside = sidecar(path)
    if not beside.is_file():
        raise DataError(
            f"{path}: no labels: the file has no metadata of vision.",
            hint=f"Export it with `vision export`, or put the card of the model beside it as '{beside.name}'.",
        )
    document = files.read_limited(beside, max_bytes=_MAX_SIDECAR_BYTES, what="the model card")
    return parse_card(document, where=str(beside))


def damaged(path: Path, what: str) -> DataError:
    """Return the error for a file that cannot be read as what it seems to be."""
    return DataError(f"{path}: {what}.", hint=_DAMAGED_HINT)


def refused(path: Path, runtime: str, error: Exception) -> DataError:
    """Return the error for a file that a runtime does not take, with the first line of what it says."""
    reason = next(iter(str(error).splitlines()), type(error).__name__)[:_MAX_REASON_CHARS]
    return damaged(path, f"{runtime} refuses it: {reason}")


def n_values(card: Card) -> int:
    """Return how many values a photo the card promises, for one answer about the whole photo."""
    return 1 if card.task == "regress" else len(card.classes)


def n_arrays(card: Card) -> int:
    """Return how many raw outputs the card promises."""
    return shapes.n_outputs(card.decode, card.task) if isinstance(card.decode, PlaceDecode) else 1


def ordered(names: Sequence[str]) -> list[int]:
    """Return where in a file's outputs those of the network are, in the network's order.

    By the names that our exporters write (`artefact.raw_names`), for converters keep no order; a file of others with
    other names is taken as it is.
    """
    ours = raw_names(len(names))
    if len(names) == 1 or set(names) != set(ours):
        return list(range(len(names)))
    return [list(names).index(name) for name in ours]


def check_ports(path: Path, card: Card, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Refuse a file with several inputs, or with another number of outputs than its card promises.

    Raises:
        DataError: naming all of them.
    """
    number = n_arrays(card)
    if len(inputs) != 1 or len(outputs) != number:
        wanted = "one output" if number == 1 else f"{number} outputs"
        raise DataError(f"{path}: expected one input and {wanted}, got {', '.join((*inputs, *outputs))}.")


def input_shape(card: Card) -> tuple[int, int, int]:
    """Return the shape of one photo as the file takes it: (C, H, W), or (H, W, C) for `nhwc`."""
    width, height = card.preprocess.size_px
    channels = card.preprocess.channels
    return (height, width, channels) if card.layout == "nhwc" else (channels, height, width)


def check_input(path: Path, card: Card, shape: Sequence[Any], dtype: str) -> None:
    """Refuse a file whose input (N, ...) is not the card's.

    Raises:
        DataError: other rank, type, or a fixed size that differs.
    """
    expected = input_shape(card)
    fits = len(shape) == 4 and all(
        found == size for found, size in zip(shape[1:], expected, strict=True) if isinstance(found, int) and found > 0
    )
    if not fits or dtype != "float32":
        wanted = f"float32 [N, {', '.join(map(str, expected))}]"
        raise DataError(
            f"{path}: the file takes {dtype} {list(shape)}, but its card says {wanted}.",
            hint="The card must be the one of this file.",
        )


def as_layout(batch: Batch, card: Card) -> Batch:
    """Return a batch (N, C, H, W) in the file's order, contiguous.

    Raises:
        DataError: the photos are not of the size that the card says.
    """
    width, height = card.preprocess.size_px
    if batch.ndim != 4 or batch.shape[1:] != (card.preprocess.channels, height, width):
        raise DataError(
            f"the model takes photos ({card.preprocess.channels}, {height}, {width}), got a batch {batch.shape}.",
            hint="Preprocess the photos with the model's own card.",
        )
    ordered = batch.transpose(0, 2, 3, 1) if card.layout == "nhwc" else batch
    return np.ascontiguousarray(ordered, dtype=np.float32)


def check_raw(raw: Sequence[Any], card: Card, *, photos: int, where: str) -> tuple[Batch, ...]:
    """Return raw outputs in float32: (N, values), or for places those of the layout.

    Raises:
        DataError: other shapes than card and photos ask for, or NaN or infinite values.
    """
    arrays = tuple(np.asarray(each, dtype=np.float32) for each in raw)
    found = [each.shape for each in arrays]
    if isinstance(card.decode, PlaceDecode):
        wrong = shapes.faults(found, card, card.decode)
        wrong = wrong or ("" if all(shape[0] == photos for shape in found) else f"{found} for {photos} photos")
        promise = f"the layout '{card.decode.layout}' for {len(card.classes)} classes"
    else:
        wrong = "" if found == [(photos, n_values(card))] else f"{photos} photos gave outputs of shape {found[0]}"
        promise = f"{n_values(card)} a photo"
    if wrong:
        raise DataError(
            f"{where}: {wrong}, but the card promises {promise}.", hint="The class map is not the one of this file."
        )
    if not all(np.isfinite(each).all() for each in arrays):
        raise DataError(f"{where}: the model answers NaN or infinity.", hint="Its weights are broken: train again.")
    return arrays


def grey(card: Card) -> Batch:
    """Return one photo of zeros, float32 (1, C, H, W)."""
    width, height = card.preprocess.size_px
    return np.zeros((1, card.preprocess.channels, height, width), dtype=np.float32)


def tried(runner: AnyRunner) -> AnyRunner:
    """Run one grey photo, so that a model that cannot answer is refused when it is opened.

    Raises:
        DataError: the answer has another width, or is NaN.
    """
    runner.run_all(grey(runner.card))
    return runner
