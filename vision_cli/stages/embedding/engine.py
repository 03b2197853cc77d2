"""Vectors of photos: read ahead in threads, computed by the runtime that is the fastest here, kept by content.

The first use of a backbone imports torch, exports the layer and measures (`exporting`); later ones open the file that
won, and torch is not imported. The default backbone is written as ONNX without torch, and the other runtimes are tried
when there are photos enough for it to pay. A photo runs by itself: on a CPU its vector depends neither on the photos
beside it nor on the number of threads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.contracts import Batch
from vision_cli.core.errors import DataError, MissingPartError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.core.weights import cache_folder
from vision_cli.stages.embedding import exporting, prepared, reading
from vision_cli.stages.embedding.reading import Held, Photo
from vision_cli.stages.embedding.sources import Given, Published, Source, Trained, key_of
from vision_cli.training.store import EmbeddingStore, row_key
from vision_cli.versions.photo_index import PhotoIndex

__all__ = [
    "Embeddings",
    "Engine",
    "EngineOptions",
    "Given",
    "Held",
    "Photo",
    "Published",
    "Trained",
    "embed_photos",
    "embed_readable",
]

Prepare = Literal["always", "if it pays"]
PENULTIMATE = "penultimate"
_PAYS_FROM = 1000
"""Photos: exporting and measuring takes 22 seconds of EfficientNet-Lite0, and saves 20 ms a photo."""
_KEEP_EVERY = 256
_INDEX = "photos.json"
_SHOWN = 10
_STEP = "embed"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How vectors are computed and kept.

    Attributes:
        layer: by name; `penultimate` is what a classifier sees.
        offline: forbids downloads.
        store: folder that keeps vectors; None is the user's cache.
        keep: whether they are kept at all.
        threads: that compute at once; None is one a core.
        prepare: exports and measures whenever that was not done before, or only for many photos.
    """

    layer: str = PENULTIMATE
    offline: bool = False
    store: Path | None = None
    keep: bool = True
    threads: int | None = None
    prepare: Prepare = "always"


