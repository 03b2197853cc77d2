"""Regions of a photo: a watershed of its contours, whose basins are merged where little divides them.

Contours are colour gradients, lowered where the whole neighbourhood is full of them (surround suppression, Grigorescu,
Petkov and Westenberg, 2003), so that grass or cloth is one region and not a thousand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.scene import NO_REGION, AnalysisSettings

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

_SURROUND_PX = 41
_COARSE_SIGMA = 3.0
_CALM = 1.5  # gradient, in levels of Lab a pixel, at which a contour counts half where nothing surrounds it
_SEED_PX = 9
_SAME, _COLOUR_LEVELS = 0.3, 12.0  # a contour between equal colours; levels of difference that let it count whole
_ROUGH_PX = 21
_THRESHOLDS = (0.2, 0.4, 0.6, 0.8)
_WHOLE_SHARE = 0.004  # of the photo: regions smaller than this merge the more readily
_MOST_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Members:
    """The pixels of each region, without a pass over the photo for each.

    Attributes:
        order: flat indices of all pixels with a label of 0 or more, by label, then row by row.
        starts: int64 (regions + 1,), where each region begins in `order`.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of(self, region: int) -> NDArray[np.int64]:
        """Return the flat indices of a region's pixels, row by row."""
        return self.order[self.starts[region] : self.starts[region + 1]]

    @property
    def areas(self) -> NDArray[np.int64]:
        """Pixels of each region."""
        return np.diff(self.starts)


def members(labels: NDArray[np.integer]) -> Members:
    """Group pixels by label; labels below 0 are left out."""
    flat = labels.ravel().astype(np.int16 if labels.size and labels.max() < 2**15 else np.int32)
    order = np.argsort(flat, kind="stable")
    count = int(flat.max(initial=-1)) + 1
    starts = np.searchsorted(flat[order], np.arange(count + 1))
    return Members(order, starts)


def divide(photo: NDArray[np.uint8]) -> Labels:
    """Return int32 (H, W): the region of every pixel, 0 is the largest.

    Args:
        photo: uint8 (H, W, 3), RGB.
    """
    calm = cv2.medianBlur(photo, 5) if min(photo.shape[:2]) > 5 else photo
    lab = cv2.GaussianBlur(cv2.cvtColor(calm, cv2.COLOR_RGB2LAB), (0, 0), 1.0).astype(np.float32)
    # An object's edge is there at both scales, a blade of grass at one.
    strength = np.sqrt(_gradient(lab) * _gradient(cv2.GaussianBlur(lab, (0, 0), _COARSE_SIGMA)))
    basins = _basins(calm, strength)
    suppressed = strength / (_CALM + cv2.blur(strength, (_SURROUND_PX, _SURROUND_PX)))
    roots = _merge(_Graph.of(basins, np.dstack((lab, _roughness(lab[..., 0]))), suppressed))
    return _by_area(roots[basins])


def keep(every: Labels, settings: AnalysisSettings) -> tuple[NDArray[np.int16], Counter[str]]:
    """Keep the regions that something could lie on; return int16 (H, W) with NO_REGION elsewhere, and the reasons."""
    pixels = members(every)
    least = settings.least_region_share * every.size
    chosen: list[int] = []
    rejected = Counter[str]()
    for region, area in enumerate(pixels.areas):
        if area < least:
            rejected["small"] += 1
        elif len(chosen) >= settings.max_regions:
            rejected["beyond the largest"] += 1
        elif aspect(pixels.of(region), every.shape[1]) > settings.most_aspect:
            rejected["narrow"] += 1
        else:
            chosen.append(region)
    table = np.full(len(pixels) + 1, NO_REGION, np.int16)
    table[chosen] = np.arange(len(chosen))
    return table[every], rejected


