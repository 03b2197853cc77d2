"""Arguments and options that several commands about data share: which data set, and how one on the disk is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vision_cli.cli.session import Session
    from vision_cli.core.containment import Links
    from vision_cli.stages.labelling.answer_sets import PathOptions
    from vision_cli.stages.named_source import DataRequest

What = Annotated[
    str | None, typer.Argument(metavar="[VIEW|PATH]", help="View, or a data set's path; the training's view.")
]
Format = Annotated[str | None, typer.Option("--from", metavar="FORMAT", help="Format of a path; found by itself.")]
ImagesRoot = Annotated[
    Path | None, typer.Option("--images-root", metavar="FOLDER", help="Where a path's photo paths start.")
]
FollowLinks = Annotated[bool, typer.Option("--follow-links", help="Links in a path's folder may lead out of it.")]
Where = Annotated[str | None, typer.Option("--where", metavar="SQL", help="Keep the photos it holds for.")]
AllowLoss = Annotated[
    list[str] | None, typer.Option("--allow-loss", metavar="NAME", help="Accept this loss; may repeat; all.")
]


def data_request(
    session: Session,
    what: str | None,
    path: tuple[str | None, Path | None, bool] = (None, None, False),
    *,
    need: frozenset[str] | None = None,
    where: str | None = None,
) -> DataRequest:
    """Return which photos are meant.

    Args:
        session: reads the project.
        what: a view or a path.
        path: format, root of the photos, and whether links are followed, of a data set that is given by its path.
        need: names of `formats.CARRIED` that will be used; None is all.
        where: condition of views.
    """
    from vision_cli.stages.named_source import DataRequest

    source_format, images_root, follow_links = path
    links: Links = "follow" if follow_links else "stay"
    return DataRequest(what, session.project, source_format, images_root, need, where, links)


def path_options(source_format: str | None, images_root: Path | None, *, follow_links: bool) -> PathOptions:
    """Return how the labelling commands read a data set that is given by its path."""
    from vision_cli.stages.labelling.answer_sets import PathOptions

    return PathOptions(source_format, images_root, "follow" if follow_links else "stay")
