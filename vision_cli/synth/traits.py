"""What a photo's own light, camera and file did to it, so that what is put on it can be treated the same."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SHADING_SHARE = 0.025  # of the longer side: sigma of what counts as light rather than texture
_BLOCK_PX = 16
_CALM_SHARE = 0.1  # of the blocks: the least varied ones show the noise
_CLIPPED = (8, 247)  # means of blocks beyond these show none
_REBLUR_SIGMA = 1.0
_SAMPLING = 1 / 3 + 1 / 12  # variance that central differences and square pixels add
# Corners and fine texture read sharper than they are; at this quantile, real photos blurred on purpose read right.
_EDGE_SHARE = 0.75
_LEAST_BLUR, _MOST_BLUR = 0.3, 6.0
_MINKOWSKI = 6
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def shading(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return uint8 (H, W): luminance of large structures."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small, (0, 0), max(0.5, _SHADING_SHARE * max(grey.shape) / 4))
    return np.asarray(cv2.resize(smooth, grey.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def noise_sigma(photo: NDArray[np.uint8]) -> float:
    """Return the standard deviation of a photo's noise in grey levels, as its calmest blocks show it.

    Each block's is the median absolute response to the kernel of Immerkaer (Fast Noise Variance Estimation, 1996).
    """
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if min(grey.shape) < _BLOCK_PX:
        return 0.0
    response = _blocks(np.abs(cv2.filter2D(grey, cv2.CV_32F, _NOISE_KERNEL)))
    means = _blocks(grey).mean(axis=1)
    shown = (means > _CLIPPED[0]) & (means < _CLIPPED[1])
    if not shown.any():
        return 0.0
    return float(np.quantile(np.median(response[shown], axis=1), _CALM_SHARE) * 1.4826 / 6)


def _blocks(values: Floats) -> Floats:
    rows, columns = (side // _BLOCK_PX for side in values.shape)
    cut = values[: rows * _BLOCK_PX, : columns * _BLOCK_PX].reshape(rows, _BLOCK_PX, columns, _BLOCK_PX)
    return cut.swapaxes(1, 2).reshape(rows * columns, -1)


def blur_sigma(photo: NDArray[np.uint8]) -> float:
    """Return how blurred a photo's edges are, in pixels (sigma of a Gaussian).

    Blurred once more by a known amount, a sharp edge's gradient falls much and a blurred one's little (Zhuo and Sim,
    Defocus map estimation from a single image, 2011, equation 5).
    """
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    # Noise has gradients too: both sides of the ratio are blurred a little first, and that is taken off again.
    calm = cv2.GaussianBlur(grey, (0, 0), _REBLUR_SIGMA)
    again = cv2.GaussianBlur(calm, (0, 0), _REBLUR_SIGMA)
    first, second = (_gradient(each) for each in (calm, again))
    edges = (first >= cv2.dilate(first, np.ones((3, 3), np.uint8))) & (
        first > max(6.0, float(np.quantile(first, 0.97)))
    )
    if not edges.any():
        return _LEAST_BLUR
    ratio = np.maximum(first[edges] / np.maximum(second[edges], 1e-3), 1.0001)
    variance = _REBLUR_SIGMA**2 / (np.square(ratio) - 1) - _REBLUR_SIGMA**2 - _SAMPLING
    return float(np.clip(np.sqrt(max(float(np.quantile(variance, _EDGE_SHARE)), 0.0)), _LEAST_BLUR, _MOST_BLUR))


def _gradient(values: Floats) -> Floats:
    """Return the gradient's length in grey levels a pixel, by central differences."""
    return np.asarray(
        cv2.magnitude(cv2.Sobel(values, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(values, cv2.CV_32F, 0, 1, ksize=1)) / 2
    )


def white(photo: NDArray[np.uint8]) -> Floats:
    """Return float32 (3,), RGB, mean 1: what grey looks like in the photo's light.

    Shades of grey (Finlayson and Trezzi, 2004) with the Minkowski norm of order 6; clipped pixels are left out.
    """
    small = cv2.resize(photo, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64)
    small = small[small.max(axis=1) < 250] / 255
    if not len(small):
        return np.ones(3, np.float32)
    norm = np.power(np.power(small, _MINKOWSKI).mean(axis=0), 1 / _MINKOWSKI) + 1e-3
    return np.asarray(norm / norm.mean(), np.float32)
