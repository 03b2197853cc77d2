"""`vision eval --results`: another tool's COCO results beside pycocotools and published numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from results_made import BOXES, POSES, SIDE, kept, made, of_pycocotools, written

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
GOLDEN = SHARED / "coco_golden"
golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the shared data is not here")
KINDS = {"boxes": ("bbox",), "masks": ("segmentation",), "keypoints": ("keypoints",)}
COCO = {"boxes": "bbox", "masks": "segm", "keypoints": "keypoints"}

Vision = Callable[..., Any]


@pytest.fixture
def people(tmp_path: Path) -> tuple[Path, list[dict[str, Any]]]:
    return made(tmp_path / "set")


@pytest.fixture
def labels(people: tuple[Path, list[dict[str, Any]]]) -> Path:
    return people[0]


@pytest.fixture
def boxes(people: tuple[Path, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return kept(people[1], "bbox")


def few(folder: Path) -> Path:
    """Write a project file that draws few resamples, so that tests are quick."""
    (folder / "vision.yaml").write_text("version: 1\nname: few\neval: {resamples: 100}\n")
    return folder


@golden
@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_the_published_twelve_numbers(vision: Vision, tmp_path: Path, kind: str) -> None:
    few(tmp_path)
    results = GOLDEN / f"instances_val2014_fake{kind}100_results.json"
    found = vision("eval", "--results", str(results), "--data", str(GOLDEN / "instances_val2014_100.json"), "--json")
    published = json.loads((SHARED / "expected.json").read_text())["coco_golden"][kind]
    assert found.code == 0
    assert [found.document["metrics"][name] for name in BOXES] == pytest.approx(published, abs=1e-6)
    assert found.document["model"]["task"] == ("detect" if kind == "bbox" else "instance")
    assert Path(found.document["run"]).joinpath("predictions.parquet").is_file()


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_numbers_of_pycocotools(
    vision: Vision, people: tuple[Path, list[dict[str, Any]]], tmp_path: Path, kind: str
) -> None:
    few(tmp_path)
    labels, whole = people
    path = written(tmp_path / "results.json", kept(whole, *KINDS[kind]))
    called = vision("eval", "--results", str(path), "--data", str(labels), "--crosscheck", "--json")
    names = POSES if kind == "keypoints" else BOXES
    assert called.code == 0, called.err
    expected = of_pycocotools(labels, path, COCO[kind])
    assert [called.document["metrics"][name] for name in names] == pytest.approx(expected, abs=1e-9)
    assert 0.05 < expected[0] < 0.95
    assert max(called.document["settings"]["crosscheck"].values()) <= 1e-6
    assert called.document["model"]["holds"] == [kind]
    intervals = called.document["intervals"]
    assert all(intervals[name][0] <= called.document["metrics"][name] <= intervals[name][1] for name in names)


def test_keypoints_beside_boxes(vision: Vision, people: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    few(tmp_path)
    labels, whole = people
    path = written(tmp_path / "results.json", kept(whole, "bbox", "keypoints"))
    words = ("eval", "--results", str(path), "--data", str(labels), "--crosscheck")
    found = vision(*words, "--kpi", "oks_ap>0.01", "--kpi", "ap50[person]>0.01", "--json").document
    assert found["passed"]
    assert [found["metrics"][name] for name in BOXES] == pytest.approx(of_pycocotools(labels, path, "bbox"))
    alone = written(tmp_path / "alone.json", kept(whole, "keypoints"))  # loadRes looks at boxes first
    assert [found["metrics"][name] for name in POSES] == pytest.approx(of_pycocotools(labels, alone, "keypoints"))
    assert {"oks_precision", "precision"} < set(found["settings"]["crosscheck"])


def test_another_skeleton(vision: Vision, tmp_path: Path) -> None:
    labels, whole = made(few(tmp_path) / "five", points=5)
    path = written(tmp_path / "results.json", kept(whole, "keypoints"))
    words = ("eval", "--results", str(path), "--data", str(labels))
    refused = vision(*words)
    assert refused.code == 3
    assert "the labels have 5 keypoints an object, and OKS has deviations of 17" in refused.err
    assert "--sigmas" in refused.err
    sigmas = (0.05, 0.06, 0.07, 0.08, 0.09)
    found = vision(*words, "--sigmas", ",".join(map(str, sigmas)), "--crosscheck", "--json").document
    expected = of_pycocotools(labels, path, "keypoints", sigmas)
    assert [found["metrics"][name] for name in POSES] == pytest.approx(expected)
    assert found["settings"]["sigmas"] == list(sigmas)


def test_the_confidence_that_was_declared_decides(
    vision: Vision, labels: Path, boxes: list[dict[str, Any]], tmp_path: Path
) -> None:
    few(tmp_path)
    path = written(tmp_path / "results.json", boxes)
    words = ("eval", "--results", str(path), "--data", str(labels), "--json")
    usual, half, high = (
        vision(*words, *more).document for more in ([], ["--confidence", "0.5"], ["--confidence", "0.9"])
    )
    assert usual["metrics"] == half["metrics"]
    assert (usual["settings"]["confidence"], high["settings"]["confidence"]) == (0.5, 0.9)
    assert any("those at 0.5" in each for each in usual["warnings"])
    assert any("--confidence" in each for each in usual["warnings"])
    assert not any("0.5" in each for each in half["warnings"])
    assert high["metrics"]["recall"] < usual["metrics"]["recall"]
    assert high["metrics"]["ap"] == usual["metrics"]["ap"]
    said = sum(each["score"] >= 0.9 for each in boxes)
    assert sum(sum(row[:-1]) for row in high["confusion"]) == said - _ignored(high)


def _ignored(document: dict[str, Any]) -> int:
    """Return the results that count neither way, on crowds: what the parquet has and the confusion has not."""
    import pyarrow.parquet as pq

    table = pq.read_table(Path(document["run"]) / "predictions.parquet")
    kept_results = sum(len(each) for each in table["predicted"].to_pylist())
    return kept_results - sum(sum(row[:-1]) for row in document["confusion"])


def test_an_empty_list_misses_everything(vision: Vision, labels: Path, tmp_path: Path) -> None:
    few(tmp_path)
    path = written(tmp_path / "results.json", [])
    called = vision(
        "eval", "--results", str(path), "--data", str(labels), "--kpi", "oks_ap>0.1", "task=detect", "--json"
    )
    assert called.code == 4
    metrics = called.document["metrics"]
    assert [metrics[name] for name in ("ap", "recall", "oks_ap")] == [0, 0, 0]
    assert any("every object is missed" in each for each in called.document["warnings"])
    masks = vision("eval", "--results", str(path), "--data", str(labels), "task=instance", "--json").document
    assert (masks["model"]["task"], masks["metrics"]["ap50"]) == ("instance", 0)
    # The labels have outlines, which says nothing of what the other tool gives.
    plain = vision("eval", "--results", str(path), "--data", str(labels), "--json").document
    assert plain["model"]["task"] == "detect"
    assert any("task=instance" in each for each in plain["warnings"])


def test_what_is_written(vision: Vision, labels: Path, boxes: list[dict[str, Any]], tmp_path: Path) -> None:
    path = written(few(tmp_path) / "results.json", boxes)
    words = ("eval", "--results", str(path), "--data", str(labels), "--kpi", "ap50>0.99", "--kpi", "ap>0.01")
    more = ("--junit", "out/kpis.xml", "--markdown", "out/kpis.md")
    planned = vision(*words, *more, "--dry-run")
    assert planned.code == 0
    assert "results: boxes" in planned.out
    assert "ap50 > 0.99" in planned.out
    assert not (tmp_path / "runs").exists()
    called = vision(*words, *more)
    assert called.code == 4
    assert "FAIL" in called.out
    assert "Speed" not in called.out
    assert "results.json" in called.out
    assert 'failures="1"' in (tmp_path / "out" / "kpis.xml").read_text()
    assert "1 of 2 KPIs met" in (tmp_path / "out" / "kpis.md").read_text()
    assert called.out.splitlines()[-1].startswith("run: runs/eval/")


def changed(results: list[dict[str, Any]], at: int, **members: Any) -> list[dict[str, Any]]:
    return [{**each, **(members if row == at else {})} for row, each in enumerate(results)]


def without(results: list[dict[str, Any]], at: int, name: str) -> list[dict[str, Any]]:
    return [{key: value for key, value in each.items() if row != at or key != name} for row, each in enumerate(results)]


RUN = {"size": [SIDE, SIDE], "counts": "1"}
WRONG: dict[str, tuple[str, Callable[[Any], Any], tuple[str, ...]]] = {
    "unknown photo": ("bbox", lambda r: changed(r, 2, image_id=999), ("result 3: image_id 999", "does not have")),
    "unknown category": ("bbox", lambda r: changed(r, 2, category_id=7), ("result 3: category_id 7", "1, 18")),
    "score above 1": ("bbox", lambda r: changed(r, 4, score=1.5), ("result 5: score 1.5", "between 0 and 1")),
    "score of text": ("bbox", lambda r: changed(r, 4, score="high"), ("result 5", "score", "got `str`")),
    "score that is no number": ("bbox", lambda r: changed(r, 4, score=float("nan")), ("result 5", "NaN", "no number")),
    "no score": ("bbox", lambda r: without(r, 1, "score"), ("result 2", "missing required field `score`")),
    "box of three": ("bbox", lambda r: changed(r, 0, bbox=[1, 2, 3]), ("result 1: bbox [1.0, 2.0, 3.0]",)),
    "box without area": ("bbox", lambda r: changed(r, 0, bbox=[1, 2, 0, 3]), ("result 1: bbox", "no area")),
    "shares of the photo": (
        "bbox",
        lambda r: [{**each, "bbox": [value / SIDE for value in each["bbox"]]} for each in r],
        ("result 1: bbox [0.", "within the first pixel", "multiply shares"),
    ),
    "score in per cent": ("bbox", lambda r: changed(r, 4, score=87), ("result 5: score 87", "per cent by 100")),
    "no box": ("bbox", lambda r: without(r, 3, "bbox"), ("result 4: image_id", "no bbox")),
    "nothing at all": ("bbox", lambda r: kept(r), ("neither bbox nor segmentation nor keypoints",)),
    "an object": ("bbox", lambda r: {"annotations": r}, ("no list of results",)),
    "broken run": ("segmentation", lambda r: changed(r, 1, segmentation=RUN), ("result 2", "no masks")),
    "mask of another size": (
        "segmentation",
        lambda r: changed(r, 1, segmentation={**RUN, "size": [SIDE, 5]}),
        ("result 2: the mask's size is [400, 5], its photo's [400, 400]",),
    ),
    "mask of numbers": (
        "segmentation",
        lambda r: changed(r, 1, segmentation={"size": [SIDE, SIDE], "counts": [5, 5]}),
        ("result 2",),
    ),
    "text as mask": ("segmentation", lambda r: changed(r, 1, segmentation="all"), ("result 2", "no outline")),
    "no mask": ("segmentation", lambda r: without(r, 1, "segmentation"), ("result 2: image_id", "no segmentation")),
    "16 keypoints": ("keypoints", lambda r: changed(r, 2, keypoints=[1.0] * 48), ("result 3: 48 numbers", "51")),
    "keypoints of text": ("keypoints", lambda r: changed(r, 2, keypoints="nose"), ("result 3: keypoints are no list",)),
    "keypoints out of reach": ("keypoints", lambda r: changed(r, 2, keypoints=[1e9] * 51), ("result 3: 1e+09",)),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_results_that_are_refused(
    vision: Vision, people: tuple[Path, list[dict[str, Any]]], tmp_path: Path, name: str
) -> None:
    labels, whole = people
    member, spoil, words = WRONG[name]
    path = written(tmp_path / "bad.json", spoil(kept(whole, member)))
    called = vision("eval", "--results", str(path), "--data", str(labels))
    assert called.code == 3
    assert "bad.json" in called.err
    assert all(word in called.err for word in words), called.err
    assert "hint:" in called.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("members", "kpi", "message"),
    [
        (("bbox",), "oks_ap>0.5", "the results have boxes and no keypoints"),
        (("keypoints",), "ap50>0.5", "the results have keypoints alone"),
        (("bbox",), "ap50[cat]>0.5", "no class is called 'cat'"),
        (("bbox",), "latency_ms<5", "do not say 'latency_ms.p95'"),
        (("bbox",), "acceptance>0.5", "do not say 'acceptance'"),
        (("bbox",), "ap50>0.5 @ tflite", "name no runtime"),
        (("bbox",), "top1>0.5", "'top1' is measured for classify"),
        (("bbox",), "oks_ap>50", "is a share"),
    ],
)
def test_kpis_that_these_results_do_not_answer(
    vision: Vision,
    people: tuple[Path, list[dict[str, Any]]],
    tmp_path: Path,
    members: tuple[str, ...],
    kpi: str,
    message: str,
) -> None:
    path = written(tmp_path / "results.json", kept(people[1], *members))
    called = vision("eval", "--results", str(path), "--data", str(people[0]), "--kpi", kpi, "--dry-run")
    assert called.code == 2
    assert message in called.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "m"), "no model runs"),
        (("--threads", "2"), "no model runs"),
        (("--ratings", "r.csv"), "--ratings judges people"),
        (("--confidence", "2"), "--confidence"),
        (("--sigmas", "0.1,x"), "no deviations"),
        (("--sigmas", "0.1,-1"), "no deviations"),
        (("--split", "tset"), "no split is called 'tset'"),
    ],
)
def test_options_that_do_not_go_together(
    vision: Vision, labels: Path, boxes: list[dict[str, Any]], tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    path = written(tmp_path / "results.json", boxes)
    called = vision("eval", "--results", str(path), "--data", str(labels), *words)
    assert called.code == 2
    assert message in called.err


def test_options_of_results_alone(vision: Vision) -> None:
    for words in (("--confidence", "0.4"), ("--sigmas", "0.1")):
        called = vision("eval", *words)
        assert (called.code, "is for --results" in called.err) == (2, True)


def test_a_file_that_is_not_there(vision: Vision, labels: Path) -> None:
    called = vision("eval", "--results", "gone.json", "--data", str(labels))
    assert called.code == 3
    assert "gone.json: the list of results does not exist" in called.err


def project(folder: Path, source: str, more: str = "") -> Path:
    text = f"version: 1\nname: judged\ndata: {{sources: {{own: {{path: {source}}}}}}}\neval: {{resamples: 100}}\n{more}"
    (folder / "vision.yaml").write_text(text)
    return folder


def split_set(folder: Path, **numbers: int) -> dict[str, list[dict[str, Any]]]:
    """Write a COCO set with a folder and a file a split, as Roboflow exports it: ids begin anew in each."""
    found = {}
    for at, (name, photos) in enumerate(numbers.items()):
        labels, results = made(folder / name, photos=photos, seed=at)
        labels.rename(folder / name / "_annotations.coco.json")
        found[{"valid": "val"}.get(name, name)] = kept(results, "bbox")
    return found


def test_the_view_of_a_project(vision: Vision, tmp_path: Path) -> None:
    said = split_set(tmp_path / "set", train=20, valid=12, test=14)
    project(tmp_path, "set", "kpis: [ap50 > 0.01, latency_ms < 5, size_mb < 3 @ tflite]\n")
    path = written(tmp_path / "test.json", said["test"])
    found = vision("eval", "--results", str(path), "--json").document
    expected = of_pycocotools(tmp_path / "set" / "test" / "_annotations.coco.json", path, "bbox")
    assert [found["metrics"][name] for name in BOXES] == pytest.approx(expected)
    assert (found["data"]["split"], found["data"]["photos"]) == ("test", 14)
    assert [each["kpi"] for each in found["kpis"]] == ["ap50 > 0.01"]
    assert found["passed"]
    assert any("latency_ms.p95 < 5" in each for each in found["warnings"])
    whole = vision("eval", "--results", str(path), "--split", "all")
    assert whole.code == 3
    assert "several photos have the same id" in whole.err
    assert "--split" in whole.err


def test_a_view_that_renames_and_drops(
    vision: Vision, labels: Path, boxes: list[dict[str, Any]], tmp_path: Path
) -> None:
    text = (
        f"version: 1\nname: v\ntask: detect\neval: {{resamples: 100, split: all}}\ntrain: {{view: animals}}\n"
        f"data:\n  sources: {{own: {{path: {labels}}}}}\n"
        "  views: {animals: {from: [own], map: {dog: animal, person: null}}}\n"
    )
    (tmp_path / "vision.yaml").write_text(text)
    path = written(tmp_path / "results.json", boxes)
    found = vision("eval", "--results", str(path), "--json").document
    assert found["classes"] == ["animal"]
    people_said = sum(each["category_id"] == 1 for each in boxes)
    assert any(
        f"of classes that the data leaves out were left out: {people_said}" in each for each in found["warnings"]
    )
    usual = of_dogs(labels, boxes, tmp_path)
    assert [found["metrics"][name] for name in BOXES] == pytest.approx(usual)


def test_each_source_has_category_ids_of_its_own(vision: Vision, tmp_path: Path) -> None:
    labels, _ = made(tmp_path / "one")
    document = json.loads(labels.read_text())
    swapped = {
        **document,
        "images": [{**each, "id": each["id"] + 1000} for each in document["images"]],
        "annotations": [{**each, "image_id": each["image_id"] + 1000} for each in document["annotations"]],
        "categories": [{"id": 1, "name": "dog"}, {"id": 18, "name": "person"}],
    }
    (tmp_path / "two").mkdir()
    written(tmp_path / "two" / "labels.json", swapped)
    (tmp_path / "vision.yaml").write_text(
        "version: 1\nname: v\ntask: detect\neval: {resamples: 100, split: all}\n"
        "data: {sources: {one: {path: one}, two: {path: two}}}\n"
    )
    objects = [each for part in (document, swapped) for each in part["annotations"] if not each["iscrowd"]]
    path = written(tmp_path / "perfect.json", kept([{**each, "score": 0.9} for each in objects], "bbox"))
    found = vision("eval", "--results", str(path), "--json").document["metrics"]
    assert (found["ap[dog]"], found["ap[person]"]) == (1, 1)


def of_dogs(labels: Path, boxes: list[dict[str, Any]], folder: Path) -> list[float]:
    """Return pycocotools' numbers of dogs in the photos that have any label of them left: the others are the same."""
    document = json.loads(labels.read_text())
    dogs = {**document, "annotations": [each for each in document["annotations"] if each["category_id"] == 18]}
    dogs["categories"] = [each for each in document["categories"] if each["id"] == 18]
    said = written(folder / "dogs.json", [each for each in boxes if each["category_id"] == 18])
    return of_pycocotools(written(folder / "dog_labels.json", dogs), said, "bbox")


