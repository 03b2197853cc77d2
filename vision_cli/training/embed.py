"""Embeddings: what a backbone makes of photos."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vision_cli.core.contracts import Network
from vision_cli.core.errors import ResourceError
from vision_cli.core.files import file_sha256
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.progress import Progress
from vision_cli.training.batches import PhotoViews, in_order, loader, tensors
from vision_cli.training.memory import is_out_of_memory
from vision_cli.training.module import Normalise
from vision_cli.training.quiet import quiet
from vision_cli.training.store import EmbeddingStore, row_key


@dataclass(frozen=True, slots=True)
class View:
    """A deterministic way to look at a photo.

    Attributes:
        crop_pct: in place of the preprocessing's own; None keeps it. Only for `resize: crop`.
        flip: mirrored left to right.
    """

    crop_pct: float | None = None
    flip: bool = False

    def of(self, preprocess: Preprocess) -> tuple[Preprocess, bool]:
        """Return the preprocessing of this view, and whether to flip."""
        if self.crop_pct is None or preprocess.resize != "crop":
            return preprocess, self.flip
        return replace(preprocess, crop_pct=self.crop_pct), self.flip


PLAIN = View()


@dataclass(frozen=True, slots=True)
class EmbedOptions:
    """How to compute embeddings.

    Attributes:
        batch_size: photos a batch; halved when memory runs out.
        workers: processes that decode; None is one a core.
        device: `cpu`, `cuda` or `mps`.
        store: folder that keeps embeddings by weights, preprocessing and the photos' content; None keeps nothing.
    """

    batch_size: int = 32
    workers: int | None = None
    device: str = "cpu"
    store: Path | None = None


def embed_views(
    network: Network,
    paths: Sequence[Path],
    seen: tuple[Preprocess, Sequence[View]],
    options: EmbedOptions,
    progress: Progress,
) -> NDArray[np.float32]:
    """Return the embeddings of several views of photos, float32 (V, N, D); each photo is decoded once.

    Args:
        network: its backbone runs in eval mode and stays in it.
        paths: N photos.
        seen: preprocessing, and V views.
        options: batches, device, store.
        progress: is told how many are done.

    Raises:
        DataError: a photo is refused.
        ResourceError: not even one photo fits into memory, or the disk is full.
    """
    work = _Work(network, [view.of(seen[0]) for view in seen[1]], options, progress)
    if options.store is not None:
        return _stored(work, paths, options.store)
    parts = [rows for _, rows in work.batches(paths)]
    return np.concatenate([np.empty((len(work.views), 0, network.n_features), np.float32), *parts], axis=1)


def _stored(work: _Work, paths: Sequence[Path], folder: Path) -> NDArray[np.float32]:
    store = EmbeddingStore(folder / f"{weights_hash(work.network)[:16]}.bin", work.network.n_features)
    keys = [_keys(file_sha256(path), work.views) for path in paths]
    wanted = _missing(store, keys, work.options.batch_size)
    for places, rows in work.batches([paths[index] for index in wanted]):
        store.put([key for place in places for key in keys[wanted[place]]], np.concatenate(rows.swapaxes(0, 1)))
    found = [[store.get(key) for key in photo] for photo in keys]
    shape = (len(paths), len(work.views), work.network.n_features)
    return np.asarray(found, np.float32).reshape(shape).swapaxes(0, 1)


def _missing(store: EmbeddingStore, keys: list[list[bytes]], batch_size: int) -> list[int]:
    """Return the photos to compute, each content once.

    In whole batches and in the order of first appearance: the last bit of a row may depend on its neighbours, and an
    interrupted computation has to end with the same rows as another.
    """
    first = {key[0]: index for index, key in reversed(list(enumerate(keys)))}
    unique = sorted(first.values())
    batches = [[unique[place] for place in batch] for batch in in_order(len(unique), batch_size)]
    return [
        index
        for batch in batches
        if any(store.get(key) is None for photo in batch for key in keys[photo])
        for index in batch
    ]


def _keys(photo_hash: str, views: Sequence[tuple[Preprocess, bool]]) -> list[bytes]:
    return [row_key(photo_hash, preprocess, flip=flip) for preprocess, flip in views]


def weights_hash(network: Network) -> str:
    """Return the SHA-256 of a backbone's weights and names, in hex."""
    digest = hashlib.sha256()
    for name, value in network.backbone.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Work:
    """A backbone over views of photos, in batches that get smaller when memory runs out."""

    network: Network
    views: list[tuple[Preprocess, bool]]
    options: EmbedOptions
    progress: Progress

    def batches(self, paths: Sequence[Path]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Yield (indices of photos, their rows float32 (V, batch, D))."""
        size, done = self.options.batch_size, 0
        while done < len(paths):
            try:
                for places, rows in self._from(paths, done, size):
                    yield places, rows
                    done += len(places)
                    self.progress.step("embed", done, len(paths))
            except (MemoryError, RuntimeError) as error:
                size = self._smaller(error, size)

    def _smaller(self, error: Exception, size: int) -> int:
        if not is_out_of_memory(error):
            raise error
        if size == 1:
            raise ResourceError(
                "embed: memory ran out with one photo a batch.", hint="Choose a smaller model.input.size or backbone."
            ) from error
        self.progress.warn(f"Memory ran out at {size} photos a batch; going on with {size // 2}.")
        return size // 2

    def _from(self, paths: Sequence[Path], start: int, size: int) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        device, preprocess = self.options.device, self.views[0][0]
        backbone = self.network.backbone.eval().to(device, memory_format=torch.channels_last)
        normalise = Normalise(preprocess.mean, preprocess.std).to(device)
        places = [[start + index for index in batch] for batch in in_order(len(paths) - start, size)]
        with quiet():
            for batch in loader(PhotoViews(paths, self.views), places, self.options.workers):
                photos, indices = tensors(batch, device)
                with torch.inference_mode():
                    rows = [backbone(normalise(view)).float().cpu() for view in photos.unbind(1)]
                yield indices.tolist(), torch.stack(rows).numpy()
