"""The checks and their thresholds, for people who want to know what there is."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, fields

from vision_cli import checks
from vision_cli.checks.settings import Settings


@dataclass(frozen=True, slots=True)
class Line:
    """One check.

    Attributes:
        name: what `--only` and `--skip` take.
        severity: how bad it is.
        reads: `labels`, `files` or `photos`.
        summary: one line.
    """

    name: str
    severity: str
    reads: str
    summary: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold.

    Attributes:
        name: what `--set` takes.
        value: its default, as it is typed.
        summary: what it means.
    """

    name: str
    value: str
    summary: str


@dataclass(frozen=True, slots=True)
class Checks:
    """All of them."""

    checks: tuple[Line, ...]
    thresholds: tuple[Threshold, ...]


def table() -> Checks:
    """Return the checks in the order of the report, and the thresholds."""
    cards = ((name, checks.card(name)) for name in checks.CHECKS)
    lines = tuple(Line(name, card.severity, card.reads, card.summary) for name, card in cards)
    return Checks(lines, tuple(_thresholds()))


def _thresholds() -> list[Threshold]:
    said = _said(inspect.getdoc(Settings) or "")
    settings = Settings()
    return [
        Threshold(item.name, _text(getattr(settings, item.name)), said.get(item.name, "")) for item in fields(Settings)
    ]


def _text(value: object) -> str:
    return f"{value[0]}x{value[1]}" if isinstance(value, tuple) else f"{value:g}"


def _said(text: str) -> dict[str, str]:
    """Return what a docstring says of its attributes."""
    lines = text.partition("Attributes:\n")[2]
    items = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", lines, flags=re.MULTILINE)
    return {name: " ".join(what.split()) for name, what in items}
