"""Options that several commands of `vision classes` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vision_cli.cli.session import Session

if TYPE_CHECKING:
    from vision_cli.stages.few_shot.changing import Asked

Backbone = Annotated[
    str | None,
    typer.Option("--backbone", metavar="NAME", help="What describes photos: a name of timm's, or torchvision/NAME."),
]
Head = Annotated[
    str | None, typer.Option("--head", metavar="HEAD", help="What tells classes apart: logistic, svm or nearest-mean.")
]
Name = Annotated[str, typer.Argument(metavar="CLASS", help="Name of the class.")]


def asked(session: Session) -> Asked:
    """Return what every command of the group tells its stage."""
    from vision_cli.stages.few_shot.changing import Asked

    return Asked(session.project(), session.offline, session.dry_run)