def test_results_of_other_splits_and_silent_splits(vision: Vision, tmp_path: Path) -> None:
    labels, whole = made(tmp_path / "set", photos=30)
    document = json.loads(labels.read_text())
    ids = [each["id"] for each in document["images"]]
    sides = {"train": ids[:18], "val": ids[18:]}
    for name, members in sides.items():
        own = {
            **document,
            "images": [each for each in document["images"] if each["id"] in members],
            "annotations": [each for each in document["annotations"] if each["image_id"] in members],
        }
        (tmp_path / "set" / "annotations").mkdir(exist_ok=True)
        written(tmp_path / "set" / "annotations" / f"instances_{name}.json", own)
    labels.unlink()
    few(tmp_path)
    results = kept(whole, "bbox")
    words = ("eval", "--data", "set", "--json", "--results")
    of_val = [each for each in results if each["image_id"] in sides["val"]]
    part = vision(*words, str(written(tmp_path / "all.json", results)), "--split", "val").document
    left = len(results) - len(of_val)
    assert any(f"of photos of other splits were left out: {left}" in each for each in part["warnings"])
    path = written(tmp_path / "val.json", of_val)
    alone = vision(*words, str(path), "--split", "val").document
    assert alone["metrics"] == part["metrics"]
    missed = vision(*words, str(path)).document
    assert any("no result is of the split 'train'" in each for each in missed["warnings"])
    with_objects = {each["image_id"] for each in document["annotations"] if not each["iscrowd"]}
    silent = with_objects - {each["image_id"] for each in of_val}
    assert any(f"{len(silent)} of 30 photos have objects and no result" in each for each in missed["warnings"])
    assert missed["metrics"]["recall"] < alone["metrics"]["recall"]
    refused = vision(*words, str(path), "--split", "train")
    assert refused.code == 3
    assert "is of a photo of the split 'train'" in refused.err or "is of a photo of the split" in refused.out


