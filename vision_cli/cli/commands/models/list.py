"""`vision models list`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session
from vision_cli.cli.sizes import n_bytes

app = group("list", "List families, their networks, or published weights.")


@app.command(
    cls=Command,
    epilog=examples(
        "vision models list",
        "vision models list timm --json",
        "vision models list --weights --sort size",
        "vision models list --task detect --license permissive --max-size 30MB",
        'vision models list --has "hot dog"',
    ),
)
def list_models(
    context: typer.Context,
    family: Annotated[
        str | None, typer.Argument(metavar="[FAMILY]", help="Its networks; with a filter only its weights.")
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", metavar="TASK", help="Only weights that answer it: classify, detect …")
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--license", metavar="NAME", help="Only these: permissive, or as SPDX names it.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option("--max-size", metavar="SIZE", help="Of the file: 10MB, 1.5GB.")
    ] = None,
    has: Annotated[
        list[str], typer.Option("--has", metavar="WORD", help="Only weights that know this class; may be repeated.")
    ] = [],
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="BY", help="accuracy (default), size, params, macs or name.")
    ] = None,
    top: Annotated[int | None, typer.Option("--top", min=1, metavar="N", help="Only the first ones.")] = None,
    weights: Annotated[bool, typer.Option("--weights", help="Published weights, also without a filter.")] = False,
) -> None:
    """List the families, the networks of one, or published weights that meet filters; nothing is fetched."""
    session = Session.of(context)
    asked = (task, licence, max_size, sort, top)
    if weights or has or any(each is not None for each in asked):
        from vision_cli.cli.render import weights as render
        from vision_cli.stages.project.published import WeightsRequest
        from vision_cli.stages.project.published import weights as listed

        limit = None if max_size is None else n_bytes(max_size, "--max-size")
        request = WeightsRequest(family, task, licence, limit, tuple(has), sort or "accuracy", top)
        session.answer(listed(request), render.listed)
        return
    from vision_cli.cli.render import models as families_render
    from vision_cli.stages.project.catalogues import families, networks

    if family is None:
        session.answer(families(), families_render.families)
    else:
        session.answer(networks(family), families_render.networks)
