"""The journal of a search: a study of optuna, one append-only file that survives `kill -9`.

`optuna.storages.JournalStorage` writes and reads it, so that optuna's own tools open it; what only we know of a trial
is an attribute of it. One process writes: who holds the run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_cli.core import files
from vision_cli.stages.searching import sampling
from vision_cli.stages.searching.axis import Axis
from vision_cli.stages.searching.trial import DONE, FAILED, PRUNED, Trial

if TYPE_CHECKING:
    from optuna.study import Study

LOG = "journal.log"
STUDY = "vision tune"
_OURS = "vision"


@dataclass(frozen=True, slots=True, eq=False)
class Journal:
    """What was tried.

    Attributes:
        study: with a trial of optuna for each of ours.
        axes: of the space.
    """

    study: Study
    axes: tuple[Axis, ...]

    def trials(self) -> list[Trial]:
        """Return what was tried, in order."""
        rows: list[dict[str, Any]] = [each.user_attrs[_OURS] for each in self.study.get_trials(deepcopy=False)]
        return [Trial(**{**row, "scores": tuple(row["scores"])}) for row in rows]

    def add(self, trial: Trial) -> None:
        """Write a trial down, whole or not at all."""
        import optuna

        states = optuna.trial.TrialState
        state = {DONE: states.COMPLETE, PRUNED: states.PRUNED, FAILED: states.FAIL}[trial.state]
        held = {axis.name: axis for axis in self.axes if _is_in(axis, trial.place)}
        frozen = optuna.trial.create_trial(
            state=state,
            value=trial.score if trial.state == DONE else None,
            params={name: trial.place[name] for name in held},
            distributions={name: sampling.distribution(axis) for name, axis in held.items()},
            intermediate_values=by_epoch(trial.scores),
            user_attrs={_OURS: asdict(trial)},
        )
        self.study.add_trial(frozen)


def by_epoch(scores: Sequence[float | None]) -> dict[int, float]:
    """Return the scores by epoch, from 0, without those that are none."""
    return {epoch: score for epoch, score in enumerate(scores) if score is not None}


def _is_in(axis: Axis, place: Mapping[str, Any]) -> bool:
    return place.get(axis.name) in axis.words if axis.words else axis.name in place


def opened(folder: Path, axes: tuple[Axis, ...], *, up: bool) -> Journal:
    """Open the journal of a run that this process holds, or begin it.

    Args:
        folder: of the run.
        axes: of the space.
        up: a higher score is better.

    Raises:
        ResourceError: the disk refuses.
    """
    import optuna

    path = folder / LOG
    with files.disk_errors(path):
        _mend(path)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = optuna.storages.JournalStorage(_backend(path))
        directions = optuna.study.StudyDirection
        direction = directions.MAXIMIZE if up else directions.MINIMIZE
        study = optuna.create_study(study_name=STUDY, storage=storage, direction=direction, load_if_exists=True)
    return Journal(study, axes)


def _mend(path: Path) -> None:
    """Cut a line off that a killed process did not end: the next one would be written behind it."""
    if not path.is_file():
        return
    with path.open("r+b") as file:
        content = file.read()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            file.truncate(end)
            os.fsync(file.fileno())


class _Held:
    """Stands for optuna's lock: the run is held already, and a lock of a killed process would stay."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return


def _backend(path: Path) -> Any:
    from optuna.storages.journal import JournalFileBackend

    lock: Any = _Held()
    return JournalFileBackend(os.fspath(path), lock_obj=lock)
