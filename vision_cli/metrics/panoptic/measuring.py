"""Panoptic, segmentation and recognition quality with their intervals over photos (Kirillov et al. 2019).

PQ = (sum of the IoUs of found segments) / (found + false / 2 + missed / 2) = SQ x RQ, a class at a time over all
photos; the means are over classes that are there or said, as panopticapi has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from vision_cli.core.detections import Bools, Ints
from vision_cli.core.measurement import Measurement
from vision_cli.metrics.intervals import Floats
from vision_cli.metrics.panoptic.tallies import FALSE, FOUND, MISSED, Tallies
from vision_cli.metrics.photo_sums import Question, keys, mean, ratio
from vision_cli.metrics.subject import Figures, combined

_NAMES = ("pq", "sq", "rq")
_MOST_NAMES = 10


def measure(
    tallies: Tallies, names: tuple[str, ...], things: Sequence[int], *, resamples: int = 1000, seed: int = 0
) -> Measurement:
    """Measure every metric of segments.

    Args:
        tallies: of the photos.
        names: of the classes.
        things: class ids that are objects; the others are stuff.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    if not len(tallies):
        return Measurement({}, {}, 0, warnings=("there were no photos: nothing was measured.",))
    found = question(tallies, names, things).figures(resamples, np.random.default_rng(seed))
    return combined([Figures(found.values, found.spreads, _warnings(tallies, names))], len(tallies))


def of_photos(tallies: Tallies, names: tuple[str, ...], things: Sequence[int]) -> dict[str, Floats]:
    """Return the figures of each photo by itself, float64 (N,) by key; NaN where not defined."""
    asked = question(tallies, names, things)
    return dict(zip(asked.keys, asked.formula(asked.contributions).T, strict=True))


def panoptic_quality(tallies: Tallies) -> float:
    """Return PQ; 0 where there is no segment."""
    everything = np.ones(tallies.n_classes, dtype=np.bool_)
    found = float(_figures(tallies.sums.sum(axis=0).reshape(1, -1), [everything])[0, 3 * tallies.n_classes])
    return found if np.isfinite(found) else 0.0


def question(tallies: Tallies, names: tuple[str, ...], things: Sequence[int]) -> Question:
    """Return the figures as functions of sums over photos."""
    sums = tallies.sums
    is_thing = np.isin(np.arange(len(names)), np.asarray(things, dtype=np.int64))
    groups = {"": np.ones(len(names), dtype=np.bool_), "_th": is_thing, "_st": ~is_thing}
    of_class = [keys(name, names) for name in _NAMES]
    means = {
        f"{name}{ending}": tuple(np.array(each, dtype=object)[chosen].tolist())
        for ending, chosen in groups.items()
        for name, each in zip(_NAMES, of_class, strict=True)
    }
    return Question(
        sums.reshape(len(sums), -1),
        partial(_figures, groups=list(groups.values())),
        (*(key for each in of_class for key in each), *means),
        _support(sums[:, FOUND:].sum(axis=1) > 0, list(groups.values())),
        means,
    )


def _support(there: Bools, groups: list[Bools]) -> Ints:
    """Return the photos that each figure stands on."""
    wholes = [there[:, chosen].any(axis=1).sum() for chosen in groups for _ in _NAMES]
    return np.concatenate([*(there.sum(axis=0) for _ in _NAMES), wholes])


def _figures(sums: Floats, groups: list[Bools]) -> Floats:
    """Return PQ, SQ and RQ of each class, then their means over groups of classes, (R, 3 C + 3 G)."""
    iou, found, false, missed = np.split(sums, 4, axis=1)
    whole = found + false / 2 + missed / 2
    # Of segments none of which is found, SQ counts as 0 in the mean, as in panopticapi.
    quality = np.where(whole > 0, iou / np.maximum(found, 1e-9), np.nan)
    by_class = [ratio(iou, whole), quality, ratio(found, whole)]
    means = [mean(each[:, chosen]) for chosen in groups for each in by_class]
    return np.concatenate([*by_class, *means], axis=1)


def _warnings(tallies: Tallies, names: tuple[str, ...]) -> tuple[str, ...]:
    sums = tallies.sums.sum(axis=0)
    absent = [name for name, there in zip(names, sums[FOUND] + sums[MISSED], strict=True) if not there]
    false = [name for name in absent if sums[FALSE][names.index(name)]]
    if not absent:
        return ()
    shown = ", ".join(f"'{name}'" for name in absent[:_MOST_NAMES])
    more = f" and {len(absent) - _MOST_NAMES} more" if len(absent) > _MOST_NAMES else ""
    told = f"; {len(false)} that the model said all the same count as 0" if false else ""
    return (f"no segment of {shown}{more} in the photos: the means leave such classes out{told}.",)
