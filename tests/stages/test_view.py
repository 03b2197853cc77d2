"""Views: what they hold, and how a new one gets into the project file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import street_project as streets
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core import project as projects
from vision_cli.core import yaml_source
from vision_cli.core.config import ViewConfig
from vision_cli.core.errors import DataError, UsageError
from vision_cli.stages import data, split_memory
from vision_cli.stages.querying import view, view_text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return streets.project(tmp_path_factory.mktemp("streets"))


@pytest.fixture
def project(folder: Path) -> projects.Project:
    (folder / "vision.yaml").write_text(streets.PROJECT)
    return projects.load(folder / "vision.yaml", environment={})


def test_the_residential_streets(project: projects.Project) -> None:
    found = view.show(project)
    assert (found.name, found.photos, found.before, found.annotations) == ("evenings", 2, 6, 7)
    paths = data.load_photos(project).images["path"].to_pylist()
    assert paths == [f"training/image_2/drive_1/00000{number}.png" for number in (0, 1)]
    assert [(line.name, line.photos, line.annotations) for line in found.sources] == [("street", 6, 16)]
    assert found.columns["captured_at"] == "time"
    assert found.others == ("both", "all")


def test_sources_of_two_formats_and_conventions(project: projects.Project) -> None:
    found = view.show(project, "both")
    assert [(line.name, line.format, line.photos, line.annotations) for line in found.sources] == [
        ("street", "kitti", 6, 15),
        ("more", "voc", 1, 2),
    ]
    assert [(line.name, line.annotations, line.photos) for line in found.classes] == [
        ("Pedestrian", 6, 5),
        ("Car", 11, 6),
    ]
    assert "'street' (inclusive-0), 'more' (inclusive-1) were shifted" in " ".join(found.notes)
    dataset = data.load_photos(project, "both")
    last = dataset.annotations.to_pylist()[-2:]
    assert [(row["x"], row["y"], row["w"], row["h"]) for row in last] == [(0, 0, 60, 40), (10, 10, 10, 10)]
    assert dataset.classes.names == ("Pedestrian", "Car")


def test_a_condition_that_is_wrong_names_its_line(project: projects.Project) -> None:
    text = streets.PROJECT.replace("scene = 'residential'", "scene = 'residential' and has('Cra')")
    (project.root / "vision.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        view.show(projects.load(project.root / "vision.yaml", environment={}))
    assert caught.value.message == "vision.yaml:12: data.views.evenings.where: no class is called 'Cra'."
    assert caught.value.hint == "Did you mean 'Car'?"


def test_a_class_that_only_another_source_has_is_known(project: projects.Project) -> None:
    new = view.new_view(["street", "more"], "has('person') or has('Cyclist')", [], [])
    assert view.add(project, "some", new, dry_run=True).photos == 2


def test_a_split_of_its_own_is_remembered_apart(project: projects.Project) -> None:
    own = ViewConfig.model_validate({"from": ["more"], "split": {"train": 1, "val": 0, "test": 0}})
    config = project.config.model_copy(
        update={"data": project.config.data.model_copy(update={"views": {"v": own, "a/b": own}})}
    )
    other = replace(project, config=config)
    assert data.split_rule(other, "v") == split_memory.Rule(own.split, "splits-v.json")
    assert data.split_rule(other, "a/b").file.startswith("splits-a-b-")
    assert data.split_rule(other, "all") == split_memory.Rule(project.config.data.split, "splits.json")
    loaded = data.load_view(other, "v")
    assert loaded.dataset.splits().tolist() == ["train"]
    assert (project.root / "splits-v.json").exists()
    assert not (project.root / "splits.json").exists()


def test_a_view_without_photos_says_where_to_look(project: projects.Project) -> None:
    (project.root / "vision.yaml").write_text(streets.PROJECT.replace("'residential'", "'farm'"))
    with pytest.raises(DataError, match="the view has no photo") as caught:
        data.load_view(projects.load(project.root / "vision.yaml", environment={}))
    assert "vision data view evenings" in str(caught.value.hint)


def test_an_unknown_view_is_guessed(project: projects.Project) -> None:
    with pytest.raises(UsageError, match="no view is called 'evening'") as caught:
        view.show(project, "evening")
    assert str(caught.value.hint).startswith("Did you mean 'evenings'?")


def test_a_view_is_added_and_nothing_else_changes(project: projects.Project) -> None:
    new = view.new_view(["street"], "none('Pedestrian')", ["Van=Car", "Cyclist="], [])
    found = view.add(project, "calm", new)
    text = (project.root / "vision.yaml").read_text()
    lines = text.splitlines()
    at = lines.index("    calm:")
    assert lines[at : at + 4] == [
        "    calm:",
        "      from: [street]",
        "      where: none('Pedestrian')"
        if "      where: none('Pedestrian')" in lines
        else "      where: \"none('Pedestrian')\"",
        "      map: {Van: Car, Cyclist: null}",
    ]
    assert "\n".join([*lines[:at], *lines[at + 4 :], ""]) == streets.PROJECT
    assert (found.photos, found.written, found.text.splitlines()[0]) == (2, True, "calm:")
    again = projects.load(project.root / "vision.yaml", environment={})
    assert view.show(again, "calm").photos == 2


def test_a_dry_run_writes_nothing(project: projects.Project) -> None:
    found = view.add(project, "calm", view.new_view(["street"], None, [], []), dry_run=True)
    assert not found.written
    assert (project.root / "vision.yaml").read_text() == streets.PROJECT


@pytest.mark.parametrize(
    ("name", "sources", "where", "message"),
    [
        ("evenings", ["street"], None, "vision.yaml:10: there is a view 'evenings' already"),
        ("new", ["stret"], None, "no source is called 'stret'"),
        ("new", ["street"], "has('Cra')", "no class is called 'Cra'"),
    ],
)
def test_what_cannot_be_added(project, name: str, sources: list[str], where: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("(", r"\(").replace(")", r"\)")):
        view.add(project, name, view.new_view(sources, where, [], []))
    assert (project.root / "vision.yaml").read_text() == streets.PROJECT


@pytest.mark.parametrize("words", [["Car"], ["=Car"], ["a=b", "a=c"]])
def test_a_bad_map(words: list[str]) -> None:
    with pytest.raises(UsageError, match="expected each class once, as old=new"):
        view.parse_map(words)


VIEW = ViewConfig.model_validate({"from": ["a"], "where": "x = 1", "map": {"no": "007", "b": None}})
ONE = "data:\n  sources: {a: {path: x}}\n  views:\n    one:\n      from: [a]\n"
TEXTS = {
    "block": ONE.replace("one:\n", "one: {from: [a]}\n    two:\n").replace("[a]\n", "[a]  # last\n\n# end\n")
    + "name: x\n",
    "no views": "data:\n    sources:\n        a: {path: x}\n\n# next\nname: x\n",
    "views are empty": "data:\n  sources: {a: {path: x}}\n  views:  # none yet\nname: x\n",
    "views in a line": "data:\n  sources: {a: {path: x}}\n  views: {one: {from: [a]}}  # c\nname: x\n",
    "views in braces": "data:\n  sources: {a: {path: x}}\n  views: {}\n",
    "all in a line": "data: {sources: {a: {path: x}}}\n",
    "trailing comma": "data:\n  sources: {a: {path: x}}\n  views: {one: {from: [a]}, }\n",
    "several lines of braces": "data:\n  sources: {a: {path: x}}\n  views: {\n    one: {from: [a]}  # c\n  }\n",
    "no last line end": ONE.rstrip(),
    "carriage returns": ONE.replace("\n", "\r\n"),
    "folded text at the end": ONE + "      where: >-\n        x = 1\n        and y\n",
    "literal text": ONE + "      where: |\n        x\n\nname: y\n",
    "plain over lines": ONE + "      where: x\n        and y\nname: z\n",
    "list at the end": ONE.replace(" [a]", "\n      - a\n      - b") + "name: z\n",
    "letters beyond": "name: größe 😀\ndata:\n  sources: {a: {path: é}}\n  views:\n    😀: {from: [a]}\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_any_way_to_write_a_project_file(text: str) -> None:
    result = view_text.added(text, "new", VIEW, file="vision.yaml")
    tree, before = yaml_source.parse(result, "x").tree, yaml_source.parse(text, "x").tree
    assert tree["data"]["views"].pop("new") == {"from": ["a"], "where": "x = 1", "map": {"no": "007", "b": None}}
    assert (tree["data"]["views"] or None) == before["data"].get("views", None) or not before["data"].get("views")
    same = next(at for at in range(len(result)) if text[at : at + 1] != result[at])
    assert result.endswith(text[same:]), "one piece was put in, and nothing else changed"
    assert result.count("\r\n") in (0, result.count("\n"))


@pytest.mark.parametrize(
    "text", ["name: x\n", "data:\n", "data: {}\n", "data: &a {sources: {a: {path: x}}, views: [1]}\n"]
)
def test_where_no_place_is_safe_the_lines_are_shown(text: str) -> None:
    with pytest.raises(UsageError, match="no safe place") as caught:
        view_text.added(text, "new", VIEW, file="vision.yaml")
    assert "    new:" in caught.value.details


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(NAMES, NAMES, st.dictionaries(NAMES, st.none() | NAMES, max_size=3), st.sampled_from(sorted(TEXTS)))
@settings(deadline=None, max_examples=60)
def test_any_names_are_written_so_that_they_are_read_back(name: str, where: str, renames, text: str) -> None:
    new = ViewConfig.model_validate({"from": ["a"], "where": where, "map": renames})
    result = view_text.added(TEXTS[text], name, new, file="vision.yaml") if name not in ("one", "two") else None
    if result is not None:
        assert yaml_source.parse(result, "x").tree["data"]["views"][name]["where"] == where


def test_a_long_condition_is_folded() -> None:
    where = "count('Car|Van|Truck', 'occluded >= 1') >= 2 and count('Pedestrian') >= 1 and captured_at::time > '20:00'"
    lines = view_text.block("v", ViewConfig.model_validate({"from": ["a"], "where": where + " and x = 1"}))
    assert lines[2] == "  where: >-"
    assert max(map(len, lines)) <= 104
