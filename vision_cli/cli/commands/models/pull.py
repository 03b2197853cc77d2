"""`vision models pull`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("pull", "Fetch published weights into the cache.")


@app.command(
    cls=Command,
    epilog=examples("vision models pull", "vision models pull mobilenetv3_large_100.ra_in1k torchvision/resnet50"),
)
def pull(
    context: typer.Context,
    names: Annotated[
        list[str], typer.Argument(metavar="[NAME]...", help="Of weights; those that the project begins with.")
    ] = [],
) -> None:
    """Fetch weights, compare their checksums and keep them in the cache; what is there is not fetched again."""
    session = Session.of(context)
    from vision_cli.cli.render import weight_files as render
    from vision_cli.stages.project.weight_files import pull
    from vision_cli.stages.project.weights_wanted import wanted

    found = wanted(names, None if names else session.project())
    session.answer(pull(found, offline=session.offline, progress=session.progress), render.pulled)
