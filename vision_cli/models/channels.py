"""Networks that were trained on RGB, fed with grey photos or with RGB and alpha."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from vision_cli.core.config import InputConfig
from vision_cli.core.preprocess import Interpolation, Preprocess

_RGB = 3
_ALPHA_MEAN = 1.0


def adapt_weight(weight: Tensor, channels: int) -> Tensor:
    """Return a first layer's weight (O, 3 * groups, ...) for another number of channels.

    1: the sum over the colours, so that a grey photo gives what its RGB copy gave (as timm does).
    4: the colours stay, alpha gets their mean; with alpha's preprocessing an opaque photo gives what it gave as RGB.
    """
    outputs, inputs = weight.shape[:2]
    grouped = weight.reshape(outputs, inputs // _RGB, _RGB, *weight.shape[2:])
    if channels == 1:
        adapted = grouped.sum(dim=2, keepdim=True)
    else:
        adapted = grouped.new_zeros(outputs, inputs // _RGB, channels, *weight.shape[2:])
        adapted[:, :, :_RGB] = grouped
        adapted[:, :, _RGB:] = grouped.mean(dim=2, keepdim=True)
    return adapted.reshape(outputs, inputs // _RGB * channels, *weight.shape[2:])


def is_first_layer(have: Tensor, want: Tensor, channels: int) -> bool:
    """Return whether two weights differ in nothing but three input channels against another number."""
    return (
        have.ndim >= 2
        and have.shape[1] % _RGB == 0
        and want.ndim == have.ndim
        and want.shape[1] * _RGB == have.shape[1] * channels
        and (have.shape[0], *have.shape[2:]) == (want.shape[0], *want.shape[2:])
    )


def preprocess_for(
    inputs: InputConfig,
    *,
    size_px: tuple[int, int],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    **resizing: Any,
) -> Preprocess:
    """Return the preprocessing of RGB weights at the declared size and channels.

    Args:
        inputs: the declaration; its size wins over `size_px`.
        size_px: (width, height) that the weights were made for.
        mean: of R, G and B, of pixel values in 0..1.
        std: of R, G and B.
        resizing: `crop_pct` and `interpolation`.
    """
    mean, std = _colours(mean, inputs.channels, _ALPHA_MEAN), _colours(std, inputs.channels)
    resize = "crop" if inputs.resize == "auto" else inputs.resize
    return Preprocess(inputs.size or size_px, resize, channels=inputs.channels, mean=mean, std=std, **resizing)


def with_colours(preprocess: Preprocess, mean: tuple[float, ...], std: tuple[float, ...]) -> Preprocess:
    """Return a preprocessing with the mean and standard deviation that weights were trained with, of RGB or of all."""
    channels = preprocess.channels
    if len(mean) == channels:
        return replace(preprocess, mean=mean, std=std)
    return replace(preprocess, mean=_colours(mean, channels, _ALPHA_MEAN), std=_colours(std, channels))


def _colours(values: tuple[float, ...], channels: int, alpha: float | None = None) -> tuple[float, ...]:
    """Return values of R, G and B for grey, RGB, or RGB and alpha: an opaque pixel adds nothing to the first layer."""
    average = sum(values) / len(values)
    return {1: (average,), 4: (*values[:_RGB], average if alpha is None else alpha)}.get(channels, values)


def interpolation_named(name: str) -> Interpolation:
    """Return the house name of a library's interpolation; `bicubic` for what has none here (Lanczos, random)."""
    match name:
        case "bilinear" | "nearest":
            return name
        case _:
            return "bicubic"
