"""The project file: found, layered, checked, all problems at once."""

from pathlib import Path

import pytest

from vision_cli.core import project
from vision_cli.core.errors import UsageError

NONE = {}


def load(folder, text, *words, environment=NONE):
    file = folder / "vision.yaml"
    file.write_text(text)
    return project.load(file, words, environment=environment)


def problems(folder, text, *words, environment=NONE):
    with pytest.raises(UsageError) as caught:
        load(folder, text, *words, environment=environment)
    return list(caught.value.details) or [caught.value.message]


def test_found_upwards_like_git(tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert project.find(deep) is None
    (tmp_path / "vision.yaml").write_text("name: outer\n")
    assert project.find(deep) == tmp_path / "vision.yaml"
    (tmp_path / "a" / "vision.yaml").write_text("name: inner\n")
    read = project.load(start=deep, environment=NONE)
    assert (read.config.name, read.root) == ("inner", tmp_path / "a")
    assert read.path("photos") == tmp_path / "a" / "photos"
    assert read.path("/photos") == Path("/photos")


def test_without_a_file_the_defaults_apply(tmp_path):
    read = project.load(start=tmp_path, environment=NONE)
    assert read.file is None
    assert read.root == tmp_path
    assert read.config.train.batch_size == 32
    assert read.origin("train.batch_size") == "default"


def test_class_names_stay_the_strings_they_are(tmp_path):
    names = ["no", "007", "1e3", "on", "null ", "2020-01-01", "[/]"]
    text = "classes: [no, 007, 1e3, on, 'null ', 2020-01-01, '[/]']\n"
    assert load(tmp_path, text).config.classes == names


def test_one_problem_is_one_line(tmp_path):
    assert problems(tmp_path, "model:\n  wieghts: none\n") == [
        "vision.yaml:2: model.wieghts: unknown key; did you mean 'weights'?"
    ]


def test_all_problems_at_once_each_with_its_line(tmp_path):
    text = (
        "version: 99\n"
        "trian: {}\n"
        "train:\n  epochs: -1\n  learning_rate: nan\n  seed: x\n  freeze: everything\n"
        "model:\n  input: {size: 7, channels: 2}\n"
        "data:\n  split: {train: 0.9}\n  sources: {a: {format: csv}}\n"
        "kpis: [f1]\n"
    )
    found = problems(tmp_path, text)
    starts = [line.split(": ")[0] + ": " + line.split(": ")[1] for line in found]
    assert sorted(starts) == sorted(
        [
            "vision.yaml:1: version",
            "vision.yaml:2: trian",
            "vision.yaml:4: train.epochs",
            "vision.yaml:5: train.learning_rate",
            "vision.yaml:6: train.seed",
            "vision.yaml:7: train.freeze",
            "vision.yaml:9: model.input.size",
            "vision.yaml:9: model.input.channels",
            "vision.yaml:11: data.split",
            "vision.yaml:12: data.sources.a.path",
            "vision.yaml:13: kpis.0.kpi",
        ]
    )
    assert next(line for line in found if "trian" in line).endswith("did you mean 'train'?")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "expected keys and values, got list"),
        ("hello\n", "expected keys and values, got str"),
        ("train: 5\n", "vision.yaml:1: train:"),
        ("train: [a]\n", "vision.yaml:1: train:"),
        ("train: {learning_rate: 1e999}\n", "learning_rate"),
        ("data: {views: {v: {from: [nowhere]}}}\n", "no source is called 'nowhere'"),
        ("classes: [a, b, a]\n", "repeated: a"),
        ("classes: ['']\n", "classes.0"),
        ("task: detekt\n", "task"),
        ("data: {split: {group: [a]}}\n", "data.split.group"),
    ],
)
def test_refusals(tmp_path, text, message):
    assert message in " ".join(problems(tmp_path, text))


