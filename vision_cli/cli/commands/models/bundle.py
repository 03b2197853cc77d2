"""`vision models bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session
from vision_cli.core.errors import UsageError

app = group("bundle", "Pack weights for a machine without network, or unpack them.")


@app.command(
    cls=Command,
    epilog=examples(
        "vision models bundle --output weights.tar",
        "vision models bundle yolo11n torchvision/resnet50 --output weights.tar",
        "vision models bundle --unpack weights.tar",
    ),
)
def bundle(
    context: typer.Context,
    names: Annotated[
        list[str], typer.Argument(metavar="[NAME]...", help="Of weights; those that the project begins with.")
    ] = [],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the bundle is written.")] = Path(
        "weights.tar"
    ),
    unpack: Annotated[
        Path | None, typer.Option("--unpack", metavar="FILE", help="Put the files of this bundle into the cache.")
    ] = None,
) -> None:
    """Write weights with a manifest of checksums into one tar, fetching what is not here; or unpack such a file."""
    session = Session.of(context)
    from vision_cli.cli.render import weight_files as render
    from vision_cli.stages.project import bundles
    from vision_cli.stages.project.weights_wanted import wanted

    if unpack is not None:
        if names:
            raise UsageError("--unpack takes no names: all of a bundle is unpacked.", hint="Leave them away.")
        session.answer(bundles.unpack(unpack, progress=session.progress), render.unpacked)
        return
    found = wanted(names, None if names else session.project())
    session.answer(bundles.bundle(found, output, offline=session.offline, progress=session.progress), render.bundled)
