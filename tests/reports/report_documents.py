"""Report documents and evaluation results as the stages make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_cli.core.kpi import Interval, Kpi, judge, parse
from vision_cli.imaging.write import encode_jpeg
from vision_cli.reports.document import DataSection, Document, EvalSection, Picture, TrainSection

EVIL = ("<script>alert(1)</script>", "[/] | pipe", "مرحبا", "🧢 a\nnewline", "x" * 10_000, "\u202eevil", "a\x00b\ud800")
"""Class names that break pages."""


def picture(truth: str, answer: str | None = None, confidence: float | None = None, level: int = 90) -> Picture:
    return Picture(encode_jpeg(np.full((8, 12, 3), level, np.uint8)), f"{truth[:20]}.jpg", truth, answer, confidence)


def matrix(n_classes: int, right: int = 9) -> list[list[int]]:
    """Return `right` answers a class, and one photo of each class taken for the next."""
    counts = np.eye(n_classes, dtype=int) * right
    return (counts + np.roll(np.eye(n_classes, dtype=int), 1, axis=1)).tolist() if n_classes > 1 else [[right]]


def judged(
    kpi: str, value: float | None, interval: tuple[float, float] | None = None, **options: Any
) -> dict[str, Any]:
    """Return the member of `kpis` that the judge makes of a value."""
    target: Kpi = parse(kpi, confidence=options.get("confidence"))
    intervals = {} if interval is None else {target.key: Interval(*interval, kind="share")}
    runtime = options.get("runtime", "torch")
    judgement = judge(target, {target.key: value}, intervals, n_photos=options.get("photos", 120), runtime=runtime)
    return dict(judgement.as_json())


def result(classes: Sequence[str], *kpis: dict[str, Any], runtime: str = "torch", **changes: Any) -> dict[str, Any]:
    """Return what `vision eval --json` prints of a classifier."""
    figures: dict[str, float | None] = {"top1": 0.9017, "accuracy": 0.9017, "f1": 0.8911, "ece": 0.0412}
    for index, each in enumerate(classes):
        figures |= {f"precision[{each}]": 0.91, f"recall[{each}]": 0.87, f"f1[{each}]": 0.5 + index / 1000}
    figures |= {"latency_ms.p50": 14.2, "latency_ms.p95": 19.83, "size_mb": 13.62, "memory_mb": None}
    document: dict[str, Any] = {
        "model": {"path": "runs/train/x/model", "name": "efficientnet", "family": "timm", "task": "classify"},
        "data": {"split": "test", "photos": 120, "digest": "9f2c1e7ab04d"},
        "runtime": {"name": runtime, "threads": 2, "precision": "float32"},
        "classes": list(classes),
        "metrics": figures,
        "intervals": {"top1": [0.8391, 0.9437], "f1": [0.8312, 0.9377]},
        "kpis": list(kpis),
        "passed": all(each["verdict"] == "pass" for each in kpis if each["gates"]),
        "confusion": matrix(len(classes)),
        "warnings": [],
    }
    return document | changes


def training(epochs: int) -> TrainSection:
    rows = [
        {"epoch": 1 + each, "train_loss": 2 / (1 + each), "val_loss": 1 + (each - 3) ** 2 / 100, "val_score": 0.5,
         "learning_rate": 0.001, "seconds": 2.0}
        for each in range(epochs)
    ]  # fmt: skip
    settings = [("train.epochs", "30"), ("model.backbone", "tf_efficientnet_lite0")]
    return TrainSection("20260301-demo", rows, ["the backbone was frozen"], settings, {"torch": "2.14.0"}, 252.0)


def data(classes: Sequence[str], **changes: Any) -> DataSection:
    counts = {each: [40 + index, 12, 13] for index, each in enumerate(classes)}
    shown: dict[str, Any] = {
        "splits": ("train", "val", "test"),
        "counts": counts,
        "sizes_px": [(400, 533), (640, 480), (400, 533)],
        "values": {},
        "samples": [picture(each) for each in classes[:5]],
        "findings": [{"code": "few-photos", "message": "hat has 12 test photos", "figure": 12}],
        "digest": "9f2c1e7ab04d55",
    }
    return DataSection(**(shown | changes))


def classifier(classes: Sequence[str], *kpis: dict[str, Any], epochs: int = 5) -> Document:
    mistakes = [picture(classes[0], classes[-1], 0.973)]
    evaluation = EvalSection(result(classes, *kpis), classes, mistakes, certainties=[(0.9, True), (0.55, False)])
    return Document("demo", "classify", "2026-03-01 10:00 UTC", data(classes), training(epochs), [evaluation])
