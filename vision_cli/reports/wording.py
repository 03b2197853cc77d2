"""Figures and names in the words that people read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

NOTHING = "–"
# Control characters, line separators, marks that turn the writing direction, what is no character, lone surrogates.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
_BREAKS = "\t\n\r\u2028\u2029\x85"
_LABELS = {
    "top1": "Top-1 accuracy",
    "accuracy": "Accuracy",
    "top1_error": "Top-1 error",
    "top5": "Top-5 accuracy",
    "top5_error": "Top-5 error",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1, macro",
    "precision": "Precision, macro",
    "recall": "Recall, macro",
    "f1_micro": "F1, micro",
    "precision_micro": "Precision, micro",
    "recall_micro": "Recall, micro",
    "auc": "ROC-AUC",
    "map": "Mean average precision",
    "ap": "Average precision",
    "ece": "Calibration error",
    "log_loss": "Log loss",
    "exact_match": "Every label right",
    "hamming_loss": "Wrong decisions",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "median_absolute_error": "Median absolute error",
    "max_error": "Largest error",
    "r2": "R²",
    "ap50": "Average precision at IoU 0.5",
    "ap75": "Average precision at IoU 0.75",
    "ap_small": "Average precision, small objects",
    "ap_medium": "Average precision, medium objects",
    "ap_large": "Average precision, large objects",
    "ar_1": "Recall, 1 detection a class and photo",
    "ar_10": "Recall, 10 detections a class and photo",
    "ar_100": "Recall, 100 detections a class and photo",
    "ar_small": "Recall, small objects",
    "ar_medium": "Recall, medium objects",
    "ar_large": "Recall, large objects",
    "voc2007_ap": "Average precision, VOC 2007",
    "voc2012_ap": "Average precision, VOC 2012",
    "error_class": "Another class",
    "error_location": "Beside its object",
    "error_both": "Another class, and beside",
    "error_duplicate": "Found twice",
    "error_background": "Nothing is there",
    "error_missed": "Missed",
    "count_mae": "Mean error of the number",
    "count_over": "Too many, mean",
    "count_under": "Too few, mean",
    "oks_ap": "Keypoints, average precision",
    "oks_ap50": "Keypoints, average precision at OKS 0.5",
    "oks_ap75": "Keypoints, average precision at OKS 0.75",
    "oks_ap_medium": "Keypoints, average precision, medium objects",
    "oks_ap_large": "Keypoints, average precision, large objects",
    "oks_ar": "Keypoints, recall",
    "oks_ar50": "Keypoints, recall at OKS 0.5",
    "oks_ar75": "Keypoints, recall at OKS 0.75",
    "oks_ar_medium": "Keypoints, recall, medium objects",
    "oks_ar_large": "Keypoints, recall, large objects",
    "miou": "Mean IoU",
    "iou": "IoU",
    "fw_iou": "Mean IoU, weighted by pixels",
    "dice": "Dice, macro",
    "pixel_accuracy": "Pixel accuracy",
    "mean_accuracy": "Pixel accuracy, macro",
    "boundary_f1": "F1 of outlines",
    **{
        f"{short}{ending}": f"{name}{of}"
        for short, name in {"pq": "Panoptic quality", "sq": "Segmentation quality", "rq": "Recognition quality"}.items()
        for ending, of in {"": "", "_th": ", things", "_st": ", stuff"}.items()
    },
    "acceptance": "Photos that most raters accept",
    "acceptance_rate": "Ratings that accept",
    "rater_agreement": "Pairs of raters who agree",
    "fleiss_kappa": "Fleiss' kappa",
    "cohen_kappa": "Cohen's kappa",
    "krippendorff_alpha": "Krippendorff's alpha",
    "latency_ms.p50": "Latency p50",
    "latency_ms.p95": "Latency p95",
    "images_per_s": "Photos a second",
    "size_mb": "Size of the model",
    "memory_mb": "Memory while running",
}
ERRORS = ("class", "location", "both", "duplicate", "background", "missed")
"""Kinds of errors of detectors; `error_...` is what one costs."""
COUNTS = ("count_mae", "count_over", "count_under")
"""Errors of the number of objects a photo."""
SIZES = tuple(f"{name}_{size}" for name in ("ap", "ar", "oks_ap", "oks_ar") for size in ("small", "medium", "large"))
"""Figures of objects of a size, which photos need not have."""
LOWER_IS_BETTER = frozenset(
    ("top1_error", "top5_error", "ece", "log_loss", "hamming_loss", "mae", "rmse", "median_absolute_error", "max_error")
) | {*COUNTS, *(f"error_{kind}" for kind in ERRORS)}
SPEED = ("latency_ms.p50", "latency_ms.p95", "images_per_s", "size_mb", "memory_mb")
"""Figures of a model on a machine, not of its answers."""
_NO_SHARES = ("log_loss", "mae", "rmse", "median_absolute_error", "max_error", "r2", *COUNTS, *SPEED)
_AGREEMENTS = ("fleiss_kappa", "cohen_kappa", "krippendorff_alpha")
SHARES = frozenset(_LABELS) - frozenset((*_NO_SHARES, *_AGREEMENTS))
"""Figures between 0 and 1."""
_UNITS = {"latency_ms": " ms", "size_mb": " MB", "memory_mb": " MB"}


def one_line(value: object) -> str:
    r"""Return a text without what HTML and XML forbid or what turns the writing: a break is `↵`, a control `\x1b`."""
    return _CONTROLS.sub(_visible, str(value))


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in _BREAKS:
        return "↵"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def cut(text: str, length: int) -> str:
    """Return a text of at most so many characters; a cut one ends with `…`."""
    return text if len(text) <= length else text[: length - 1] + "…"


def label(key: str) -> str:
    """Return a metric's name in words; of an unknown one the key."""
    return _LABELS.get(key, key)


