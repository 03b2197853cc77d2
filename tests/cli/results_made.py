"""A small COCO set and another tool's results on it, and what pycocotools itself says of the two files."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

BOXES = (
    *("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large"),
    *("ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large"),
)
POSES = (
    *("oks_ap", "oks_ap50", "oks_ap75", "oks_ap_medium", "oks_ap_large"),
    *("oks_ar", "oks_ar50", "oks_ar75", "oks_ar_medium", "oks_ar_large"),
)
SIDE = 400
POINTS = 17


def made(folder: Path, *, photos: int = 24, seed: int = 0, points: int = POINTS) -> tuple[Path, list[dict[str, Any]]]:
    """Write labels of people and dogs, and return them with results that hold boxes, masks and keypoints.

    The photos' ids are in no order and scores have one digit: which result is ranked first is often a matter of ids.
    """
    rng = np.random.default_rng(seed)
    ids = (rng.permutation(photos) * 7 + 3).tolist()
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image in ids:
        for _ in range(int(rng.integers(1, 6))):
            wide, high = rng.uniform(15, 180, 2)
            left, top = rng.uniform(0, SIDE - 180, 2)
            name = int(rng.choice([1, 18]))
            box = np.array([left, top, wide, high]).round(1)
            annotations.append(_label(len(annotations) + 1, image, name, box, rng, points))
            for _ in range(int(rng.integers(0, 3))):
                results.append(_result(annotations[-1], box, rng, points))
    document = {
        "images": [{"id": each, "file_name": f"{each}.jpg", "width": SIDE, "height": SIDE} for each in ids],
        "annotations": annotations,
        "categories": [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labels.json").write_text(json.dumps(document))
    return folder / "labels.json", results


def _label(number: int, image: int, name: int, box: Any, rng: Any, points: int) -> dict[str, Any]:
    crowd = int(rng.uniform() < 0.05)
    seen = rng.integers(0, 3, points) * (rng.uniform() < 0.9) * (name == 1)
    places = box[:2] + rng.uniform(size=(points, 2)) * box[2:]
    return {
        "id": number,
        "image_id": image,
        "category_id": name,
        "bbox": box.tolist(),
        "area": float((box[2] * box[3] * 0.8).round(1)),
        "iscrowd": crowd,
        "segmentation": _filled(box) if crowd else [_ring(box)],
        "keypoints": np.column_stack([places.round(1), seen]).ravel().tolist(),
        "num_keypoints": int((seen > 0).sum()),
    }


def _result(label: dict[str, Any], box: Any, rng: Any, points: int) -> dict[str, Any]:
    moved = (box + rng.normal(size=4) * 0.1 * box[2:].mean()).round(1)
    moved[:2] = moved[:2].clip(0)
    moved[2:] = moved[2:].clip(4)
    name = label["category_id"] if rng.uniform() < 0.9 else 19 - label["category_id"]
    truth = np.array(label["keypoints"]).reshape(-1, 3)[:, :2]
    places = truth + rng.normal(size=(points, 2)) * 0.05 * box[2:] * rng.uniform(0, 3)
    return {
        "image_id": label["image_id"],
        "category_id": int(name),
        "bbox": moved.tolist(),
        "segmentation": _filled(moved),
        "keypoints": np.column_stack([places.round(1), np.ones(points)]).ravel().tolist(),
        "score": round(float(rng.uniform()), 1),
    }


def _ring(box: Any) -> list[float]:
    left, top, wide, high = box.tolist()
    return [left, top, left + wide, top, left + wide, top + high, left, top + high]


def _filled(box: Any) -> dict[str, Any]:
    run = coco_mask.frPyObjects([_ring(box)], SIDE, SIDE)[0]
    return {"size": run["size"], "counts": run["counts"].decode()}


def kept(results: list[dict[str, Any]], *members: str) -> list[dict[str, Any]]:
    """Return results with some of their places alone."""
    wanted = ("image_id", "category_id", "score", *members)
    return [{name: each[name] for name in wanted} for each in results]


def written(path: Path, results: Any) -> Path:
    path.write_text(json.dumps(results))
    return path


def of_pycocotools(labels: Path, results: Path, kind: str, sigmas: Any = None) -> list[float]:
    """Return the twelve numbers of `bbox` or `segm`, or the ten of `keypoints`, from the files themselves."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(labels))
        judge = COCOeval(truth, truth.loadRes(str(results)), kind)
        if sigmas is not None:
            judge.params.kpt_oks_sigmas = np.array(sigmas)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return [float(each) for each in judge.stats]
