"""What every exporter needs: a network fit for tracing, silence, and one line when a library refuses."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from vision_cli.core.artefact import Card, raw_names
from vision_cli.core.catalogue import suggestion
from vision_cli.core.contracts import Network
from vision_cli.core.decoding import shapes
from vision_cli.core.errors import DataError, UsageError, VisionError
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.core.quiet import kept_output

PRECISIONS = ("float32", "float16")
MAX_FLOAT16 = 65504.0
_MAX_REASON_CHARS = 300
_KEPT_LINES = 20


def check_precision(precision: str) -> None:
    """Refuse an unknown precision.

    Raises:
        UsageError: naming the known ones.
    """
    if precision not in PRECISIONS:
        guess = suggestion(precision, PRECISIONS)
        raise UsageError(
            f"unknown precision '{precision}'.",
            hint=f"Did you mean '{guess}'?" if guess else f"Known: {', '.join(PRECISIONS)}.",
        )


def traceable(network: Network) -> Any:
    """Return a copy of the network on the CPU, in float32 and evaluation mode; the caller's stays as it is."""
    module: Any = copy.deepcopy(network)
    return module.to(device="cpu", dtype=torch.float32, memory_format=torch.contiguous_format).eval()


def sample(card: Card, *, batch: int) -> torch.Tensor:
    """Return zeros float32 (batch, channels, height, width) of the network's input size."""
    width, height = card.preprocess.size_px
    return torch.zeros(batch, card.preprocess.channels, height, width)


def output_names(card: Card) -> tuple[str, ...]:
    """Return the names of a file's outputs, in the network's order."""
    return raw_names(shapes.n_outputs(card.decode, card.task) if isinstance(card.decode, PlaceDecode) else 1)


def network_name(card: Card) -> str:
    """Return what a message calls the network."""
    return str(card.model.get("backbone") or card.family)


@contextmanager
def converting(card: Card, format_name: str) -> Iterator[None]:
    """Silence the libraries; turn whatever they raise into one line.

    Raises:
        DataError: naming network, format and the library's reason; what it printed is in the details.
    """
    with kept_output() as text:
        try:
            yield
        except (VisionError, MemoryError):
            raise
        except Exception as error:  # converters raise anything, down to bare Exception
            raise DataError(
                f"{network_name(card)} cannot be converted to {format_name}: {reason(error)}",
                hint="Choose another backbone, or another format.",
                details=text().strip().splitlines()[-_KEPT_LINES:],
            ) from error


def reason(error: BaseException) -> str:
    """Return the first line of the innermost cause."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else "no reason given"
    return f"{type(error).__name__}: {text[:_MAX_REASON_CHARS]}"


def labels_text(card: Card) -> str:
    """Return the class names, one a line; a line break inside a name becomes a space."""
    return "\n".join(" ".join(name.splitlines()) for name in card.classes.names)


def plain_metadata(card: Card) -> Mapping[str, str]:
    """Return what readers that do not know our card can use."""
    return {"labels": labels_text(card), "class_map": card.classes.digest}
