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
    before = small.listing(folder)
    document = small.done(folder, *words, "--dry-run", "--json").document
    member, word = told
    assert word in str(document[member])
    assert small.listing(folder) == before


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
