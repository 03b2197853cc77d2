"""`vision config`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli import completion
from vision_cli.cli.command import Command, WritingCommand, examples, group, group_options
from vision_cli.cli.session import Session

app = group("config", "Show, check and describe the project file.")
app.callback()(group_options)


@app.command(
    cls=Command,
    short_help="Print the settings in force.",
    epilog=examples("vision config show", "vision config show train", "vision config show --origin train.epochs=5"),
)
def show(
    context: typer.Context,
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="[KEY]",
            help="Only this section or value: train.epochs.",
            autocompletion=completion.beside_keys,
        ),
    ] = None,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")] = False,
) -> None:
    """Print the settings as they are in force: file < environment < command line."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render import config as render
    from vision_cli.stages.project.config import ShowRequest, show

    session.answer(show(ShowRequest(project, key)), render.with_origins if origin else render.settings)


@app.command(
    cls=WritingCommand,
    short_help="Print the schema for editors.",
    epilog=examples("vision config schema", "vision config schema --output .vision/vision.schema.json"),
)
def schema(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")] = None,
) -> None:
    """Print the JSON Schema (draft-07) that editors complete a project file from."""
    session = Session.of(context)
    from vision_cli.cli.render import config as render
    from vision_cli.stages.project.config import SchemaRequest, schema

    session.answer(schema(SchemaRequest(output, session.dry_run)), render.schema)


@app.command(
    cls=Command,
    short_help="Check the project file.",
    epilog=examples("vision config check", "vision config check --project shop/vision.yaml"),
)
def check(context: typer.Context) -> None:
    """Check the project file and that what it names is there; all problems at once."""
    session = Session.of(context)
    project = session.project()
    from vision_cli.cli.render import config as render
    from vision_cli.stages.project.config import check

    session.answer(check(project), render.checked)
