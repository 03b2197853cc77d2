"""`vision data cost`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.data_options import FollowLinks, Format, ImagesRoot, path_options
from vision_cli.cli.session import Session

app = group("cost", "Estimate the bill and the days of labelling.")


class Unit(StrEnum):
    """What is paid and timed."""

    IMAGE = "image"
    BOX = "box"
    POLYGON = "polygon"


class Way(StrEnum):
    """Who labels."""

    IN_HOUSE = "in-house"
    CROWD = "crowd"
    AGENCY = "agency"
    SYNTHETIC = "synthetic"


@app.command(
    cls=Command,
    epilog=examples(
        "vision data cost --photos 50000",
        "vision data cost street --unit box --overlap 2 --review 0.1 --annotators 5",
        "vision data cost --photos 2000 --unit polygon --objects 6 --way agency --price 0.20",
    ),
)
def cost(
    context: typer.Context,
    data: Annotated[str | None, typer.Argument(metavar="[VIEW|PATH]", help="Count its photos and objects.")] = None,
    photos: Annotated[int | None, typer.Option("--photos", min=1, metavar="N", help="Number of photos.")] = None,
    unit: Annotated[Unit, typer.Option("--unit", help="What is paid and timed.")] = Unit.IMAGE,
    objects: Annotated[float | None, typer.Option("--objects", min=0, help="Boxes or polygons a photo.")] = None,
    way: Annotated[Way | None, typer.Option("--way", help="Who labels; all ways when absent.")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0, help="Of an image, box or polygon.")] = None,
    price: Annotated[float | None, typer.Option("--price", min=0, help="Dollars of an image, box or polygon.")] = None,
    annotators: Annotated[int, typer.Option("--annotators", min=1, help="Who work at the same time.")] = 1,
    hours: Annotated[float, typer.Option("--hours", help="Of work a day.")] = 8.0,
    overlap: Annotated[int, typer.Option("--overlap", min=1, help="Annotators a photo.")] = 1,
    review: Annotated[float, typer.Option("--review", help="Share that somebody looks at once more.")] = 0.0,
    source_format: Format = None,
    images_root: ImagesRoot = None,
    follow_links: FollowLinks = False,
) -> None:
    """Estimate what labelling costs, in-house, by a crowd, by an agency, or with synthetic photos."""
    session = Session.of(context)
    from vision_cli.cli.render import cost as render
    from vision_cli.stages.labelling.cost import CostRequest, Plan, cost

    plan = Plan(0, unit.value, 1.0, annotators, hours, overlap, review)
    path = path_options(source_format, images_root, follow_links=follow_links)
    known = (session.project(), data, photos, objects)
    request = CostRequest(plan, *known, way.value if way else None, seconds, price, path)
    session.answer(cost(request), render.draw)
