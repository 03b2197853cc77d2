"""`vision config`, and the ready project files."""

import json

import jsonschema
import pytest
import yaml

from vision_cli.core import project
from vision_cli.core.schema import project_schema


def test_show_prints_yaml_that_loads_as_the_same(vision, tmp_path):
    (tmp_path / "vision.yaml").write_text("name: no\nclasses: [no, 007, '[red]x']\ntrain: {epochs: 3}\n")
    before = project.load(tmp_path / "vision.yaml").config
    (tmp_path / "again.yaml").write_text(vision("config", "show").out)
    assert project.load(tmp_path / "again.yaml").config == before


def test_show_one_value(vision):
    assert vision("config", "show", "train.batch_size").out == "32\n"
    assert vision("config", "show", "export.formats").out == "- onnx\n- tflite\n"


@pytest.mark.parametrize(
    ("key", "message"),
    [("train.epoch", "Did you mean 'epochs'?"), ("trian", "Did you mean 'train'?"), ("kpis.7", "has no '7'")],
)
def test_show_an_unknown_key(vision, key, message):
    called = vision("config", "show", key)
    assert called.code == 2
    assert message in called.err


def test_schema_is_written_whole(vision, tmp_path):
    assert vision("config", "schema", "--output", "a/b.json", "--dry-run").code == 0
    assert not (tmp_path / "a").exists()
    assert vision("config", "schema", "--output", "a/b.json").code == 0
    assert json.loads((tmp_path / "a" / "b.json").read_text()) == json.loads(vision("config", "schema").out)


def test_check_without_a_file(vision):
    called = vision("config", "check")
    assert called.code == 2
    assert "vision init" in called.err


def test_check_tells_every_problem_with_its_line(vision, tmp_path):
    (tmp_path / "vision.yaml").write_text(
        "task: classify\n"
        "data:\n  sources:\n    photos: {path: nowhere, format: cvs}\n"
        "model:\n  family: tim\n"
        "kpis:\n  - f2 > 0.5\n  - mae < 3\n"
    )
    called = vision("config", "check", "--json")
    assert called.code == 2
    details = called.document["error"]["details"]
    assert len(details) == 5
    starts = [
        "vision.yaml:4: data.sources.photos.path",
        "vision.yaml:4: data.sources.photos.format",
        "vision.yaml:6: model.family",
    ]
    assert [detail.startswith(start) for detail, start in zip(details, starts, strict=False)] == [True] * 3
    assert "Did you mean 'csv'?" in details[1]
    assert "Did you mean 'timm'?" in details[2]
    assert [detail.split(":")[1] for detail in details[3:]] == ["8", "9"]


def test_check_of_a_sound_file(vision, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "vision.yaml").write_text("data: {sources: {a: {path: photos}}}\n")
    called = vision("config", "check")
    assert (called.code, "no problem" in called.out) == (0, True)


@pytest.mark.parametrize("name", ["classify", "multilabel", "regress", "features", "detect", "semantic"])
def test_ready_project_files(vision, root, name):
    from vision_cli import metrics, models
    from vision_cli.core.dataset import ClassMap

    file = root / "configs" / f"{name}.yaml"
    read = project.load(file, environment={})
    jsonschema.validate(yaml.safe_load(file.read_text()), project_schema(), cls=jsonschema.Draft7Validator)
    assert read.config.targets()
    for target in read.config.targets():
        metrics.check_kpi(target, read.config.task, ClassMap(tuple(read.config.classes)))
    assert read.config.task in models.FAMILIES.card(read.config.model.family).tasks
    assert read.config.task == {"features": "classify"}.get(name, name)


def test_models_and_presets_are_listed(vision):
    families = vision("models", "list", "--json").document["families"]
    assert {"timm", "torchvision", "features"} <= {family["name"] for family in families}
    assert vision("models", "list", "tim").code == 2
