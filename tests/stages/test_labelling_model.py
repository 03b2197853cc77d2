"""A trained model pre-annotates, and says which photos to label next."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import labelling_sets_made as made
import numpy as np
import pytest
import stage_projects as small
from PIL import Image

from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.project import load
from vision_cli.stages.labelling.choice import Choosing, NextRequest, choose_next
from vision_cli.stages.labelling.exporting import ExportRequest, export
from vision_cli.stages.labelling.importing import ImportRequest, take_in
from vision_cli.stages.labelling.task_writing import Target


@pytest.fixture
def new(seasons, copy, monkeypatch):
    """The trained project with a folder of new photos: noise of three colours, two of them copies."""
    folder = copy(seasons)
    monkeypatch.chdir(folder)
    rng = np.random.default_rng(0)
    (folder / "new").mkdir()
    for number, name in enumerate(["winter", "winter", "summer", "007"]):
        pixels = np.clip(np.array(small.COLOURS[name]) + rng.integers(-9, 9, (40, 60, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"new/{number}.png")
    (folder / "new/4.png").write_bytes((folder / "new/0.png").read_bytes())
    return folder


def test_suggestions_are_choices_with_the_models_score(new):
    result = export(
        ExportRequest(
            load(None, ()), "new", Target(Path("tasks"), "labelstudio"), plain=True, model=Path("runs/train/latest")
        )
    )
    predicted = small.done(new, "predict", "new", "--json").document["predictions"]
    tasks = json.loads(Path("tasks/tasks.json").read_text())
    assert result.photos == len(tasks) == 5
    for task, answer in zip(tasks, predicted, strict=True):
        (prediction,) = task["predictions"]
        assert prediction["result"][0]["type"] == "choices"
        assert prediction["result"][0]["value"]["choices"] == [answer["answer"]]
        assert prediction["score"] == pytest.approx(answer["confidence"], abs=1e-6)
    assert set(result.suggestions.values()) == {5}
    silent = export(
        ExportRequest(
            load(None, ()),
            "new",
            Target(Path("quiet"), "cvat"),
            plain=True,
            model=Path("runs/train/latest"),
            at_least=1.0,
        )
    )
    assert silent.silent == 5 - sum(answer["confidence"] >= 1 for answer in predicted)


def test_a_corrected_suggestion_keeps_its_id_and_loses_the_models_score(new):
    target = Target(Path("tasks"), "labelstudio")
    export(ExportRequest(load(None, ()), "new", target, plain=True, model=Path("runs/train/latest")))

    def change(number, shown):
        shown[0]["value"]["choices"] = ["no"] if number == 0 else shown[0]["value"]["choices"]
        return shown

    marks = [task["predictions"][0]["result"][0]["id"] for task in json.loads(Path("tasks/tasks.json").read_text())]
    file = made.answer_studio(Path("tasks"), change, "ann")
    result = take_in(ImportRequest((str(file),), Target(Path("back"), "vision")))
    assert (result.kept, result.corrected, result.removed, result.added) == (4, 1, 0, 0)
    from vision_cli import formats
    from vision_cli.formats import ReadOptions

    dataset = formats.FORMATS.load("vision").read(Path("back"), ReadOptions("x"))
    assert dataset.annotations["source_id"].to_pylist() == marks
    assert dataset.classes.names[dataset.annotations["class_id"][0].as_py()] == "no"
    assert "score" not in dataset.annotations.column_names


def test_the_least_certain_come_first(new):
    how = Choosing(3, "uncertainty")
    result = choose_next(NextRequest(load(None, ()), "new", how, plain=True, output=Path("next.csv")))
    scores = [each.score for each in result.chosen]
    assert scores == sorted(scores, reverse=True)
    predicted = small.done(new, "predict", "new", "--json").document["predictions"]
    margins = {
        Path(each["path"]).name: 1 - (lambda best: best[0] - best[1])(sorted(each["scores"].values(), reverse=True))
        for each in predicted
    }
    by_margin = choose_next(NextRequest(load(None, ()), "new", Choosing(5, "uncertainty", "margin"), plain=True))
    found = {each.path.name: each.score for each in by_margin.chosen}
    assert found == {name: pytest.approx(value, abs=1e-5) for name, value in margins.items()}
    with Path("next.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["path"] for row in rows] == [str(each.path) for each in result.chosen]
    assert [row["rank"] for row in rows] == ["1", "2", "3"]


@pytest.mark.parametrize("measure", ["k-centre", "k-means++"])
def test_different_photos_come_first_and_copies_last(new, measure):
    request = NextRequest(load(None, ()), "new", Choosing(5, "diversity", measure, seed=4), plain=True)
    first, again = choose_next(request), choose_next(request)
    names = [each.path.name for each in first.chosen]
    assert names == [each.path.name for each in again.chosen]
    assert {"0.png", "4.png"} - set(names[:4]) != set()
    assert names[-1] in ("0.png", "4.png")


def test_labelled_and_asked_photos_are_left_out(new):
    export(
        ExportRequest(load(None, ()), "new", Target(Path("tasks"), "labelme"), plain=True, pick=Choosing(2, "random"))
    )
    request = NextRequest(load(None, ()), "new", Choosing(9, "random"), plain=True, exclude=(Path("tasks"),))
    result = choose_next(request)
    assert (result.photos, result.labelled, result.asked, len(result.chosen)) == (5, 0, 2, 3)
    with pytest.raises(DataError, match="none of 144 photos is left to label"):
        choose_next(NextRequest(load(None, ()), None, Choosing(9, "random")))
    known = NextRequest(load(None, ()), "photos", Choosing(9, "random"), plain=True)
    with pytest.raises(DataError, match="is left to label"):  # the project's own source has labels for them
        choose_next(known)


def test_refusals(new):
    project = load(None, ())
    with pytest.raises(UsageError, match="random has no measure 'entropy'"):
        choose_next(NextRequest(project, "new", Choosing(3, "random", "entropy"), plain=True))
    with pytest.raises(UsageError, match=r"a \.csv or a \.txt file"):
        choose_next(NextRequest(project, "new", Choosing(3, "random"), plain=True, output=Path("x.json")))
    onnx = next(Path().rglob("*.onnx"))
    with pytest.raises(UsageError, match="gives answers, no embeddings"):
        choose_next(NextRequest(project, "new", Choosing(3, "diversity", model=onnx), plain=True))
    (new / "new/bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(DataError, match="1 of 6 photos cannot be read"):
        choose_next(NextRequest(project, "new", Choosing(3, "random"), plain=True))
