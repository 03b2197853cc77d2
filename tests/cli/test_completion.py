"""Completion as the shells ask for it: variables of the environment in, words out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_start import FORBIDDEN

from vision_cli.cli.completion import joined, settings
from vision_cli.core import project
from vision_cli.core.config import ProjectConfig

SPLITS = ["train", "val", "test", "all"]
COMMAND = [sys.executable, "-m", "vision_cli"]


def asked(environment: dict[str, str], *, command: list[str] = COMMAND) -> subprocess.CompletedProcess[str]:
    whole = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=whole, check=False)


def in_bash(line: str) -> list[str]:
    """Return what is offered for the last word of a line, whose words are split as bash splits them."""
    words = line.split(" ")
    position = str(len(words) - 1)
    done = asked({"COMP_WORDS": "\n".join(words), "COMP_CWORD": position, "_VISION_COMPLETE": "complete_bash"})
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vision train train.e", ["train.epochs=", "train.ema="]),
        ("vision train train.patie", ["train.patience="]),
        ("vision train --resume model.input.s", ["model.input.size="]),
        ("vision train train.opt", ["train.optimizer=adamw", "train.optimizer=sgd"]),
        ("vision train train.optimizer =", ["adamw", "sgd"]),
        ("vision train train.optimizer = s", ["sgd"]),
        ("vision train train.optimizer=s", ["train.optimizer=sgd"]),
        ("vision train train.epochs = 5 train.head", ["train.head_first=true", "train.head_first=false"]),
        ("vision train train.epochs =", []),
        ("vision train train.gone", []),
        ("vision train train.gone=", []),
        ("vision eval --split ", SPLITS),
        ("vision eval --split t", ["train", "test"]),
        ("vision eval --split val eval.s", [f"eval.split={split}" for split in ("train", "val", "test", "all")]),
        ("vision eval --kpi f", []),
        ("vision eval --spl", ["--split"]),
        ("vision predict model.b", ["model.backbone="]),
        ("vision predict a.jpg train.device = c", ["cpu", "cuda"]),
        ("vision predict a.jpg train.device =", ["auto", "cpu", "cuda", "mps"]),
        ("vision predict tra", []),  # a folder, most likely: left to the shell
        ("vision config show data.split.t", ["data.split.train", "data.split.test"]),
        ("vision config show train.optimizer = a", ["adamw"]),
        ("vision config show train train.e", ["train.epochs=", "train.ema="]),
    ],
)
def test_what_bash_is_offered(line: str, offered: list[str]) -> None:
    assert in_bash(line) == offered


def test_zsh_and_fish_ask_with_whole_words() -> None:
    words = {"_TYPER_COMPLETE_ARGS": "vision train train.optimizer=s"}
    zsh = asked({**words, "_VISION_COMPLETE": "complete_zsh"}).stdout
    assert '"train.optimizer=sgd":' in zsh
    assert "adamw" not in zsh
    fish = {**words, "_VISION_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    (line,) = asked(fish).stdout.splitlines()
    assert line.startswith("train.optimizer=sgd\t")


@pytest.mark.parametrize("line", ["vision train train.", "vision eval --split ", "vision predict model.", "vision ev"])
def test_completion_imports_nothing_heavy(line: str) -> None:
    words = line.split(" ")
    environment = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_VISION_COMPLETE": "complete_bash"}
    done = asked(environment, command=[sys.executable, "-X", "importtime", "-m", "vision_cli"])
    modules = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert done.stdout
    assert (FORBIDDEN - {"pydantic"}) & {name.split(".")[0] for name in modules} == set()


def test_bash_runs_the_printed_script(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    program = tmp_path / "vision"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m vision_cli "$@"\n')
    program.chmod(0o755)
    script = asked(
        {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}, command=[*COMMAND, "--show-completion", "bash"]
    ).stdout
    lines = [
        "compopt() { echo option $*; }",  # bash's own speaks only while somebody types
        script,
        "COMP_WORDS=(vision train $1); COMP_CWORD=2; _vision_completion vision; echo ${COMPREPLY[@]}",
    ]
    told = {}
    for word in ("train.patie", "train.opt", "train.e"):
        command = [bash, "--norc", "-c", "\n".join(lines), "bash", word]
        told[word] = asked({"PATH": f"{tmp_path}:{os.environ['PATH']}"}, command=command).stdout.splitlines()
    assert told["train.patie"] == ["option -o nospace", "train.patience="]  # the value follows without a space
    assert told["train.opt"] == ["train.optimizer=adamw train.optimizer=sgd"]
    assert told["train.e"] == ["train.epochs= train.ema="]


def flat(tree: Any, key: str = "") -> Iterator[str]:
    if isinstance(tree, dict) and tree:
        for name, value in tree.items():
            yield from flat(value, f"{key}.{name}" if key else name)
    else:
        yield key


def test_every_setting_is_offered() -> None:
    offered = {key for key, setting in settings().items() if not setting.is_section}
    own_names = {
        "data.sources",
        "data.views",
        "synth.tune.search",
        "tune.search",
        *(f"synth.{name}.looks" for name in ("logos", "paste", "classify")),
    }
    assert offered == set(flat(ProjectConfig().model_dump(by_alias=True))) - own_names


CHOICES = [(key, value) for key, setting in settings().items() for value in setting.values]


@pytest.mark.parametrize(("key", "value"), CHOICES, ids=lambda each: each)
def test_every_offered_value_is_accepted(tmp_path: Path, key: str, value: str) -> None:
    found: Any = project.load(None, [f"{key}={value}"], start=tmp_path, environment={}).config.model_dump(by_alias=True)
    for part in key.split("."):
        found = found[part]
    assert str(found).lower() == value


def test_values_that_are_no_closed_set_are_not_guessed() -> None:
    found = settings()
    assert {key for key in ("train.epochs", "train.freeze", "export.formats", "name") if found[key].values} == set()
    assert found["train.seed"].meaning == "Of weights, order and augmentation."


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a", "=", "1", "b"], ["a=1", "b"]),
        (["a", "="], ["a="]),
        (["a=1", "b"], ["a=1", "b"]),
        (["--kpi", "f1", "b", "=", "2"], ["--kpi", "f1", "b=2"]),
        (["=", "x"], ["=", "x"]),
        ([], []),
    ],
)
def test_words_that_bash_split_are_put_together(words: list[str], expected: list[str]) -> None:
    assert joined(words) == expected
