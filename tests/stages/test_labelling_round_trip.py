"""Tasks go out to three tools, people answer, and each answer meets its photo and what it corrects."""

from __future__ import annotations

import json
from pathlib import Path

import labelling_sets_made as made
import pytest

from vision_cli import formats
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.project import load
from vision_cli.formats import ReadOptions
from vision_cli.labelling import tasks
from vision_cli.stages.labelling.choice import Choosing
from vision_cli.stages.labelling.exporting import ExportRequest, export
from vision_cli.stages.labelling.importing import ImportRequest, take_in
from vision_cli.stages.labelling.task_writing import Target


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def exported(to="labelstudio", data="boxes.csv", **more):
    return export(ExportRequest(load(None, ()), data, Target(Path("tasks"), to), **more))


def back(tmp_path, *answers, to="coco", **more):
    request = ImportRequest(tuple(map(str, answers)), Target(tmp_path / "back", to), **more)
    result = take_in(request)
    assert result.ok, result.outcome.report.not_allowed
    return result, formats.FORMATS.load(to).read(tmp_path / "back", ReadOptions("back"))


def test_label_studio_keeps_the_photo_and_the_id_of_what_is_corrected(tmp_path):
    made.box_csv(tmp_path)
    result = exported()
    assert (result.photos, dict(result.suggestions)) == (4, {"labels": 8})
    marks = {}

    def change(number, shown):
        marks[number] = [each["id"] for each in shown]
        if number == 0:
            return shown  # as it was
        if number == 1:
            shown[0]["value"]["x"] += 5  # corrected
            return shown[:1]  # and one taken away
        if number == 2:
            return [*shown, made.studio_box("dog", (0, 0, 9, 9), "new1")]
        return None

    file = made.answer_studio(tmp_path / "tasks", change, "ann@x.org")
    result, dataset = back(tmp_path, file, to="vision")
    assert (result.kept, result.corrected, result.removed, result.added) == (4, 1, 1, 1)
    assert result.open == ("boxes/photos/p3.png",)
    assert dict(result.annotators) == {"ann@x.org": 3}
    assert [path[-6:] for path in dataset.images["path"].to_pylist()] == ["p0.png", "p1.png", "p2.png"]
    rows = dataset.annotations.to_pylist()
    (moved,) = [row for row in rows if row["x"] == 15]
    assert (moved["source_id"], moved["image_id"], moved["annotator"]) == (marks[1][0], 1, "ann@x.org")
    assert set(dataset.annotations["source_id"].to_pylist()) >= {*marks[0], marks[1][0], *marks[2], "new1"}
    assert marks[1][1] not in dataset.annotations["source_id"].to_pylist()


@pytest.mark.parametrize("tool", ["cvat", "labelme"])
def test_cvat_and_labelme_keep_ids_as_well(tmp_path, tool):
    made.box_csv(tmp_path)
    exported(tool)
    book = tasks.load(tmp_path / "tasks")
    if tool == "cvat":
        made.move_cvat(tmp_path / "tasks/annotations.xml", 'xtl="10"', 'xtl="14"')
        answers = tmp_path / "tasks/annotations.xml"
    else:
        file = tmp_path / "tasks/photos/p2.json"
        document = json.loads(file.read_text())
        document["shapes"][0]["label"] = "lorry"
        file.write_text(json.dumps(document))
        answers = tmp_path / "tasks"
    result, dataset = back(tmp_path, f"ann={answers}", to="vision")
    assert (result.answered, result.added, result.removed) == (4, 0, 0)
    assert (result.corrected, result.kept) == ((4, 4) if tool == "cvat" else (1, 7))
    assert sorted(dataset.annotations["source_id"].to_pylist()) == sorted(each.id for each in book.suggestions)


