"""Groups of commands, such as `vision data`, that import the one command that is asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

import typer
from typer._click.core import Command, Context
from typer._click.formatting import HelpFormatter
from typer._click.shell_completion import CompletionItem
from typer.core import TyperGroup

from vision_cli.cli.command import NAMES, group_options
from vision_cli.core.catalogue import listed

Table = Mapping[str, tuple[str, str]]
"""Name, then the module that holds its `app`, and one line of help."""


def lazy_group(name: str, summary: str, table: Table, examples: Sequence[str]) -> typer.Typer:
    """Return the app of a group whose commands live in modules of their own.

    Args:
        name: of the group.
        summary: one line of help.
        table: its commands.
        examples: command lines that end its help.
    """
    app = typer.Typer(
        name=name,
        cls=_group_class(table, examples),
        help=summary,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=NAMES,
    )
    app.callback()(group_options)
    return app


def _meant(name: str, table: Table) -> str:
    """Return the command that a name may mean, or the first of them."""
    guess = difflib.get_close_matches(name, table, n=1, cutoff=0.5)
    return f"did you mean '{guess[0]}'?" if guess else f"known: {listed(list(table), 8)}."


def _summaries(table: Table) -> dict[str, str]:
    return {name: summary for name, (_, summary) in table.items()}


class _LazyTable(TyperGroup):
    """A group that knows its commands by a table.

    Attributes:
        table: module and summary of each command.
        summaries: of the table's commands.
        examples: lines for the end of its help.
    """

    table: ClassVar[Table] = {}
    summaries: ClassVar[dict[str, str]] = {}
    examples: ClassVar[Sequence[str]] = ()

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names of the table."""
        return list(self.table)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """Import one command."""
        if cmd_name not in self.table:
            return None
        command = typer.main.get_command(importlib.import_module(self.table[cmd_name][0]).app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the table; no command is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))

    def format_epilog(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the examples one a line."""
        with formatter.section("Examples"):
            for line in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Complete names from the table."""
        names = (name for name in self.table if name.startswith(incomplete))
        return [CompletionItem(name, help=self.table[name][1]) for name in names]

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Find a command, or fail with a guess."""
        name = args[0]
        if name not in self.table and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"no command is called {name!r}; {_meant(name, self.table)}")
        return super().resolve_command(ctx, args)


def _group_class(table: Table, examples: Sequence[str]) -> type[TyperGroup]:
    members = {"table": table, "summaries": _summaries(table), "examples": examples}
    return type("LazyTable", (_LazyTable,), members)
