"""`vision data label next`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.data_options import FollowLinks, Format, ImagesRoot, path_options
from vision_cli.cli.session import Session

app = group("next", "Choose the photos to label next.")


class By(StrEnum):
    """What makes a photo worth labelling."""

    UNCERTAINTY = "uncertainty"
    DIVERSITY = "diversity"
    RANDOM = "random"


_MEASURE = "entropy or margin of uncertainty; k-centre or k-means++ of diversity."


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data label next --pick 100 --by uncertainty --out next.csv",
        "vision data label next new_photos/ --plain --pick 200 --by diversity",
        "vision data label next --pick 50 --by random --seed 3 --exclude tasks/",
    ),
)
def choose(
    context: typer.Context,
    data: Annotated[str | None, typer.Argument(metavar="[VIEW|PATH]", help="Photos; the training's view.")] = None,
    pick: Annotated[int, typer.Option("--pick", min=1, metavar="N", help="Photos to choose.")] = 100,
    by: Annotated[By, typer.Option("--by", help="What makes a photo worth it.")] = By.UNCERTAINTY,
    measure: Annotated[str | None, typer.Option("--measure", metavar="NAME", help=_MEASURE)] = None,
    model: Annotated[Path | None, typer.Option("--model", "-m", metavar="PATH", help="The last training's.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed is another choice.")] = 0,
    plain: Annotated[bool, typer.Option("--plain", help="Take a folder's photos without any labels.")] = False,
    exclude: Annotated[
        list[Path] | None,
        typer.Option("--exclude", metavar="FOLDER", help="Tasks that people have already; may repeat."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="A .csv or .txt file.")] = None,
    source_format: Format = None,
    images_root: ImagesRoot = None,
    follow_links: FollowLinks = False,
) -> None:
    """Choose photos that nobody has labelled: where a model is unsure, where they differ most, or by chance."""
    session = Session.of(context)
    from vision_cli.cli.render import labelling as render
    from vision_cli.stages.labelling.choice import Choosing, NextRequest, choose_next

    how = Choosing(pick, by.value, measure, model, seed, session.offline)
    path = path_options(source_format, images_root, follow_links=follow_links)
    request = NextRequest(session.project(), data, how, plain, tuple(exclude or ()), out, session.dry_run, path)
    session.answer(choose_next(request, session.progress), render.chosen)
