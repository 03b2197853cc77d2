"""COCO evaluators against pycocotools on made-up detections: agreement, CPU seconds, peak memory.

    python bench/coco_eval.py                      # 500,000 boxes, then 180,000 masks, on 5,000 photos
    python bench/coco_eval.py --photos 500 --boxes 50000 --masks 18000

Every evaluator that is installed runs in a process of its own on the same files, one after the other, on one thread.
Counted is the CPU time from reading the files to the twelve numbers, imports not; the memory is the process's peak.
`vision` is our own path: files to columns, range check, evaluator, arrays. Truth has COCO val2017's shape (7.3 objects
a photo, 80 classes, 1 % crowds); detections are jittered truth and chance, 100 a photo.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PEERS = {
    "pycocotools": "pycocotools",
    "faster-coco-eval": "faster_coco_eval",
    "hotcoco": "hotcoco",
    "ultrafast-pycocotools": "ultrafast_pycocotools",
    "vision": "vision_cli",
}
MAX_SHARE, MAX_MB = 1 / 50, 300
"""What `vision` may take of pycocotools' time, and of memory, for the boxes."""
CLASSES, OBJECTS_A_PHOTO, CROWD_EVERY = 80, 7.36, 100
SIDE = 640


def main() -> None:
    """Make the files, run each evaluator, print the table; end with 1 where the bar is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--photos", type=int, default=5_000)
    parser.add_argument("--boxes", type=int, default=500_000)
    parser.add_argument("--masks", type=int, default=180_000)
    parser.add_argument("--only", default="", help="evaluators, by comma")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(*asked.child)
        return
    wanted = asked.only.split(",") if asked.only else list(PEERS)
    installed = [name for name in PEERS if name in wanted and importlib.util.find_spec(PEERS[name])]
    with tempfile.TemporaryDirectory() as folder:
        failed = [
            kind
            for kind, number in (("bbox", asked.boxes), ("segm", asked.masks))
            if number and not compare(Path(folder), kind, asked.photos, number, installed)
        ]
    sys.exit(1 if failed else 0)


def compare(folder: Path, kind: str, photos: int, number: int, names: list[str]) -> bool:
    """Run the evaluators on one kind of detections; return whether `vision` keeps the bar."""
    make(folder, kind, photos, number)
    print(f"\n{number:,} {'boxes' if kind == 'bbox' else 'masks'} on {photos:,} photos")
    print(f"{'evaluator':<24}{'CPU s':>8}{'share':>9}{'peak MB':>9}  largest difference: precision, recall, scores")
    found = {name: run(folder, kind, name) for name in names}
    reference = found.get("pycocotools")
    for name, (seconds, megabytes, arrays) in found.items():
        share = f"1/{reference[0] / seconds:.0f}" if reference else "-"
        differences = " ".join(f"{apart(arrays, reference[2], key):.1e}" for key in ARRAYS) if reference else "-"
        print(f"{name:<24}{seconds:>8.2f}{share:>9}{megabytes:>9.0f}  {differences}")
    if reference is None or "vision" not in found or kind != "bbox":
        return True
    seconds, megabytes, _ = found["vision"]
    return seconds <= reference[0] * MAX_SHARE and megabytes <= MAX_MB


ARRAYS = ("precision", "recall", "scores")


def apart(one: dict[str, Any], other: dict[str, Any], key: str) -> float:
    """Return the largest difference of two arrays, infinite where their shapes differ."""
    a, b = np.asarray(one[key]), np.asarray(other[key])
    return float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")


def run(folder: Path, kind: str, name: str) -> tuple[float, float, dict[str, Any]]:
    """Run one evaluator in a process of its own; return CPU seconds, peak megabytes and its arrays."""
    target = folder / f"{name}-{kind}.npz"
    command = [sys.executable, __file__, "--child", str(folder), kind, name, str(target)]
    threads = {key: "1" for key in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **threads})
    seconds, megabytes = map(float, done.stdout.split()[-2:])
    with np.load(target) as arrays:
        return seconds, megabytes, {key: arrays[key] for key in ARRAYS}


def child(folder: str, kind: str, name: str, target: str) -> None:
    """Evaluate, write the arrays, print CPU seconds and peak megabytes."""
    if name == "vision":
        importlib.import_module("vision_cli.metrics.detection.evaluator")
        importlib.import_module("ultrafast_pycocotools")
    evaluate = ours if name == "vision" else like_pycocotools(PEERS[name])
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        arrays = evaluate(Path(folder), kind)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    np.savez(target, precision=arrays["precision"], recall=arrays["recall"], scores=arrays["scores"])
    print(seconds, peak)


def like_pycocotools(package: str) -> Callable[[Path, str], dict[str, Any]]:
    """Return the evaluation of a package with pycocotools' interface, already imported."""
    module: Any
    if package == "pycocotools":
        coco = importlib.import_module("pycocotools.coco").COCO
        evaluator = importlib.import_module("pycocotools.cocoeval").COCOeval
    else:
        module = importlib.import_module(package)
        coco = module.COCO
        evaluator = module.COCOeval_faster if package == "faster_coco_eval" else module.COCOeval

    def evaluate(folder: Path, kind: str) -> dict[str, Any]:
        truth = coco(str(folder / "truth.json"))
        results = np.load(folder / "boxes.npy") if kind == "bbox" else str(folder / "masks.json")
        judged = evaluator(
            truth, truth.loadRes(results) if hasattr(truth, "loadRes") else truth.load_res(results), kind
        )
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
        return dict(judged.eval)

    return evaluate