def aspect(pixels: NDArray[np.int64], width: int) -> float:
    """Return long over short side of the least rectangle around flat pixel indices; sides count whole pixels."""
    points = np.column_stack((pixels % width, pixels // width)).astype(np.float32)
    sides = np.array(cv2.minAreaRect(points)[1]) + 1
    return float(sides.max() / sides.min())


def _gradient(lab: Floats) -> Floats:
    """Return float32 (H, W): levels of colour a pixel."""
    across, down = (cv2.Sobel(lab, cv2.CV_32F, *axis, ksize=3, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    squared = np.einsum("ijk,ijk->ij", across, across) + np.einsum("ijk,ijk->ij", down, down)
    return np.asarray(np.sqrt(squared), np.float32)


def _roughness(light: Floats) -> Floats:
    """Return the standard deviation of brightness around each pixel, in levels of L."""
    window = (_ROUGH_PX, _ROUGH_PX)
    variance = cv2.blur(light * light, window) - np.square(cv2.blur(light, window))
    return np.asarray(np.sqrt(np.maximum(variance, 0)), np.float32)


def _basins(photo: NDArray[np.uint8], strength: Floats) -> Labels:
    """Return one small region around each place where the gradient is least."""
    smooth = cv2.GaussianBlur(strength, (0, 0), 2.0)
    least = cv2.erode(smooth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SEED_PX, _SEED_PX)))
    _, seeds = cv2.connectedComponents((smooth <= least).astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    flooded = cv2.watershed(np.ascontiguousarray(photo), seeds)
    while (flooded < 1).any():  # the lines between basins and the frame, which watershed leaves at -1
        grown = cv2.dilate(np.maximum(flooded, 0).astype(np.float32), np.ones((3, 3), np.uint8))
        flooded = np.where(flooded < 1, grown.astype(np.int32), flooded)
    return np.asarray(flooded - 1, np.int32)


@dataclass(slots=True)
class _Graph:
    """Regions that touch.

    Attributes:
        areas: float64 (R,); 0 for those that were merged away.
        colours: float64 (R, 4), sums of Lab and of roughness over a region's pixels.
        pairs: int64 (E, 2), the smaller label first.
        contour: float64 (E,), sum of contour along the common border.
        length: float64 (E,), pixels of it.
    """

    areas: NDArray[np.float64]
    colours: NDArray[np.float64]
    pairs: NDArray[np.int64]
    contour: NDArray[np.float64]
    length: NDArray[np.float64]
    whole: float = 0.0

    @classmethod
    def of(cls, labels: Labels, lab: Floats, contour: Floats) -> _Graph:
        """Build the graph of a labelled photo."""
        flat, count = labels.ravel(), int(labels.max()) + 1
        areas = np.bincount(flat, minlength=count).astype(np.float64)
        sums = [np.bincount(flat, lab[..., k].ravel(), minlength=count) for k in range(4)]
        colours = np.column_stack(sums).astype(np.float64)
        one, two, strength = [], [], []
        for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
            border = labels[a] != labels[b]
            one.append(labels[a][border])
            two.append(labels[b][border])
            strength.append(np.maximum(contour[a][border], contour[b][border]))
        pairs = np.column_stack((np.concatenate(one), np.concatenate(two))).astype(np.int64)
        weights = np.concatenate(strength).astype(np.float64)
        graph = cls(areas, colours, pairs, weights, np.ones(len(pairs)), _WHOLE_SHARE * labels.size)
        graph.join()
        return graph

    def join(self) -> None:
        """Make one pair of all between the same two regions."""
        low, high = self.pairs.min(axis=1), self.pairs.max(axis=1)
        key, place = np.unique((low * len(self.areas) + high)[low != high], return_inverse=True)
        self.contour = np.bincount(place, self.contour[low != high], minlength=len(key)).astype(np.float64)
        self.length = np.bincount(place, self.length[low != high], minlength=len(key)).astype(np.float64)
        self.pairs = np.column_stack(np.divmod(key, len(self.areas)))

    def costs(self) -> NDArray[np.float64]:
        """Return what divides each pair: the mean contour between them, the more the more their mean colours differ.

        Colours differ by chance where both are rough.
        """
        low, high = self.pairs.T
        means = self.colours / np.maximum(self.areas, 1)[:, None]
        colour = np.sqrt(np.square(means[low, :3] - means[high, :3]).sum(axis=1))
        colour /= _COLOUR_LEVELS + np.minimum(means[low, 3], means[high, 3])
        smaller = np.minimum(self.areas[low], self.areas[high])
        size = np.minimum(1.0, np.sqrt(smaller / max(self.whole, 1.0)))
        contour = self.contour / np.maximum(self.length, 1)
        return np.asarray(contour * (_SAME + colour) * np.maximum(size, 0.1))


def _merge(graph: _Graph) -> NDArray[np.int64]:
    """Merge regions that are each other's nearest until something divides all that are left; return each one's root."""
    roots = np.arange(len(graph.areas))
    for threshold in _THRESHOLDS:
        for _ in range(_MOST_ROUNDS):
            low, high = _nearest_of_each_other(graph, threshold)
            if not len(low):
                break
            graph.areas[low] += graph.areas[high]
            graph.colours[low] += graph.colours[high]
            graph.areas[high] = 0
            into = np.arange(len(roots))
            into[high] = low
            roots = into[roots]
            graph.pairs = into[graph.pairs]
            graph.join()
    return roots


def _nearest_of_each_other(graph: _Graph, threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    costs = graph.costs()
    if not len(costs):
        return graph.pairs[:, 0], graph.pairs[:, 1]
    order = np.argsort(costs, kind="stable")[::-1]
    best = np.full(len(graph.areas), -1)
    for side in (0, 1):
        # The last assignment stands, which is the cheapest pair of this side; then both sides are compared.
        mine = np.full(len(graph.areas), -1)
        mine[graph.pairs[order, side]] = order
        better = (mine >= 0) & ((best < 0) | (costs[mine] < costs[best]))
        best = np.where(better, mine, best)
    low, high = graph.pairs.T
    edge = np.arange(len(costs))
    mutual = (best[low] == edge) & (best[high] == edge) & (costs < threshold)
    return low[mutual], high[mutual]


def _by_area(labels: NDArray[np.int64]) -> Labels:
    """Number regions from 0 by falling area; of equal ones the first met comes first."""
    _, first, place, counts = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -counts))
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    return rank[place].reshape(labels.shape)
