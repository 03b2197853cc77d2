"""`vision data view`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.data_options import Where
from vision_cli.cli.session import Session

app = group("view", "Show what a view holds, or write a new one into vision.yaml.")


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data view",
        "vision data view evenings --json",
        "vision data view --add dusk --from street --where \"has('Car') and captured_at::time > '20:00'\"",
        "vision data view --add logos --from photos --from synthetic --map 'acme inc=acme' --map old-globex= --dry-run",
        "vision data view --add traffic --from street --class car --class person --map '*='",
    ),
)
def view(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="View; the training's.")] = None,
    add: Annotated[str | None, typer.Option("--add", metavar="NAME", help="Write this new view.")] = None,
    source: Annotated[list[str] | None, typer.Option("--from", metavar="SOURCE", help="May repeat.")] = None,
    where: Where = None,
    renames: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLD=NEW", help="Rename or merge a class; OLD= drops it, *= the rest."),
    ] = None,
    classes: Annotated[list[str] | None, typer.Option("--class", metavar="NAME", help="In this order.")] = None,
    force: Annotated[bool, typer.Option("--force", help="It may be called all, in place of every source.")] = False,
) -> None:
    """Show what a view holds: sources, photos, annotations of each class, splits, and how many its condition keeps."""
    session = Session.of(context)
    from vision_cli.cli.render import view as render
    from vision_cli.core.errors import UsageError
    from vision_cli.stages.querying import view as stage

    if add is None:
        if source or where or renames or classes or force:
            raise UsageError(
                "--from, --where, --map, --class and --force describe a new view.", hint="Name it: --add NAME."
            )
        session.answer(stage.show(session.project(), name), render.draw)
        return
    if name is not None or not add or not source:
        raise UsageError("a new view needs one name and a source.", hint="vision data view --add NAME --from SOURCE")
    new = stage.new_view(source, where, renames or [], classes or [])
    result = stage.add(session.project(), add, new, dry_run=session.dry_run, instead_of_all=force)
    session.answer(result, render.draw)
