"""What a shell offers at the tab key beyond commands and options: overrides such as `train.epochs=5`, and closed sets.

Keys and values come from the types of the project file, which need pydantic and nothing heavier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import typer
from typer import _completion_shared as shells

Item = tuple[str, str]
"""A word and what it means."""

_WORDS = "vision_cli.completed_words"
_LAST_LINE = "    return 0\n"
_NO_SPACE = "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the project file.

    Attributes:
        values: all that it may be; empty when that is no closed set.
        meaning: one sentence.
        is_section: whether it holds further keys.
    """

    values: tuple[str, ...] = ()
    meaning: str = ""
    is_section: bool = False


def settings() -> dict[str, Setting]:
    """Return every key of the project file but those below names that users choose."""
    from vision_cli.core.config import ProjectConfig

    return dict(_settings_of(ProjectConfig, ""))


def _settings_of(section: Any, prefix: str) -> Iterator[tuple[str, Setting]]:
    from pydantic import BaseModel

    for name, field in section.model_fields.items():
        key, kind = f"{prefix}{field.alias or name}", field.annotation
        meaning = " ".join((field.description or "").split())
        if isinstance(field.default, BaseModel):  # a section that may be none
            kind = type(field.default)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield key, Setting((), meaning, is_section=True)
            yield from _settings_of(kind, f"{key}.")
        elif get_origin(kind) is dict:  # whole sections by the user's own names are no value to type
            yield key, Setting((), meaning, is_section=True)
        else:
            yield key, Setting(_values(kind), meaning)


def _values(kind: Any) -> tuple[str, ...]:
    if kind is bool:
        return ("true", "false")
    if get_origin(kind) is list:
        return ()
    found = (
        get_args(kind) if get_origin(kind) is Literal else [each for part in get_args(kind) for each in _values(part)]
    )
    return tuple(map(str, found))


def joined(words: Sequence[str]) -> list[str]:
    """Return the words of a command line with those put together that bash splits at `=`."""
    found: list[str] = []
    for word in words:
        if found and (word == "=" or (found[-1].endswith("=") and not found[-1].startswith("="))):
            found[-1] += word
        else:
            found.append(word)
    return found


def remember(context: Any, words: Sequence[str]) -> None:
    """Keep the words before the one that is completed; after `key=`, bash asks for the value alone."""
    context.meta[_WORDS] = list(words)


def overrides(context: Any, incomplete: str) -> list[Item]:
    """Return the overrides that a word may become: keys up to their `=`, then values."""
    known = {key: setting for key, setting in settings().items() if not setting.is_section}
    last = _last_word(context)
    if last.removesuffix("=") in known and (last.endswith("=") or not incomplete):
        return _matching(known[last.removesuffix("=")], "", incomplete)
    key, equals, value = incomplete.partition("=")
    if equals:
        return _matching(known.get(key, Setting()), f"{key}=", value)
    keys = [name for name in known if name.startswith(incomplete)]
    if len(keys) == 1 and known[keys[0]].values:
        return _matching(known[keys[0]], f"{keys[0]}=", "")
    return [(f"{name}=", known[name].meaning) for name in keys]


def _last_word(context: Any) -> str:
    """Return the word before the one that is completed, or nothing."""
    words: list[str] = context.meta.get(_WORDS, [])
    return words[-1] if words else ""


def _matching(setting: Setting, before: str, incomplete: str) -> list[Item]:
    return [(f"{before}{value}", setting.meaning) for value in setting.values if value.startswith(incomplete)]


def beside_files(ctx: typer.Context, incomplete: str) -> list[Item]:
    """Complete an argument that is a file: a dotted word may be an override, all else is left to the shell."""
    asked = "." in incomplete or "=" in incomplete or _last_word(ctx).removesuffix("=") in settings()
    return overrides(ctx, incomplete) if asked else []


def beside_keys(ctx: typer.Context, incomplete: str) -> list[Item]:
    """Complete an argument that is a key of the project file; overrides may stand there, too."""
    if "=" in incomplete or _last_word(ctx).endswith("="):
        return overrides(ctx, incomplete)
    return [(key, setting.meaning) for key, setting in settings().items() if key.startswith(incomplete)]


def values_of(key: str) -> Callable[[str], list[str]]:
    """Return what completes an option with the values that a key of the project file may have."""

    def complete(incomplete: str) -> list[str]:
        return [value for value in settings()[key].values if value.startswith(incomplete)]

    return complete


def stay_after_equals() -> None:
    """Let bash put no space after a `key=` that it completed: the value follows."""
    script = shells._completion_scripts["bash"]
    if _NO_SPACE not in script:
        shells._completion_scripts["bash"] = script.replace(_LAST_LINE, _NO_SPACE + _LAST_LINE)
