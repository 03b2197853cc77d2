"""What every family that finds places can be exported to, by doing it, and how alike the files answer.

    python bench/export_matrix.py                     # all families; prints the table as Markdown
    python bench/export_matrix.py --only ssdlite,unet --work build/matrix

Each family learns a few photos for some epochs, so that there are boxes above the threshold (random weights decide
nothing), on the smallest set that has labels for its task: cells in Pascal VOC for boxes, COCO photos for masks and
pixels. Then `vision export` writes it in every way, and its own parity check compares each file with torch. The files
are written whatever the check says, so that a failure has figures, too; a share below the task's limit is marked.

`--data` holds `bccd_voc` and `coco128_train`. What is done already in `--work` is not done again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from vision_cli import models
from vision_cli.core import files
from vision_cli.core import project as projects
from vision_cli.core.errors import VisionError
from vision_cli.core.progress import Silent
from vision_cli.exporters.place_parity import AGREEMENT
from vision_cli.models.cards import tasks_of
from vision_cli.stages.running.export import ExportRequest, export
from vision_cli.stages.training.train import TrainRequest, train

DATA = Path(__file__).parents[2] / "shared" / "data"
WAYS = {
    "ONNX": ("onnx", "float32", False),
    "ONNX float16": ("onnx", "float16", False),
    "ONNX `--nms`": ("onnx", "float32", True),
    "TFLite": ("tflite", "float32", False),
    "TFLite float16": ("tflite", "float16", False),
}
SOURCES = {
    "detect": "bccd_voc",
    "instance": "coco128_train/instance_segmentation",
    "semantic": "coco128_train/panoptic_segmentation",
    "panoptic": "coco128_train/panoptic_segmentation",
}
PHOTOS = {"detect": "bccd_voc/BCCD/JPEGImages"}
COCO_BOXES = "coco128_train/object_detection"
COCO_PHOTOS = "coco128_train/images/train2017"
COMPARED = 24
PROJECT = """\
version: 1
name: {family}
task: {task}
data: {{sources: {{data: {{path: {data}, images: {images}}}}}}}
model: {{family: {family}, backbone: {backbone}, weights: {weights}, input: {{size: {side}}}, upsample: {upsample}}}
train: {{workers: 0, device: cpu}}
export: {{agreement: 0.0}}
"""


def main() -> None:
    """Do what is not done, and print the table; end with 1 where a file answers otherwise than torch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, help="keeps models, files and figures; a temporary folder when absent")
    parser.add_argument("--coco", action="store_true", help="boxes of COCO, not of cells, for detectors")
    parser.add_argument("--only", default="", help="families, by comma")
    parser.add_argument("--backbone", default="tf_efficientnet_lite0")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--side", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--photos", type=int, default=8, help="that are learned")
    asked = parser.parse_args()
    if not asked.data.is_dir():
        print(f"{asked.data}: not there, nothing is measured")
        return
    names = asked.only.split(",") if asked.only else families()
    with contextlib.ExitStack() as stack:
        work = (asked.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))).absolute()
        rows = {name: row_of(name, work / name.replace(" ", "-"), asked) for name in names}
    print(table(rows))
    sys.exit(any(not passed(cell, row["task"]) for row in rows.values() for cell in row["ways"].values()))


def families() -> list[str]:
    """Return the families that find places, `fcn` with both ways of enlarging; Ultralytics' only where it is."""
    found = []
    for name, card in models.FAMILIES.cards().items():
        if "classify" in tasks_of(card) or (name.startswith("yolo") and not ultralytics_is_there()):
            continue
        found += [name, "fcn learned"] if name == "fcn" else [name]
    return found


def ultralytics_is_there() -> bool:
    """Return whether its families can be tried: see docs/families.md."""
    import importlib.util

    return bool(os.environ.get("VISION_YOLO_PYTHON")) or importlib.util.find_spec("ultralytics") is not None


