"""Augmentation presets. Every photo of every epoch has its own generator, so that order and workers change nothing."""

from __future__ import annotations

import math
import random
from typing import Any

import albumentations as A
import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import UsageError
from vision_cli.core.preprocess import PAD_GREY, Preprocess

NAMES = ("none", "light", "medium", "strong")
_SCALES = {"light": (0.6, 1.0), "medium": (0.35, 1.0), "strong": (0.2, 1.0)}
_RATIOS = {"light": (0.87, 1.15), "medium": (0.75, 1.33), "strong": (0.67, 1.5)}
_MAX_STRETCH = 4 / 3
_STRIDE = 32
_UNSAID = ("p", "interpolation", "mask_interpolation", "area_for_downscale", "border_mode", "fill", "fill_mask")
_LINEAR, _CUBIC = 1, 2  # albumentations takes OpenCV's numbers of its interpolations
_RGB, _RGBA = 3, 4


def preset(name: str, preprocess: Preprocess) -> A.Compose:
    """Return the augmentation of a preset: uint8 (H, W, C) of any size to the network's size.

    A random resized crop stands where evaluation resizes and crops; `none` has no steps at all.

    Args:
        name: `none`, `light`, `medium` or `strong`.
        preprocess: size and channels.

    Raises:
        UsageError: an unknown name.
    """
    if name not in NAMES:
        raise UsageError(f"train.augment: no preset '{name}'.", hint=f"Use one of {', '.join(NAMES)}.")
    if name == "none":
        return A.Compose([])
    steps = [_crop(name, preprocess), A.HorizontalFlip(p=0.5)]
    if name != "light":
        steps += _medium(preprocess) if name == "medium" else _strong(preprocess)
    return A.Compose(steps)


def training_size(name: str, preprocess: Preprocess) -> tuple[int, int]:
    """Return the (width, height) to train at, so that objects look as large as they will in evaluation.

    A random resized crop takes a share s of a photo and blows it up to the network's size, which makes objects
    1 / sqrt(s) times as large. Evaluation shows them at size / crop_pct, or at size where it cuts nothing off. Training
    at that, divided by the mean of 1 / sqrt(s), makes them equal (Touvron et al. 2019, "Fixing the train-test
    resolution discrepancy").
    """
    if name == "none":
        return preprocess.size_px
    low = _SCALES[name][0]
    larger = 2 * (1 - math.sqrt(low)) / (1 - low)
    shown = 1 / preprocess.crop_pct if preprocess.resize == "crop" else 1.0
    wanted = [side * shown / larger for side in preprocess.size_px]
    width, height = (
        min(side, max(_STRIDE, round(want / _STRIDE) * _STRIDE))
        for want, side in zip(wanted, preprocess.size_px, strict=True)
    )
    return width, height


def _crop(name: str, preprocess: Preprocess) -> A.RandomResizedCrop:
    width_px, height_px = preprocess.size_px
    shape = width_px / height_px
    low, high = _RATIOS[name]
    return A.RandomResizedCrop(
        size=(height_px, width_px),
        scale=_SCALES[name],
        ratio=(low * shape, high * shape),
        interpolation=_CUBIC if preprocess.interpolation == "bicubic" else _LINEAR,
        mask_interpolation=_LINEAR,
    )


def _colour(preprocess: Preprocess, strength: float, p: float) -> list[Any]:
    if preprocess.channels == 1:
        return [A.RandomBrightnessContrast(brightness_limit=strength, contrast_limit=strength, p=p)]
    swing = (1 - strength, 1 + strength)
    return [A.ColorJitter(brightness=swing, contrast=swing, saturation=swing, hue=(-strength / 10, strength / 10), p=p)]


def _holes(count: int, side: tuple[float, float], p: float) -> A.CoarseDropout:
    return A.CoarseDropout(
        num_holes_range=(1, count), hole_height_range=side, hole_width_range=side, fill=PAD_GREY, fill_mask=None, p=p
    )


def colour_steps(name: str, preprocess: Preprocess) -> list[Any]:
    """Return the steps of a preset that move no pixel: colour, blur, noise."""
    if name not in ("medium", "strong"):
        return []
    if name == "medium":
        return [*_colour(preprocess, 0.2, 0.7), A.GaussianBlur(blur_limit=0, sigma_limit=(0.3, 1.2), p=0.1)]
    grey = [A.ToGray(p=0.1)] if preprocess.channels != 1 else []
    return [
        *_colour(preprocess, 0.4, 0.8),
        *grey,
        A.GaussianBlur(blur_limit=0, sigma_limit=(0.3, 2.0), p=0.2),
        A.GaussNoise(std_range=(0.01, 0.06), p=0.15),
    ]


def _medium(preprocess: Preprocess) -> list[Any]:
    turn = A.Rotate(limit=(-10, 10), border_mode=0, fill=PAD_GREY, p=0.3)
    return [turn, *colour_steps("medium", preprocess), _holes(1, (0.1, 0.3), 0.2)]


def _strong(preprocess: Preprocess) -> list[Any]:
    return [
        A.Affine(rotate=(-20, 20), shear=(-8, 8), border_mode=0, fill=PAD_GREY, p=0.5),
        A.Perspective(scale=(0.02, 0.08), fill=PAD_GREY, p=0.2),
        *colour_steps("strong", preprocess),
        _holes(3, (0.1, 0.3), 0.4),
    ]


def describe(name: str, preprocess: Preprocess | None = None) -> list[str]:
    """Return one line a step of a preset: what it does, its ranges, how often.

    Raises:
        UsageError: an unknown name.
    """
    steps = preset(name, preprocess or Preprocess()).transforms
    return [_line(step) for step in steps] or ["no augmentation: every photo as evaluation sees it"]


def _line(step: Any) -> str:
    values = {key: value for key, value in step.get_transform_init_args().items() if key not in _UNSAID}
    inner = ", ".join(f"{key}={value}" for key, value in values.items())
    return f"{type(step).__name__}({inner}) on {step.p:.0%} of the photos"


def augmented(compose: A.Compose, photo: NDArray[np.uint8], key: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return a photo changed by chance that depends on a key alone.

    Args:
        compose: of `preset`.
        photo: uint8 (H, W, C); colour steps leave alpha alone, steps of geometry take it along.
        key: (seed, epoch, index of the photo).
    """
    rng = np.random.default_rng(key)
    compose.set_random_state(rng, random.Random(int(rng.integers(1 << 62))))  # noqa: S311
    if compose.transforms:
        height_px, width_px = compose.transforms[0].size
        photo = _shaped(photo, width_px / height_px, rng)
    if photo.shape[2] != _RGBA:
        changed = compose(image=photo)["image"]
        return np.asarray(changed, np.uint8).reshape(*changed.shape[:2], photo.shape[2])
    both = compose(image=np.ascontiguousarray(photo[:, :, :_RGB]), mask=np.ascontiguousarray(photo[:, :, _RGB]))
    return np.concatenate([both["image"], both["mask"][:, :, None]], axis=2)


def _shaped(photo: NDArray[np.uint8], shape: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut the ends off a photo that is much longer than the network's input, at a random place.

    In a bottle's photo no square is as large as a random resized crop looks for; it would give up and take the centre.
    """
    height, width = photo.shape[:2]
    widest, highest = round(height * shape * _MAX_STRETCH), round(width / shape * _MAX_STRETCH)
    new_width, new_height = max(1, min(width, widest)), max(1, min(height, highest))
    left, top = rng.integers(0, width - new_width + 1), rng.integers(0, height - new_height + 1)
    return np.ascontiguousarray(photo[top : top + new_height, left : left + new_width])
