"""Questions to the person at the terminal, where there is one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from vision_cli.cli.output import Output
from vision_cli.cli.text import clean


def may_ask(output: Output) -> bool:
    """Return whether a person sits there to answer."""
    return not output.as_json and not output.quiet and sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, *, default: str = "") -> str:
    """Return what the person says; the default where nothing is said."""
    return str(typer.prompt(clean(question), default=default, show_default=bool(default), err=True)).strip()


def choose(question: str, answers: Sequence[str]) -> int | None:
    """Return the index of the answer that the person chooses by its number; None where it is none of them."""
    typer.echo(clean(question), err=True)
    for number, answer in enumerate(answers, 1):
        typer.echo(f"  {number}  {clean(answer)}", err=True)
    while said := ask(f"1 to {len(answers)}, or nothing for none of them"):
        if said.isdecimal() and 1 <= int(said) <= len(answers):
            return int(said) - 1
        typer.echo(f"{said!r} is no number from 1 to {len(answers)}.", err=True)
    return None