def is_number(value: Any) -> TypeGuard[int | float]:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def figure(value: Any, key: str = "") -> str:
    """Return a figure with the unit of its metric; what is no finite number is a dash."""
    if not is_number(value):
        return NOTHING
    base = key.partition("[")[0]
    return _share(value) if base in SHARES and abs(value) <= 1 else plain(value) + unit(key)


def unit(key: str) -> str:
    """Return the unit of a metric with a space before it, or nothing."""
    return _UNITS.get(key.partition(".")[0], "")


def plain(value: float, digits: int = 4) -> str:
    """Return a finite number with significant digits, never with an exponent where people do not need one."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if 10**digits <= abs(value) < 1e15 else f"{value:.{digits}g}"


def _share(value: float) -> str:
    """Return at least three decimals; more where 0.9996 would read as 1.000."""
    for digits in (3, 4, 5, 6):
        text = f"{value:.{digits}f}"
        if value in (0, 1) or float(text) not in (0, 1):
            break
    return text


def apart(value: float, bound: float) -> str:
    """Return a value with as many digits as it takes to be seen on its side of a bound."""
    for digits in range(4, 12):
        text = plain(value, digits)
        if value == bound or text != plain(bound, digits):
            break
    return text


def interval(ends: Any, key: str = "") -> str:
    """Return both ends with a dash between, or nothing where there is no interval."""
    if not (isinstance(ends, list | tuple) and len(ends) == 2 and all(is_number(end) for end in ends)):
        return ""
    return f"{figure(ends[0], key)} {NOTHING} {figure(ends[1], key)}"


def per_cent(share: Any) -> str:
    """Return a share in per cent; 99.96 % is not 100 %."""
    if not is_number(share):
        return NOTHING
    text = f"{share * 100:.1f}".removesuffix(".0")
    if text in ("100", "0") and share not in (0, 1):
        text = f"{share * 100:.3g}" if share < 0.5 else f"{share * 100:.3f}".rstrip("0")
    return f"{text} %"


def sure(settings: Mapping[str, Any]) -> str:
    """Return which detections count, by the settings of an evaluation."""
    least = settings.get("confidence")
    ends = [each for each in (least if isinstance(least, list | tuple) else [least]) if is_number(each)]
    if not ends:
        return "at the confidence that counts"
    if min(ends) == max(ends):
        return f"from confidence {plain(ends[0], 3)} on"
    return f"from the confidence of their class on, {plain(min(ends), 3)} to {plain(max(ends), 3)}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return `1 photo`, `1,240 photos`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: Any) -> str:
    """Return `38 s`, `4 min 12 s`, `2 h 5 min`."""
    if not is_number(seconds) or seconds <= 0:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
