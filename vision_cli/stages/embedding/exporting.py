"""Bring a layer to this machine's runtimes, once: export, compare with torch, measure, remember."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from filelock import FileLock

from vision_cli import exporters, runtimes
from vision_cli.core import files
from vision_cli.core.artefact import METADATA_KEY, Card, Decode
from vision_cli.core.contracts import Batch
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, MissingPartError, VisionError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.core.seal import sealed
from vision_cli.models import wheels
from vision_cli.models.lite0 import graph as lite0
from vision_cli.models.lite0 import weights as lite0_weights
from vision_cli.stages.embedding import prepared
from vision_cli.stages.embedding.prepared import Prepared
from vision_cli.stages.embedding.sources import Source

TOLERANCE = 1e-3
"""How far any value of an exported layer may lie from torch's, in units of the root mean square of torch's vectors."""
_PHOTOS = 4
_ROUNDS = 6
_SEED = 20_260


PENULTIMATE = "penultimate"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a card needs to know of a layer."""

    preprocess: Preprocess
    n_features: int
    licence: str


class Runs(Protocol):
    """What gives vectors of preprocessed photos."""

    def run(self, batch: Batch) -> Batch:
        """Map float32 (N, C, H, W) to float32 (N, D)."""


def at_once(source: Source, layer: str, key: str, progress: Progress) -> Prepared | None:
    """Return a layer as ONNX that is written without torch, in a fraction of a second; None for all but the default.

    The other runtimes are tried, and compared with torch, when there are photos enough for it to pay.

    Raises:
        ResourceError: the cache cannot be written.
    """
    tensors = _lite0(source, layer)
    if tensors is None:
        return None
    folder = prepared.folder_of(key)
    facts = _Facts(lite0.PREPROCESS, lite0.N_FEATURES, wheels.LICENCE)
    found = Prepared(folder, facts.preprocess, facts.n_features, facts.licence, {"onnx": None})
    with files.disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock")), files.new_folder(folder) as staging:
            _write_lite0(tensors, _card(facts, source.name, layer), staging / found.file("onnx").name)
            prepared.write_facts(staging, found)
    return measured(found, None, progress)


def _lite0(source: Source, layer: str) -> Any | None:
    """Return the default backbone's weights, where that is what is asked for and ONNX Runtime is here."""
    if not (source.is_in_wheel and layer == PENULTIMATE):
        return None
    try:
        runtimes.RUNTIMES.load("onnx")
        return lite0_weights.tensors()
    except (MissingPartError, DataError):
        return None


def _write_lite0(tensors: Any, card: Card, file: Path) -> None:
    content = sealed(card, lambda text: lite0.onnx_bytes(tensors, metadata=[(METADATA_KEY, text)]))
    files.write_bytes(file, content)


def prepare(source: Source, layer: str, key: str, *, offline: bool, progress: Progress) -> tuple[Prepared, Any]:
    """Return a layer's files with their speeds, and the torch layer that they were made of.

    Raises:
        UsageError: there is no such layer or network.
        MissingPartError: torch or the weights are not here.
        ResourceError: the cache cannot be written.
    """
    from vision_cli.stages.embedding.torch_layer import TorchLayer

    layer_of_torch = TorchLayer(source.network(offline=offline, progress=progress), layer)
    folder = prepared.folder_of(key)
    with files.disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            found = prepared.find(key)
            if found is None or not found.is_whole:
                progress.say(f"bringing {source.name} ({layer}) to this machine's runtimes, once")
                found = _made(layer_of_torch, (source.name, layer), folder, _lite0(source, layer))
    return measured(found, layer_of_torch, progress), layer_of_torch


def measured(found: Prepared, layer_of_torch: Any | None, progress: Progress) -> Prepared:
    """Return a layer with its speeds on this machine, measured now if they are not known."""
    if found.ms:
        return found
    runs: dict[str, Runs] = {} if layer_of_torch is None else {"torch": layer_of_torch}
    for name in found.differences:
        try:
            runs[name] = opened(found, name)
        except VisionError as error:
            progress.warn(f"{found.file(name)} is left out: {error.message}")
    if not runs:
        raise MissingPartError(
            f"{found.folder}: no runtime is here for this layer.", hint="pip install 'vision-cli[train,onnx]'"
        )
    ms = speeds(runs, _noise(found.preprocess))
    prepared.write_speed(found.folder, ms)
    texts = ", ".join(f"{name} {value:.1f} ms" for name, value in sorted(ms.items(), key=lambda item: item[1]))
    progress.say(f"measured a photo with one thread: {texts}")
    return replace(found, ms=ms)


