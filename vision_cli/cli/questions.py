"""What `vision init` asks on a terminal; elsewhere the options and the data answer."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import typer

from vision_cli.cli.asking import may_ask
from vision_cli.cli.output import Output
from vision_cli.cli.text import clean
from vision_cli.core import kpi
from vision_cli.core.errors import UsageError
from vision_cli.core.tasks import TASKS, hint_for_task
from vision_cli.stages.project.init import InitRequest, Survey, usual_place


def ask_data(request: InitRequest, output: Output) -> InitRequest:
    """Ask where the photos are, unless the command line says it."""
    if request.data is not None or not may_ask(output):
        return request
    found = usual_place(request.target.absolute().parent)
    shown = os.path.relpath(found) if found else "."
    text = typer.prompt("Folder of photos, or CSV of labels", default=shown, err=True)
    return replace(request, data=Path(text).expanduser())


def ask_rest(request: InitRequest, found: Survey, output: Output) -> InitRequest:
    """Ask for task and target, with what suits the data as the default."""
    if not may_ask(output):
        return request
    shown = ", ".join(clean(name) for name, _ in found.classes[:8])
    typer.echo(f"{found.photos} photos ({found.format}){f', classes: {shown}' if shown else ''}", err=True)
    task = request.task or _ask_task(found.task)
    kpis = request.kpis or (_ask_kpi(found.suited_kpi(task)),)
    return replace(request, task=task, kpis=kpis)


def _ask_task(default: str) -> str:
    while (answer := typer.prompt(f"Task ({', '.join(TASKS)})", default=default, err=True).strip()) not in TASKS:
        typer.echo(hint_for_task(answer), err=True)
    return str(answer)


def _ask_kpi(default: str) -> str:
    while True:
        answer = str(typer.prompt("Target", default=default, err=True)).strip()
        try:
            kpi.parse(answer)
        except UsageError as error:
            typer.echo(f"{error.message} {error.hint}", err=True)
        else:
            return answer
