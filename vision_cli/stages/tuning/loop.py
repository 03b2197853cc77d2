"""A search whose inputs are checked: trial after trial, then the best of them again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.stages.searching.pruning import Pruner
from vision_cli.stages.searching.sampling import Search
from vision_cli.stages.searching.trial import BASE, DONE, FAILED, SEARCH, Trial, best_of, searched
from vision_cli.stages.tuning import space
from vision_cli.stages.tuning.hands import Hands
from vision_cli.stages.tuning.journal import Journal
from vision_cli.stages.tuning.space import Setting
from vision_cli.stages.tuning.trying import MODELS, TRIALS

MOST_TRIALS = 10_000
"""Where only time ends a search."""
_MOST_FAILED = 4
"""Trials that fail one after the other, none before them being whole: then it is not the settings."""

Source = Callable[[], Trial | None]


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a search goes on.

    Attributes:
        trials: beside the project file's settings.
        confirm: trainings with fresh seeds of the best and of the project file's settings.
        seconds: of this call; None is as long as it takes.
        jobs: trials at a time.
    """

    trials: int
    confirm: int
    seconds: float | None
    jobs: int


@dataclass(slots=True)
class Loop:
    """A search that goes on.

    Attributes:
        settings: that are searched.
        base: values of the project file, by dotted name.
        search: draws.
        pruner: ends.
        budget: of trials and time.
        hands: do the trials.
        journal: of what was tried.
        folder: of the run.
        key: of the metric.
        progress: is told of trials.
        started: monotonic seconds.
    """

    settings: tuple[Setting, ...]
    base: Mapping[str, Any]
    search: Search
    pruner: Pruner
    budget: Budget
    hands: Hands
    journal: Journal
    folder: Path
    key: str
    progress: Progress
    started: float
    trials: list[Trial] = field(default_factory=list)
    pending: list[Trial] = field(default_factory=list)

    def run(self) -> list[Trial]:
        """Search, then try the best and the project file's settings again; return all that was tried.

        Raises:
            DataError: every trial fails.
        """
        self.trials = self.journal.trials()
        try:
            self._drive(self._next)
            self._drive(self._again())
        finally:
            self.hands.close()
            shutil.rmtree(self.folder / TRIALS, ignore_errors=True)
        return self.trials

    def _drive(self, source: Source) -> None:
        """Let every hand do what comes next, until nothing does."""
        while True:
            while self.hands.free and (trial := source()) is not None:
                self.pending.append(trial)
                self.hands.start(trial)
            if not self.pending:
                return
            for trial in self.hands.wait(self._hopeless):
                self.pending = [each for each in self.pending if (each.number, each.again) != _name(trial)]
                self._add(trial)

    def _next(self) -> Trial | None:
        """Return what to try next: what the project file says, then what the search draws."""
        taken = {each.number for each in (*searched(self.trials), *self.pending)}
        number = next(number for number in range(self.budget.trials + 2) if number not in taken)
        if number > self.budget.trials or not self._time_for(number):
            return None
        if number == 0:
            return Trial(0, BASE, 0, {}, space.place_of(self.settings, self.base))
        place = self.search.next(self.trials, number, self.pending)
        return Trial(number, SEARCH, 0, space.settings_at(self.settings, place), place)

    def _again(self) -> Source:
        """Return what gives the best and the project file's settings again, with the same fresh seeds."""
        best = best_of(self.trials, up=self.search.up)
        base = next((each for each in searched(self.trials) if each.origin == BASE and each.state == DONE), None)
        if best is None or base is None or best.number == base.number:
            return lambda: None
        there = {_name(each) for each in self.trials}
        left = [
            replace(each, again=again, scores=(), score=None, seconds=0.0)
            for again in range(1, self.budget.confirm + 1)
            for each in (base, best)
            if (each.number, again) not in there
        ]
        return lambda: None if not left or self._spent(self._typical()) else left.pop(0)

    def _hopeless(self, trial: Trial, scores: Sequence[float | None]) -> bool:
        """Return whether a trial of the search is to be ended."""
        return trial.origin == SEARCH and not trial.again and self.pruner.hopeless(self.trials, trial.number, scores)

    def _add(self, trial: Trial) -> None:
        """Write a trial down, and tell of it.

        Raises:
            DataError: this one failed, too.
        """
        self.trials.append(trial)
        self.journal.add(trial)
        best = best_of(self.trials, up=self.search.up)
        total = "" if self.budget.trials >= MOST_TRIALS else f" of {self.budget.trials}"
        name = f"trial {trial.number}{total}" if not trial.again else f"trial {trial.number} again, {trial.again}"
        score = trial.state if trial.score is None else f"{self.key} {trial.score:.4g}"
        of_best = f"; best {best.score:.4g} of trial {best.number}" if best is not None and not trial.again else ""
        why = f" ({trial.said})" if trial.said else ""
        self.progress.say(f"{name}: {score}{why}, {trial.seconds:.0f} s{of_best}")
        if not trial.again:
            done = len(searched(self.trials))
            self.progress.step("trials", done, max(done, self.budget.trials + 1))
        self._keep_models(best)
        self._check_failures()

    def _keep_models(self, best: Trial | None) -> None:
        """Delete all models but the project file's and the best one's."""
        kept = {"0", str(best.number) if best is not None else "0"}
        going_on = {str(each.number) for each in self.pending}  # one may just have put its model there
        for path in (self.folder / MODELS).glob("*"):
            if path.name not in kept | going_on:
                shutil.rmtree(path, ignore_errors=True)

    def _check_failures(self) -> None:
        failed = [each for each in self.trials if each.state == FAILED]
        if len(failed) == len(self.trials) >= _MOST_FAILED:
            raise DataError(
                f"the first {len(failed)} trials failed, each.",
                details=[f"trial {each.number}: {each.said}" for each in failed],
                hint="Make `vision train` work first; then `vision tune`.",
            )

    def _time_for(self, number: int) -> bool:
        """Return whether a trial, and trying the best again afterwards, fit into the time that is left."""
        again = 2 * self.budget.confirm / self.budget.jobs
        return number == 0 or not self._spent(self._typical() * (1 + again))

    def _spent(self, seconds: float) -> bool:
        """Return whether so much time is not left."""
        limit = self.budget.seconds
        return limit is not None and time.monotonic() - self.started + seconds > limit

    def _typical(self) -> float:
        """Return the seconds of a whole trial."""
        whole = [each.seconds for each in self.trials if each.state == DONE]
        return sum(whole) / len(whole) if whole else 0.0


def _name(trial: Trial) -> tuple[int, int]:
    return trial.number, trial.again