_PLAIN = EngineOptions()


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of photos.

    Attributes:
        vectors: float32 (M, D), of the photos `kept`, in their order.
        kept: indices of the photos that could be read, of those asked for.
        refused: index and reason of the others.
        runtime: `onnx`, `tflite` or `torch`, whatever gave them now or when they were kept.
        computed: photos that went through the network now; others were known by their content.
        seconds: that it took.
    """

    vectors: NDArray[np.float32]
    kept: tuple[int, ...]
    refused: tuple[tuple[int, str], ...]
    runtime: str
    computed: int
    seconds: float


@dataclass(slots=True)
class Engine:
    """A layer of a network, ready to give vectors.

    Attributes:
        runtime: that computes.
        preprocess: of a photo before it.
        n_features: length of a vector.
        licence: of network and weights.
        facts: what was measured; None where the layer runs in torch unmeasured.
        threads: that compute at once; as many again decode.
    """

    runtime: str
    preprocess: Preprocess
    n_features: int
    licence: str
    facts: prepared.Prepared | None
    threads: int
    _runners: list[Any]
    _store: EmbeddingStore | None
    _index: PhotoIndex | None

    @classmethod
    def open(cls, source: Source, options: EngineOptions = _PLAIN, *, progress: Progress, photos: int = 0) -> Engine:
        """Return an engine.

        Args:
            source: of the network.
            options: how vectors are computed and kept.
            progress: hears of the export and what was measured.
            photos: that are going to be asked for.

        Raises:
            UsageError: there is no such layer or network.
            MissingPartError: torch or the weights are not here, and nothing was exported before.
            ResourceError: the cache cannot be written.
        """
        layer, offline = options.layer, options.offline
        key = key_of(source, layer)
        how = (offline, options.prepare == "always", photos >= _PAYS_FROM)
        facts, torch_layer = _ready(source, layer, key, how, progress)
        threads = options.threads or os.cpu_count() or 1
        runtime = "torch" if facts is None else facts.fastest
        runners = _runners(runtime, facts, torch_layer, threads, lambda: _torch(source, layer, offline, progress))
        if runtime == "torch" and options.threads is not None:
            runners[0].use_threads(options.threads)
        known: Any = facts or torch_layer
        folder = (options.store or cache_folder().parent / "embeddings") if options.keep else None
        rows = None if folder is None else EmbeddingStore(folder / f"{key[:16]}-{runtime}.bin", known.n_features)
        index = None if folder is None else PhotoIndex(folder / _INDEX, threads)
        about = (runtime, known.preprocess, known.n_features, known.licence, facts)
        return cls(*about, threads, runners, rows, index)

    def run(self, batch: Batch) -> Batch:
        """Map preprocessed photos float32 (N, C, H, W) to vectors float32 (N, D); nothing is kept."""
        if not len(batch):
            return np.empty((0, self.n_features), np.float32)
        runner = self._runners[0]
        return np.concatenate([runner.run(photo[None]) for photo in batch])

    @property
    def size_mb(self) -> float:
        """Return the size of the file that computes, 0 for torch."""
        return float(getattr(self._runners[0], "size_mb", 0.0))

    def embed(self, photos: Sequence[Photo], progress: Progress) -> Embeddings:
        """Return the vectors of photos; those that cannot be read are refused by name.

        Raises:
            DataError: a file is there and its bytes cannot be had.
            ResourceError: what was computed cannot be kept.
        """
        start = time.monotonic()
        sums = reading.hashes(photos, self._index, progress)
        keys = [None if text is None else row_key(text, self.preprocess) for text in sums]
        known: dict[bytes, NDArray[np.float32]] = {}
        wanted: dict[bytes, int] = {}
        for at, key in enumerate(keys):
            if key is not None and key not in known and key not in wanted:
                row = self._store.get(key) if self._store else None
                wanted |= {key: at} if row is None else {}
                known |= {} if row is None else {key: row}
        broken = self._compute(photos, wanted, known, progress)
        return self._result(photos, keys, (known, broken), len(wanted) - len(broken), time.monotonic() - start)

    def _compute(
        self,
        photos: Sequence[Photo],
        wanted: dict[bytes, int],
        known: dict[bytes, NDArray[np.float32]],
        progress: Progress,
    ) -> dict[bytes, str]:
        """Add the rows of wanted photos to the known ones; return why others have none."""
        broken: dict[bytes, str] = {}
        fresh: list[tuple[bytes, NDArray[np.float32]]] = []
        keys = list(wanted)
        found = self._rows([photos[at] for at in wanted.values()])
        for done, (key, row) in enumerate(zip(keys, found, strict=True), start=1):
            if isinstance(row, str):
                broken[key] = row
            else:
                known[key] = row
                fresh.append((key, row))
            if len(fresh) == _KEEP_EVERY:
                self._keep(fresh)
            progress.step(_STEP, done, len(keys))
        self._keep(fresh)
        return broken

    def _keep(self, fresh: list[tuple[bytes, NDArray[np.float32]]]) -> None:
        if self._store is not None and fresh:
            self._store.put([key for key, _ in fresh], np.stack([row for _, row in fresh]))
        fresh.clear()

    def _rows(self, photos: Sequence[Photo]) -> Iterator[NDArray[np.float32] | str]:
        """Yield the row of each photo in order, or why it has none; decoding runs ahead of computing."""
        size = int(getattr(self._runners[0], "at_once", 1))
        chunks = [photos[start : start + size] for start in range(0, len(photos), size)]
        with ThreadPoolExecutor(self.threads) as decoders, ThreadPoolExecutor(len(self._runners)) as computers:
            for rows in reading.two_steps(
                chunks, (decoders, self._decoded), (computers, self._computed), ahead=8 * self.threads
            ):
                yield from rows

    def _decoded(self, photos: Sequence[Photo]) -> list[Any]:
        return [reading.load(photo, self.preprocess) for photo in photos]

    def _computed(self, items: list[Any]) -> list[Any]:
        good = [item for item in items if not isinstance(item, str)]
        runner = self._runners.pop()  # as many as threads: there always is one
        try:
            rows = iter(runner.run(np.stack(good)) if good else ())
        finally:
            self._runners.append(runner)
        return [item if isinstance(item, str) else next(rows) for item in items]

    def _result(
        self, photos: Sequence[Photo], keys: Sequence[bytes | None], found: Any, computed: int, seconds: float
    ) -> Embeddings:
        known, broken = found
        kept = tuple(at for at, key in enumerate(keys) if key is not None and key in known)
        reasons = tuple(
            (at, f"{reading.name_of(photos[at])}: there is no such file." if key is None else broken[key])
            for at, key in enumerate(keys)
            if key is None or key not in known
        )
        vectors = np.empty((len(kept), self.n_features), np.float32)
        for row, at in enumerate(kept):
            vectors[row] = known[keys[at]]
        return Embeddings(vectors, kept, reasons, self.runtime, computed, seconds)


def embed_readable(
    photos: Sequence[Photo], source: Source | None = None, options: EngineOptions = _PLAIN, *, progress: Progress
) -> Embeddings:
    """Return the vectors of the photos that can be read, and why the others have none; see `Engine.open`."""
    engine = Engine.open(source or Published(), options, progress=progress, photos=len(photos))
    return engine.embed(photos, progress)


def embed_photos(
    photos: Sequence[Photo], source: Source | None = None, options: EngineOptions = _PLAIN, *, progress: Progress
) -> Embeddings:
    """Return the vectors of photos, float32 (N, D) in their order; see `Engine.open`.

    Raises:
        DataError: naming photos that cannot be read.
    """
    found = embed_readable(photos, source, options, progress=progress)
    if found.refused:
        raise DataError(
            f"{len(found.refused)} of {len(photos)} photos cannot be read.",
            details=[reason for _, reason in found.refused[:_SHOWN]],
            hint="Replace or delete them.",
        )
    return found


def _ready(
    source: Source, layer: str, key: str, how: tuple[bool, bool, bool], progress: Progress
) -> tuple[prepared.Prepared | None, Any]:
    """Return what is known of a layer, and its torch layer where that had to be built."""
    offline, always, many = how
    facts = prepared.find(key) or exporting.at_once(source, layer, key, progress)
    if facts is not None and (facts.is_whole or not many):
        if facts.ms:
            return facts, None
        if not many and facts.differences:
            return exporting.measured(facts, None, progress), None
    if not (always or many):
        return None, _torch(source, layer, offline, progress)
    try:
        return exporting.prepare(source, layer, key, offline=offline, progress=progress)
    except MissingPartError:
        if facts is None or not facts.differences:
            raise
        return exporting.measured(facts, None, progress), None


def _torch(source: Source, layer: str, offline: bool, progress: Progress) -> Any:
    from vision_cli.stages.embedding.torch_layer import TorchLayer

    return TorchLayer(source.network(offline=offline, progress=progress), layer)


def _runners(runtime: str, facts: prepared.Prepared | None, torch_layer: Any, threads: int, build: Any) -> list[Any]:
    if runtime == "torch" or facts is None:  # torch has threads of its own
        return [torch_layer if torch_layer is not None else build()]
    first = exporting.opened(facts, runtime)
    if runtime == "onnx":  # a session takes calls of several threads
        return [first] * threads
    return [first, *(exporting.opened(facts, runtime) for _ in range(threads - 1))]