def test_masks_where_labels_are_boxes(
    vision: Vision, people: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    few(tmp_path)
    labels, whole = people
    document = json.loads(labels.read_text())
    for each in document["annotations"]:
        del each["segmentation"]
    bare = written(tmp_path / "boxes.json", document)
    masks = written(tmp_path / "masks.json", kept(whole, "segmentation"))
    refused = vision("eval", "--results", str(masks), "--data", str(bare))
    assert refused.code == 3
    assert "no label has an outline or a mask" in refused.err
    both = written(tmp_path / "both.json", kept(whole, "segmentation", "bbox"))
    found = vision("eval", "--results", str(both), "--data", str(bare), "--json").document
    assert found["model"]["holds"] == ["boxes"]
    assert any("not their masks" in each for each in found["warnings"])
    declared = vision("eval", "--results", str(both), "--data", str(labels), "task=detect", "--json").document
    only = written(tmp_path / "only.json", kept(whole, "bbox"))
    assert [declared["metrics"][name] for name in BOXES] == pytest.approx(of_pycocotools(labels, only, "bbox"))
    refused = vision("eval", "--results", str(only), "--data", str(labels), "task=instance")
    assert (refused.code, "have no segmentation" in refused.err) == (2, True)


def test_data_that_results_cannot_be_of(vision: Vision, boxes: list[dict[str, Any]], tmp_path: Path) -> None:
    path = written(tmp_path / "results.json", boxes)
    (tmp_path / "yolo" / "labels").mkdir(parents=True)
    (tmp_path / "yolo" / "images").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "yolo" / "images" / "3.jpg")
    (tmp_path / "yolo" / "labels" / "3.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "yolo" / "data.yaml").write_text("train: images\nnames: [dog]\n")
    called = vision("eval", "--results", str(path), "--data", "yolo")
    assert called.code == 3
    assert "have no id" in called.err
    assert "vision data convert" in called.err
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "photos" / name / "a.png")
    called = vision("eval", "--results", str(path), "--data", "photos")
    assert called.code == 3
    assert "the data's task is classify" in called.err