def ours(folder: Path, kind: str) -> dict[str, Any]:
    """Evaluate as `vision eval` does: columns, range check, evaluator."""
    from vision_cli.core import rle_columns
    from vision_cli.core.detections import Detections, Truth

    document = json.loads((folder / "truth.json").read_bytes())
    rows = document["annotations"]
    sizes = np.array([(image["width"], image["height"]) for image in document["images"]])
    truth = Truth(
        sizes,
        np.array([row["image_id"] for row in rows]) - 1,
        np.array([row["category_id"] for row in rows]) - 1,
        np.array([row["bbox"] for row in rows]),
        rle_columns.of_texts([row["segmentation"]["counts"].encode() for row in rows]) if kind == "segm" else None,
        areas=np.array([row["area"] for row in rows]),
        crowd=np.array([row["iscrowd"] for row in rows], dtype=np.bool_),
        difficult=np.zeros(len(rows), dtype=np.bool_),
    )
    del document, rows
    if kind == "bbox":
        found = np.load(folder / "boxes.npy")
        said = (found[:, 0].astype(np.int64) - 1, found[:, 6].astype(np.int64) - 1, found[:, 1:5])
        return _judged(truth, Detections(sizes, *said, scores=found[:, 5]), "boxes")
    results = json.loads((folder / "masks.json").read_bytes())
    masks = rle_columns.of_texts([row["segmentation"]["counts"].encode() for row in results])
    photo, category = (np.array([row[key] for row in results]) - 1 for key in ("image_id", "category_id"))
    scores = np.array([row["score"] for row in results])
    return _judged(truth, Detections(sizes, photo, category, np.zeros((len(scores), 4)), masks, scores=scores), "masks")


def _judged(truth: Any, detections: Any, kind: Any) -> dict[str, Any]:
    from vision_cli.metrics.detection.evaluator import evaluate

    judged = evaluate(truth, detections, CLASSES, kind=kind)
    return {"precision": judged.precision, "recall": judged.recall, "scores": judged.scores}


def make(folder: Path, kind: str, photos: int, number: int) -> None:
    """Write truth.json and the detections: boxes.npy (N, 7) or masks.json; the same bytes each time."""
    rng = np.random.default_rng(7)
    total = int(photos * OBJECTS_A_PHOTO)
    owner = rng.integers(0, photos, total)
    size = np.exp(rng.normal(3.9, 1.0, (total, 2))).clip(4, SIDE * 0.8)
    boxes = np.round(np.concatenate([rng.uniform(0, 1, (total, 2)) * (SIDE - size), size], axis=1), 2)
    kinds = (rng.pareto(1.0, total) * 3).astype(np.int64) % CLASSES
    masks = [ellipse(box) for box in boxes.tolist()] if kind == "segm" else None
    objects = (owner, boxes, kinds)
    write_truth(folder, photos, objects, masks)
    found = detections(rng, photos, number, objects)
    if kind == "bbox":
        np.save(folder / "boxes.npy", found)
        return
    rows = [
        {
            "image_id": int(row[0]),
            "category_id": int(row[6]),
            "score": row[5],
            "segmentation": ellipse(row[1:5].tolist()),
        }
        for row in found
    ]
    (folder / "masks.json").write_text(json.dumps(rows), encoding="ascii")


