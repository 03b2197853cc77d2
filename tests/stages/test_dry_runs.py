"""`--dry-run` tells what would be written and writes nothing, caches included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import stage_projects as small

Copy = Callable[[Path], Path]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train",), ("how", "would train test_resnet (timm) for classify")),
        (("train", "train.freeze=backbone"), ("task", "classify")),
        (("train", "model.family=features"), ("task", "classify")),
        (("eval",), ("writes", "runs/eval/<time>-tiny-torch")),
        (("eval", "--model", "exports/tiny.onnx"), ("runtime", "onnx")),
        (("eval", "--split", "val", "--kpi", "top5>0.5"), ("kpis", "top5 > 0.5")),
        (("eval", "--data", "photos", "--markdown", "new/eval.md"), ("writes", "new/eval.md")),
        (("eval", "--ratings", "ratings.csv", "--junit", "new.xml"), ("writes", "new.xml")),
        (("export",), ("files", "exports/tiny.onnx")),
        (("export", "--output", "new/deep", "--format", "tflite"), ("files", "new/deep/tiny.tflite")),
        (("predict", "photos/no", "-o", "new/a.csv", "--pictures", "new"), ("predictions", "photos/no/00.jpg")),
        (("report",), ("sections", "data")),
        (("report", "--output", "new/r.html"), ("path", "new/r.html")),
        (("init", "--data", "photos", "--force"), ("file", "vision.yaml")),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_nothing_is_written(seasons: Path, copy: Copy, words: tuple[str, ...], told: tuple[str, str]) -> None:
    folder = copy(seasons)
    for path in (folder / ".vision/fingerprints").iterdir():
        path.unlink()
    (folder / "splits.json").unlink()
    (folder / "ratings.csv").write_text("photo,rater,rating\na,x,yes\na,y,no\nb,x,yes\n")
    before = small.listing(folder)
    document = small.done(folder, *words, "--dry-run", "--json").document
    member, word = told
    assert word in str(document[member])
    assert "size_mb" not in document, "what is not written has no size"
    assert small.listing(folder) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), ("runs/train: ", "at most 6 epochs")),
        (("--epochs", "7"), ("runs/train: ", "at most 7 epochs")),
        (("--overfit", "4"), ("runs/overfit: 4 of ", "at most 6 epochs", "f1 on the same photos has to reach 0.9")),
        (
            ("--fraction", "0.5", "--epochs", "1"),
            ("runs/trial: ", " of ", "at most 1 epoch,", "an estimate of the whole"),
        ),
    ],
)
def test_a_training_is_told_with_its_length_place_and_bound(
    seasons: Path, words: tuple[str, ...], told: tuple[str, ...]
) -> None:
    document = small.done(seasons, "train", *words, "train.freeze=backbone", "--dry-run", "--json").document
    plan = document["how"][-1]
    assert all(each in plan for each in told), plan


def test_a_sample_is_not_taken_for_the_data(seasons: Path) -> None:
    whole = small.done(seasons, "train", "--dry-run", "--json").document["findings"]
    assert whole, "so few photos are too few for much"
    assert small.done(seasons, "train", "--fraction", "0.5", "--dry-run", "--json").document["findings"] == []


@pytest.mark.parametrize("words", [("train",), ("report",), ("init", "--data", "photos")])
def test_nothing_is_written_beside_untouched_photos(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = small.write_project(tmp_path / "project", "photos")
    small.class_folders(folder / "photos", 6)
    if words[0] == "init":
        (folder / "vision.yaml").unlink()
    before = small.listing(tmp_path)
    small.done(folder, *words, "--dry-run")
    assert small.listing(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("train", "model.backbone=test_resnett"), 2),
        (("train", "train.view=evenings"), 2),
        (("train", "train.freeze=99 stages"), 2),
        (("train", "train.freeze=99 stages", "train.unfreeze_every=1"), 2),
        (("train", "train.precision=16"), 2),
        (("train", "--offline", "model.backbone=resnet18", "model.weights=imagenet"), 5),
        (("eval", "--split", "tset"), 2),
        (("eval", "--kpi", "topp1>0.5"), 2),
        (("eval", "--model", "gone.onnx"), 3),
        (("eval", "--data", "gone"), 3),
        (("eval", "data.split={train: 0.8, val: 0.2, test: 0}"), 3),
        (("eval", "--junit", "photos"), 2),
        (("eval", "--ratings", "gone.csv"), 3),
        (("export", "--format", "onx"), 2),
        (("export", "--output", "vision.yaml/x"), 6),
        (("predict", "gone"), 3),
        (("predict", "photos/no", "--pictures", "photos/no"), 2),
        (("report", "--output", "photos"), 2),
    ],
)
def test_a_dry_run_refuses_what_the_run_would(seasons: Path, words: tuple[str, ...], code: int) -> None:
    dry = small.call(seasons, *words, "--dry-run")
    assert dry.code == code
    assert dry.err == small.call(seasons, *words).err


def test_what_an_evaluation_would_judge_is_what_it_judges(seasons: Path, copy: Copy) -> None:
    folder = copy(seasons)
    for words in ((), ("--split", "val"), ("--data", "photos"), ("--model", "exports/tiny.tflite")):
        planned = small.done(folder, "eval", *words, "--dry-run", "--json").document
        judged = small.call(folder, "eval", *words, "--json").document
        assert planned["model"] == judged["model"]
        assert planned["runtime"] == judged["runtime"]
        assert judged["data"].pop("version") is None  # none is kept; a dry run compares no photos with versions
        assert judged["data"].items() <= planned["data"].items()
        assert planned["kpis"] == [each["kpi"] for each in judged["kpis"]]
        (run,) = planned["writes"]
        assert Path(run).parent == Path(judged["run"]).parent
        assert run.partition("<time>")[2] in judged["run"]  # a second run in one second gets a number
    assert small.done(folder, "eval", "--dry-run", "--json").document["data"]["view"] == "all"


def test_an_evaluation_that_would_be_is_told_to_people(seasons: Path) -> None:
    told = small.done(seasons, "eval", "--dry-run", "--kpi", "f1[winter]>0.4", "--kpi", "top1>0.5").out
    assert "photos, view all, split test" in told
    assert "f1[winter] > 0.4" in told
    assert "would write\nruns/eval/<time>-tiny-torch\n" in told


def test_ratings_that_would_be_judged_are_counted(tmp_path: Path) -> None:
    rows = ["photo,rater,rating", "a,x,yes", "a,y,no", "b,x,yes", "b,y,yes", "b,z,no"]
    (tmp_path / "ratings.csv").write_text("\n".join(rows))
    called = small.done(tmp_path, "eval", "--ratings", "ratings.csv", "--kpi", "acceptance>0.9", "--dry-run")
    assert "ratings.csv, 2 photos, 3 raters" in called.out
    assert "would write\nnothing" in called.out


@pytest.mark.parametrize(
    ("words", "name", "url"),
    [
        (
            ("model.backbone=resnet18",),
            "timm--resnet18.a1_in1k--model.safetensors",
            "https://huggingface.co/timm/resnet18",
        ),
        (
            ("model.family=torchvision", "model.backbone=resnet18"),
            "resnet18-f37072fd.pth",
            "https://download.pytorch.org/models/resnet18-f37072fd.pth",
        ),
        (
            ("model.family=features", "model.backbone=torchvision/resnet18"),
            "resnet18-f37072fd.pth",
            "https://download.pytorch.org/models/resnet18-f37072fd.pth",
        ),
    ],
    ids=["timm", "torchvision", "features"],
)
def test_weights_are_named_and_not_downloaded(
    seasons: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], name: str, url: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a dry run went online")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    before = small.listing(seasons)
    called = small.done(seasons, "train", "model.weights=imagenet", *words, "--dry-run", "--json")
    download, plan = called.document["how"]
    assert f"would download the weights {name} from {url}" in download
    assert download.endswith(str(tmp_path / "cache/weights" / name))
    assert plan.startswith("would train ")
    assert small.listing(seasons) == before
    assert not (tmp_path / "cache").exists()


def test_more_stages_than_there_are_is_refused_before_the_download(
    seasons: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISION_CACHE", str(tmp_path / "cache"))
    words = ("train", "model.backbone=resnet18", "model.weights=imagenet", "train.freeze=99 stages", "--dry-run")
    called = small.call(seasons, *words)
    assert called.code == 2
    assert "99 stages, but the backbone has" in called.err
