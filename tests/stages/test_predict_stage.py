"""`vision predict`: what it finds, what it writes, and what it never touches."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import stage_projects as small
from PIL import Image

Copy = Callable[[Path], Path]
MODELS = ((), ("--model", "exports/tiny.onnx"), ("--model", "exports/tiny.tflite"))


def predictions(project: Path, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = small.done(project, "predict", *words, "--json").document["predictions"]
    return found


def test_file_folder_and_glob_name_the_same_photos_once(seasons: Path) -> None:
    folder = predictions(seasons, "photos/winter")
    by_glob = predictions(seasons, "photos/wint*/*.jpg")
    both = predictions(seasons, "photos/winter/03.jpg", "photos/winter", "photos/**/03.jpg")
    paths = [row["path"] for row in folder]
    assert paths == [f"photos/winter/{number:02}.jpg" for number in range(24)]
    assert by_glob == folder
    assert [row["path"] for row in both[:2]] == ["photos/winter/03.jpg", "photos/winter/00.jpg"]
    assert len(both) == 24 + len(small.COLOURS) - 1


@pytest.mark.parametrize("model", MODELS, ids=["torch", "onnx", "tflite"])
def test_it_answers_as_the_evaluation_does(seasons: Path, model: tuple[str, ...]) -> None:
    run = small.done(seasons, "eval", *model, "--split", "all", "--json").document["run"]
    rows = pq.read_table(Path(run) / "predictions.parquet").to_pydict()
    paths = [str(Path(path).relative_to(seasons)) for path in rows["path"]]
    judged = dict(zip(paths, rows["predicted"], strict=True))
    answered = {str(row["path"]): row["answer"] for row in predictions(seasons, "photos", *model)}
    assert answered == judged


def test_scores_are_shares_with_the_highest_first(seasons: Path) -> None:
    (row,) = predictions(seasons, "photos/no/00.jpg")
    scores = row["scores"]
    assert isinstance(scores, dict)
    values = list(scores.values())
    assert len(values) == 5
    assert values == sorted(values, reverse=True)
    assert 0 < sum(values) <= 1
    assert row["confidence"] == values[0]
    assert row["answer"] == next(iter(scores))


def test_json_and_csv_files_hold_what_is_printed(seasons: Path, tmp_path: Path) -> None:
    for name in ("a.json", "deep/er/a.csv"):
        small.done(seasons, "predict", "photos/007", "--output", str(tmp_path / name))
    printed = predictions(seasons, "photos/007")
    assert json.loads((tmp_path / "a.json").read_text())["predictions"] == printed
    with (tmp_path / "deep/er/a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["answer"]) for row in rows] == [(row["path"], row["answer"]) for row in printed]
    assert [float(row["confidence"]) for row in rows] == pytest.approx([row["confidence"] for row in printed], abs=1e-6)


def test_values_are_answered_in_their_unit(values: Path) -> None:
    found = predictions(values, "valued")
    declared = [float(line.split(",")[1]) for line in (values / "values.csv").read_text().splitlines()[1:]]
    answered = [row["value"] for row in found]
    assert np.corrcoef(declared, np.array(answered, dtype=float))[0, 1] > 0.8
    assert {*found[0]} == {"path", "answer", "value"}


def test_several_labels_are_joined(labels: Path) -> None:
    words = {str(row["answer"]) for row in predictions(labels, "labelled")}
    assert {part for word in words for part in word.split("|") if part} <= set(small.PARTS)
    assert any("|" in word for word in words)


def test_annotated_copies_are_photos_with_words_on_them(seasons: Path, tmp_path: Path) -> None:
    words = ("predict", "photos/winter/00.jpg", "photos/no/00.jpg", "--pictures", str(tmp_path / "out"), "--json")
    pictures = [Path(path) for path in small.done(seasons, *words).document["pictures"]]
    assert [path.name for path in pictures] == ["00.jpg", "00-2.jpg"]
    photo, copy = (np.asarray(Image.open(path)) for path in (seasons / "photos/winter/00.jpg", pictures[0]))
    assert photo.min() > 60, "this photo of snow has nothing dark"
    assert copy.min() < 40
    assert copy.shape[1] >= small.PHOTO_PX[0]


def test_a_copy_never_takes_the_name_of_another(seasons: Path, tmp_path: Path) -> None:
    for name in ("a-2.jpg", "one/a.jpg", "two/a.jpg", "two/a.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(seasons / "photos/winter/00.jpg", tmp_path / "in" / name)
    words = ("predict", str(tmp_path / "in"), "--pictures", str(tmp_path / "out"), "--json")
    pictures = small.done(seasons, *words).document["pictures"]
    assert len(set(pictures)) == 4
    assert len(list((tmp_path / "out").iterdir())) == 4


@pytest.mark.parametrize("where", ["in", "link"])
def test_photos_are_never_replaced_by_their_annotated_copies(seasons: Path, tmp_path: Path, where: str) -> None:
    shutil.copytree(seasons / "photos/winter", tmp_path / "in")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    before = small.listing(tmp_path / "in")
    called = small.call(seasons, "predict", str(tmp_path / "in"), "--pictures", str(tmp_path / where))
    assert called.code == 2
    assert "the annotated copy would replace the photo" in called.err
    assert small.listing(tmp_path / "in") == before


def test_one_broken_photo_is_named_and_the_others_are_answered(seasons: Path, tmp_path: Path) -> None:
    whole = (seasons / "photos/winter/00.jpg").read_bytes()
    (tmp_path / "good.jpg").write_bytes(whole)
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    called = small.call(seasons, "predict", str(tmp_path), "--output", str(tmp_path / "a.json"), "--json")
    assert called.code == 3
    document = called.document
    assert document["ok"] is False
    assert [Path(row["path"]).name for row in document["predictions"]] == ["good.jpg"]
    assert [Path(row["path"]).name for row in document["refused"]] == ["half.jpg"]
    assert "half.jpg" in document["refused"][0]["reason"]
    assert len(json.loads((tmp_path / "a.json").read_text())["predictions"]) == 1


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
def test_a_name_that_is_no_utf8_is_answered_and_written(seasons: Path, tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff.jpg"
    with open(odd, "wb") as file:  # noqa: PTH123  # a path of bytes
        file.write((seasons / "photos/winter/00.jpg").read_bytes())
    for name in ("a.json", "a.csv"):
        small.done(seasons, "predict", os.fsdecode(odd), "--output", str(tmp_path / name))
    (row,) = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["predictions"]
    assert os.fsencode(row["path"]) == odd
    assert "\\udcff.jpg," in (tmp_path / "a.csv").read_text(encoding="utf-8")


def test_content_decides_and_not_the_suffix(seasons: Path, tmp_path: Path) -> None:
    shutil.copy(seasons / "photos/winter/00.jpg", tmp_path / "photo.dat")
    (tmp_path / "notes.txt").write_text("no photo")
    assert [Path(str(row["path"])).name for row in predictions(seasons, str(tmp_path))] == ["photo.dat"]


def test_a_file_in_a_folder_that_calls_itself_a_photo_is_refused_by_name(seasons: Path, tmp_path: Path) -> None:
    shutil.copy(seasons / "photos/winter/00.jpg", tmp_path / "a.jpg")
    (tmp_path / "notes.jpg").write_text("no photo")
    called = small.call(seasons, "predict", str(tmp_path), "--json")
    assert called.code == 3
    assert [Path(row["path"]).name for row in called.document["predictions"]] == ["a.jpg"]
    assert [Path(row["path"]).name for row in called.document["refused"]] == ["notes.jpg"]


def test_a_model_needs_no_project(seasons: Path, tmp_path: Path) -> None:
    photo, model = str(seasons / "photos/winter/00.jpg"), str(seasons / "exports/tiny.onnx")
    (row,) = predictions(tmp_path, photo, "--model", model)
    assert row["answer"] == predictions(seasons, photo)[0]["answer"]