def test_unreadable_files(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        project.load(tmp_path / "absent.yaml", environment=NONE)
    with pytest.raises(UsageError, match="cannot be read"):
        project.load(tmp_path, environment=NONE)
    (tmp_path / "vision.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(UsageError, match="not UTF-8 text at byte 6"):
        project.load(tmp_path / "vision.yaml", environment=NONE)
    (tmp_path / "vision.yaml").write_bytes(b"\xef\xbb\xbfname: marked\n")
    assert project.load(tmp_path / "vision.yaml", environment=NONE).config.name == "marked"


def test_empty_sections_are_defaults(tmp_path):
    assert load(tmp_path, "train:\nmodel:\nkpis:\n").config.train.batch_size == 32


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("train.epochs=5", 5),
        ("model.input.size=[320, 240]", (320, 240)),
        ("model.input.size=224", (224, 224)),
        ("classes=[no, 007]", ["no", "007"]),
        ("train.epochs=", None),
        ("name=a=b", "a=b"),
        ("data.split.train=0.7", 0.7),
    ],
)
def test_overrides_are_read_as_yaml(tmp_path, word, value):
    found = load(tmp_path, "name: x\n", word).config
    for part in word.split("=")[0].split("."):
        found = getattr(found, part)
    assert found == value


def test_order_is_file_environment_command_line(tmp_path):
    text = "train: {epochs: 1, seed: 2, batch_size: 3}\n"
    environment = {"VISION_SET_TRAIN__SEED": "20", "VISION_SET_TRAIN__BATCH_SIZE": "30", "VISION_SETTING": "x"}
    read = load(tmp_path, text, "train.batch_size=300", "train.batch_size=301", environment=environment)
    assert (read.config.train.epochs, read.config.train.seed, read.config.train.batch_size) == (1, 20, 301)
    assert read.origin("train.seed") == "environment VISION_SET_TRAIN__SEED"
    assert read.origin("train.batch_size") == "command line"
    assert read.origin("train.epochs") == "vision.yaml:1"
    assert read.origin("train.patience") == "default"


def test_a_whole_section_replaces_the_files(tmp_path):
    read = load(tmp_path, "train: {epochs: 1, seed: 2}\n", "train={seed: 9}")
    assert (read.config.train.epochs, read.config.train.seed) == (None, 9)
    assert read.origin("train.seed") == "command line"
    assert read.origin("train.epochs") == "default"


def test_items_of_lists_and_maps(tmp_path):
    text = "data: {sources: {a: {path: x}}}\nkpis: [f1 > 0.5, top1 > 0.1]\n"
    read = load(tmp_path, text, "kpis.1=top1 > 0.9", "data.sources.b.path=y", "data.sources.a.format=csv")
    assert [str(kpi) for kpi in read.config.targets()] == ["f1 > 0.5", "top1 > 0.9"]
    assert (read.config.data.sources["b"].path, read.config.data.sources["a"].format) == ("y", "csv")
    assert read.origin("data.sources.b.path") == "command line"
    assert read.origin("data.sources.a.path") == "vision.yaml:1"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("train.epochs=-1", "command line: train.epochs:"),
        ("train.epoch=1", "command line: train.epoch: unknown key; did you mean 'epochs'?"),
        ("train={epoch: 1}", "command line: train.epoch: unknown key"),
        ("data.sources.a={format: csv}", "command line: data.sources.a.path:"),
        ("name.first=x", "'name' is a plain value"),
        ("train.epochs=[1", "not valid YAML"),
        ("train.epochs=!!int 1", "tag"),
        ("kpis.7=f1>0.5", "kpis"),
    ],
)
def test_wrong_overrides(tmp_path, word, message):
    assert message in " ".join(problems(tmp_path, "name: x\n", word))


def test_wrong_environment(tmp_path):
    found = problems(tmp_path, "", environment={"VISION_SET_TRAIN__EPOCHS": "many"})
    assert found[0].startswith("environment VISION_SET_TRAIN__EPOCHS: train.epochs: expected")


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        ("train.epochs=5", True),
        ("name=x", True),
        ("kpis=[a]", True),
        ("data.sources.Städte.path=x", True),
        ("trian.epochs=5", False),
        ("photo=1.jpg", False),
        ("--kpi=f1", False),
        ("train/epochs=5", False),
        ("./name=x", False),
        ("train.epochs", False),
        ("train..epochs=5", False),
        ("=5", False),
    ],
)
def test_what_an_override_is(word, is_one):
    assert project.is_override(word) is is_one
