"""Embeddings on disk: an append-only file of (key, row) that survives a torn end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import files

_KEY_BYTES = 32


class EmbeddingStore:
    """Rows of float32 (D,) by SHA-256 keys.

    Args:
        path: of the file; its folder is made when the first row is put.
        n_features: D.
    """

    def __init__(self, path: Path, n_features: int) -> None:
        self._path = path
        self._type = np.dtype([("key", np.uint8, (_KEY_BYTES,)), ("row", np.float32, (n_features,))])
        self._rows = self._read()

    def _read(self) -> dict[bytes, NDArray[np.float32]]:
        if not self._path.is_file():
            return {}
        content = self._path.read_bytes()
        whole = len(content) // self._type.itemsize
        if len(content) % self._type.itemsize:
            with files.disk_errors(self._path), self._path.open("r+b") as file:
                file.truncate(whole * self._type.itemsize)
        records = np.frombuffer(content, self._type, whole)
        return {record["key"].tobytes(): record["row"] for record in records}

    def get(self, key: bytes) -> NDArray[np.float32] | None:
        """Return a row, or None."""
        return self._rows.get(key)

    def put(self, keys: list[bytes], rows: NDArray[np.float32]) -> None:
        """Append rows, float32 (N, D).

        Raises:
            ResourceError: disk full or read-only.
        """
        records = np.empty(len(keys), self._type)
        records["key"] = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, _KEY_BYTES)
        records["row"] = rows
        with files.disk_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(records.tobytes())
        self._rows |= dict(zip(keys, rows, strict=True))
