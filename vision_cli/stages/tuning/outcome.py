"""What a search says in the end: verdict, diff, page and the run's result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.metrics.paired import Difference
from vision_cli.stages.data import TaskData
from vision_cli.stages.searching import proposal
from vision_cli.stages.searching.sampling import Search
from vision_cli.stages.searching.trial import BASE, Trial, best_of, searched
from vision_cli.stages.tuning import telling, verdict
from vision_cli.stages.tuning.loop import Budget
from vision_cli.stages.tuning.request import RangeFound, TuneResult, Verdict
from vision_cli.stages.tuning.space import Setting
from vision_cli.stages.tuning.trying import MODELS
from vision_cli.stages.tuning.verdict import Judging

RESULT, DIFF, PAGE = "result.json", "vision.yaml.diff", "report.html"
_NOT_EDITED = "The project file is written in a way that is not edited here: put the settings in by hand."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is told of.

    Attributes:
        project: of the user.
        folder: of the run; None in a dry run.
        data: the view without its test split.
        judging: how trials are compared.
        settings: that are searched.
        base: values of the project file by dotted name; None where they are the training's own.
        search: that drew.
        budget: of the call.
        epochs: of a trial.
        range_test: None where there was none.
        apply: write the settings into the project file.
        progress: is told of what happens.
        started: monotonic seconds.
    """

    project: Project
    folder: Path | None
    data: TaskData
    judging: Judging
    settings: tuple[Setting, ...]
    base: Mapping[str, Any]
    search: Search
    budget: Budget
    epochs: int | None
    range_test: RangeFound | None
    apply: bool
    progress: Progress
    started: float


def planned(what: Outcome) -> TuneResult:
    """Return what would be done."""
    return TuneResult(
        run=None,
        task=what.data.task,
        metric=what.judging.key,
        up=what.judging.up,
        validation=len(what.data.part("val")),
        epochs=what.epochs,
        searched={each.key: each.told() for each in what.settings},
        wanted=what.budget.trials,
        range_test=what.range_test,
        seconds=time.monotonic() - what.started,
    )


def told(what: Outcome, trials: tuple[Trial, ...]) -> TuneResult:
    """Weigh the trials, write diff, page and result, and change the project file where that was asked.

    Raises:
        ResourceError: the disk refuses.
    """
    folder = what.folder
    if folder is None:
        raise ValueError("a dry run writes nothing")
    found = verdict.verdict(trials, what.judging, _measured(what, folder, trials))
    result = replace(
        planned(what),
        run=folder,
        trials=trials,
        found=found,
        importance=what.search.importance(trials),
        settings=_changed(what, found),
        open=_open(what, trials, found),
        notes=(telling.CAUTION,) if found is not None and found.best is not None else (),
    )
    result = _with_diff(what, folder, result)
    result = replace(result, page=folder / PAGE, seconds=time.monotonic() - what.started)
    files.write_text(folder / PAGE, telling.page(result, what.settings, what.base))
    files.write_json(folder / RESULT, result.as_json())
    return result


def _measured(what: Outcome, folder: Path, trials: tuple[Trial, ...]) -> Difference | None:
    """Return by how much the best model exceeds the project file's on the same photos, of the first seed."""
    best = best_of(trials, up=what.judging.up)
    base = next((each for each in searched(trials) if each.origin == BASE), None)
    if best is None or base is None or best.number == base.number:
        return None
    models = (folder / MODELS / str(best.number), folder / MODELS / str(base.number))
    if not all(path.is_dir() for path in models):
        return None
    try:
        return verdict.difference(models, what.data.part("val"), what.judging, what.progress)
    except DataError as error:
        what.progress.warn(f"the two models could not be compared photo by photo: {error.message}")
        return None


def _changed(what: Outcome, found: Verdict | None) -> dict[str, Any]:
    """Return the settings to propose: those of the best trial that the project file has not."""
    if found is None or found.best is None or not found.propose:
        return {}
    chosen = found.best.settings
    known = {each.key: each for each in what.settings}
    return {key: value for key, value in chosen.items() if not _same(known.get(key), what.base.get(key), value)}


def _same(setting: Setting | None, before: Any, value: Any) -> bool:
    if before is None or setting is None:
        return False
    if setting.axis.words:
        return setting.place(before) == setting.place(tuple(value) if isinstance(value, list) else value)
    return not isinstance(before, tuple) and float(before) == float(value)


def _open(what: Outcome, trials: tuple[Trial, ...], found: Verdict | None) -> str:
    left = what.budget.trials + 1 - len(searched(trials))
    if left > 0 and what.budget.seconds is None and trials:
        return f"{left} of {what.budget.trials} trials are left: `vision tune --resume` goes on."
    tried = found is not None and found.best is not None and found.best.number != found.base.number
    if found is not None and tried and found.better is None and what.budget.confirm and found.base.score is not None:
        return "The best settings were not trained again with other seeds: `vision tune --resume` does it."
    return ""


def _with_diff(what: Outcome, folder: Path, result: TuneResult) -> TuneResult:
    """Write the diff, and put it into the project file where that was asked."""
    target, settings = folder / DIFF, result.settings
    target.unlink(missing_ok=True)
    if not settings:
        return result
    file = what.project.file
    before = "" if file is None else file.read_bytes().decode("utf-8")
    after = _edited(before, settings)
    if after is None:
        text = "".join(f"{key}: {proposal.flow(value)}\n" for key, value in settings.items())
        return replace(result, diff=text, notes=(*result.notes, _NOT_EDITED))
    text = proposal.unified(file, before, after)
    files.write_text(target, text)
    result = replace(result, diff=text, diff_file=target)
    if not what.apply:
        return result
    if file is None:
        raise UsageError("--apply: there is no vision.yaml to change.", hint="Write one with `vision init`.")
    files.write_bytes(file, after.encode("utf-8"))
    return replace(result, applied=True)


def _edited(before: str, settings: Mapping[str, Any]) -> str | None:
    """Return the project file with other settings; None where it is written in a way that we do not edit."""
    text: str | None = before
    for key, value in settings.items():
        *sections, name = key.split(".")
        text = None if text is None else proposal.changed(text, sections, {name: value})
    return text
