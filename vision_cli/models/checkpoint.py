"""Read a weights file as data: tensors by name, and nothing of it ever runs."""

from __future__ import annotations

import pickle
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from vision_cli.core.errors import DataError

_CONTAINERS = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model_state", "model", "net")
_SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin")
_PICTURES = {b"\xff\xd8\xff": "a JPEG photo", b"\x89PNG": "a PNG picture", b"GIF8": "a GIF picture", b"RIFF": "WebP"}
# What torch's reader raises on bytes that are not what they should be, as fuzzing finds it.
_BROKEN = (
    RuntimeError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OSError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    struct.error,
)
_PICKLE = b"\x80"
_ZIP = b"PK\x03\x04"


# What zipfile raises on changed bytes: names that are no text, versions to come, counts beyond the file.
_BROKEN_ZIP = (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError, OverflowError)


def read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors, .pth or .pt file.

    Raises:
        DataError: missing, truncated, not a weights file, needs code to run, or holds NaN.
    """
    head = _head(path)
    if head.startswith(_ZIP):
        state = _find(_read_zip(path), path)
    elif head[8:9] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size:
        # Before pickles: a header's length may begin with the byte that they begin with.
        state = _read_safetensors(path)
    elif head.startswith(_PICKLE):
        state = _find(_load(path), path)
    elif head[8:9] == b"{":
        state = _read_safetensors(path)
    else:
        found = next((what for magic, what in _PICTURES.items() if head.startswith(magic)), "no weights file")
        raise DataError(f"{path}: is {found}.", hint="Give a .safetensors file, or a .pth file of tensors.")
    _check(state, path)
    return state


def _head(path: Path) -> bytes:
    if not path.is_file():
        raise DataError(
            f"{path}: {'is not a file' if path.exists() else 'does not exist'}.",
            hint="model.weights is 'imagenet', 'none', or the path of a .safetensors or .pth file.",
        )
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    if not head:
        raise DataError(f"{path}: is empty.", hint="Copy or download it again.")
    return head


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        state: dict[str, Tensor] = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError, KeyError, AttributeError) as error:
        raise DataError(
            f"{path}: truncated, or not a safetensors file: {error}.", hint="Copy or download it again."
        ) from error
    return state


def _read_zip(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist())
    except _BROKEN_ZIP as error:
        raise DataError(f"{path}: truncated: {error}.", hint="Copy or download it again.") from error
    if packed:
        raise DataError(f"{path}: a compressed archive; torch writes none.", hint="Unpack it, or save it with torch.")
    return _load(path)


def _load(path: Path) -> Any:
    try:
        # An open file, since torch would choose the reader by a path's suffix.
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol|TypedStorage is deprecated")
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower():
            raise _truncated(path, error) from error
        raise DataError(
            f"{path}: holds more than tensors, and opening it would run code.",
            hint="Save the tensors alone where you trust the file: torch.save(model.state_dict(), path).",
            details=[str(error).splitlines()[0][:300]],
        ) from error
    except _BROKEN as error:
        raise _truncated(path, error) from error


def _truncated(path: Path, error: Exception) -> DataError:
    first = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    return DataError(f"{path}: truncated, or not a torch file: {first}", hint="Copy or download it again.")


def _find(document: Any, path: Path) -> dict[str, Tensor]:
    """Return the state dict in what people wrap around it."""
    for _ in range(3):
        if not isinstance(document, Mapping):
            break
        tensors = {str(name): item for name, item in document.items() if isinstance(item, Tensor)}
        if tensors:
            return tensors
        inner = next((name for name in _CONTAINERS if isinstance(document.get(name), Mapping)), None)
        if inner is None:
            break
        document = document[inner]
    raise DataError(f"{path}: no tensors by name in it.", hint="Save them with torch.save(model.state_dict(), path).")


def _check(state: Mapping[str, Tensor], path: Path) -> None:
    odd = [
        name
        for name, tensor in state.items()
        if tensor.layout != torch.strided
        or tensor.is_quantized
        or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes()
    ]
    if odd:
        raise DataError(f"{path}: {len(odd)} tensors are sparse, quantised or repeated.", details=odd[:10])
    broken = [name for name, tensor in state.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if broken:
        raise DataError(
            f"{path}: {len(broken)} of {len(state)} tensors hold NaN or infinity.",
            hint="The training that wrote it diverged; take an earlier checkpoint.",
            details=broken[:10],
        )