def test_results_given_as_labels_are_refused(vision: Vision, labels: Path, tmp_path: Path) -> None:
    """Judged on itself, any list of results is perfect."""
    said = [{**each, "score": 0.5} for each in json.loads(labels.read_text())["annotations"]]
    path = written(labels.parent / "results.json", kept(said, "bbox"))
    called = vision("eval", "--results", str(path), "--data", str(path), "--kpi", "ap50>0.9")
    assert called.code == 3
    assert "holds results with scores, not labels" in called.err
    assert not (tmp_path / "runs").exists()


def test_boxes_outside_of_their_photo_are_told(
    vision: Vision, labels: Path, boxes: list[dict[str, Any]], tmp_path: Path
) -> None:
    far = changed(boxes, 0, bbox=[5000.0, 20.0, 30.0, 40.0])
    path = written(few(tmp_path) / "results.json", far)
    found = vision("eval", "--results", str(path), "--data", str(labels), "--json").document
    told = "1 results lie outside of their photo, such as [5000.0, 20.0, 30.0, 40.0] of a photo of 400 x 400"
    assert any(each.startswith(told) for each in found["warnings"]), found["warnings"]


def test_a_report_where_there_is_no_project_and_no_photo(
    vision: Vision, labels: Path, boxes: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = written(few(tmp_path) / "theirs.json", boxes)
    assert vision("eval", "--results", str(path), "--data", str(labels)).code == 0
    called = vision("report")
    assert called.code == 0, called.err
    assert "theirs.json" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_report_of_labels_without_their_photos(
    vision: Vision, labels: Path, boxes: list[dict[str, Any]], tmp_path: Path
) -> None:
    project(tmp_path, str(labels), "task: detect\n")
    path = written(tmp_path / "theirs.json", boxes)
    assert vision("eval", "--results", str(path), "eval.split=all").code == 0
    assert vision("eval", "--results", str(path), "--data", str(labels)).code == 0
    called = vision("report", "eval.split=all")
    assert called.code == 0, called.err
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "theirs.json" in page
    assert "24 of 24 photos are not at hand" in page
    assert "1 evaluation on other data than the project" in called.out


def test_a_report_of_results(vision: Vision, people: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    labels, whole = people
    for image in json.loads(labels.read_text())["images"]:
        Image.new("RGB", (SIDE, SIDE), (90, 120, 150)).save(labels.parent / image["file_name"])
    project(tmp_path, str(labels), "task: detect\nkpis: [oks_ap > 0.01, 'ap50 > 0.99']\n")
    path = written(tmp_path / "theirs.json", kept(whole, "bbox", "keypoints"))
    assert vision("eval", "--results", str(path), "--split", "all", "eval.split=all").code == 4
    called = vision("report", "eval.split=all")
    assert called.code == 0, called.err
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "theirs.json" in page
    assert "1 of 2 KPIs met" in page
    assert "Keypoints" in page
