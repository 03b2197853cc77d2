"""`train.epochs=5` anywhere on any command's line."""

import pytest

from vision_cli.cli.words import split_overrides
from vision_cli.core.project import is_override

VALUED = {"--kpi", "--model", "-m", "-o"}


@pytest.mark.parametrize(
    ("words", "kept", "overrides"),
    [
        (["train.epochs=5"], [], ["train.epochs=5"]),
        (["a.jpg", "train.epochs=5", "--json", "name=x"], ["a.jpg", "--json"], ["train.epochs=5", "name=x"]),
        (["--kpi", "name=x"], ["--kpi", "name=x"], []),
        (["--kpi=f1.min=0.5", "name=x"], ["--kpi=f1.min=0.5"], ["name=x"]),
        (["--kpi", "--", "name=x"], ["--kpi", "--"], ["name=x"]),
        (["--", "name=x"], ["--", "name=x"], []),
        (["-m", "name=x", "seed=1"], ["-m", "name=x", "seed=1"], []),
        (["-mpath", "name=x"], ["-mpath"], ["name=x"]),
        (["-qm", "name=x"], ["-qm", "name=x"], []),
        (["-q", "name=x"], ["-q"], ["name=x"]),
        (["photo=1.jpg", "./train.epochs=5"], ["photo=1.jpg", "./train.epochs=5"], []),
        (["name="], [], ["name="]),
        (["classes=[a, b]"], [], ["classes=[a, b]"]),
        (["-", "name=x"], ["-"], ["name=x"]),
        (
            ["--json", "--verbose", "data.sources.a.path=../b c"],
            ["--json", "--verbose"],
            ["data.sources.a.path=../b c"],
        ),
    ],
)
def test_words_are_told_apart(words, kept, overrides):
    assert split_overrides(words, VALUED, is_override) == (kept, overrides)


def test_they_reach_the_project_from_every_place(vision, command):
    def act(probe):
        config = probe.session.project().config
        members = {"epochs": config.train.epochs, "name": config.name, "kpi": probe.kpi, "words": probe.words}
        probe.session.answer(members, lambda result, paper: None)

    command(act)
    words = ("probe", "train.epochs=5", "a.jpg", "--kpi", "name=no", "--json", "name=yes", "--", "train.epochs=6")
    document = vision(*words).document
    assert document["epochs"] == 5
    assert document["name"] == "yes"
    assert document["kpi"] == ["name=no"]
    assert document["words"] == ["a.jpg", "train.epochs=6"]


def test_a_wrong_value_names_the_command_line(vision):
    called = vision("config", "show", "train.epochs=-1", "model.weight=none")
    assert called.code == 2
    assert "command line: train.epochs:" in called.err
    assert "did you mean 'weights'?" in called.err


def test_order_is_file_environment_command_line(vision, tmp_path, monkeypatch):
    (tmp_path / "vision.yaml").write_text("train:\n  epochs: 1\n  seed: 2\n  batch_size: 3\n")
    monkeypatch.setenv("VISION_SET_TRAIN__SEED", "20")
    monkeypatch.setenv("VISION_SET_TRAIN__BATCH_SIZE", "30")
    document = vision("config", "show", "train", "--origin", "--json", "train.batch_size=300").document
    assert {key: document["config"][key] for key in ("epochs", "seed", "batch_size")} == {
        "epochs": 1,
        "seed": 20,
        "batch_size": 300,
    }
    origins = document["origins"]
    assert origins["train.epochs"] == "vision.yaml:2"
    assert origins["train.seed"] == "environment VISION_SET_TRAIN__SEED"
    assert origins["train.batch_size"] == "command line"
    assert origins["train.patience"] == "default"


def test_origins_are_drawn(vision, tmp_path):
    (tmp_path / "vision.yaml").write_text("name: shop\n")
    lines = vision("config", "show", "--origin").out.splitlines()
    assert any(line.split() == ["name", "shop", "vision.yaml:1"] for line in lines)
    assert any(line.split() == ["train.seed", "1", "default"] for line in lines)
