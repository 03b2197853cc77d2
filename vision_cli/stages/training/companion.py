"""A process that learns beside the first one of a training: it says nothing, and leaves nothing behind.

As a program, it reads its request as one line of JSON, and ends when its input does: whoever started it is gone then.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_cli.core import policy
from vision_cli.core.errors import VisionError

if TYPE_CHECKING:
    from vision_cli.stages.training.train import TrainRequest
    from vision_cli.training.joining import Seat


def as_plain(request: TrainRequest) -> dict[str, Any]:
    """Return a request as plain values, for a process of its own."""
    project = request.project
    return {
        "root": str(project.root),
        "config": project.config.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "resume": request.resume,
        "overfit": request.overfit,
        "fraction": request.fraction,
        "epochs": request.epochs,
        "no_test": request.no_test,
    }


def from_plain(values: Mapping[str, Any]) -> TrainRequest:
    """Read what `as_plain` wrote. What is to be downloaded, the first process has."""
    from vision_cli.core.config import ProjectConfig
    from vision_cli.core.project import Project
    from vision_cli.stages.training.train import TrainRequest

    project = Project(Path(values["root"]), None, ProjectConfig.model_validate(values["config"]))
    asked = {name: values[name] for name in ("resume", "overfit", "fraction", "epochs", "no_test")}
    return TrainRequest(project, offline=True, **asked)


def learn(request: TrainRequest, place: Seat, folder: Path) -> None:
    """Learn with the others until they are done; weights and figures are the first one's to keep.

    Args:
        request: that of the first process.
        place: of this one.
        folder: for what a run's folder has; nobody will look at it.

    Raises:
        SystemExit: the training failed, and the first process says why.
        VisionError: this process cannot even begin.
    """
    from vision_cli.core.progress import Silent
    from vision_cli.core.run import Run
    from vision_cli.stages.training import fitting, planning, processes, train
    from vision_cli.training.joining import joined

    whole = train.view(replace(request, dry_run=True))
    request = replace(request, project=planning.resolved(request.project, whole))
    request, data = train.asked(request, whole)
    network = fitting.build(request.project, data, Silent(), offline=request.offline)
    if processes.why_alone(request.project.config, data, network):
        return
    task = fitting.FitTask(request.project, data, network, Run(folder), request.resume)
    try:
        with joined(place) as team:
            fitting.fit(replace(task, team=team), Silent())
    except VisionError as error:
        raise SystemExit(error.exit_code) from error


def leave_to_first(request: TrainRequest) -> None:
    """Learn beside the first of the processes that torchrun started, and end; return in the first, or without torchrun.

    Raises:
        SystemExit: learned, or failed as the first one tells.
        VisionError: this process cannot even begin.
    """
    from vision_cli.stages.training import processes

    place = processes.seat(request.project.config) if processes.by_torchrun() else None
    if place is None or place.rank == 0:
        return
    with tempfile.TemporaryDirectory(prefix="vision-train-") as folder:
        if not request.dry_run:
            learn(request, place, Path(folder))
    raise SystemExit(0)


def _end_with_input() -> None:
    # Not through `sys.stdin`: Python could not take it down at the end while this waits for it.
    while os.read(0, 1024):
        pass
    os._exit(1)


def main() -> int:
    """Learn as the first process asks."""
    policy.apply()
    warnings.simplefilter("ignore")
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    from vision_cli.training.joining import Seat

    try:
        learn(from_plain(asked), Seat(**asked["seat"]), Path(asked["folder"]))
    except VisionError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
