"""`vision data show`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.data_options import FollowLinks, Format, ImagesRoot, What, Where, data_request
from vision_cli.cli.session import Session

app = group("show", "Browse photos with boxes, masks and predictions on a page.")


class Photos(StrEnum):
    """Where the page takes whole photos from."""

    LINK = "link"
    COPY = "copy"
    NONE = "none"


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data show --serve",
        "vision data show coco/instances.json --images-root coco/val2017 --out page",
        "vision data show --predictions latest --where \"split = 'test'\"",
        "vision data show voc/ --out page --photos copy --force",
    ),
)
def show(
    context: typer.Context,
    what: What = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Folder of the page: show.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Write nothing; serve it until Ctrl-C.")] = False,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65_535, help="Of --serve; any free one.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="Of --serve; this machine alone: 127.0.0.1.")] = None,
    predictions: Annotated[
        Path | None,
        typer.Option("--predictions", metavar="RUN|FILE", help="An evaluation, COCO results, predict's .json or .csv."),
    ] = None,
    score: Annotated[
        float | None,
        typer.Option("--score", min=0, max=1, help="Leave out boxes predicted below; 0.3, of vision eval the model's."),
    ] = None,
    where: Where = None,
    photos: Annotated[
        Photos, typer.Option("--photos", help="Lead to the photos, copy them at 1600 px, or thumbnails alone.")
    ] = Photos.LINK,
    thumbnails: Annotated[int, typer.Option("--thumbnails", min=64, max=640, metavar="PX", help="Longer side.")] = 240,
    max_mb: Annotated[int, typer.Option("--max-mb", min=1, help="Most that thumbnails and copies take.")] = 2000,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=256, help="Threads; one a core.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier page; its thumbnails are reused.")] = False,
    source_format: Format = None,
    images_root: ImagesRoot = None,
    follow_links: FollowLinks = False,
) -> None:
    """Write a page that opens in any browser, without a network, or serve it to this machine."""
    session = Session.of(context)
    from vision_cli.cli.render import show as render
    from vision_cli.core.errors import UsageError
    from vision_cli.stages.showing.show import NEED, ShowRequest, show

    if serve and (out is not None or force or session.dry_run):
        raise UsageError("--serve writes nothing.", hint="Leave --out, --force and --dry-run out.")
    if not serve and (port is not None or host is not None):
        raise UsageError("--port and --host are of --serve.", hint="Add --serve.")
    request = ShowRequest(
        data_request(session, what, (source_format, images_root, follow_links), need=NEED, where=where),
        out or Path("show"),
        predictions=predictions,
        least=score,
        photos=photos.value,
        side_px=thumbnails,
        most_mb=max_mb,
        force=force,
        workers=workers or _cores(),
        dry_run=session.dry_run,
    )
    if not serve:
        session.answer(show(request, session.progress), render.draw)
        return
    from vision_cli.stages.showing.serving import LOOPBACK
    from vision_cli.stages.showing.serving import serve as open_page

    served = open_page(request, host or LOOPBACK, port or 0)
    session.answer(served.shown, render.served)
    served.wait()


def _cores() -> int:
    import os

    return os.cpu_count() or 1