def test_ids_of_the_source_come_back_and_splits_too(tmp_path):
    made.photo(tmp_path / "set/images/a b.png")
    document = {
        "images": [{"id": 42, "file_name": "a b.png", "width": 100, "height": 80}],
        "annotations": [
            {"id": 7, "image_id": 42, "category_id": 3, "bbox": [10.5, 10, 20, 20], "area": 400, "iscrowd": 0}
        ],
        "categories": [{"id": 3, "name": "<script>"}],
    }
    (tmp_path / "set/annotations").mkdir()
    (tmp_path / "set/annotations/instances_train.json").write_text(json.dumps(document))
    exported(data="set")
    file = made.answer_studio(tmp_path / "tasks", lambda _, shown: shown, 3)
    result, dataset = back(tmp_path, file)
    assert (result.kept, result.added) == (1, 0)
    assert dataset.images["source_id"].to_pylist() == ["42"]
    assert dataset.annotations["source_id"].to_pylist() == ["7"]
    assert dataset.annotations["x"].to_pylist() == [10.5]
    assert dataset.images["split"].to_pylist() == ["train"]


def test_answers_about_other_photos_are_refused_or_counted_by_name(tmp_path):
    made.box_csv(tmp_path)
    exported()
    file = made.answer_studio(tmp_path / "tasks", lambda _, shown: shown, "ann")
    documents = json.loads(file.read_text())
    documents[1]["data"] = {"image": "/data/local-files/?d=images/other.png", "width": 100, "height": 80}
    file.write_text(json.dumps(documents))
    with pytest.raises(DataError, match="1 photos of the answers were never asked about") as caught:
        back(tmp_path, file)
    assert caught.value.details == ("answers: images/other.png",)
    assert not (tmp_path / "back").exists()
    result, dataset = back(tmp_path, file, skip_unmatched=True)
    assert len(result.unmatched) == 1
    assert len(dataset) == 3
    assert result.open == ("boxes/photos/p1.png",)


def test_several_people_are_refused_unless_one_is_chosen(tmp_path):
    made.box_csv(tmp_path)
    result = exported(people=("ann", "bob", "eve"), overlap=2)
    assert max(result.people.values()) - min(result.people.values()) <= 1
    assert sum(result.people.values()) == 8
    files = [made.answer_studio(tmp_path / "tasks" / who, lambda _, shown: shown, f"{who}@x") for who in result.people]
    with pytest.raises(DataError, match="4 photos have answers of several people: ann@x, bob@x, eve@x"):
        back(tmp_path, *files)
    found, dataset = back(tmp_path, *files, annotator="ann@x")
    assert len(dataset) == result.people["ann"] == found.answered
    with pytest.raises(UsageError, match="'nobody' answered nothing"):
        take_in(ImportRequest(tuple(map(str, files)), Target(tmp_path / "x", "coco"), annotator="nobody"))


def test_a_loss_is_named_and_nothing_is_written(tmp_path):
    made.box_csv(tmp_path)
    exported()
    file = made.answer_studio(tmp_path / "tasks", lambda _, shown: shown, "ann")
    result = take_in(ImportRequest((str(file),), Target(tmp_path / "back", "imagefolder")))
    assert not result.ok
    assert result.outcome.report.not_allowed == ["classes"]
    assert not (tmp_path / "back").exists()
    result = take_in(ImportRequest((str(file),), Target(tmp_path / "back", "yolo", frozenset({"ids"}))))
    assert result.ok
    assert "Who answered has no place in yolo; this report says it." in result.notes
    assert len(list((tmp_path / "back").rglob("*.png"))) == 4


def test_photos_without_labels_are_asked_about_with_the_declared_classes(tmp_path):
    for number in range(5):
        made.photo(tmp_path / f"new/{number}.png", number)
    result = exported(data="new", plain=True, classes=("car", "b&<w>"), ask=("class",), pick=Choosing(3, "random"))
    assert (result.photos, result.classes) == (3, ("car", "b&<w>"))
    config = (tmp_path / "tasks/label_config.xml").read_text()
    assert 'choice="single"' in config
    assert '<Choice value="b&amp;&lt;w&gt;"/>' in config
    answers = made.answer_studio(tmp_path / "tasks", lambda number, _: made.choice("b&<w>") if number else None, "ann")
    found, dataset = back(
        tmp_path,
        answers,
        to="csv",
    )
    assert (found.answered, found.added, len(found.open)) == (2, 2, 1)
    assert {dataset.classes.names[each] for each in dataset.annotations["class_id"].to_pylist()} == {"b&<w>"}