def detections(rng: Any, photos: int, number: int, objects: Any) -> Any:
    """Return float64 (N, 7): photo, x, y, w, h, score, class; a third of them are near an object."""
    owner, boxes, kinds = objects
    near = rng.permutation(np.repeat(np.arange(len(owner)), 1 + number // (3 * len(owner))))[: number // 3]
    chance = number - len(near)
    jitter = rng.normal(0, 0.12, (len(near), 4)) * boxes[near][:, [2, 3, 2, 3]]
    found = np.abs(boxes[near] + jitter).clip(0.5, SIDE)
    size = np.exp(rng.normal(3.9, 1.0, (chance, 2))).clip(4, SIDE * 0.8)
    lost = np.concatenate([rng.uniform(0, 1, (chance, 2)) * (SIDE - size), size], axis=1)
    photo = np.concatenate([owner[near], rng.integers(0, photos, chance)]) + 1
    right = rng.uniform(size=len(near)) < 0.9
    named = np.where(right, kinds[near], rng.integers(0, CLASSES, len(near)))
    category = np.concatenate([named, (rng.pareto(1.0, chance) * 3).astype(np.int64) % CLASSES]) + 1
    score = np.concatenate([rng.beta(4, 2, len(near)), rng.beta(1, 5, chance)])
    rows = np.column_stack([photo, np.round(np.concatenate([found, lost]), 2), np.round(score, 4), category])
    return rows[rng.permutation(number)]


def write_truth(folder: Path, photos: int, objects: Any, masks: Any) -> None:
    """Write truth.json."""
    owner, boxes, kinds = objects
    annotations = [
        {
            "id": row + 1,
            "image_id": int(owner[row]) + 1,
            "category_id": int(kinds[row]) + 1,
            "bbox": boxes[row].tolist(),
            "area": float(boxes[row, 2] * boxes[row, 3]) * (0.785 if masks else 1.0),
            "iscrowd": int(row % CROWD_EVERY == 0),
            **({"segmentation": masks[row]} if masks else {}),
        }
        for row in range(len(boxes))
    ]
    images = [{"id": row + 1, "width": SIDE, "height": SIDE, "file_name": f"{row}.jpg"} for row in range(photos)]
    categories = [{"id": row + 1, "name": f"class {row}"} for row in range(CLASSES)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "truth.json").write_text(json.dumps(document), encoding="ascii")


def ellipse(box: list[float]) -> dict[str, Any]:
    """Return the run-length mask of the ellipse in a box."""
    left, top, width, height = box
    columns = np.arange(max(0, int(left)), min(SIDE, int(left + width) + 1))
    share = 1 - ((columns + 0.5 - left - width / 2) / (width / 2)) ** 2
    half = np.sqrt(share.clip(0)) * height / 2
    low = np.round(top + height / 2 - half).clip(0, SIDE).astype(np.int64)
    high = np.round(top + height / 2 + half).clip(0, SIDE).astype(np.int64)
    filled = high > low
    edges = np.stack([columns * SIDE + low, columns * SIDE + high], axis=1)[filled].ravel()
    counts = np.diff(np.concatenate([[0], edges, [SIDE * SIDE]]))
    return {"size": [SIDE, SIDE], "counts": text(counts)}


def text(counts: Any) -> str:
    """Return COCO's compressed text of run lengths, as `rleToString` of maskApi.c writes it."""
    letters = []
    for place, count in enumerate(counts.tolist()):
        value = count - int(counts[place - 2]) if place > 2 else count
        more = True
        while more:
            low, value = value & 0x1F, value >> 5
            more = value != (-1 if low & 0x10 else 0)
            letters.append(chr(low + 0x20 * more + 48))
    return "".join(letters)


if __name__ == "__main__":
    main()
