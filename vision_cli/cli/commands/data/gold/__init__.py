"""`vision data gold`: each command in a module of its own, imported when it is asked for."""

from __future__ import annotations

from vision_cli.cli.subgroup import lazy_group

COMMANDS: dict[str, tuple[str, str]] = {
    "mark": ("vision_cli.cli.commands.data.gold.mark", "Say which photos have labels that are right"),
    "score": ("vision_cli.cli.commands.data.gold.score", "Accept or reject a delivery of labels"),
}

app = lazy_group(
    "gold",
    "Measure annotators and suppliers against labels that are right.",
    COMMANDS,
    ("vision data gold mark checked", "vision data gold score delivery/ --bound 'f1>0.95'"),
)
