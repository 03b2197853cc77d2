"""Where to look next, and which trials are hopeless: optuna's tree of Parzen estimators and its median rule.

optuna's study lives in memory and is built of the journal each time, with numbers of its own for each trial, so that a
search that goes on draws what one that never stopped would have drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_cli.core.catalogue import require
from vision_cli.stages.searching.axis import Axis, Place
from vision_cli.stages.searching.trial import DONE, FAILED, PRUNED, Trial, searched

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_AT_RANDOM = 8
"""Trials before the sampler believes what it saw (the project file's and the labels' settings among them)."""
_JUDGED_BEFORE = 4
"""Whole trials before one is called hopeless."""
_DRAW = 0x7E5E
FEWEST_WEIGHED = 8
"""Whole trials below which nothing is said of what a setting matters."""


def check_parts() -> None:
    """Refuse before any work when optuna is not installed.

    Raises:
        MissingPartError: with the pip line.
    """
    require(("optuna",), extra="tune", what="the search for settings")


@dataclass(frozen=True, slots=True)
class Search:
    """A search of a space.

    Attributes:
        axes: of the space.
        seed: of what is drawn.
        up: a higher score is better; those of epochs are always such.
    """

    axes: tuple[Axis, ...]
    seed: int
    up: bool = True

    def next(self, trials: Sequence[Trial], number: int, running: Sequence[Trial] = ()) -> Place:
        """Return the point of trial `number`, given all before it.

        Args:
            trials: that are done.
            number: of the one to draw.
            running: trials that others are at; it is assumed that they do badly, so that nobody does them again.
        """
        import optuna

        seed = int(np.random.SeedSequence((self.seed, number, _DRAW)).generate_state(1)[0])
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=_AT_RANDOM, seed=seed, multivariate=True, constant_liar=bool(running)
        )
        study = _study(sampler, optuna.pruners.NopPruner())
        axes = {axis.name: distribution(axis) for axis in self.axes}
        known = [each for each in searched(trials) if self._holds(each)]
        study.add_trials([_frozen(each, axes, up=self.up) for each in known])
        study.add_trials([_running(each, axes) for each in running if self._holds(each)])
        place: Place = study.ask(axes).params
        return place

    def importance(self, trials: Sequence[Trial]) -> dict[str, float]:
        """Return how much of the scores' variance each axis explains, 1 in all (fANOVA; Hutter et al. 2014).

        Nothing where fewer than `FEWEST_WEIGHED` trials are whole, or all scores are alike.
        """
        import optuna

        axes = {axis.name: distribution(axis) for axis in self.axes}
        whole = [each for each in searched(trials) if each.state == DONE and self._holds(each)]
        if len(whole) < FEWEST_WEIGHED or len({each.score for each in whole}) == 1 or len(axes) < 2:
            return {}
        study = _study(optuna.samplers.RandomSampler(seed=0), optuna.pruners.NopPruner())
        study.add_trials([_frozen(each, axes, up=self.up) for each in whole])
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=self.seed)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        return {name: float(value) for name, value in found.items() if np.isfinite(value)}

    def _holds(self, trial: Trial) -> bool:
        """Return whether a trial is a point of the space; what the project file says may lie beside it."""
        return all(
            trial.place.get(axis.name) in axis.words if axis.words else axis.name in trial.place for axis in self.axes
        )

    def hopeless(self, trials: Sequence[Trial], scores: Sequence[float | None]) -> bool:
        """Return whether a trial's best score so far is below the median of the whole trials' at the same epoch."""
        import optuna

        if not scores or scores[-1] is None:
            return False
        pruner = optuna.pruners.MedianPruner(n_startup_trials=_JUDGED_BEFORE, n_min_trials=_JUDGED_BEFORE)
        study = _study(optuna.samplers.RandomSampler(seed=0), pruner)
        study.add_trials([_frozen(each, {}, up=self.up) for each in searched(trials) if each.state == DONE])
        running = optuna.trial.create_trial(
            state=optuna.trial.TrialState.RUNNING, intermediate_values=_by_epoch(scores), params={}, distributions={}
        )
        return bool(pruner.prune(study, running))


def _study(sampler: Any, pruner: Any) -> Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)


def _running(trial: Trial, axes: Mapping[str, BaseDistribution]) -> FrozenTrial:
    import optuna

    params = {name: trial.place[name] for name in axes}
    return optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING, params=params, distributions=dict(axes))


def _frozen(trial: Trial, axes: Mapping[str, BaseDistribution], *, up: bool) -> FrozenTrial:
    """Return a trial as optuna knows it, with the values of these axes; its score is better the higher it is."""
    import optuna

    states = optuna.trial.TrialState
    state = {DONE: states.COMPLETE, PRUNED: states.PRUNED, FAILED: states.FAIL}[trial.state]
    return optuna.trial.create_trial(
        state=state,
        value=(trial.score if up or trial.score is None else -trial.score) if trial.state == DONE else None,
        params={name: trial.place[name] for name in axes},
        distributions=dict(axes),
        intermediate_values=_by_epoch(trial.scores),
    )


def _by_epoch(scores: Sequence[float | None]) -> dict[int, float]:
    return {epoch: score for epoch, score in enumerate(scores) if score is not None}


def distribution(axis: Axis) -> BaseDistribution:
    """Return an axis as optuna knows it."""
    from optuna import distributions

    if axis.words:
        return distributions.CategoricalDistribution(axis.words)
    if axis.whole:
        return distributions.IntDistribution(int(axis.low), int(axis.high))
    return distributions.FloatDistribution(axis.low, axis.high, log=axis.log)
