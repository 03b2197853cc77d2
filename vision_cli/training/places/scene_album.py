"""The album of a training of places."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vision_cli.core.errors import VisionError
from vision_cli.core.preprocess import Preprocess
from vision_cli.training.pictures import Album, Painter, Sample, spread
from vision_cli.training.places.batches import PlainScenes, collate
from vision_cli.training.places.scenes import Scenes

_LOOKED_THROUGH = 8
"""Scenes looked at for each that is shown: tiles without an object tell little."""


def album_of(folder: Path, painter: Painter | None, val: Scenes, preprocess: Preprocess) -> Album | None:
    """Return where a training's pictures go; None where nobody draws them."""
    return None if painter is None else Album(folder, painter, lambda: _sample(val, preprocess, painter.most))


def _sample(val: Scenes, preprocess: Preprocess, most: int) -> Sample | None:
    """Return validation scenes; None without any, or where a photo is refused, which the loader tells."""
    looked = spread(len(val), most * _LOOKED_THROUGH)
    full = [index for index in looked if len(val.rows(index))]
    chosen = full if len(full) >= min(most, len(looked)) else looked
    rows = [chosen[place] for place in spread(len(chosen), most)]
    if not rows:
        return None
    items = PlainScenes(val, preprocess)
    batch = collate([items[row] for row in rows])
    return None if isinstance(batch, VisionError) else Sample(np.asarray(batch[0]), batch[1])
