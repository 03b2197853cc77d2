"""Embeddings on disk: an append-only file of (key, row) that survives a torn end."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from vision_cli.core import files
from vision_cli.core.preprocess import Preprocess

_KEY_BYTES = 32


def row_key(photo_hash: str, preprocess: Preprocess, *, flip: bool = False) -> bytes:
    """Return the key of a photo, by the hash of its bytes and the way it is looked at."""
    return hashlib.sha256(json.dumps([photo_hash, preprocess.as_json(), flip]).encode()).digest()


class EmbeddingStore:
    """Rows of float32 (D,) by SHA-256 keys; what lies on the disk is mapped, not read.

    Several processes may append to one file: each sees what was there when it opened it.

    Args:
        path: of the file; its folder is made when the first row is put.
        n_features: D.
    """

    def __init__(self, path: Path, n_features: int) -> None:
        self._path = path
        self._type = np.dtype([("key", np.uint8, (_KEY_BYTES,)), ("row", np.float32, (n_features,))])
        self._rows = self._read()

    def _read(self) -> dict[bytes, NDArray[np.float32]]:
        whole = self._path.stat().st_size // self._type.itemsize if self._path.is_file() else 0
        if not whole:
            return {}
        records = np.memmap(self._path, self._type, mode="r", shape=(whole,))
        keys = records["key"].tobytes()
        rows = np.asarray(records["row"])
        return {keys[at * _KEY_BYTES : (at + 1) * _KEY_BYTES]: row for at, row in enumerate(rows)}

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
            with FileLock(self._path.with_name(f".{self._path.name}.lock")), self._path.open("ab") as file:
                torn = file.tell() % self._type.itemsize
                if torn:  # of a process that was killed: nobody else writes under the lock
                    file.truncate(file.tell() - torn)
                file.write(records.tobytes())
        self._rows |= dict(zip(keys, rows, strict=True))
