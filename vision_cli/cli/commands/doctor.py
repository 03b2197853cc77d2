"""`vision doctor`."""

from __future__ import annotations

import typer

from vision_cli.cli.command import Command, examples, group
from vision_cli.cli.session import Session

app = group("doctor", "Check the installation, the machine and the project")


@app.command(cls=Command, epilog=examples("vision doctor", "vision doctor --json"))
def doctor(context: typer.Context) -> None:
    """Check versions, extras, disk, switches, locks and the project file; exit code 4 when a check finds an error."""
    session = Session.of(context)
    from vision_cli.cli.render.doctor import draw
    from vision_cli.stages.project.doctor import DoctorRequest, doctor

    result = doctor(DoctorRequest(session.project_file, session.overrides))
    session.answer(result, draw, ok=result.healthy)
