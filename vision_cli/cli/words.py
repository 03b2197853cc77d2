"""Overrides such as `train.epochs=5`, taken out of a command line before anything else reads it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence


def split_overrides(
    words: Sequence[str], valued: Collection[str], is_override: Callable[[str], bool]
) -> tuple[list[str], list[str]]:
    """Return the words without the overrides, and the overrides.

    Args:
        words: of the command line after the command's name.
        valued: options that take a value, `--model` and `-m`; the word after one is its value, never an override.
        is_override: tells an override; words after `--` are not asked.
    """
    kept: list[str] = []
    overrides: list[str] = []
    is_value = False
    for position, word in enumerate(words):
        if word == "--" and not is_value:
            return [*kept, *words[position:]], overrides
        if not is_value and "=" in word and not word.startswith("-") and is_override(word):
            overrides.append(word)
            continue
        kept.append(word)
        is_value = not is_value and _wants_value(word, valued)
    return kept, overrides


def _wants_value(word: str, valued: Collection[str]) -> bool:
    if word.startswith("--"):
        return word in valued
    if not word.startswith("-"):
        return False
    for position, letter in enumerate(word[1:], start=1):
        if f"-{letter}" in valued:
            return position == len(word) - 1
    return False
