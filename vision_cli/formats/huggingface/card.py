"""The front matter of a Hugging Face README: names of class numbers.

Format: https://huggingface.co/docs/hub/datasets-cards, `dataset_info.features` with `class_label: names: {'0': cat}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.files import read_limited, utf8
from vision_cli.core.yaml_source import parse

README = "README.md"

_MAX_BYTES = 1 << 24
_FENCE = "---"


@dataclass(frozen=True, slots=True)
class Card:
    """What a README says.

    Attributes:
        names: class names by number, from 0; none where it says none.
        header: the README's bytes by its name, where it has a front matter.
    """

    names: tuple[str, ...] = ()
    header: Mapping[str, bytes] = field(default_factory=dict)


def read_card(folder: Path) -> Card:
    """Return what the README of a folder, or of the one above, says of classes.

    Raises:
        DataError: the front matter is no YAML, or it names classes in two ways.
    """
    path = next((place / README for place in (folder, folder.parent) if (place / README).is_file()), None)
    if path is None:
        return Card()
    content = read_limited(path, max_bytes=_MAX_BYTES, what="the README")
    front = _front_matter(utf8(content, where=str(path)))
    if front is None:
        return Card()
    try:
        tree = parse(front, str(path)).tree
    except UsageError as error:
        raise DataError(error.message, hint="The front matter of the README is YAML.", details=error.details) from error
    found = {names for names in _class_labels(tree) if names}
    if len(found) > 1:
        raise DataError(f"{path}: {len(found)} features have different class names.", hint="Leave one of them.")
    return Card(ClassMap(next(iter(found), ())).names, {README: content})


def _front_matter(text: str) -> str | None:
    lines = text.splitlines()
    if not lines or lines[0].strip() != _FENCE or _FENCE not in (line.strip() for line in lines[1:]):
        return None
    end = next(number for number, line in enumerate(lines) if number and line.strip() == _FENCE)
    return "\n".join(["", *lines[1:end]])


def _class_labels(tree: Any) -> Iterator[tuple[str, ...]]:
    """Yield the names of every `class_label` below a tree, whose depth the YAML reader bounds."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            label = node.get("class_label")
            if isinstance(label, Mapping):
                yield _names(label.get("names"))
            waiting += [value for key, value in node.items() if key != "class_label"]
        elif isinstance(node, list):
            waiting += node


def _names(names: Any) -> tuple[str, ...]:
    if isinstance(names, list):
        return tuple(str(name) for name in names)
    if isinstance(names, Mapping) and set(names) == {str(number) for number in range(len(names))}:
        return tuple(str(names[str(number)]) for number in range(len(names)))
    return ()
