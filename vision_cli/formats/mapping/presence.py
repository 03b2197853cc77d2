"""Fields of a mapping that no record has: a name that is misspelt would lose all that it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from vision_cli.core.catalogue import suggestion
from vision_cli.formats.mapping.fields import EACH, Each, Field, Item, Step, Template

Loc = tuple[str | int, ...]
_SHOWN = 10
_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Absent:
    """A field that no record has.

    Attributes:
        loc: where the mapping names it.
        text: what is missed, and which name may be meant.
    """

    loc: Loc
    text: str


def absent(part: BaseModel, items: Sequence[Item], loc: Loc) -> list[Absent]:
    """Return the fields of one part of a mapping that none of its records has.

    Args:
        part: `photos` or `objects`; its `each` leads to the records and is not looked for in them.
        items: the records; without any, nothing can be told.
        loc: where the part stands in the mapping.
    """
    named = (pair for name, value in part if name != "each" for pair in _fields(value, (*loc, name)))
    found = ((place, missed(field, items)) for place, field in named)
    return [Absent(place, text) for place, text in found if text is not None]


def _fields(value: Any, loc: Loc) -> Iterator[tuple[Loc, Field]]:
    """Yield the fields that a value of a mapping names, with their places."""
    if isinstance(value, Field):
        yield loc, value
    elif isinstance(value, Template):
        for field in value.fields:
            yield loc, field
    elif isinstance(value, dict):
        for name, field in value.items():
            yield (*loc, name), field
    elif isinstance(value, list):
        for number, field in enumerate(value):
            yield (*loc, number), field


def missed(field: Field, items: Sequence[Item]) -> str | None:
    """Return what no record has of a field as a sentence, None if one has it, or none says enough to tell.

    Null and empty lists hold nothing to look into: below them, nothing is missed.
    """
    if any(field.is_in(item) for item in items) or not items:
        return None
    if not field.steps:
        return f"no record has a '{field.text}'."
    for at, step in enumerate(field.steps):
        before = Field(field.text, field.steps[:at])
        parents = [value for item in items for value in before.values(item) if value is not None and value != []]
        if not parents:
            return None
        after = Field(field.text, field.steps[: at + 1])
        if not any(after.is_in(item) for item in items) and not _only_empty(step, parents):
            return _lack(field, step, parents)
    return None


def _only_empty(step: Step, parents: Iterable[Any]) -> bool:
    """Return whether what `[*]` would go through is there, and empty."""
    return isinstance(step, Each) and all(value in ({}, []) for value in parents)


def _lack(field: Field, step: Step, parents: Sequence[Any]) -> str:
    whole = "" if field.steps == (step,) else f" of '{field.text}'"
    if step is EACH:
        return f"what stands before [*]{whole} is neither list nor object in any record."
    if isinstance(step, int):
        return f"no record has an item [{step}]{whole}."
    known = list(dict.fromkeys(key for value in parents[:_LOOKED_AT] if isinstance(value, Mapping) for key in value))
    guess = suggestion(str(step), known)
    there = f"; there are {', '.join(known[:_SHOWN])}" if known else ""
    return f"no record has '{step}'{whole}{f'; did you mean {guess!r}?' if guess else f'{there}.'}"
