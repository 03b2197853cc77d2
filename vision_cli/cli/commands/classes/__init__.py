"""`vision classes`: each command in a module of its own, imported when it is asked for."""

from __future__ import annotations

from vision_cli.cli.subgroup import lazy_group

COMMANDS: dict[str, tuple[str, str]] = {
    "add": ("vision_cli.cli.commands.classes.add", "Make photos examples of a class"),
    "remove": ("vision_cli.cli.commands.classes.remove", "Take a class out, or some of its photos"),
    "merge": ("vision_cli.cli.commands.classes.merge", "Put classes together"),
    "rename": ("vision_cli.cli.commands.classes.rename", "Give a class another name"),
    "list": ("vision_cli.cli.commands.classes.list_", "List the classes and how well they are told apart"),
    "show": ("vision_cli.cli.commands.classes.show", "Show the examples of a class"),
    "set": ("vision_cli.cli.commands.classes.set_", "Choose backbone, head and threshold"),
    "write": ("vision_cli.cli.commands.classes.write", "Write them as a model for eval, export and report"),
}

app = lazy_group(
    "classes",
    "Learn classes from a handful of photos, without a training run.",
    COMMANDS,
    (
        "vision classes add winter w1.jpg w2.jpg w3.jpg",
        "vision classes add summer summer/*.jpg",
        "vision predict photo.jpg",
    ),
)
