"""`vision classes set`."""

from __future__ import annotations

from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.commands.classes.options import Backbone, Head, asked
from vision_cli.cli.session import Session
from vision_cli.core.errors import UsageError

app = group("set", "Choose backbone, head and threshold.")

_FOUND, _NEVER = "found", "never"
_HELP = "A photo less like the examples is of none of these: -1 to 1, `never`, or `found` from the examples."


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision classes set --head svm",
        "vision classes set --none-below 0.4",
        "vision classes set --own-classes",
    ),
)
def set_up(
    context: typer.Context,
    backbone: Backbone = None,
    head: Head = None,
    none_below: Annotated[str | None, typer.Option("--none-below", metavar="LIKENESS", help=_HELP)] = None,
    own_classes: Annotated[
        bool | None,
        typer.Option("--own-classes/--no-own-classes", help="Where it is none of these, name a class of ImageNet."),
    ] = None,
) -> None:
    """Choose what describes photos, what tells classes apart, and when it is none of these."""
    session = Session.of(context)
    from vision_cli.cli.render import classes as render
    from vision_cli.stages.few_shot import changing

    settings = changing.Settings(backbone, head, _likeness(none_below), none_below == _FOUND, own_classes)
    session.answer(changing.set_up(asked(session), settings, session.progress), render.changed)


def _likeness(text: str | None) -> float | None:
    """Return the number that was given; None where it is to be found, or stays.

    Raises:
        UsageError: it is no such number.
    """
    if text is None or text == _FOUND:
        return None
    try:
        value = -1.0 if text == _NEVER else float(text)
    except ValueError:
        value = float("nan")
    if not -1 <= value <= 1:
        raise UsageError(
            f"--none-below {text}: is no likeness.", hint=f"A number from -1 to 1, `{_NEVER}`, or `{_FOUND}`."
        )
    return value