def row_of(name: str, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of one family, from its folder where they are there."""
    family, _, upsample = name.partition(" ")
    (task, *_) = tasks_of(models.FAMILIES.card(family))
    folder.mkdir(parents=True, exist_ok=True)
    project = written(folder, asked, {"family": family, "task": task, "upsample": upsample or "bilinear"})
    trained = kept(folder / "trained.json", lambda: learned(project, asked.epochs, asked.photos))
    photos = some_photos(asked.data / photos_of(task, asked), folder / "photos")
    ways = {}
    for way, (form, precision, nms) in WAYS.items():
        request = ExportRequest(
            project, Path(trained["model"]), (form,), precision, folder / "exports", photos, nms=nms
        )
        ways[way] = kept(folder / f"{form}-{precision}{'-nms' * nms}.json", lambda request=request: tried(request))
        print(f"{name}: {way}: {cell_text(ways[way], task)}", file=sys.stderr, flush=True)
    return {"task": task, "trained": trained, "ways": ways}


def photos_of(task: str, asked: argparse.Namespace) -> str:
    """Return the folder of photos, of those that the network knows: elsewhere nothing is above the threshold."""
    return COCO_PHOTOS if asked.coco else PHOTOS.get(task, COCO_PHOTOS)


def written(folder: Path, asked: argparse.Namespace, values: dict[str, str]) -> projects.Project:
    """Write a project file and read it."""
    family, task = values["family"], values["task"]
    yolo = family.startswith("yolo")
    text = PROJECT.format(
        **values,
        data=(asked.data / (COCO_BOXES if task == "detect" and asked.coco else SOURCES[task])).absolute(),
        images=(asked.data / photos_of(task, asked)).parent.absolute(),
        backbone={"yolo": "yolo11n", "yolo-seg": "yolo11n-seg"}.get(family, asked.backbone),
        weights="none" if yolo else asked.weights,
        side=asked.side,
    )
    file = folder / "vision.yaml"
    file.write_text(text)
    return projects.load(file)


def kept(file: Path, make: Any) -> dict[str, Any]:
    """Return what a file holds, made first where it is not there."""
    if not file.is_file():
        files.write_json(file, make())
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def learned(project: projects.Project, epochs: int, photos: int) -> dict[str, Any]:
    """Learn a few photos, and return where the model is and how good."""
    before = seconds()
    result = train(TrainRequest(project, offline=True, overfit=photos, epochs=epochs), Silent())
    heart = result.by_heart
    goal = {"metric": heart.metric, "value": heart.value} if heart else {}
    return {"model": str(result.model), "seconds": seconds() - before, **goal}


def some_photos(source: Path, folder: Path) -> Path:
    """Return a folder of links to the first photos."""
    folder.mkdir(exist_ok=True)
    for photo in sorted(source.rglob("*.jpg"))[:COMPARED]:
        link = folder / photo.name
        if not link.exists():
            link.symlink_to(photo.absolute())
    return folder


def tried(request: ExportRequest) -> dict[str, Any]:
    """Export in one way, and return the figures, or why not."""
    before = seconds()
    try:
        (file,) = export(request, Silent()).files
    except VisionError as error:
        return {"refused": [error.message, *error.details]}
    except Exception:  # noqa: BLE001  # a crash is a row of the table, too
        return {"crashed": traceback.format_exc()}
    return {**file.as_json(), "path": str(file.path), "seconds": seconds() - before}


def seconds() -> float:
    """Return the CPU seconds of this process and its children."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def passed(cell: dict[str, Any], task: str) -> bool:
    """Return whether a file may be published, or was refused with a reason."""
    if "parity" not in cell:
        return "refused" in cell
    return bool(cell["parity"]["agreement"] >= AGREEMENT[task])


def cell_text(cell: dict[str, Any], task: str) -> str:
    """Return a cell of the table: share, smallest IoU, size."""
    if "crashed" in cell:
        return "crashed: " + str(cell["crashed"]).strip().splitlines()[-1][:120]
    if "refused" in cell:
        return "no: " + " ".join(cell["refused"])
    parity = cell["parity"]
    parts = [f"{100 * parity['agreement']:.2f} %", f"{cell['size_mb']:.1f} MB"]
    if parity["worst_iou"] is not None:
        parts.insert(1, f"IoU {parity['worst_iou']:.4f}")
    return ", ".join(parts) + ("" if passed(cell, task) else " **FAIL**")


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return Markdown: a line a family, a column a way; reasons below."""
    lines = [
        f"| family | learned | compared | {' | '.join(WAYS)} |",
        f"| --- | --- | --- | {' | '.join('---' for _ in WAYS)} |",
    ]
    for name, row in rows.items():
        done = [cell["parity"] for cell in row["ways"].values() if "parity" in cell]
        compared = f"{done[0]['n_compared']:,}" if done else ""
        goal = f"{row['trained'].get('metric', '')} {row['trained'].get('value', 0):.2f}"
        cells = [cell_text(cell, row["task"]) for cell in row["ways"].values()]
        lines.append(f"| `{name}` | {goal} | {compared} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
