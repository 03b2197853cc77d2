"""The album of a training with answers about whole photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vision_cli.core.errors import VisionError
from vision_cli.core.preprocess import Preprocess
from vision_cli.training.batches import PlainPhotos
from vision_cli.training.module import Normalise
from vision_cli.training.photos import Photos
from vision_cli.training.pictures import Album, Sample, spread
from vision_cli.training.request import FitRequest


def album_of(request: FitRequest, embeddings: NDArray[np.float32] | None = None) -> Album | None:
    """Return where a training's pictures go; None where nobody draws them.

    Args:
        request: of the training.
        embeddings: float32 (M, D) of the validation photos, where a head learns on embeddings; its training photos are
            drawn at once then, as no batch holds them.
    """
    painter = request.painter
    if painter is None or not request.team.first:
        return None
    rows = spread(len(request.val), painter.most)
    seen = None if embeddings is None else torch.from_numpy(embeddings[rows])
    album = Album(request.folder, painter, lambda: read(request.val, request.preprocess, rows, seen))
    if embeddings is not None and not request.resume:
        sample = read(request.train, request.preprocess, spread(len(request.train), painter.most))
        if sample is not None:
            album.batch(1, sample.photos, sample.targets)
    return album


def keep_best(request: FitRequest, epoch: int) -> None:
    """Keep what the trained network says of the validation photos."""
    painter, val = request.painter, request.val
    if painter is not None and request.team.first:
        rows = spread(len(val), painter.most)
        album = Album(request.folder, painter, lambda: read(val, request.preprocess, rows))
        album.best(request.network, Normalise(request.preprocess.mean, request.preprocess.std), epoch)


def read(photos: Photos, preprocess: Preprocess, rows: Sequence[int], seen: Any = None) -> Sample | None:
    """Return photos as the network sees them; None without any, or where one is refused, which the loader tells."""
    items = PlainPhotos(photos, preprocess)
    found = [items[row] for row in rows]
    shown = [item for item in found if not isinstance(item, VisionError)]
    if not shown or len(shown) < len(found):
        return None
    pictures, targets = zip(*shown, strict=True)
    return Sample(np.stack(pictures), np.stack(targets), seen)
