"""`vision data stats`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.data_options import FollowLinks, Format, ImagesRoot, What, data_request
from vision_cli.cli.session import Session
from vision_cli.core import policy

app = group("stats", "Count photos, boxes and classes, and measure them.")


@app.command(
    cls=Command,
    epilog=examples(
        "vision data stats",
        "vision data stats instances_train2017.json",
        "vision data stats evenings --json",
        "vision data stats photos/ --csv > classes.csv",
    ),
)
def stats(
    context: typer.Context,
    what: What = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print classes by split as CSV.")] = False,
    source_format: Format = None,
    images_root: ImagesRoot = None,
    follow_links: FollowLinks = False,
) -> None:
    """Count photos, annotations and classes by split, and measure photos and boxes; no photo is decoded."""
    session = Session.of(context)
    policy.without_algebra()
    from vision_cli.cli.render import stats as render
    from vision_cli.core.errors import UsageError
    from vision_cli.stages.querying.stats import NEED, stats

    if as_csv and session.output.as_json:
        raise UsageError("--csv and --json are two forms of the answer.", hint="Give one of them.")
    request = data_request(session, what, (source_format, images_root, follow_links), need=NEED)
    session.answer(stats(request), render.csv if as_csv else render.draw)
