"""What Label Studio knows beside labels on its way out and back, and what an export says of photos and models."""

from __future__ import annotations

import json
from pathlib import Path

import labelling_sets_made as made
import pytest

from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.project import load
from vision_cli.labelling.preannotation import check_task
from vision_cli.stages.labelling import answer_sets, exporting
from vision_cli.stages.labelling.answer_sets import PathOptions
from vision_cli.stages.labelling.choice import Choosing, NextRequest, choose_next
from vision_cli.stages.labelling.exporting import ExportRequest, export
from vision_cli.stages.labelling.importing import ImportRequest, take_in
from vision_cli.stages.labelling.task_writing import Target

RELATION = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right", "labels": ["tows"]}
NOTE = {"id": "t", "from_name": "note", "to_name": "image", "type": "textarea", "value": {"text": ["blurred"]}}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def related(tmp_path):
    """One photo with two boxes, one of which tows the other, and a note about the photo."""
    made.photo(tmp_path / "images/p.png")
    boxes = [made.studio_box("car", (10, 10, 30, 30), "a"), made.studio_box("van", (50, 20, 90, 60), "b")]
    return made.studio_export(tmp_path / "export.json", {"p.png": {"ann": [*boxes, RELATION, NOTE]}})


def ask(data, to, **more):
    return export(ExportRequest(load(None, ()), str(data), Target(Path("tasks"), to), **more))


def answers(*results):
    tasks = json.loads(Path("tasks/tasks.json").read_text())
    tasks[0]["id"] = 1
    tasks[0]["annotations"] = [{"id": 9, "completed_by": {"email": "ann"}, "result": list(results)}]
    Path("answers.json").write_text(json.dumps(tasks))
    return "answers.json"


def test_relations_and_texts_are_suggested_and_no_task_counts_as_answered(related):
    ask(related, "labelstudio")
    (task,) = json.loads(Path("tasks/tasks.json").read_text())
    assert "annotations" not in task
    (prediction,) = task["predictions"]
    assert [each["type"] for each in prediction["result"]] == ["rectanglelabels"] * 2 + ["relation", "textarea"]
    assert prediction["result"][2:] == [RELATION, NOTE]


def test_answers_keep_them_where_photos_have_columns_and_say_so_where_not(related):
    ask(related, "labelstudio")
    shown = json.loads(Path("tasks/tasks.json").read_text())[0]["predictions"][0]["result"]
    file = answers(*shown)
    take_in(ImportRequest((file,), Target(Path("again"), "labelstudio"), Path("tasks")))
    (task,) = json.loads(Path("again/tasks.json").read_text())
    assert task["annotations"][0]["result"][2:] == [RELATION, NOTE]
    take_in(ImportRequest((file,), Target(Path("coco"), "coco"), Path("tasks")))
    (document,) = [json.loads(path.read_text()) for path in Path("coco").rglob("*.json")]
    assert json.loads(document["images"][0]["other_results"]) == [{"result": [RELATION, NOTE]}]
    lost = take_in(ImportRequest((file,), Target(Path("yolo"), "yolo"), Path("tasks"))).outcome.report
    assert lost.images.changed["metadata left out"] == 1


def coco(file, **more):
    """Write a COCO file of one photo with one box, and return it."""
    annotation = {"id": 4, "image_id": 1, "category_id": 1, "bbox": [10, 8, 20, 16], "area": 320, "iscrowd": 0}
    document = {
        "images": [{"id": 1, "file_name": "p.png", "width": 100, "height": 80}],
        "annotations": [annotation | more],
        "categories": [{"id": 1, "name": "car"}],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document))
    return file


def test_photos_that_lie_elsewhere(tmp_path):
    file = coco(tmp_path / "set/labels.json")
    made.photo(tmp_path / "elsewhere/p.png")
    with pytest.raises(DataError, match="none of 1 photos is there") as caught:
        ask(file, "cvat")
    assert "--images-root" in caught.value.hint
    assert not Path("tasks").exists()
    result = ask(file, "cvat", path=PathOptions("coco", tmp_path / "elsewhere"))
    assert (result.photos, result.suggestions) == (1, {"labels": 1})


def test_options_of_a_path_are_not_of_plain_photos_or_views(tmp_path):
    made.box_csv(tmp_path / "set")
    with pytest.raises(UsageError, match="--plain reads no labels"):
        ask("set/photos", "cvat", plain=True, path=PathOptions("csv"))
    with pytest.raises(UsageError, match="describe a path"):
        answer_sets.find(load(None, ()), None, options=PathOptions(links="follow"))


def test_a_folder_without_labels_is_taken_as_plain_photos_and_it_is_said(tmp_path):
    made.photo(tmp_path / "new/a.png")
    assert ask("new", "cvat", plain=True).notes == ()
    (note,) = export(ExportRequest(load(None, ()), "new", Target(Path("tasks2"), "cvat"))).notes
    assert note == "new: no labels of any format are there; its photos are taken as they are, as --plain says."


def test_why_nothing_is_left_to_label(tmp_path):
    file = made.box_csv(tmp_path / "set")
    with pytest.raises(DataError, match=r"none of 4 photos is left to label: 4 are labelled .*, 0 are asked about"):
        choose_next(NextRequest(load(None, ()), str(file), Choosing(2, "random")))


@pytest.mark.parametrize("task", ["detect", "instance", "semantic", "panoptic"])
def test_models_that_find_objects_are_refused_plainly(monkeypatch, tmp_path, task):
    class Card:
        pass

    card = Card()
    card.task = task
    with pytest.raises(UsageError, match=f"of the task '{task}' cannot pre-annotate yet; those of classify"):
        check_task(Path("model"), card, "pre-annotate")
    runner = Card()
    runner.card = card
    monkeypatch.setattr(exporting.loading, "find_model", lambda project, path: path)
    monkeypatch.setattr(exporting.loading, "open_model", lambda path: runner)
    made.photo(tmp_path / "new/a.png")
    with pytest.raises(UsageError, match="cannot pre-annotate yet"):
        ask("new", "cvat", plain=True, model=Path("model"))
    with pytest.raises(UsageError, match="cannot say how sure it is of a photo yet"):
        choose_next(NextRequest(load(None, ()), "new", Choosing(1, model=Path("model")), plain=True))
    assert not Path("tasks").exists()


def test_scores_of_a_data_set_are_suggestions(tmp_path):
    """What any detector found, as a COCO file with scores, is pre-annotation."""
    made.photo(tmp_path / "p.png")
    coco(tmp_path / "found.json", score=0.7)
    ask("found.json", "labelstudio")
    (task,) = json.loads(Path("tasks/tasks.json").read_text())
    (result,) = task["predictions"][0]["result"]
    assert (result["id"], result["score"]) == ("4", 0.7)
    place = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["car"]}
    assert result["value"] == place
