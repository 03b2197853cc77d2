"""`vision data view`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("view", "Show what a view holds, or write a new one into vision.yaml.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data view",
        "vision data view evenings --json",
        "vision data view --add dusk --from street --where \"has('Car') and captured_at::time > '20:00'\"",
        "vision data view --add logos --from photos --from synthetic --map 'acme inc=acme' --map old-globex= --dry-run",
    ),
)
def view(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="View; the training's.")] = None,
    add: Annotated[str | None, typer.Option("--add", metavar="NAME", help="Write this new view.")] = None,
    source: Annotated[list[str], typer.Option("--from", metavar="SOURCE", help="May repeat.")] = [],  # noqa: B006
    where: Annotated[str | None, typer.Option("--where", metavar="SQL", help="Keep the photos it holds for.")] = None,
    renames: Annotated[
        list[str],
        typer.Option("--map", metavar="OLD=NEW", help="Rename or merge a class; OLD= drops it."),
    ] = [],  # noqa: B006
    classes: Annotated[list[str], typer.Option("--class", metavar="NAME", help="In this order.")] = [],  # noqa: B006
) -> None:
    """Show what a view holds: sources, photos, annotations of each class, splits, and how many its condition keeps."""
    session = Session.of(context)
    from vision_cli.cli.render import view as render
    from vision_cli.core.errors import UsageError
    from vision_cli.stages.querying import view as stage

    if add is None:
        if source or where or renames or classes:
            raise UsageError("--from, --where, --map and --class describe a new view.", hint="Name it: --add NAME.")
        session.answer(stage.show(session.project(), name), render.draw)
        return
    if name is not None or not add or not source:
        raise UsageError("a new view needs one name and a source.", hint="vision data view --add NAME --from SOURCE")
    new = stage.new_view(source, where, renames, classes)
    session.answer(stage.add(session.project(), add, new, dry_run=session.dry_run), render.draw)
