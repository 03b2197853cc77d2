"""`vision task`: each command in a module of its own, imported when it is asked for."""

from __future__ import annotations

from vision_cli.cli.subgroup import lazy_group

COMMANDS: dict[str, tuple[str, str]] = {
    "suggest": ("vision_cli.cli.commands.task.suggest", "Suggest task, KPIs, approach and models for a wish in words"),
}

app = lazy_group(
    "task",
    "From a wish in words to the right task, KPIs, data plan and model.",
    COMMANDS,
    (
        'vision task suggest "find our logo in customers\' photos"',
        'vision task suggest "is the weld good or bad" --photos 400 --write',
    ),
)
