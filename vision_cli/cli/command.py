"""The class of every command: common options, overrides and examples come from here and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer._click.core import Context, Parameter
from typer._click.formatting import HelpFormatter
from typer._click.shell_completion import CompletionItem
from typer.core import TyperCommand, TyperOption

from vision_cli.cli import completion
from vision_cli.cli.output import Output
from vision_cli.cli.session import Session
from vision_cli.cli.words import split_overrides
from vision_cli.core.errors import UsageError

NAMES = {"help_option_names": ["-h", "--help"]}
_OVERRIDES = "vision_cli.overrides"
_PATHS = ("path", "file", "directory")
_EMPTY = "Was a variable of the shell not set? The folder you are in is '.'"


def group(name: str, summary: str) -> typer.Typer:
    """Return an app whose commands share the house's settings; with one command it is that command."""
    return typer.Typer(
        name=name,
        help=summary,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=NAMES,
    )


def group_options(
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,  # read by the boundary, wherever it stands
) -> None:
    """Leave everything to the commands."""


def _flag(name: str, *letters: str, help: str) -> TyperOption:
    declared = [*(f"-{letter}" for letter in letters), f"--{name}"]
    return TyperOption(param_decls=declared, is_flag=True, default=False, show_default=False, help=help)


def _common(writes: bool) -> list[Parameter]:
    project = TyperOption(
        param_decls=["-p", "--project"], metavar="FILE", help="Project file; found upwards from here when absent."
    )
    dry_run = _flag("dry-run", help="Tell what would be written, write nothing.")
    return [
        project,
        *([dry_run] if writes else []),
        _flag("json", help="Print one JSON document on stdout."),
        _flag("quiet", "q", help="What came of it in one line; only warnings and errors on stderr."),
        _flag("verbose", "v", help="Also what the libraries say, and where errors come from."),
        _flag("offline", help="Download nothing."),
    ]


class Command(TyperCommand):
    """A command with the common options; its function finds them in `Session.of(context)`."""

    writes = False

    def __init__(self, name: str | None, *, params: list[Parameter] | None = None, **settings: Any) -> None:
        examples = settings.pop("epilog", None) or ""
        settings["context_settings"] = {**NAMES, **(settings.get("context_settings") or {})}
        super().__init__(name, params=[*(params or []), *_common(self.writes)], **settings)
        self.examples = tuple(line.strip() for line in examples.splitlines() if line.strip())

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Take the overrides out, then parse."""
        if ctx.resilient_parsing:  # a shell asks what may follow
            args = completion.joined(args)
            completion.remember(ctx, args)
        if not {"-h", "--help"} & set(args):
            args, ctx.meta[_OVERRIDES] = split_overrides(args, self._valued(), _is_override)
            if not ctx.resilient_parsing:
                self._refuse_empty(ctx, args)
        return super().parse_args(ctx, args)

    def _refuse_empty(self, ctx: Context, args: list[str]) -> None:
        """Refuse an empty word where a path or name belongs: as a path it would be the folder that we are in.

        Raises:
            UsageError: there is one.
        """
        if not any(word == "" or word.endswith("=") for word in args):
            return
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        for param in self.params:
            value = given.get(param.name or "")
            words = value if isinstance(value, list | tuple) else [value]
            if "" in words and (not isinstance(param, TyperOption) or param.type.name in _PATHS):
                name = param.opts[-1] if isinstance(param, TyperOption) else param.make_metavar(ctx).strip("[].")
                raise UsageError(f"{name} is empty.", hint=_EMPTY)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Complete options, and overrides where no argument is missing."""
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            return found
        return [*found, *(CompletionItem(word, help=help) for word, help in completion.overrides(ctx, incomplete))]

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Say that overrides may stand there, too."""
        return [*super().collect_usage_pieces(ctx), "[KEY=VALUE]..."]

    def _valued(self) -> set[str]:
        options = (param for param in self.params if isinstance(param, TyperOption))
        return {name for option in options if not option.is_flag and not option.count for name in option.opts}

    def invoke(self, ctx: Context) -> Any:
        """Run the function with a session in `ctx.obj` and stdout kept for the result."""
        output: Output = ctx.obj
        output.command = command_name(ctx)
        ctx.obj = self._session(ctx, output)
        with output.guarded():
            return super().invoke(ctx)

    def _session(self, ctx: Context, output: Output) -> Session:
        common = {name: ctx.params.pop(name) for name in ("project", "json", "quiet", "verbose", "offline")}
        if common["quiet"] and common["verbose"]:
            raise UsageError("--quiet and --verbose exclude one another.", hint="Leave one of them out.")
        dry_run = bool(ctx.params.pop("dry_run", False)) if self.writes else False
        output.quiet, output.verbose = common["quiet"], common["verbose"]
        if output.verbose:
            _hear_libraries()
        if common["offline"]:
            _go_offline(os.environ)
        file = Path(common["project"]) if common["project"] else None
        return Session(output, file, tuple(ctx.meta.get(_OVERRIDES, ())), _is_offline(), dry_run)

    def format_epilog(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the examples one a line."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class WritingCommand(Command):
    """A command that writes files: it also has `--dry-run`."""

    writes = True


def examples(*lines: str) -> str:
    """Return the examples that end a command's help."""
    return "\n".join(lines)


def command_name(ctx: Context) -> str:
    """Return a command's path without the program's name: `config show`."""
    return " ".join(ctx.command_path.split()[1:])


def _hear_libraries() -> None:
    import logging

    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", stream=sys.stderr)


def _is_override(word: str) -> bool:
    from vision_cli.core.project import is_override

    return is_override(word)


def _go_offline(environment: MutableMapping[str, str]) -> None:
    from vision_cli.core import policy

    policy.go_offline(environment)


def _is_offline() -> bool:
    from vision_cli.core import policy

    return policy.offline()
