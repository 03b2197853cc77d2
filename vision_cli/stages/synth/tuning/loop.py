"""A search whose inputs are checked: trial after trial, then the best of them again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.synth_config import TuneConfig
from vision_cli.stages.searching import proposal
from vision_cli.stages.searching.axis import Place
from vision_cli.stages.searching.sampling import Search
from vision_cli.stages.searching.trial import (
    BASE,
    DONE,
    FAILED,
    LABELS,
    PRUNED,
    SEARCH,
    Trial,
    best_of,
    searched,
)
from vision_cli.stages.searching.verdict import Verdict, verdict
from vision_cli.stages.searching.watching import HopelessError
from vision_cli.stages.synth.asking import asked as asking
from vision_cli.stages.synth.asking.asked import Asked
from vision_cli.stages.synth.asking.commands import CLASSIFY, AnyConfig, Command
from vision_cli.stages.synth.tuning import space, telling
from vision_cli.stages.synth.tuning.journal import DIFF, PAGE, TRIAL, Journal
from vision_cli.stages.synth.tuning.real import RealPhotos
from vision_cli.stages.synth.tuning.request import TuneRequest, TuneResult
from vision_cli.stages.synth.tuning.space import Knob
from vision_cli.stages.synth.tuning.trying import METRICS, Trying

MOST_TRIALS = 10_000
"""Where only time ends a search."""
_NOTHING = 0.05
"""Score below which the first trial learned next to nothing, and settings can hardly be told apart."""
_TRAIN_ASIDE = frozenset({"view", "epochs", "patience", "workers", "device", "devices", "nodes"})
"""Settings of `train` that a trial does not take from the project file, or that change no result."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """A search whose inputs are checked."""

    request: TuneRequest
    config: TuneConfig
    command: Command
    section: AnyConfig
    task: str
    asked: Asked
    real: RealPhotos
    knobs: tuple[Knob, ...]
    journal: Journal
    progress: Progress
    started: float

    def fingerprint(self) -> dict[str, Any]:
        """Return all that scores depend on, by name."""
        config = self.request.project.config
        train = config.train.model_dump(mode="json")
        return {
            **self.asked.fingerprint(),
            "command": self.command.name,
            "task": self.task,
            "photos": self.config.photos,
            "epochs": self.config.epochs,
            "search": [asdict(axis) for axis in space.axes_of(self.knobs)],
            "search_seed": self.config.seed,
            "real": self.real.digest(),
            "model": config.model.model_dump(mode="json"),
            "train": {name: value for name, value in train.items() if name not in _TRAIN_ASIDE},
        }

    def planned(self) -> TuneResult:
        """Return what would be done."""
        return replace(self._result(self.journal.trials()), dry_run=True)

    def run(self) -> TuneResult:
        """Search, confirm, propose."""
        with self.journal.held(self.fingerprint()):
            kept = self.real.keep(self.journal.path, self.progress)
            for note in self.real.notes():
                self.progress.warn(note)
            trying = self._trying(kept)
            trials = self.journal.trials()
            try:
                self._search(trying, trials)
                self._confirm(trying, trials)
            except KeyboardInterrupt:
                self.progress.warn("to go on later: the same command")
                raise
            result = self._result(trials)
            return self._told(result)

    def _trying(self, kept: Path) -> Trying:
        request = self.request
        return Trying(
            request.project,
            self.command.name,
            self.task,
            self.asked.book.classes,
            request.objects,
            request.backgrounds,
            self.config.photos,
            self.config.epochs,
            kept,
            self.journal.path / TRIAL,
            request.workers,
            request.offline,
        )

    def _search(self, trying: Trying, trials: list[Trial]) -> None:
        """Try settings until there are as many trials as asked, or time is short."""
        search_ = Search(space.axes_of(self.knobs), self.config.seed)
        while (number := len(searched(trials)) + 1) <= self.config.trials and self._time_for(trials, number):
            self._add(trials, self._tried(trying, trials, self._next(search_, trials, number), search_))

    def _confirm(self, trying: Trying, trials: list[Trial]) -> None:
        """Try the best and the project file's settings again, with the same fresh seeds."""
        best, base = best_of(trials), searched(trials)[0]
        if best is None or best.number == base.number:
            return
        there = {(each.number, each.again) for each in trials}
        for again in range(1, self.config.confirm + 1):
            for each in (base, best):
                if (each.number, again) in there:
                    continue
                if self._spent(_typical(trials)):
                    return
                fresh = replace(each, again=again, scores=(), score=None, seconds=0.0)
                self._add(trials, self._tried(trying, trials, fresh, None))

    def _next(self, search_: Search, trials: list[Trial], number: int) -> Trial:
        """Return what to try next: what the project file says, what the labels tell, then what the search draws."""
        base = {knob.name: _plain(getattr(self.section, knob.name)) for knob in self.knobs}
        if number == 1:
            return Trial(number, BASE, 0, base, space.place_of(self.knobs, self.section))
        told = self.real.settings(list(base)) if number == 2 and self.task != CLASSIFY else {}
        if told:
            settings = {**base, **{name: _plain(value) for name, value in told.items()}}
            section = space.with_settings(self.section, settings, "as the real labels are")
            return Trial(number, LABELS, 0, settings, space.place_of(self.knobs, section))
        place: Place = search_.next(trials, number)
        drawn = {name: _plain(value) for name, value in space.settings_at(self.knobs, place).items()}
        return Trial(number, SEARCH, 0, drawn, place)

    def _tried(self, trying: Trying, trials: list[Trial], trial: Trial, search_: Search | None) -> Trial:
        """Return the trial with its score; one that cannot be made or learned from fails, but for the first."""
        scores: list[float | None] = []

        def watch(score: float | None) -> None:
            scores.append(score)
            if search_ is not None and len(scores) < self.config.epochs and search_.hopeless(trials, scores):
                raise HopelessError

        start = time.monotonic()
        state, score, said = DONE, None, ""
        try:
            score = trying.score(trial.settings, trial.again, watch, self.progress)
        except HopelessError:
            state = PRUNED
        except (DataError, UsageError) as error:
            if trial.origin == BASE:
                raise
            state, said = FAILED, error.message
        seconds = round(time.monotonic() - start, 1)
        return replace(trial, scores=tuple(scores), score=score, state=state, seconds=seconds, said=said)

    def _add(self, trials: list[Trial], trial: Trial) -> None:
        """Write a trial down, and tell of it."""
        trials.append(trial)
        self.journal.add(trial)
        best = best_of(trials)
        total = "" if self.config.trials >= MOST_TRIALS else f" of {self.config.trials}"
        name = f"trial {trial.number}{total}" if not trial.again else f"trial {trial.number} again, {trial.again}"
        score = trial.state if trial.score is None else f"{METRICS[self.task]} {trial.score:.3f}"
        of_best = f"; best {best.score:.3f} of trial {best.number}" if best is not None and not trial.again else ""
        why = f" ({trial.said})" if trial.said else ""
        self.progress.say(f"{name}: {score}{why}, {trial.seconds:.0f} s{of_best}")
        if trial.number == 1 and (trial.score or 0.0) < _NOTHING:
            self.progress.warn(_learned_nothing(METRICS[self.task]))
        if not trial.again:
            self.progress.step("trials", trial.number, max(trial.number, self.config.trials))

    def _time_for(self, trials: list[Trial], number: int) -> bool:
        """Return whether a trial, and trying the best again afterwards, fit into the time that is left."""
        return number == 1 or not self._spent(_typical(trials) * (1 + 2 * self.config.confirm))

    def _spent(self, seconds: float) -> bool:
        """Return whether so much time is not left."""
        minutes = self.request.minutes
        return minutes is not None and time.monotonic() - self.started + seconds > 60 * minutes

    def _result(self, trials: list[Trial]) -> TuneResult:
        found = verdict(trials, METRICS[self.task], self.config.confirm)
        proposed = found is not None and found.best is not None and found.better is not False
        settings = self._changed(found.best.settings) if proposed and found and found.best else {}
        return TuneResult(
            folder=self.journal.path,
            command=self.command.name,
            task=self.task,
            metric=METRICS[self.task],
            real=self.real.title,
            photos=len(self.real.dataset),
            searched=tuple(knob.name for knob in self.knobs),
            wanted=self.config.trials,
            trials=tuple(trials),
            found=found,
            settings=settings,
            open=self._open(trials, found),
            notes=(*self.asked.notes, *self.real.notes(), *self._doubt(found)),
            seconds=time.monotonic() - self.started,
        )

    def _doubt(self, found: Verdict | None) -> tuple[str, ...]:
        """Return a note where the first trial learned next to nothing."""
        low = found is not None and (found.base.score or 0.0) < _NOTHING
        return (_learned_nothing(METRICS[self.task]),) if low else ()

    def _changed(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return those settings that the project file does not have."""
        return {name: value for name, value in settings.items() if _plain(getattr(self.section, name)) != value}

    def _open(self, trials: list[Trial], found: Verdict | None) -> str:
        if self.request.minutes is None or self.request.trials is not None:
            left = self.config.trials - len(searched(trials))
            if left > 0:
                return f"{left} of {self.config.trials} trials are left: the same command goes on."
        if self.config.confirm and found is not None and found.best is not None and found.better is None:
            return "The best settings were not tried again with other seeds: the same command does it."
        return ""

    def _told(self, result: TuneResult) -> TuneResult:
        """Write the diff and the page."""
        if result.found is None:
            return result
        file = self.request.project.file
        keys = ("synth", self.command.name)
        diff = proposal.diff(file, keys, result.settings) if result.settings else ""
        target = self.journal.path / DIFF
        if diff:
            files.write_text(target, diff)
        else:
            target.unlink(missing_ok=True)
        if diff is None:
            note = "The project file is written in a way that is not edited here: put the settings in by hand."
            result = replace(result, notes=(*result.notes, note))
            diff = proposal.snippet(keys, result.settings)
        result = replace(result, diff=diff, diff_file=target if target.exists() else None)
        page = self.journal.path / PAGE
        files.write_text(page, telling.page(result, self._shown(result), self.knobs))
        return replace(result, page=page)

    def _shown(self, result: TuneResult) -> list[tuple[str, Asked]]:
        """Return what photos were made of, before and after."""
        best = result.found.best if result.found else None
        shown = [("As the project file says", self.asked)]
        if best is not None:
            section = space.with_settings(self.section, best.settings, "the best trial")
            render = asking.render_settings(self.command, section)
            shown.append((f"As in trial {best.number}, the best", replace(self.asked, render=render)))
        return shown


def _learned_nothing(metric: str) -> str:
    return (
        f"The first trial learned next to nothing ({metric} below {_NOTHING:g}), so that settings can hardly be told "
        "apart: give trials more --photos or --epochs, or begin from a trained file with model.weights=FILE."
    )


def _typical(trials: list[Trial]) -> float:
    """Return the seconds of a whole trial."""
    whole = [each.seconds for each in trials if each.state == DONE]
    return sum(whole) / len(whole) if whole else 0.0


def _plain(value: Any) -> Any:
    """Return a value as it comes back from JSON."""
    return list(value) if isinstance(value, tuple) else value
