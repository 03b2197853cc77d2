"""`vision synth tune`: search the settings under which a detector does best on a few real photos."""

from __future__ import annotations

import time

from vision_cli.core.config import ProjectConfig
from vision_cli.core.errors import UsageError
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.synth_config import TuneConfig
from vision_cli.stages import places
from vision_cli.stages.searching import sampling
from vision_cli.stages.searching.watching import Once
from vision_cli.stages.synth.asking import asked as asking
from vision_cli.stages.synth.asking.asked import Given
from vision_cli.stages.synth.asking.commands import CLASSIFY, COMMANDS, AnyConfig, Command
from vision_cli.stages.synth.run import FOLDER
from vision_cli.stages.synth.tuning import real, space
from vision_cli.stages.synth.tuning.journal import Journal
from vision_cli.stages.synth.tuning.loop import MOST_TRIALS, Tuning
from vision_cli.stages.synth.tuning.request import TuneRequest, TuneResult
from vision_cli.stages.synth.tuning.trying import METRICS


def tune(request: TuneRequest, progress: Progress | None = None) -> TuneResult:
    """Try settings until the budget is spent, try the best again with other seeds, and propose it if it is better.

    Raises:
        UsageError: an option or setting is wrong, or the folder holds something else.
        DataError: an object, a background or the real photos are refused.
        MissingPartError: optuna, or what trains, is not installed.
        ResourceError: the disk refuses, or another search writes there.
    """
    started, progress = time.monotonic(), Once(progress or Silent())
    sampling.check_parts()
    project, config = request.project, _config(request)
    command = COMMANDS[request.command]
    section = command.section(project)
    task = _task(project.config, command, section)
    asked = asking.ask(
        project,
        command,
        Given(request.objects, request.backgrounds, request.offline, remember=not request.dry_run),
        progress,
    )
    journal = Journal(project.root / FOLDER / "tune" / command.name if request.out is None else request.out)
    places.check_additions(journal.path, project=project)
    journal.check_folder()
    judged = real.read(project, request.real, asked.book.classes, remember=not request.dry_run)
    real.check_apart(judged, asked.folder, asked.backgrounds)
    knobs = space.space(command.name, section, config.search, command.looks)
    tuning = Tuning(request, config, command, section, task, asked, judged, knobs, journal, progress, started)
    journal.check(tuning.fingerprint())
    return tuning.planned() if request.dry_run else tuning.run()


def _config(request: TuneRequest) -> TuneConfig:
    """Return the settings with the options of the call."""
    declared = request.project.config.synth.tune
    names = ("photos", "epochs", "trials", "confirm", "seed")
    given = {name: getattr(request, name) for name in names if getattr(request, name) is not None}
    if request.search:
        given["search"] = {name: declared.search.get(name) for name in request.search}
    if request.minutes is not None and request.trials is None:
        given["trials"] = MOST_TRIALS
    return declared.model_copy(update=given)


def _task(config: ProjectConfig, command: Command, section: AnyConfig) -> str:
    """Return what trials learn.

    Raises:
        UsageError: what the project learns is not made here, or not judged.
    """
    task = config.task or (CLASSIFY if command.name == CLASSIFY else "detect")
    if (task == CLASSIFY) != (command.name == CLASSIFY) or task not in METRICS:
        raise UsageError(
            f"the project's task is '{task}', and trials on photos of `vision synth {command.name}` learn "
            f"{'classify' if command.name == CLASSIFY else 'detect or instance'}.",
            hint="Say --of classify for a classifier." if task == CLASSIFY else "Say task=detect on the line.",
        )
    if section.side == real.SIDE:
        raise UsageError(
            f"synth.{command.name}.side is '{real.SIDE}': trials are judged on photos of that side.",
            hint="Make photos from the side train.",
        )
    return task
