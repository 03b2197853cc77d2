"""The root command. It knows its commands by the table and imports the one that is asked for."""

from __future__ import annotations

import difflib
import importlib
from typing import Annotated, Any, ClassVar

import typer
from typer._click.core import Command, Context
from typer._click.shell_completion import CompletionItem
from typer.core import TyperGroup

from vision_cli import __version__
from vision_cli.cli import completion
from vision_cli.cli.table import COMMANDS, root_help

PROGRAM = "vision"


class LazyGroup(TyperGroup):
    """A group whose commands live in modules of their own."""

    summaries: ClassVar[dict[str, str]] = {name: summary for name, (_, summary) in COMMANDS.items()}

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(importlib.import_module(COMMANDS[cmd_name][0]).app)
        command.name = cmd_name
        return command

    def get_help(self, ctx: Context) -> str:
        """Return the table as text; no command is imported for it."""
        return root_help()

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Complete names from the table."""
        names = (name for name in COMMANDS if name.startswith(incomplete))
        found = [CompletionItem(name, help=COMMANDS[name][1]) for name in names]
        return found if not incomplete.startswith("-") else super().shell_complete(ctx, incomplete)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Find a command, or fail with a guess."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            guess = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
            meant = f"did you mean '{guess[0]}'?" if guess else f"known: {', '.join(COMMANDS)}."
            ctx.fail(f"no command is called {name!r}; {meant}")
        return super().resolve_command(ctx, args)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit()


app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,  # read by the boundary, wherever it stands
) -> None:
    """Run a computer-vision project from one file."""


def root() -> Any:
    """Return the root command."""
    completion.stay_after_equals()
    command = typer.main.get_command(app)
    command.name = PROGRAM
    return command
