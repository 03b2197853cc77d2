"""Augmentation presets of scenes: whatever moves the photo moves boxes, masks and pixels with it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import albumentations as A
import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import UsageError
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.preprocess import PAD_GREY, Preprocess
from vision_cli.training.augment import NAMES, colour_steps
from vision_cli.training.places.scene import Scene

_ZOOM_IN = {"light": 0.6, "medium": 0.3, "strong": 0.15}
_ZOOM_OUT = {"light": 0.8, "medium": 0.5, "strong": 0.35}
_LINEAR, _NEAREST = 1, 6
"""OpenCV's INTER_LINEAR and INTER_NEAREST_EXACT: INTER_NEAREST would shift masks by up to half a pixel."""


class _Flip(A.HorizontalFlip):  # type: ignore[misc]
    """A flip of points that count edges; albumentations' count centres of pixels here, which is a pixel off."""

    def apply_to_keypoints(self, keypoints: Any, **params: Any) -> Any:
        """Flip points (N, 2+)."""
        return _of_edges(super().apply_to_keypoints, keypoints, params)


class _Affine(A.Affine):  # type: ignore[misc]
    """A change of size, place and angle for points that count edges; see `_Flip`."""

    def apply_to_keypoints(self, keypoints: Any, **params: Any) -> Any:
        """Move points (N, 2+)."""
        return _of_edges(super().apply_to_keypoints, keypoints, params)


def _of_edges(apply: Callable[..., Any], points: Any, params: dict[str, Any]) -> Any:
    half = np.zeros(points.shape[1], dtype=np.float32)
    half[:2] = 0.5
    return apply(points - half, **params) + half


def preset(name: str, preprocess: Preprocess) -> A.Compose:
    """Return the augmentation of a preset, for scenes that are at the network's size or larger: to the network's size.

    Args:
        name: `none`, `light`, `medium` or `strong`.
        preprocess: size and channels.

    Raises:
        UsageError: an unknown name.
    """
    if name not in NAMES:
        raise UsageError(f"train.augment: no preset '{name}'.", hint=f"Use one of {', '.join(NAMES)}.")
    width, height = preprocess.size_px
    whole = A.Resize(height, width, interpolation=_LINEAR, mask_interpolation=_NEAREST)
    steps = [whole] if name == "none" else [_geometry(name, preprocess, whole), _Flip(p=0.5)]
    if name != "none":
        steps += colour_steps(name, preprocess)
    return A.Compose(steps, keypoint_params=A.KeypointParams("xy", remove_invisible=False))


def _geometry(name: str, preprocess: Preprocess, whole: A.Resize) -> A.OneOf:
    """Return a step that shows a part of the scene larger, all of it smaller, or all of it as evaluation does."""
    width, height = preprocess.size_px
    shape = width / height
    closer = A.RandomResizedCrop(
        size=(height, width),
        scale=(_ZOOM_IN[name], 1.0),
        ratio=(0.75 * shape, 1.33 * shape),
        interpolation=_LINEAR,
        mask_interpolation=_NEAREST,
        p=0.5,
    )
    farther = _Affine(
        scale=(_ZOOM_OUT[name], 1.0),
        keep_ratio=True,
        translate_percent=(-0.1, 0.1),
        rotate=(-15, 15) if name == "strong" else 0,
        fill=PAD_GREY,
        fill_mask=IGNORED,
        p=1.0,
    )
    return A.OneOf([closer, A.Sequential([whole, farther], p=0.3), A.Sequential([whole], p=0.2)], p=1.0)


def augmented(compose: A.Compose, scene: Scene, key: tuple[int, ...]) -> Scene:
    """Return a scene changed by chance that depends on a key alone.

    Objects of which too little is left become `crowd`, see `Scene.clipped`.

    Args:
        compose: of `preset`.
        scene: of any size.
        key: (seed, epoch, index of the photo).
    """
    rng = np.random.default_rng(key)
    compose.set_random_state(rng, random.Random(int(rng.integers(1 << 62))))  # noqa: S311
    planes = ([] if scene.pixels is None else [scene.pixels]) + list(scene.masks if scene.masks is not None else [])
    found = compose(
        image=np.ascontiguousarray(scene.photo),
        keypoints=_corners(scene.boxes),
        **({"masks": [np.ascontiguousarray(plane) for plane in planes]} if planes else {}),
    )
    photo = np.asarray(found["image"], np.uint8)
    photo = photo.reshape(*photo.shape[:2], scene.photo.shape[2])
    moved = list(found.get("masks", []))
    pixels = None if scene.pixels is None else np.asarray(moved.pop(0), np.int16)
    masks = None if scene.masks is None else _flags(moved, photo.shape[:2])
    return replace(scene, photo=photo, boxes=_boxes(found["keypoints"]), masks=masks, pixels=pixels).clipped()


def _corners(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the corners of boxes as points (4 M, 2).

    Points may leave the photo, where albumentations' boxes would be cut or dropped: only so is it known how much of an
    object is left.
    """
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)


def _boxes(corners: Any) -> NDArray[np.float32]:
    points = np.asarray(corners, dtype=np.float32).reshape(-1, 4, 2)
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)


def _flags(planes: list[Any], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return masks (M, H, W) of 0 and 1; what came in from outside of the photo is 0."""
    if not planes:
        return np.zeros((0, *shape), dtype=np.uint8)
    return np.asarray(np.stack(planes) == 1, dtype=np.uint8)
