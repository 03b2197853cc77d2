"""Scenes made of several: mosaic and copy-paste."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vision_cli.training.places.scene import LEAST_VISIBLE, Scene, boxes_around

_CENTRE = (0.3, 0.7)


def mosaic(scenes: Sequence[Scene], rng: np.random.Generator) -> Scene:
    """Return parts of four scenes side by side, in the size of the first (Bochkovskiy et al. 2020, YOLOv4).

    Each part keeps its scale, as objects are then as large as they will be in evaluation; what it shows of its scene
    is a random window.

    Args:
        scenes: four of one size.
        rng: draws the centre and the windows.
    """
    width, height = scenes[0].size_px
    centre_x, centre_y = (round(side * rng.uniform(*_CENTRE)) for side in (width, height))
    parts = []
    for index, scene in enumerate(scenes):
        left, top = (0 if index % 2 == 0 else centre_x), (0 if index < 2 else centre_y)
        size = (centre_x if index % 2 == 0 else width - centre_x, centre_y if index < 2 else height - centre_y)
        at = (int(rng.integers(0, width - size[0] + 1)), int(rng.integers(0, height - size[1] + 1)))
        parts.append((scene.window(*at, *size), left, top))
    return _joined(scenes[0], parts)


def _joined(whole: Scene, parts: Sequence[tuple[Scene, int, int]]) -> Scene:
    photo = np.empty_like(whole.photo)
    pixels = None if whole.pixels is None else np.empty_like(whole.pixels)
    boxes, masks = [], []
    for part, left, top in parts:
        width, height = part.size_px
        place = (slice(top, top + height), slice(left, left + width))
        photo[place] = part.photo
        boxes.append(part.boxes + np.array([left, top, left, top], dtype=np.float32))
        if pixels is not None and part.pixels is not None:
            pixels[place] = part.pixels
        if part.masks is not None:
            mask = np.zeros((len(part.masks), *photo.shape[:2]), dtype=np.uint8)
            mask[(slice(None), *place)] = part.masks
            masks.append(mask)
    return Scene(
        photo,
        np.concatenate(boxes),
        np.concatenate([part.labels for part, _, _ in parts]),
        np.concatenate([part.crowd for part, _, _ in parts]),
        np.concatenate(masks) if masks else None,
        pixels,
    )


def copy_paste(scene: Scene, other: Scene, rng: np.random.Generator) -> Scene:
    """Return a scene with some objects of another one pasted on top (Ghiasi et al. 2021, Simple Copy-Paste).

    What they hide is taken out of the scene's own masks; of what less than LEAST_VISIBLE is left becomes `crowd`.

    Args:
        scene: with masks.
        other: of the same size, with masks.
        rng: chooses the objects.
    """
    if scene.masks is None or other.masks is None:
        return scene
    rows = np.flatnonzero(~other.crowd & (rng.random(len(other.labels)) < 0.5))
    if not rows.size:
        return scene
    pasted, pasted_masks = other.take(rows), other.masks[rows]
    hidden = np.asarray(pasted_masks.any(axis=0))
    kept = np.where(hidden, np.uint8(0), scene.masks)
    before, after = scene.masks.sum(axis=(1, 2)), kept.sum(axis=(1, 2))
    below = replace(scene, masks=kept, crowd=scene.crowd | (after < LEAST_VISIBLE * before))
    below = replace(below, boxes=np.where((after < before)[:, None], boxes_around(kept), scene.boxes))
    left = np.flatnonzero(after > 0)
    below = below.take(left)
    return Scene(
        np.where(hidden[:, :, None], other.photo, scene.photo),
        np.concatenate([below.boxes, pasted.boxes]),
        np.concatenate([below.labels, pasted.labels]),
        np.concatenate([below.crowd, pasted.crowd]),
        np.concatenate([kept[left], pasted_masks]),
        None if scene.pixels is None or other.pixels is None else np.where(hidden, other.pixels, scene.pixels),
    )
