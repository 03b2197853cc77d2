"""What `vision tune` is asked for, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vision_cli.core.kpi import Interval
from vision_cli.core.project import Project
from vision_cli.stages.searching.trial import Trial

PROCESSES, RAY = "here", "ray"
"""Where trials are done."""


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """What to search; None is what the project file says.

    Attributes:
        project: read and validated.
        trials: settings beside those of the project file, in all calls.
        seconds: that this call may take, about.
        epochs: of a trial.
        confirm: trainings with fresh seeds, of the best and of the project file's settings.
        pruner: `median`, `hyperband` or `none`.
        search: names of settings.
        seed: of what is tried.
        jobs: trials at a time.
        on: PROCESSES or RAY.
        resume: go on with the last search.
        apply: write the settings into the project file.
        range_only: end after the learning-rate range test.
        offline: download nothing.
        dry_run: check everything, learn and write nothing.
    """

    project: Project
    trials: int | None = None
    seconds: float | None = None
    epochs: int | None = None
    confirm: int | None = None
    pruner: str | None = None
    search: tuple[str, ...] = ()
    seed: int | None = None
    jobs: int = 1
    on: str = PROCESSES
    resume: bool = False
    apply: bool = False
    range_only: bool = False
    offline: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class RangeFound:
    """What the learning-rate range test said.

    Attributes:
        suggestion: learning rate; None where no rate brought the loss down.
        steepest: rate of steepest descent; None likewise.
        least: rate of the least loss; None likewise.
        ran_away: the loss ended the test.
        rates: of each step.
        smoothed: loss of each step, without the noise of batches.
        losses: as they came.
        path: of the same as JSON.
        plot: of the curve.
    """

    suggestion: float | None
    steepest: float | None
    least: float | None
    ran_away: bool
    rates: tuple[float, ...]
    smoothed: tuple[float, ...]
    losses: tuple[float, ...]
    path: Path
    plot: Path

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints; the curve lies in the file."""
        names = ("suggestion", "steepest", "least", "ran_away", "path", "plot")
        return {**{name: getattr(self, name) for name in names}, "steps": len(self.rates)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether what was found is better than what the project file says.

    Attributes:
        base: trial of the project file's settings.
        best: the best trial; None where no other one did better.
        before: scores of the project file's settings with fresh seeds.
        after: those of the best ones.
        difference: best - base on the same validation photos, of the first seed; None where it was not measured.
        interval: of the difference, at 95 %, over photos.
        better: it is better beyond seeds and photos; None where nobody tried again.
        propose: the settings are worth a diff: on average no worse.
        said: a sentence or two.
    """

    base: Trial
    best: Trial | None
    before: tuple[float, ...]
    after: tuple[float, ...]
    difference: float | None
    interval: Interval | None
    better: bool | None
    propose: bool
    said: str

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "base": asdict(self.base),
            "best": None if self.best is None else asdict(self.best),
            "before": list(self.before),
            "after": list(self.after),
            "difference": self.difference,
            "interval": None if self.interval is None else [self.interval.low, self.interval.high],
            "better": self.better,
            "propose": self.propose,
            "said": self.said,
        }


@dataclass(frozen=True, slots=True)
class TuneResult:
    """What came of it.

    Attributes:
        run: the search's folder; None after a dry run.
        task: that is learned.
        metric: that trials are compared by.
        up: higher is better.
        validation: photos that judge.
        epochs: of a trial; None where they are the family's own, or there are none.
        searched: settings, each with what it is drawn from.
        wanted: trials in all.
        range_test: None where there was none.
        trials: what was tried, those with fresh seeds included.
        found: what they say; None where there is nothing to say yet.
        importance: of each setting by dotted name, of 1 in all (fANOVA); empty where too few trials are whole.
        settings: of the best trial, that the project file has not, by dotted name.
        diff: of the project file; empty where nothing is proposed.
        diff_file: the same as a file; None likewise.
        applied: the project file has the settings now.
        page: the report; None after a dry run.
        open: what is left to do, a sentence; empty when all is done.
        notes: what to know, a sentence each.
        seconds: that this call took.
    """

    run: Path | None
    task: str
    metric: str
    up: bool
    validation: int
    epochs: int | None
    searched: Mapping[str, str]
    wanted: int
    range_test: RangeFound | None = None
    trials: tuple[Trial, ...] = ()
    found: Verdict | None = None
    importance: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    diff: str = ""
    diff_file: Path | None = None
    applied: bool = False
    page: Path | None = None
    open: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        document = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            **document,
            "seconds": round(self.seconds, 1),
            "range_test": self.range_test and self.range_test.as_json(),
            "found": self.found and self.found.as_json(),
            "trials": [asdict(each) for each in self.trials],
        }