def test_refusals_of_an_export(tmp_path):
    made.box_csv(tmp_path)
    for more, message in [
        ({"people": ("../x",)}, "annotators are named"),
        ({"people": ("a", "A")}, "annotators are named"),
        ({"overlap": 2}, "an overlap needs annotators"),
        ({"people": ("a", "b"), "overlap": 3}, "3 people a photo out of 2"),
        ({"ask": ("boxs",)}, "--ask boxs"),
        ({"at_least": 2.0}, "a score lies between 0 and 1"),
        ({"data": "nowhere"}, "neither a view nor a file"),
        ({"to": "voc"}, "no labelling tool is called 'voc'"),
    ]:
        with pytest.raises(UsageError, match=message):
            exported(**more)
        assert not (tmp_path / "tasks").exists()
    with pytest.raises(DataError, match="none of 4 photos is left"):
        exported(only="unlabelled")


def test_a_list_of_tasks_that_is_none_is_refused(tmp_path):
    for content, message in [
        (b"[]", "is no list of tasks"),
        (b"{", "is no list of tasks"),
        (
            b'{"schema_version": 9, "format": "x", "roots": {}, "classes": [], "photos": [], "suggestions": []}',
            "version 9",
        ),
        (
            b'{"schema_version": 1, "format": "x", "roots": {}, "classes": [], "photos": [],'
            b' "suggestions": [{"id": "a", "photo": 3}]}',
            "1 annotations are of no photo",
        ),
        (
            b'{"schema_version": 1, "format": "x", "roots": {}, "classes": [], "suggestions": [],'
            b' "photos": [{"id": "a", "source": "s", "path": "p", "file": "f"}]}',
            "1 sources have no folder",
        ),
    ]:
        (tmp_path / tasks.NAME).write_bytes(content)
        with pytest.raises(DataError, match=message):
            tasks.load(tmp_path)


def test_a_list_of_tasks_cannot_reach_out_of_its_sources(tmp_path):
    made.box_csv(tmp_path / "set")
    exported(data="set/boxes.csv")
    (tmp_path / "secret.png").write_bytes((tmp_path / "set/photos/p0.png").read_bytes())
    file = made.answer_studio(tmp_path / "tasks", lambda _, shown: shown, "ann")
    book = tmp_path / "tasks" / tasks.NAME
    book.write_text(book.read_text().replace('"path": "photos/p1.png"', '"path": "../secret.png"'))
    with pytest.raises(DataError, match="1 photos lie outside of it"):
        back(tmp_path, file)
    assert not (tmp_path / "back").exists()


def test_the_exports_own_photos_serve_where_the_source_is_gone(tmp_path):
    made.box_csv(tmp_path / "set")
    exported(data="set/boxes.csv")
    file = made.answer_studio(tmp_path / "tasks", lambda _, shown: shown, "ann")
    (tmp_path / "set").rename(tmp_path / "moved")
    result, dataset = back(tmp_path, file, to="voc")
    assert result.kept == 8
    assert sorted(path.name for path in (tmp_path / "back").rglob("*.png")) == [f"p{n}.png" for n in range(4)]
    assert len(dataset) == 4


@pytest.mark.parametrize("tool", ["labelstudio", "cvat", "labelme"])
def test_tasks_with_linked_photos_come_back(tmp_path, tool):
    made.box_csv(tmp_path)
    target = Target(Path("tasks"), tool, images="symlink")
    export(ExportRequest(load(None, ()), "boxes.csv", target))
    assert any(path.is_symlink() for path in (tmp_path / "tasks").rglob("*.png"))
    answers = {"cvat": tmp_path / "tasks/annotations.xml", "labelme": tmp_path / "tasks"}.get(tool)
    if answers is None:
        answers = made.answer_studio(tmp_path / "tasks", lambda _, shown: shown, "ann@x.org")
    result, dataset = back(tmp_path, f"ann={answers}", to="vision")
    assert (result.answered, result.kept, result.added, result.removed) == (4, 8, 0, 0)
    assert len(dataset) == 4
    assert not any(path.is_symlink() for path in dataset.paths())