def opened(found: Prepared, runtime: str) -> Any:
    """Return the file of a runtime, loaded for one thread.

    Raises:
        MissingPartError: the runtime is not installed.
        DataError: the file was changed.
    """
    return runtimes.RUNTIMES.load(runtime).open_model(found.file(runtime), threads=1)


def speeds(runs: Mapping[str, Runs], photos: Batch) -> dict[str, float]:
    """Return the shortest time of a photo in milliseconds by runtime, measured in turns with one thread each.

    Of the processor, so that other work on the machine does not decide; of an accelerator by the clock on the wall.
    """
    best = dict.fromkeys(runs, float("inf"))
    with _one_thread("torch" in runs):
        for _ in range(_ROUNDS):
            for name, each in runs.items():
                size = int(getattr(each, "at_once", 1))
                clock = time.process_time if size == 1 else time.perf_counter
                for photo in photos:
                    batch = np.repeat(photo[None], size, axis=0)
                    start = clock()
                    each.run(batch)
                    best[name] = min(best[name], 1000 * (clock() - start) / size)
    return best


class _one_thread:
    """Torch computes with one thread inside."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def __enter__(self) -> None:
        if self._wanted:
            import torch

            self._before = torch.get_num_threads()
            torch.set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        if self._wanted:
            import torch

            torch.set_num_threads(self._before)


def _made(layer_of_torch: Any, names: tuple[str, str], folder: Path, lite0_tensors: Any | None) -> Prepared:
    """Write a layer in every format and keep the files that answer as torch does.

    The default backbone's ONNX file is the one that `at_once` writes: what was kept of it stays right to the last bit.
    """
    photos = _noise(layer_of_torch.preprocess)
    expected = np.concatenate([layer_of_torch.run(photo[None]) for photo in photos])
    card = _card(layer_of_torch, *names)
    differences: dict[str, float | None] = {}
    refused: dict[str, str] = {}
    with files.new_folder(folder) as staging:
        for kind in prepared.FORMATS:
            file = staging / f"layer.{kind}"
            try:
                if kind == "onnx" and lite0_tensors is not None:
                    _write_lite0(lite0_tensors, card, file)
                else:
                    exporters.EXPORTERS.load(kind).export(layer_of_torch.module, card, file, precision="float32")
                difference = _difference(runtimes.RUNTIMES.load(kind).open_model(file, threads=1), photos, expected)
            except (DataError, MissingPartError) as error:
                refused[kind] = error.message
            else:
                if difference <= TOLERANCE:
                    differences[kind] = difference
                    continue
                refused[kind] = f"its vectors lie {difference:.2g} from torch's; {TOLERANCE:g} is allowed"
            file.unlink(missing_ok=True)
        preprocess, length = layer_of_torch.preprocess, layer_of_torch.n_features
        made = Prepared(folder, preprocess, length, layer_of_torch.licence, differences, refused)
        prepared.write_facts(staging, made)
    return made


def _difference(runner: Any, photos: Batch, expected: Batch) -> float:
    found = np.concatenate([runner.run(photo[None]) for photo in photos])
    scale = float(np.sqrt((expected.astype(np.float64) ** 2).mean())) or 1.0
    return float(np.abs(found.astype(np.float64) - expected).max() / scale)


def _card(layer_of_torch: Any, name: str, layer: str) -> Card:
    """Return a card whose raw outputs are a vector's values: one "class" each, of which any number may be on."""
    return Card(
        task="multilabel",
        classes=ClassMap(tuple(f"feature {index}" for index in range(layer_of_torch.n_features))),
        preprocess=layer_of_torch.preprocess,
        decode=Decode(),
        family="embedding",
        model={"backbone": name, "layer": layer},
        licence=layer_of_torch.licence,
        name="embedding",
        created="",
    )


def _noise(preprocess: Preprocess) -> Batch:
    """Return photos of soft noise, float32 (N, C, H, W): as many as are compared and timed."""
    width, height = preprocess.size_px
    rng = np.random.default_rng(_SEED)
    coarse = rng.normal(size=(_PHOTOS, preprocess.channels, -(-height // 16), -(-width // 16)))
    fine = coarse.repeat(16, axis=2).repeat(16, axis=3)[:, :, :height, :width]
    return (fine + 0.3 * rng.normal(size=fine.shape)).astype(np.float32)
