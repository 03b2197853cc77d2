"""Which trials are hopeless, by the scores of their epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vision_cli.stages.searching.sampling import Search
from vision_cli.stages.searching.trial import Trial, searched

MEDIAN, HYPERBAND, NONE = "median", "hyperband", "none"


@dataclass(slots=True)
class Pruner:
    """Judges running trials against those before.

    Attributes:
        name: one of MEDIAN, HYPERBAND and NONE.
        epochs: of a whole trial.
        seed: of the search.
    """

    name: str
    epochs: int
    seed: int = 0
    _study: Any = None
    _begun: dict[int, Any] = field(default_factory=dict)

    def hopeless(self, trials: Sequence[Trial], number: int, scores: Sequence[float | None]) -> bool:
        """Return whether to end a trial.

        Args:
            trials: that are over.
            number: of the running one.
            scores: of its epochs so far; higher is better, None where it was not judged.
        """
        if self.name == NONE or not scores or scores[-1] is None or len(scores) >= self.epochs:
            return False
        if self.name == MEDIAN:
            return Search((), self.seed).hopeless(trials, scores)
        for each in searched(trials):
            self._take_over(each)
        return self._told(number, len(scores) - 1, scores[-1])

    def _take_over(self, trial: Trial) -> None:
        """Let a trial of an earlier call climb its rungs."""
        if trial.number in self._begun or not any(score is not None for score in trial.scores):
            return
        for epoch, score in enumerate(trial.scores):
            if score is not None:
                self._told(trial.number, epoch, score)

    def _told(self, number: int, epoch: int, score: float) -> bool:
        """Report a score, and return what optuna says."""
        if number not in self._begun:
            self._begun[number] = self.study().ask()
        trial = self._begun[number]
        trial.report(score, epoch + 1)
        return bool(trial.should_prune())

    def study(self) -> Any:
        """Return optuna's study of the brackets, in memory."""
        import optuna

        if self._study is None:
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=self.epochs, reduction_factor=3)
            self._study = optuna.create_study(
                study_name="hyperband",
                direction="maximize",
                sampler=optuna.samplers.RandomSampler(seed=self.seed),
                pruner=pruner,
            )
        return self._study
