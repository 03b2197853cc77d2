"""Every metric of pixels with its interval over photos.

IoU, Dice and accuracies are of the pixels of all photos together, as Pascal VOC, Cityscapes and ADE20K have them
(Everingham et al. 2010, IJCV 88:303; Long, Shelhamer & Darrell 2015, section 5, for the two means and the frequency-
weighted IoU). A class that is neither there nor said has no figure, and means leave it out; one that is only said has
an IoU of 0, which counts in the mean.
"""

from __future__ import annotations

import numpy as np

from vision_cli.core.measurement import Measurement
from vision_cli.metrics.intervals import Floats
from vision_cli.metrics.photo_sums import Question, keys, mean, ratio
from vision_cli.metrics.semantic.tallies import Tallies
from vision_cli.metrics.subject import Figures, combined

_RARE = 0.05
"""Share of the labelled pixels below which a class hardly moves pixel accuracy."""
_FLATTERED = 0.2
"""By how much the IoU of such a class lies below pixel accuracy before it is said."""
_MOST_NAMES = 10


def measure(tallies: Tallies, names: tuple[str, ...], *, resamples: int = 1000, seed: int = 0) -> Measurement:
    """Measure every metric of pixels.

    Args:
        tallies: of the photos; without boundaries there is no `boundary_f1`.
        names: of the classes.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    if not len(tallies):
        return Measurement({}, {}, 0, warnings=("there were no photos: nothing was measured.",))
    rng = np.random.default_rng(seed)
    counted, *drawn = (each.figures(resamples, rng) for each in questions(tallies, names))
    parts = [Figures(counted.values, counted.spreads, _warnings(tallies, names, counted)), *drawn]
    if tallies.boundaries and parts[-1].values["boundary_f1"] is None:
        parts.append(Figures({}, {}, ("no photo has a boundary between two classes: no boundary F1 is measured.",)))
    return combined(parts, len(tallies))


def questions(tallies: Tallies, names: tuple[str, ...]) -> list[Question]:
    """Return the figures as functions of sums over photos: those of counted pixels, then those of boundaries."""
    return [_counted(tallies, names), *([_drawn(tallies, names)] if tallies.boundaries else [])]


def of_photos(tallies: Tallies, names: tuple[str, ...]) -> dict[str, Floats]:
    """Return the figures of each photo by itself, float64 (N,) by key; NaN where not defined."""
    counted = _counted(tallies, names)
    found = dict(zip(counted.keys, _figures(counted.contributions).T, strict=True))
    return {**found, "boundary_f1": mean(tallies.boundary_f1)[:, 0]}


def mean_iou(tallies: Tallies) -> float:
    """Return the mean IoU; 0 where nothing is labelled."""
    right, there, said = tallies.counts.sum(axis=0)[:, None].astype(np.float64)
    found = float(mean(ratio(right, there + said - right))[0, 0])
    return found if np.isfinite(found) else 0.0


def _counted(tallies: Tallies, names: tuple[str, ...]) -> Question:
    counts = tallies.counts
    either = ((counts[:, 1] + counts[:, 2]) > 0).sum(axis=0)
    there = (counts[:, 1] > 0).sum(axis=0)
    labelled = int((counts[:, 1].sum(axis=1) > 0).sum())
    of_class = (keys("iou", names), keys("dice", names), keys("pixel_accuracy", names))
    wholes = ("miou", "dice", "mean_accuracy", "pixel_accuracy", "fw_iou")
    return Question(
        counts.reshape(len(tallies), -1).astype(np.float64),
        _figures,
        (*of_class[0], *of_class[1], *of_class[2], *wholes),
        np.concatenate([either, either, there, [labelled] * len(wholes)]),
        dict(zip(wholes, of_class, strict=False)),
    )


def _figures(sums: Floats) -> Floats:
    """Return IoU, Dice and accuracy of each class, their means, pixel accuracy and weighted IoU, (R, 3 C + 5)."""
    right, there, said = np.split(sums, 3, axis=1)
    iou, dice = ratio(right, there + said - right), ratio(2 * right, there + said)
    accuracy = ratio(right, there)
    total = there.sum(axis=1, keepdims=True)
    weighted = np.where(there > 0, there * iou, 0).sum(axis=1, keepdims=True)
    wholes = [mean(iou), mean(dice), mean(accuracy), ratio(right.sum(axis=1, keepdims=True), total)]
    return np.concatenate([iou, dice, accuracy, *wholes, ratio(weighted, total)], axis=1)


def _drawn(tallies: Tallies, names: tuple[str, ...]) -> Question:
    """Return the boundary F1 of classes, a mean over photos that have one; and of photos, a mean over classes."""
    found = np.concatenate([tallies.boundary_f1, mean(tallies.boundary_f1)], axis=1)
    known = np.isfinite(found)
    return Question(
        np.concatenate([np.where(known, found, 0), known], axis=1),
        lambda sums: ratio(*np.split(sums, 2, axis=1)),
        (*keys("boundary_f1", names), "boundary_f1"),
        known.sum(axis=0),
        {},
    )


def _warnings(tallies: Tallies, names: tuple[str, ...], counted: Figures) -> tuple[str, ...]:
    there = tallies.confusion.sum(axis=1)
    said = []
    absent = [name for name, pixels in zip(names, there, strict=True) if not pixels]
    if absent:
        shown = ", ".join(f"'{name}'" for name in absent[:_MOST_NAMES])
        more = f" and {len(absent) - _MOST_NAMES} more" if len(absent) > _MOST_NAMES else ""
        said.append(f"no labelled pixel of {shown}{more}: where it is said all the same, its IoU is 0.")
    return (*said, *_flattered(there / max(1, int(there.sum())), names, counted))


def _flattered(shares: Floats, names: tuple[str, ...], counted: Figures) -> tuple[str, ...]:
    """Warn when pixel accuracy hides how badly a rare class is found."""
    accuracy = counted.values["pixel_accuracy"]
    ious = [counted.values[key] for key in keys("iou", names)]
    rare = [
        (iou, name, share)
        for name, share, iou in zip(names, shares.tolist(), ious, strict=True)
        if 0 < share < _RARE and accuracy is not None and iou is not None and iou < accuracy - _FLATTERED
    ]
    if not rare:
        return ()
    listed = [f"'{name}' ({share:.2%} of the pixels) has an IoU of {iou:.2f}" for iou, name, share in sorted(rare)]
    more = f" and {len(listed) - 3} more classes are as rare and as badly found" if len(listed) > 3 else ""
    return (
        f"pixel accuracy is {accuracy:.2f}, but {', '.join(listed[:3])}{more}: rare classes hardly move pixel "
        "accuracy. Judge by miou or iou[class].",
    )
