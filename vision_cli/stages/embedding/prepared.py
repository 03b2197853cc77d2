"""A layer as ONNX and TFLite files in the user's cache, with what was measured of them on this machine.

`backbones/<key>/` holds `facts.json`, the files that answer as torch does, and `speed.json`. The key is of everything
that decides the vectors; the speeds are of one machine and its versions, and are measured anew on another.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import DataError, ResourceError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.weights import cache_folder

FACTS, SPEED = "facts.json", "speed.json"
FORMATS = ("onnx", "tflite")
_RUNTIMES = ("onnxruntime", "ai-edge-litert", "torch")
_MAX_BYTES = 1_000_000
_KEY_CHARS = 32
_MODEL_NAME = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A layer that runs without torch.

    Attributes:
        folder: of its files.
        preprocess: of a photo before it.
        n_features: length of its vectors.
        licence: SPDX identifier of network and weights.
        differences: of each file's vectors from torch's, in units of their root mean square; see `exporting`. None
            where torch was not asked on this machine.
        refused: why a format has no file, by its name.
        ms: a photo took, by runtime, on this machine with one thread; empty where that was not measured.
    """

    folder: Path
    preprocess: Preprocess
    n_features: int
    licence: str
    differences: Mapping[str, float | None] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def fastest(self) -> str:
        """Return the runtime of the lowest time, `torch` where nothing was measured."""
        return min(self.ms, key=lambda name: self.ms[name], default="torch")

    @property
    def is_whole(self) -> bool:
        """Return whether every format was tried."""
        return {*self.differences, *self.refused} >= set(FORMATS)

    def file(self, runtime: str) -> Path:
        """Return the file of a runtime, whether it is there or not."""
        return self.folder / f"layer.{runtime}"


def folder_of(key: str) -> Path:
    """Return where the files of a layer lie, whether they are there or not."""
    return cache_folder().parent / "backbones" / key[:_KEY_CHARS]


def find(key: str) -> Prepared | None:
    """Return a layer that was prepared before, its speeds only if they are of this machine; None without one."""
    folder = folder_of(key)
    facts, speed = _document(folder / FACTS), _document(folder / SPEED)
    try:
        found = Prepared(
            folder,
            Preprocess.from_json(facts["preprocess"]),
            int(facts["n_features"]),
            str(facts["licence"]),
            {str(name): None if gap is None else float(gap) for name, gap in facts["differences"].items()},
            {str(name): str(reason) for name, reason in facts["refused"].items()},
            _times(speed),
        )
    except (KeyError, TypeError, ValueError, AttributeError, DataError):
        return None
    return found if all(found.file(name).is_file() for name in found.differences) else None


def write_facts(folder: Path, made: Prepared) -> None:
    """Write down what a layer is."""
    document = {
        "preprocess": made.preprocess.as_json(),
        "n_features": made.n_features,
        "licence": made.licence,
        "differences": made.differences,
        "refused": made.refused,
    }
    files.write_json(folder / FACTS, document)


def write_speed(folder: Path, ms: Mapping[str, float]) -> None:
    """Write down how fast a layer is on this machine, where the disk allows it."""
    try:
        files.write_json(folder / SPEED, {"machine": machine(), "ms": ms})
    except ResourceError:
        return


def machine() -> dict[str, Any]:
    """Return what the speeds depend on: processor, cores, versions of the runtimes."""
    versions = {}
    for name in _RUNTIMES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "none"
    return {"processor": _processor(), "cores": os.cpu_count() or 1, **versions}


def _processor() -> str:
    try:
        found = _MODEL_NAME.search(Path("/proc/cpuinfo").read_text(errors="replace"))
    except OSError:
        found = None
    return found.group(1).strip() if found else f"{platform.machine()} {platform.processor()}".strip()


def _times(speed: Mapping[str, Any]) -> dict[str, float]:
    if speed.get("machine") != machine():
        return {}
    return {str(name): float(value) for name, value in speed["ms"].items() if name in (*FORMATS, "torch")}


def _document(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(files.read_limited(path, max_bytes=_MAX_BYTES, what="the record of a layer"))
    except (DataError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
