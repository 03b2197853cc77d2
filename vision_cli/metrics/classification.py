"""Top-1, top-5 and the confusion matrix of `classify`."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_cli.core.predictions import Scores
from vision_cli.metrics.intervals import Share
from vision_cli.metrics.subject import Figures, Subject

_GUESSES = 5


def measure(subject: Subject) -> Figures:
    """Measure the shares of right answers and count the confusions."""
    photos = len(subject.truth)
    ranks = true_ranks(subject.truth, subject.scores)
    top1, top5 = (float((ranks < k).mean()) for k in (1, _GUESSES))
    values = {"top1": top1, "accuracy": top1, "top1_error": 1 - top1, "top5": top5, "top5_error": 1 - top5}
    n_classes = len(subject.names)
    flat = subject.truth * n_classes + subject.scores.argmax(axis=1)
    confusion = np.bincount(flat, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.int64)
    return Figures(
        values, {key: Share(value, photos) for key, value in values.items()}, _warnings(n_classes), confusion
    )


def true_ranks(truth: np.ndarray[Any, np.dtype[np.int64]], scores: Scores) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the place of the true class among a photo's scores, int64 (N,), from 0.

    Of equal scores the lower class id comes first, as in `argmax`.
    """
    own = scores[np.arange(len(truth)), truth][:, None]
    before = np.arange(scores.shape[1])[None, :] < truth[:, None]
    return np.asarray(((scores > own) | ((scores == own) & before)).sum(axis=1), dtype=np.int64)


def _warnings(n_classes: int) -> tuple[str, ...]:
    if n_classes > _GUESSES:
        return ()
    return (f"top5 says nothing with {n_classes} classes: five guesses hold every one.",)
