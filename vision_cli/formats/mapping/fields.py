"""Where a value stands in a record: `data.frames[*].file.name`.

Names are joined by points; `[2]` takes an item of a list, `[*]` each item of a list or each value of an object,
`['a.b']` a name with a point in it. `@file` is the path of the record's file without suffix, relative to the source,
and `@name` the file's name alone; `@key` is the name under which `[*]` found the record in an object, `@row` its number
from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(r"\.?([^.\[\]'{}]+)|\[(\d{1,9})\]|\[(\*)\]|\['([^']+)'\]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_WITHIN = ("@file", "@name", "@key", "@row")
_MAX_STEPS = 20


class Each:
    """The step `[*]`."""


EACH = Each()
Step = str | int | Each


@dataclass(frozen=True, slots=True)
class Item:
    """A record, and what stands around it.

    Attributes:
        value: JSON's.
        around: values of `@file`, `@name`, `@key` and `@row`.
    """

    value: Any
    around: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """A parsed expression.

    Attributes:
        text: as written.
        steps: names, indices and EACH.
    """

    text: str
    steps: tuple[Step, ...]

    def of(self, item: Item) -> Any:
        """Return the value in a record, None where it is not there; a list where the expression has a `[*]`."""
        if self.text in _WITHIN:
            return item.around.get(self.text)
        found = [value for _, value in _walk(item.value, self.steps)]
        if EACH in self.steps:
            return found
        return found[0] if found else None

    def values(self, item: Item) -> Iterator[Any]:
        """Yield the values in a record, of each item of a `[*]`."""
        return (value for _, value in _walk(item.value, self.steps))

    def is_in(self, item: Item) -> bool:
        """Return whether a record has the field, be it null."""
        if self.text in _WITHIN:
            return self.text in item.around
        return any(True for _ in self.values(item))

    def first_list(self) -> Field:
        """Return what stands before the first `[*]`, where there is one: it may be empty, but must be there."""
        steps = self.steps[: self.steps.index(EACH)] if EACH in self.steps else self.steps
        return Field(self.text, steps)

    def items(self, item: Item) -> Iterator[Item]:
        """Yield the records that an expression leads to, in their order."""
        for number, (key, value) in enumerate(_walk(item.value, self.steps)):
            around = {**item.around, "@row": str(number)}
            yield Item(value, around if key is None else {**around, "@key": key})


def parse_field(text: str) -> Field:
    """Parse an expression; empty means the record itself.

    Raises:
        ValueError: it is no expression.
    """
    if text in _WITHIN:
        return Field(text, ())
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (at == 0 and text[0] == ".") or len(steps) >= _MAX_STEPS:
            raise ValueError(f"{text!r} is no field: write names joined by points, as in data.frames[*].name")
        name, index, each, quoted = match.groups()
        steps.append(EACH if each else int(index) if index else (name or quoted))
        at = match.end()
    return Field(text, tuple(steps))


def _walk(value: Any, steps: tuple[Step, ...]) -> Iterator[tuple[str | None, Any]]:
    """Yield (key of the last `[*]`, value), depth first, without recursion."""
    waiting: list[tuple[int, str | None, Any]] = [(0, None, value)]
    while waiting:
        at, key, here = waiting.pop()
        if at == len(steps):
            yield key, here
            continue
        step = steps[at]
        if isinstance(step, Each):
            waiting += reversed([(at + 1, name, inner) for name, inner in _parts(here)])
        elif isinstance(step, int):
            waiting += [(at + 1, key, here[step])] if isinstance(here, list) and step < len(here) else []
        elif isinstance(here, Mapping) and step in here:
            waiting.append((at + 1, key, here[step]))


def _parts(value: Any) -> list[tuple[str | None, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    return [(None, inner) for inner in value] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class Template:
    """Text with expressions in braces (`images/{name}.jpg`), or one expression.

    Attributes:
        text: as written.
        fields: the expressions in it.
    """

    text: str
    fields: tuple[Field, ...]

    def of(self, item: Item) -> Any:
        """Return the value of a lone expression, or the text with all of them filled in; None if one is missing."""
        if "{" not in self.text:
            return self.fields[0].of(item)
        values = [field.of(item) for field in self.fields]
        if any(value is None or isinstance(value, dict | list) for value in values):
            return None
        texts = iter(values)
        return _BRACES.sub(lambda _: str(next(texts)), self.text)


def parse_template(text: str) -> Template:
    """Parse an expression, or text with expressions in braces.

    Raises:
        ValueError: it is none.
    """
    if "{" not in text and "}" not in text:
        return Template(text, (parse_field(text),))
    if "{" in _BRACES.sub("", text) or "}" in _BRACES.sub("", text):
        raise ValueError(f"{text!r}: a brace is not closed")
    return Template(text, tuple(parse_field(inner) for inner in _BRACES.findall(text)))
