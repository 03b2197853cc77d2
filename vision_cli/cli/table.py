"""Every command in one literal table. It imports nothing, so that `vision --help` costs no more than Python itself."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own costs as much again as Python's start
if TYPE_CHECKING:
    from collections.abc import Iterable

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("vision_cli.cli.commands.init", "Look at a folder of photos and write its vision.yaml"),
    "task": ("vision_cli.cli.commands.task", "Say in words what you want, get task, KPIs, plan and models"),
    "data": ("vision_cli.cli.commands.data", "Look at data sets and bring them into other formats"),
    "synth": ("vision_cli.cli.commands.synth", "Make labelled photos that nobody took"),
    "train": ("vision_cli.cli.commands.train", "Train the model of the project file"),
    "tune": ("vision_cli.cli.commands.tune", "Search settings of model and training that do better"),
    "classes": ("vision_cli.cli.commands.classes", "Learn classes from a handful of photos, without a training run"),
    "eval": ("vision_cli.cli.commands.eval", "Measure a model and judge the KPIs"),
    "crossval": ("vision_cli.cli.commands.crossval", "Learn k times, and judge photos that were held out"),
    "compare": ("vision_cli.cli.commands.compare", "Tell which of several models is really better"),
    "export": ("vision_cli.cli.commands.export", "Write ONNX and TFLite files and check that they decide alike"),
    "predict": ("vision_cli.cli.commands.predict", "Run a model on photos, a view, a video or a camera"),
    "explain": ("vision_cli.cli.commands.explain", "Show where in a photo an answer comes from"),
    "embed": ("vision_cli.cli.commands.embed", "Turn photos into vectors, and lay them flat on a map"),
    "find": ("vision_cli.cli.commands.find", "Find the photos that are most like one"),
    "report": ("vision_cli.cli.commands.report", "Write one self-contained HTML file about the project"),
    "config": ("vision_cli.cli.commands.config", "Show, check and describe the project file"),
    "models": ("vision_cli.cli.commands.models", "Choose among families and published weights, bring weights here"),
    "metrics": ("vision_cli.cli.commands.metrics", "List the metrics that a KPI may name"),
    "augment": ("vision_cli.cli.commands.augment", "Show the augmentation presets"),
    "doctor": ("vision_cli.cli.commands.doctor", "Check the installation, the machine and the project"),
}
"""Name, then the module that holds its `app`, and one line of help."""

ROOT_OPTIONS: dict[str, str] = {
    "--version": "Print the version.",
    "--install-completion": "Install completion for the current shell.",
    "--show-completion": "Print the completion script of the current shell.",
    "-h, --help": "Show this message.",
}

SUMMARY = "A whole computer-vision project from one file: vision.yaml."

EXAMPLES: tuple[str, ...] = (
    "vision init --data photos/",
    "vision train && vision eval && vision export",
    "vision train train.epochs=5 model.weights=none",
    "vision predict photos/new/*.jpg --json",
)


COMPLETION = "_VISION_COMPLETE"
"""Environment variable of the shells' completion scripts, which call without any word."""


def root_help() -> str:
    """Return what `vision --help` prints."""
    return "\n".join(
        [
            "Usage: vision [OPTIONS] COMMAND [ARGS]...",
            "",
            f"  {SUMMARY}",
            "",
            "Options:",
            *_aligned(ROOT_OPTIONS.items()),
            "",
            "Commands:",
            *_aligned((name, summary) for name, (_, summary) in COMMANDS.items()),
            "",
            "Examples:",
            *(f"  {line}" for line in EXAMPLES),
            "",
            "Every command takes --help, --json, --quiet, --verbose, --offline, --project FILE and train.epochs=5.",
        ]
    )


def _aligned(pairs: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(pairs)
    width = max(len(name) for name, _ in rows)
    return [f"  {name:<{width}}  {text}" for name, text in rows]
