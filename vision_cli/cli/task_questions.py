"""What `vision task suggest` asks on a terminal; elsewhere the words and options answer."""

from __future__ import annotations

from dataclasses import replace

import typer

from vision_cli.cli.asking import ask, choose, may_ask
from vision_cli.cli.output import Output
from vision_cli.core.errors import UsageError
from vision_cli.scoping import deciding, targets
from vision_cli.scoping.deciding import Decision
from vision_cli.stages.scoping import suggest as stage
from vision_cli.stages.scoping.suggest import SuggestRequest


def asked(request: SuggestRequest, output: Output) -> tuple[SuggestRequest, Decision]:
    """Return the request and its task, with what a person at the terminal adds.

    Raises:
        UsageError: there is no description, or an option that does not fit.
    """
    person = may_ask(output)
    bare = not request.description.strip()
    if bare and person:
        request = replace(request, description=ask("What do you want to know of your photos?"))
    decision = stage.decide(request)
    if not person:
        return request, decision
    if decision.question is not None:
        answers = decision.question.answers
        chosen = choose(decision.question.text, [answer for answer, _ in answers])
        if chosen is not None:
            decision = deciding.told(answers[chosen][1], decision.said)
    return _more(request) if bare else request, decision


def _more(request: SuggestRequest) -> SuggestRequest:
    """Ask what decides about models and data, of a person who gave no description on the command line either."""
    if request.deploy is None:
        names = list(targets.TARGETS)
        chosen = choose("Where will it run?", [targets.TARGETS[name].title for name in names])
        request = request if chosen is None else replace(request, deploy=names[chosen])
    if request.latency_ms is None:
        request = replace(request, latency_ms=_time())
    if request.photos is None and request.data is None:
        request = replace(request, photos=_number())
    return request


def _time() -> float | None:
    while said := ask("How long may a photo take, such as 33ms? Nothing if it does not matter"):
        try:
            return targets.milliseconds(said)
        except UsageError as error:
            typer.echo(f"{error.message} {error.hint}", err=True)
    return None


def _number() -> int | None:
    while said := ask("How many photos with labels are there? Nothing if you do not know"):
        if said.isdecimal():
            return int(said)
        typer.echo(f"{said!r} is no number.", err=True)
    return None
