"""`vision eval --results` beside `vision eval` of the model that wrote the results, and KPIs that no model answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import detectors_made as made
import numpy as np
import pytest
from PIL import Image

Vision = Callable[..., Any]


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Write photos with a COCO file of their boxes, and a detector that says much of them."""
    rng = np.random.default_rng(0)
    images, labels = [], []
    for number, path in enumerate(made.draw_photos(tmp_path / "photos"), start=1):
        with Image.open(path) as photo:
            width, height = photo.size
        images.append({"id": 10 * number, "file_name": path.name, "width": width, "height": height})
        for _ in range(3):
            box = [*rng.uniform(0, 80, 2).round(1).tolist(), *rng.uniform(10, 40, 2).round(1).tolist()]
            own = {"id": len(labels) + 1, "image_id": 10 * number, "category_id": 4 + len(labels) % 3, "iscrowd": 0}
            labels.append({**own, "bbox": box, "area": box[2] * box[3]})
    names = [{"id": 4 + at, "name": name} for at, name in enumerate(made.CLASSES)]
    document = {"images": images, "annotations": labels, "categories": names}
    (tmp_path / "photos" / "labels.json").write_text(json.dumps(document))
    (tmp_path / "vision.yaml").write_text(
        "version: 1\nname: cells\ntask: detect\neval: {resamples: 100, split: all}\n"
        "data: {sources: {own: {path: photos/labels.json}}}\n"
    )
    made.save(tmp_path / "model", confidence=0.5)
    return tmp_path


def test_a_model_and_the_results_that_it_wrote_measure_the_same(vision: Vision, street: Path) -> None:
    said = vision("predict", "--model", "model", "--data", "all", "--to", "coco-results", "--output", "r.json")
    assert said.code == 0, said.err
    model = vision("eval", "--model", "model", "--json").document
    results = vision("eval", "--results", "r.json", "--confidence", "0.5", "--json").document
    speed = {"latency_ms.p50", "latency_ms.p95", "images_per_s", "size_mb", "memory_mb"}
    wanted = {name: value for name, value in model["metrics"].items() if name not in speed}
    assert results["metrics"] == pytest.approx(wanted, abs=1e-9)
    assert results["intervals"].keys() == model["intervals"].keys()
    assert results["confusion"] == model["confusion"]
    assert results["data"] == model["data"]
    assert results["model"]["results"] > 20


def test_no_model_answers_for_keypoints(vision: Vision, street: Path) -> None:
    called = vision("eval", "--model", "model", "--kpi", "oks_ap>0.5", "--dry-run")
    assert called.code == 2
    assert "KPI 'oks_ap > 0.5': 'oks_ap' is of keypoints, and no model predicts any." in called.err
    assert "vision eval --results FILE" in called.err
    declared = vision("eval", "--model", "model", "kpis=[oks_ar50 > 0.5, ap > 0.1]")
    assert (declared.code, "'oks_ar50' is of keypoints" in declared.err) == (2, True)
    trained = vision("train", "kpis=[oks_ap > 0.5]", "--dry-run")
    assert (trained.code, "no model predicts any" in trained.err) == (2, True)
    assert not (street / "runs").exists()
