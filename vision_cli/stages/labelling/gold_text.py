"""Write `data.gold` into a project file and leave every other character of it as it is."""

from __future__ import annotations

import copy

import yaml

from vision_cli.core import yaml_source
from vision_cli.core.errors import UsageError
from vision_cli.stages.project.project_text import scalar


def marked(text: str, name: str, *, file: str) -> str:
    """Return a project file's text that names the gold standard.

    Args:
        text: of the file, without byte order mark.
        name: of a view or source.
        file: name of the file, for messages.

    Raises:
        UsageError: the file is written in a way that leaves no safe place; the message has the lines to add by hand.
    """
    result = _changed(text, name)
    if result is not None and _says(result, text, name, file):
        return result
    raise UsageError(
        f"{file}: no safe place for `gold` was found in it.",
        details=["data:", f"  gold: {scalar(name)}"],
        hint="Add these lines by hand.",
    )


def _changed(text: str, name: str) -> str | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    members = root.value if isinstance(root, yaml.MappingNode) else []
    node = next((value for key, value in members if key.value == "data"), None)
    if not isinstance(node, yaml.MappingNode) or not node.value:
        return None
    old = next((value for key, value in node.value if key.value == "gold"), None)
    if isinstance(old, yaml.ScalarNode) and old.value:
        return text[: old.start_mark.index] + scalar(name) + text[old.end_mark.index :]
    first = node.value[0][0].start_mark
    line = f"gold: {scalar(name)}"
    if node.flow_style:
        return f"{text[: first.index]}{line}, {text[first.index :]}"
    end = "\r\n" if "\r\n" in text else "\n"
    return f"{text[: first.index]}{line}{end}{' ' * first.column}{text[first.index :]}"


def _says(result: str, before: str, name: str, file: str) -> bool:
    """Return whether a text says what it said before, and the gold standard."""
    try:
        tree = yaml_source.parse(result, file).tree
    except UsageError:
        return False
    wanted = copy.deepcopy(yaml_source.parse(before, file).tree)
    wanted["data"]["gold"] = name
    return bool(tree == wanted)
