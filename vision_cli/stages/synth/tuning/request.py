"""What a search is asked for, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vision_cli.core.project import Project
from vision_cli.stages.searching.trial import Trial
from vision_cli.stages.searching.verdict import Verdict


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """What to search; None is what the project file says.

    Attributes:
        project: read and validated.
        command: whose settings, of `COMMANDS`.
        real: labelled photos to judge on, a view or a data set.
        objects: as for the command.
        backgrounds: as for the command.
        trials: in all.
        minutes: that this call may take, about; None is as long as the trials take.
        photos: made ones of a trial.
        epochs: of a trial.
        confirm: trials with fresh seeds, of the best and of the project file's settings.
        search: names of settings.
        out: folder of the search.
        seed: of what is tried.
        workers: processes that make photos; None is one a core.
        offline: no download.
        dry_run: write nothing.
    """

    project: Project
    command: str = "logos"
    real: str | None = None
    objects: str | None = None
    backgrounds: str | None = None
    trials: int | None = None
    minutes: float | None = None
    photos: int | None = None
    epochs: int | None = None
    confirm: int | None = None
    search: tuple[str, ...] = ()
    out: Path | None = None
    seed: int | None = None
    workers: int | None = None
    offline: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class TuneResult:
    """What came of it.

    Attributes:
        folder: of the search.
        command: whose settings were searched.
        task: that was learned.
        metric: that trials were compared by.
        real: the photos that judged.
        photos: number of them.
        searched: names of the settings.
        wanted: trials in all.
        trials: what was tried, those with fresh seeds included.
        found: what they say; None before the first one.
        settings: of the section, that the best trial has and the project file has not.
        diff: of the project file; empty where nothing is proposed.
        diff_file: the same as a file; None likewise.
        page: the report; None of a dry run.
        open: what is left to do, a sentence; empty when all is done.
        notes: what to know, a sentence each.
        seconds: that this call took.
        dry_run: nothing is written.
    """

    folder: Path
    command: str
    task: str
    metric: str
    real: str
    photos: int
    searched: tuple[str, ...]
    wanted: int
    trials: tuple[Trial, ...] = ()
    found: Verdict | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    diff: str = ""
    diff_file: Path | None = None
    page: Path | None = None
    open: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        document = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("found", "trials")}
        return {
            **document,
            "seconds": round(self.seconds, 1),
            "found": None if self.found is None else asdict(self.found),
            "trials": [asdict(each) for each in self.trials],
        }
