"""`vision predict` with a detector: what it finds, what it writes in which format, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import detectors_made as made
import numpy as np
import pytest
import stage_projects as small
import torch
from PIL import Image

from vision_cli import formats
from vision_cli.core.decoding.answers import PhotoObjects
from vision_cli.core.decoding.photos import decode_batch
from vision_cli.core.errors import UsageError
from vision_cli.formats import ReadOptions
from vision_cli.imaging import prepare
from vision_cli.stages.converting import reshaping
from vision_cli.stages.running import loading
from vision_cli.stages.running.confidence import choose

BOXED = sorted(
    name
    for name in formats.FORMATS
    if name not in ("mapping", "voc-segmentation")
    and "box" in formats.FORMATS.load(name).CARRIES
    and hasattr(formats.FORMATS.load(name), "write")
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector, four photos, and their COCO file with ids of its own."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("finds")
    paths = made.draw_photos(folder / "cells" / "photos")
    sizes = [size_of(path) for path in paths]
    document = {
        "images": [
            {"id": 70 + at, "file_name": f"photos/{path.name}", "width": size[0], "height": size[1]}
            for at, (path, size) in enumerate(zip(paths, sizes, strict=True))
        ],
        "annotations": [
            {"id": at, "image_id": 70 + at, "category_id": 9, "bbox": [5, 6, 40, 50], "area": 2000, "iscrowd": 0}
            for at in range(4)
        ],
        "categories": [{"id": 3 * at, "name": name} for at, name in enumerate(made.CLASSES, start=1)],
    }
    (folder / "cells" / "instances.json").write_text(json.dumps(document))
    (folder / "vision.yaml").write_text(
        "version: 1\nname: cells\ntask: detect\ndata:\n  sources: {cells: {path: cells/instances.json}}\n"
    )
    made.save(folder / "model", confidence=confidence_for(folder, paths))
    return folder


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def pixels_of(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def confidence_for(folder: Path, paths: list[Path]) -> float:
    """Return a confidence that some boxes of every photo pass."""
    made.save(folder / "first")
    found = [answer.scores for answer in expected(folder / "first", paths)]
    return float(min(np.sort(scores)[-5] for scores in found))


def expected(model: Path, paths: list[Path]) -> list[PhotoObjects]:
    """What decoding makes of each photo, one by one."""
    runner = loading.open_model(model, threads=1)
    answers = []
    for path in paths:
        raw = runner.run_all(prepare.load(path, runner.card.preprocess)[None])
        (answer,) = decode_batch(raw, runner.card.place_decode, runner.card.preprocess, [size_of(path)])
        assert isinstance(answer, PhotoObjects)
        answers.append(answer)
    return answers


def rows(project: Path, *words: str) -> list[dict[str, Any]]:
    called = small.done(project, "predict", "--model", "model", *words, "--json")
    found: list[dict[str, Any]] = called.document["predictions"]
    return found


def test_what_is_found_is_what_decoding_finds_above_the_confidence(project: Path) -> None:
    found = rows(project, "cells/photos")
    paths = [project / "cells" / "photos" / f"{index}.png" for index in range(4)]
    (confidence,) = loading.open_model(project / "model", threads=1).card.place_decode.confidence
    for row, path, answer in zip(found, paths, expected(project / "model", paths), strict=True):
        assert (row["path"], row["width"], row["height"]) == (f"cells/photos/{path.name}", *size_of(path))
        sure = answer.scores >= confidence
        assert len(row["objects"]) == sure.sum() >= 5
        boxes = np.array([each["box"] for each in row["objects"]])
        edges = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        assert np.abs(edges - answer.boxes[sure]).max() < 0.05
        assert [each["confidence"] for each in row["objects"]] == pytest.approx(answer.scores[sure].tolist(), abs=1e-4)
        assert [each["class"] for each in row["objects"]] == [made.CLASSES[name] for name in answer.classes[sure]]


def test_csv_has_a_line_an_object(project: Path, tmp_path: Path) -> None:
    found = rows(project, "cells/photos", "--output", str(tmp_path / "a.csv"))
    with (tmp_path / "a.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    flat = [(row["path"], each) for row in found for each in row["objects"]]
    assert [(line["path"], line["class"]) for line in lines] == [(path, each["class"]) for path, each in flat]
    for line, (_, each) in zip(lines, flat, strict=True):
        assert [float(line[name]) for name in ("x", "y", "width", "height")] == each["box"]
        assert float(line["confidence"]) == pytest.approx(each["confidence"], abs=1e-6)


def test_pictures_have_boxes_where_they_were_found(project: Path, tmp_path: Path) -> None:
    found = rows(project, "cells/photos/0.png", "--pictures", str(tmp_path / "out"))[0]
    photo = pixels_of(project / "cells/photos/0.png")
    shown = pixels_of(tmp_path / "out" / "0.jpg")
    assert shown.shape == photo.shape
    Image.fromarray(photo.astype(np.uint8)).save(tmp_path / "plain.jpg", quality=90)
    photo = pixels_of(tmp_path / "plain.jpg")  # Colours blur at edges in any JPEG.
    changed = np.abs(shown - photo).max(axis=2) > 40
    # All that changed lies on an edge of a box, or on the text beside it.
    allowed = np.zeros_like(changed)
    for each in found["objects"]:
        x, y, width, height = each["box"]
        left, top, right, bottom = (round(value) for value in (x, y, x + width, y + height))
        part = np.zeros_like(changed)
        part[max(0, top - 9) : bottom + 9, max(0, left - 9) : right + 9] = True  # JPEG knows blocks of 8 pixels.
        part[top + 9 : max(top + 9, bottom - 9), left + 9 : max(left + 9, right - 9)] = False
        part[max(0, top - 32) : top + 32, max(0, left - 88) : left + 88] = True
        allowed |= part
    assert 0.005 < changed.mean() < 0.9
    assert not (changed & ~allowed).any()


def test_photos_that_cannot_be_read_are_named_and_the_others_answered(project: Path, tmp_path: Path) -> None:
    whole = (project / "cells/photos/0.png").read_bytes()
    (tmp_path / "in").mkdir()
    (tmp_path / "in/good.png").write_bytes(whole)
    (tmp_path / "in/half.png").write_bytes(whole[: len(whole) // 2])
    words = ("predict", "--model", "model", str(tmp_path / "in"), "--output", str(tmp_path / "a.json"), "--json")
    called = small.call(project, *words)
    assert called.code == 3
    assert [Path(row["path"]).name for row in called.document["predictions"]] == ["good.png"]
    assert [Path(row["path"]).name for row in called.document["refused"]] == ["half.png"]
    drawn = small.call(project, *words[:-1])
    assert drawn.code == 3
    assert "half.png" in drawn.out
    assert [Path(row["path"]).name for row in json.loads((tmp_path / "a.json").read_text())["predictions"]] == [
        "good.png"
    ]


@pytest.mark.parametrize("name", BOXED)
def test_a_data_set_of_any_format_holds_the_boxes(project: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / "set"
    found = rows(project, "cells/photos", "--to", name, "--output", str(target), "--scores")
    module = formats.FORMATS.load(name)
    back = module.read(target, ReadOptions("set"))
    back = reshaping.in_pixels(back, getattr(module, "PIXELS", "exclusive"), "exclusive")
    said = {Path(row["path"]).stem: row["objects"] for row in found}
    images = {
        number: Path(path).stem
        for number, path in zip(*back.images.select(["id", "path"]).to_pydict().values(), strict=True)
    }
    columns = back.annotations.to_pydict()
    read: dict[str, list[tuple[str, list[float], float | None]]] = {stem: [] for stem in said}
    for at, image in enumerate(columns["image_id"]):
        score = columns["score"][at] if "score" in columns else None
        label = back.classes.names[columns["class_id"][at]]
        read[images[image]].append((label, [columns[side][at] for side in "xywh"], score))
    assert set(images.values()) == set(said)
    counts_edges = getattr(module, "PIXELS", "exclusive") == "exclusive"
    for stem, every in said.items():
        # Where a box goes from its first pixel to its last, one of less than a pixel is none.
        objects = [each for each in every if counts_edges or min(each["box"][2:]) >= 1]
        assert len(read[stem]) == len(objects) >= 2
        for each in objects:
            label, box, score = min(read[stem], key=lambda other: np.abs(np.subtract(other[1], each["box"])).max())
            assert label == each["class"]
            assert np.abs(np.subtract(box, each["box"])).max() < 0.02
            if "score" in module.CARRIES:
                assert score == pytest.approx(each["confidence"], abs=1e-4)


def test_what_a_format_does_not_hold_is_said(project: Path, tmp_path: Path) -> None:
    words = ("predict", "--model", "model", "cells/photos", "--to", "voc", "--output", str(tmp_path / "set"))
    called = small.done(project, *words, "--images", "none")
    assert "score" in called.out
    assert not list((tmp_path / "set").rglob("*.png"))
    assert len(list((tmp_path / "set").rglob("*.xml"))) == 4


def test_coco_results_have_the_ids_of_the_ground_truth(project: Path, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    (confidence,) = loading.open_model(project / "model", threads=1).card.place_decode.confidence
    words = ("--to", "coco-results", "--output", str(tmp_path / "results.json"), "--confidence", str(confidence))
    found = rows(project, "--data", "all", *words)
    truth = COCO(str(project / "cells" / "instances.json"))
    results = truth.loadRes(str(tmp_path / "results.json"))
    assert len(results.anns) == sum(len(row["objects"]) for row in found)
    for at, row in enumerate(found):
        ours = results.imgToAnns[70 + at]
        assert [each["bbox"] for each in ours] == [each["box"] for each in row["objects"]]
        names = [truth.cats[each["category_id"]]["name"] for each in ours]
        assert names == [each["class"] for each in row["objects"]]
        assert [each["score"] for each in ours] == pytest.approx([each["confidence"] for each in row["objects"]])


def test_coco_results_hold_all_that_ap_is_made_of_while_people_see_the_answers(project: Path, tmp_path: Path) -> None:
    words = ("--data", "all", "--to", "coco-results", "--output", str(tmp_path / "results.json"))
    found = rows(project, *words)
    results = json.loads((tmp_path / "results.json").read_text())
    runner = loading.open_model(project / "model", threads=1)
    (confidence,) = runner.card.place_decode.confidence
    paths = [project / "cells" / "photos" / f"{index}.png" for index in range(4)]
    answers = expected(project / "model", paths)
    assert [each["score"] for each in results] == pytest.approx(np.concatenate([each.scores for each in answers]))
    assert min(each["score"] for each in results) < confidence
    for row, answer in zip(found, answers, strict=True):
        assert len(row["objects"]) == (answer.scores >= confidence).sum() < len(answer)


def test_objects_count_from_the_confidence_that_is_named(project: Path) -> None:
    answers = expected(project / "model", [project / "cells" / "photos" / f"{index}.png" for index in range(4)])
    middle = float(np.median(np.concatenate([each.scores for each in answers])))
    found = rows(project, "cells/photos", "--confidence", str(middle))
    assert [len(row["objects"]) for row in found] == [int((each.scores >= middle).sum()) for each in answers]


def test_a_yolo_set_can_be_trained_on_unless_scores_are_asked_for(project: Path, tmp_path: Path) -> None:
    words = ("predict", "--model", "model", "cells/photos", "--to", "yolo", "--images", "none", "--output")
    counts = {}
    for name, more in {"plain": (), "scored": ("--scores",), "silent": ("--no-scores",)}.items():
        called = small.done(project, *words, str(tmp_path / name), *more)
        texts = "".join(path.read_text() for path in (tmp_path / name / "labels").rglob("*.txt"))
        counts[name] = {len(line.split()) for line in texts.splitlines()}
        assert ("--scores writes them" in called.out) == (name == "plain")
    assert counts == {"plain": {5}, "scored": {6}, "silent": {5}}


def test_a_model_of_whole_photos_or_pixels_has_no_such_confidence() -> None:
    for task in ("classify", "semantic"):
        with pytest.raises(UsageError, match=f"'{task}'"):
            choose(SimpleNamespace(card=SimpleNamespace(task=task)), 0.5)


def test_without_a_ground_truth_the_ids_of_results_are_stated(project: Path, tmp_path: Path) -> None:
    words = ("predict", "--model", "model", "cells/photos", "--to", "coco-results")
    document = small.done(project, *words, "--output", str(tmp_path / "results.json"), "--json").document
    results = json.loads((tmp_path / "results.json").read_text())
    assert {each["image_id"] for each in results} == {1, 2, 3, 4}
    assert any("image_id counts" in note for note in document["notes"])
    assert any("platelets, red, white" in note for note in document["notes"])


def test_a_split_of_a_view_is_looked_at_alone(project: Path) -> None:
    parts = {
        name: [row["path"] for row in rows(project, "--data", "all", "--split", name)] for name in ("train", "test")
    }
    assert parts["train"]
    assert not set(parts["train"]) & set(parts["test"])
    assert len(rows(project, "--data", "all")) == 4


@pytest.mark.parametrize("way", [("--to", "yolo"), ()], ids=["set", "file"])
def test_a_dry_run_writes_nothing(project: Path, tmp_path: Path, way: tuple[str, ...]) -> None:
    output = tmp_path / ("set" if way else "a.json")
    words = ("cells/photos", *way, "--output", str(output), "--pictures", str(tmp_path / "out"), "--dry-run")
    assert len(rows(project, *words)) == 4
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cells/photos", "--to", "yolo"), "where to"),
        (("cells/photos", "--to", "yollo", "--output", "OUT"), "did you mean 'yolo'"),
        (("cells/photos", "--to", "tfrecord", "--output", "OUT"), "only read"),
        (("cells/photos", "--to", "imagefolder", "--output", "OUT"), "holds nothing"),
        (("cells/photos", "--to", "yolo", "--output", "cells"), "cells"),
        (("cells/photos", "--to", "coco-results", "--output", "OUT"), ".json"),
        (("cells/photos", "--output", "answers.txt"), "suffix"),
        (("cells/photos", "--data", "all"), "--data"),
        ((), "nothing to look at"),
        (("--data", "street"), "no view is called 'street'"),
        (("cells/photos", "--every", "2"), "--every"),
        (("cells/photos", "--seconds", "2"), "--seconds"),
        (("cells/photos", "--confidence", "0.001"), "below 0.01"),
        (("cells/photos", "--confidence", "1.5"), "--confidence"),
        (("cells/photos", "--scores"), "--to"),
        (("cells/photos", "--to", "coco-results", "--output", "OUT.json", "--no-scores"), "ranked"),
    ],
)
def test_wrong_input_is_refused_with_a_way_out(
    project: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    before = small.listing(project / "cells")
    asked = [str(tmp_path / word.lower()) if word.startswith("OUT") else word for word in words]
    called = small.call(project, "predict", "--model", "model", *asked)
    assert called.code == 2
    assert said.lower() in called.err.lower()
    assert "Traceback" not in called.err
    assert small.listing(project / "cells") == before
    assert not list(tmp_path.iterdir())
