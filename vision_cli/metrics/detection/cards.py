"""The lines of the metrics table for objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vision_cli.core.tasks import OBJECT_TASKS
from vision_cli.metrics.card import Better, MetricCard

_MODULE = "vision_cli.metrics.detection.measuring"
_LICENCE = "BSD-2-Clause"


def _card(summary: str, better: Better = "higher", unit: str = "share", *, per_class: bool = True) -> MetricCard:
    return MetricCard(_MODULE, summary, _LICENCE, unit=unit, better=better, tasks=OBJECT_TASKS, per_class=per_class)


def _error(what: str) -> MetricCard:
    return _card(f"What {what} cost in AP at IoU 0.5 (TIDE)", "lower", per_class=False)


def _poses(summary: str) -> MetricCard:
    return replace(_card(f"{summary}, keypoints by OKS", per_class=False), source="results")


_AP, _AR = "Average precision, mean over IoU 0.50 to 0.95", "Recall, mean over IoU 0.50 to 0.95"

OBJECTS: Mapping[str, MetricCard] = {
    "ap": _card(f"{_AP} (COCO)"),
    "ap50": _card("Average precision at IoU 0.50; any other IoU likewise: ap60"),
    "ap75": _card("Average precision at IoU 0.75"),
    "ap_small": _card(f"{_AP}, of objects up to 32² pixels"),
    "ap_medium": _card(f"{_AP}, of objects of 32² to 96² pixels"),
    "ap_large": _card(f"{_AP}, of objects from 96² pixels"),
    "ar_1": _card(f"{_AR}, one detection a class and photo"),
    "ar_10": _card(f"{_AR}, ten detections a class and photo"),
    "ar_100": _card(f"{_AR}, a hundred detections a class and photo"),
    "ar_small": _card(f"{_AR}, of objects up to 32² pixels"),
    "ar_medium": _card(f"{_AR}, of objects of 32² to 96² pixels"),
    "ar_large": _card(f"{_AR}, of objects from 96² pixels"),
    "voc2007_ap": _card("Average precision of Pascal VOC 2007: IoU 0.5, 11 recalls"),
    "voc2012_ap": _card("Average precision of Pascal VOC 2010 to 2012: IoU 0.5, every recall"),
    "f1": _card("Harmonic mean of precision and recall at the model's confidence; macro"),
    "precision": _card("Share of a class's detections that are right, at the model's confidence"),
    "recall": _card("Share of a class's objects that are found, at the model's confidence"),
    "f1_micro": _card("F1 over all objects together", per_class=False),
    "precision_micro": _card("Precision over all detections together", per_class=False),
    "recall_micro": _card("Recall over all objects together", per_class=False),
    "count_mae": _card("Mean error of the number of objects a photo", "lower", "objects"),
    "count_over": _card("Objects too many a photo, mean", "lower", "objects"),
    "count_under": _card("Objects too few a photo, mean", "lower", "objects"),
    "error_class": _error("objects taken for another class"),
    "error_location": _error("boxes or masks beside their object"),
    "error_both": _error("detections of another class and beside"),
    "error_duplicate": _error("objects found twice"),
    "error_background": _error("detections where nothing is"),
    "error_missed": _error("objects that nothing finds"),
    "oks_ap": _poses(_AP.replace("IoU", "OKS")),
    "oks_ap50": _poses("Average precision at OKS 0.50"),
    "oks_ap75": _poses("Average precision at OKS 0.75"),
    "oks_ap_medium": _poses("Average precision of objects of 32² to 96² pixels"),
    "oks_ap_large": _poses("Average precision of objects from 96² pixels"),
    "oks_ar": _poses(_AR.replace("IoU", "OKS")),
    "oks_ar50": _poses("Recall at OKS 0.50"),
    "oks_ar75": _poses("Recall at OKS 0.75"),
    "oks_ar_medium": _poses("Recall of objects of 32² to 96² pixels"),
    "oks_ar_large": _poses("Recall of objects from 96² pixels"),
}
