"""Start-up: what a help text may import and cost."""

import os
import resource
import subprocess
import sys

import pytest

from vision_cli.cli.table import COMMANDS, root_help

FORBIDDEN = {
    "torch",
    "torchvision",
    "timm",
    "cv2",
    "numpy",
    "pydantic",
    "ultralytics",
    "sklearn",
    "pandas",
    "pyarrow",
    "rich",
    "PIL",
    "yaml",
    "albumentations",
    "onnxruntime",
    "pytorch_lightning",
}
HELPS = [
    ("--help",),
    *((name, "--help") for name in COMMANDS),
    ("config", "show", "--help"),
    ("config", "schema", "--help"),
    ("config", "check", "--help"),
    ("models", "list", "--help"),
    ("metrics", "list", "--help"),
    ("data", "formats", "--help"),
    ("augment", "show", "--help"),
    ("synth", "logos", "--help"),
    ("synth", "paste", "--help"),
    ("synth", "classify", "--help"),
    ("synth", "tune", "--help"),
]


def start(*words):
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("words", HELPS, ids=" ".join)
def test_help_imports_nothing_heavy_and_ends_with_examples(words):
    done = start("-X", "importtime", "-m", "vision_cli", *words)
    modules = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "vision_cli" in modules
    assert FORBIDDEN & {name.split(".")[0] for name in modules} == set()
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: vision ")
    if words[0] not in ("config", "models", "metrics", "augment") or len(words) > 2:
        examples = done.stdout.split("Examples:\n")[1]
        assert examples.lstrip().startswith("vision ")


def cpu_seconds(*words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("words", "limit"),
    [(("--help",), 6), (("config", "--help"), 8), (("eval", "--help"), 8), (("config", "show", "--help"), 8)],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_help_starts_within_a_few_times_of_bare_python(words, limit):
    """The least of several runs, taken in turns: other programs can only make a run dearer."""
    bare, ours = [], []
    for _ in range(12):
        bare.append(cpu_seconds("-c", "pass"))
        ours.append(cpu_seconds("-m", "vision_cli", *words))
        if len(ours) >= 4 and min(ours) < limit * min(bare):
            break
    assert min(ours) < limit * min(bare)


def test_root_help_names_every_command_with_its_line(vision):
    text = vision("--help").out
    assert text.rstrip() == root_help()
    for name, (_, summary) in COMMANDS.items():
        assert any(line.split(maxsplit=1) == [name, summary] for line in text.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_line_of_the_table_is_a_command(vision, name):
    called = vision(name, "--help")
    assert called.code == 0
    assert called.out.startswith(f"Usage: vision {name} ")


def test_every_line_fits_eighty_columns_but_the_last():
    assert max(map(len, root_help().splitlines())) <= 120


def test_common_options_are_on_every_command(vision):
    for words in [help_words for help_words in HELPS if len(help_words) > 2]:
        text = vision(*words).out
        for option in ("--project", "--json", "--quiet", "--verbose", "--offline"):
            assert option in text, (words, option)


@pytest.mark.parametrize("name", ["init", "train", "eval", "export", "predict", "report"])
def test_what_writes_has_a_dry_run(vision, name):
    assert "--dry-run" in vision(name, "--help").out


def test_version():
    from vision_cli import __version__

    done = start("-m", "vision_cli", "--version")
    assert (done.returncode, done.stdout) == (0, f"vision {__version__}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_completes_commands_and_options(shell):
    words = {"COMP_WORDS": "vision ev", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "vision ev"}
    environment = {**os.environ, **words, "_VISION_COMPLETE": f"complete_{shell}"}
    if shell == "fish":
        environment["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    command = [sys.executable, "-m", "vision_cli"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert "eval" in done.stdout
    assert "train" not in done.stdout


def test_completion_of_options():
    environment = {
        **os.environ,
        "COMP_WORDS": "vision eval --sp",
        "COMP_CWORD": "2",
        "_VISION_COMPLETE": "complete_bash",
    }
    command = [sys.executable, "-m", "vision_cli"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.split() == ["--split"]


def test_show_completion_prints_a_script(monkeypatch):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    done = start("-m", "vision_cli", "--show-completion", "bash")
    assert "_VISION_COMPLETE=complete_bash" in done.stdout
