"""`vision report` on evaluations of boxes and pixels: what the page says, and what its pictures show."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pixel_sets import HEIGHT, NAMES, SCENES, WIDTH, Oracle, dataset, logits, painted, panoptic_outputs

from vision_cli.core import project as projects
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Silent
from vision_cli.core.project import Project
from vision_cli.imaging import overlay
from vision_cli.stages.evaluating import report
from vision_cli.stages.kinds.kind import Wanted, kind_of
from vision_cli.stages.running import loading


def made(folder: Path, task: str) -> Project:
    """Write photos, labels and a project whose photos are all judged on."""
    (folder / "data").mkdir()
    dataset(folder / "data", task)
    lines = [
        "version: 1",
        "name: scenes",
        f"task: {task}",
        "data: {sources: {d: {path: data, format: coco}}, split: {train: 0, val: 0, test: 1, seed: 1}}",
    ]
    (folder / "vision.yaml").write_text("\n".join(lines))
    return projects.load(folder / "vision.yaml")


def evaluated(project: Project, task: str, result: dict[str, Any], columns: dict[str, Any]) -> None:
    folder = project.root / "runs/eval/20260301-110000-scenes-torch"
    folder.mkdir(parents=True)
    document = {
        "model": {"path": str(project.root / "gone"), "name": "scenes", "family": "x", "task": task},
        "data": {"split": "test", "photos": len(SCENES), "digest": "d"},
        "runtime": {"name": "torch", "threads": 1, "precision": "float32"},
        "intervals": {},
        "kpis": [],
        "passed": True,
        "warnings": [],
    }
    (folder / "result.json").write_text(json.dumps(document | result))
    paths = [str(project.root / f"data/{number}.png") for number in range(len(SCENES))]
    pq.write_table(pa.table({"path": paths, **columns}), folder / "predictions.parquet")


def written(project: Project) -> str:
    return report.report(report.ReportRequest(project), Silent()).path.read_text(encoding="utf-8")


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)))


def pictures(page: str, said: str) -> list[np.ndarray]:
    """Return the pictures whose description contains some words."""
    found = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]*)"', page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data, alt in found if said in alt]


def boxes(scene: Any) -> list[list[float]]:
    return [
        [float(left), float(top), float(right - left), float(bottom - top)] for _, left, top, right, bottom in scene
    ]


@pytest.fixture
def objects(tmp_path: Path) -> str:
    """A detector that finds everything in the first photo, nothing in the second, all beside in the third."""
    project = made(tmp_path, "detect")
    names = [[NAMES[each[0]] for each in scene] for scene in SCENES]
    found = [boxes(SCENES[0]), [], [[0.0, 0.0, 2.0, 2.0]]]
    said = [names[0], [], ["person"]]
    columns = {
        "truth": names,
        "truth_boxes": [boxes(scene) for scene in SCENES],
        "predicted": said,
        "boxes": found,
        "confidence": [[0.75] * len(each) for each in said],
    }
    figures = {"ap": 0.25, "ap50": 0.4375, "ap_small": None, "f1": 0.5, "error_missed": 0.3125, "error_class": 0.0625}
    figures |= {"count_mae": 1.5, "count_over": 0.25, "count_under": 1.25}
    figures |= {f"ap50[{name}]": (row + 1) / 8 for row, name in enumerate(NAMES)}
    figures |= {f"f1[{name}]": (row + 2) / 16 for row, name in enumerate(NAMES)}
    curve = {"recall": [0.0, 0.5, 1.0], "precision": [1.0, 0.5, None], "confidence": [0.9, 0.5, 0.0]}
    result = {
        "classes": list(NAMES),
        "metrics": figures,
        "confusion": [[1, 0, 0, 3], [0, 1, 0, 2], [0, 0, 1, 1], [977, 0, 0, 0]],
        "errors": {"class": 0, "location": 0, "both": 0, "duplicate": 0, "background": 1, "missed": 606},
        "settings": {"evaluator": "some-evaluator", "version": "1.2.3", "ious": [0.5, 0.95], "confidence": 0.0625},
        "curves": {name: curve for name in NAMES},
    }
    evaluated(project, "detect", result, columns)
    return written(project)


def test_figures_of_objects(objects: str) -> None:
    said = text_of(objects)
    for words in (
        "detect, boxes of objects",
        "Objects by class and split, 3 classes",
        "Average precision at IoU 0.5",
        "some-evaluator 1.2.3",
        "Confidence that counts 0.0625",
        "IoUs of AP 0.50 to 0.95",
        "Precision over recall at IoU 0.5",
        "Missed 606 0.312",
        "all objects 1.5 0.25 1.25",
        "(background) person 977 – ",  # of no class is this a share
        "every detection counts, however unsure; the confusions and numbers of objects are of those from confidence "
        "0.0625 on",
        "Of the detections from confidence 0.0625 on.",
    ):
        assert words in said
    assert "small objects" not in said  # there are none to measure
    weakest = said.index("Classes, the weakest first")
    assert said.index("person", weakest) < said.index("road", weakest) < said.index("sky", weakest)
    assert re.search(r"person 0\.125 .*?0\.125 ", said[weakest:])


def test_what_lies_in_the_background_has_no_colour_of_a_share(objects: str) -> None:
    heat = objects[objects.index("truth ↓ answer →") :]
    *classes, nothing = heat[: heat.index("</table>")].split("</tr>")[1:-1]
    assert [len(re.findall(r'<td class="(?:right|wrong)[1-9]', each)) for each in classes] == [2, 2, 2]
    assert "977" in nothing
    assert not re.findall(r'<td class="(?:right|wrong)[1-9]', nothing)


def test_curves_end_where_precision_is_not_known(objects: str) -> None:
    paths = re.findall(r'<path d="([^"]*)" class="curve">', objects)
    assert len(paths) == len(NAMES)
    assert {path.count("L") for path in paths} == {1}


def test_worst_and_best_photos_of_objects(objects: str) -> None:
    said = text_of(objects)
    worst, best = said.index("Worst photos"), said.index("Best photos")
    assert worst < said.index("0 of 2 objects found, 0 found in excess") < best
    assert worst < said.index("0 of 4 objects found, 1 found in excess") < best
    assert said.index("4 of 4 objects found, 0 found in excess") > best
    (shown,) = pictures(objects, "4 of 4 objects found")
    assert shown.shape[:2] == (HEIGHT, 2 * WIDTH + 8)
    left, top = SCENES[0][2][1:3]
    drawn = shown[(top + SCENES[0][2][4]) // 2, left].astype(int)
    assert np.abs(drawn - overlay.colour_of(0)).max() < 90  # JPEG blurs thin lines
    (nothing,) = pictures(objects, "0 of 2 objects found")
    assert nothing[:, WIDTH + 8 :].max() < 40  # the photo is black, and nothing is drawn


def oracle(task: str) -> Oracle:
    names = (*NAMES, "background") if task == "semantic" else NAMES
    if task == "semantic":
        return Oracle(task, ClassMap(names), lambda _: (logits(np.ones((HEIGHT, WIDTH), np.int16), 4),))
    return Oracle(task, ClassMap(names), lambda photo: panoptic_outputs(SCENES[photo]))


def measured(project: Project, task: str) -> dict[str, Any]:
    """Keep an evaluation as `vision eval` does, and return its figures."""
    data, kind, runner = dataset(project.root / "data", task), kind_of(task), oracle(task)
    said = kind.say(runner, data, Silent(), "evaluate")
    found = kind.measure(runner.card, said, data, Wanted(resamples=20))
    columns = dict(kind.columns(runner.card, said, data))
    result = {"classes": list(runner.card.classes.names), "metrics": dict(found.measurement.values), **found.more}
    evaluated(project, task, result, columns)
    return result["metrics"]


@pytest.mark.parametrize("task", ["semantic", "panoptic"])
def test_figures_of_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    project = made(tmp_path, task)
    figures = measured(project, task)
    monkeypatch.setattr(loading, "open_model", lambda _: oracle(task))
    page = written(project)
    said = text_of(page)
    key, words = {"semantic": ("miou", "Mean IoU"), "panoptic": ("pq", "Panoptic quality")}[task]
    assert f"{words} {key} {figures[key]:.3f}" in said
    assert {"semantic": "IoU pixel accuracy Dice F1 of outlines", "panoptic": "PQ SQ RQ"}[task] in said
    assert ("Segments, 3 classes" in said) == (task == "panoptic")
    assert ("coloured by the share of its pixels" in said) == (task == "semantic")
    assert len(pictures(page, "truth and answer")) == len(SCENES)


def test_classes_of_pixels_are_tinted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = made(tmp_path, "semantic")
    measured(project, "semantic")
    monkeypatch.setattr(loading, "open_model", lambda _: oracle("semantic"))
    shown = {each.shape: each for each in pictures(written(project), "Photo 1.png, truth and answer")}
    (picture,) = shown.values()
    truth, answer = picture[:, :WIDTH].astype(int), picture[:, WIDTH + 8 :].astype(int)
    wanted = painted(SCENES[1], 3)
    road = 0.45 * np.array(overlay.colour_of(1))
    assert set(np.unique(wanted)) >= {1, 3}
    for name in np.unique(wanted).tolist():
        inside, tint = wanted == name, 0.45 * np.array(overlay.colour_of(name))
        # The rest are names in the middles of regions, and their edges.
        assert (np.abs(truth[inside] - tint).max(axis=-1) < 25).mean() > 0.3, name
        assert (np.abs(answer[inside] - road).max(axis=-1) < 25).mean() > 0.3, name


def test_without_the_model_the_truth_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = made(tmp_path, "semantic")
    measured(project, "semantic")

    def gone(_: Path) -> None:
        raise DataError("gone.")

    monkeypatch.setattr(loading, "open_model", gone)
    page = written(project)
    assert len(pictures(page, "truth and answer")) == len(SCENES)
    (shown,) = pictures(page, "Photo 1.png, truth and answer")
    assert shown[:, WIDTH + 8 :].max() < 40
    assert text_of(page).count("its model is not at hand") == len(SCENES)
