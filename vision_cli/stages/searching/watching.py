"""What stands between a trial's training and who hears of it: scores to judge by, and nothing said twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vision_cli.core.progress import Progress

_RESUME = "to go on later:"

Watch = Callable[[float | None], None]
"""Is told the score after each epoch; raises HopelessError to end the trial."""


class HopelessError(Exception):
    """The trial is ended early."""


@dataclass(slots=True)
class Watched:
    """Passes on what a training tells, and shows the score of each epoch to who watches."""

    progress: Progress
    watch: Watch

    def say(self, text: str) -> None:
        """Leave out what each trial says again."""

    def warn(self, text: str) -> None:
        """Pass a warning on, but for how to resume a training that is deleted."""
        if not text.startswith(_RESUME):
            self.progress.warn(text)

    def step(self, name: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Pass a step on; after all epochs but the last one, the trial may be hopeless."""
        self.progress.step(name, done, total, values)
        if name == "train":
            self.watch((values or {}).get("val_score"))


@dataclass(slots=True)
class Once:
    """Tells each warning once, whatever number of trials gives it."""

    progress: Progress
    told: set[str] = field(default_factory=set)

    def say(self, text: str) -> None:
        """Pass a line on."""
        self.progress.say(text)

    def warn(self, text: str) -> None:
        """Pass a new warning on."""
        if text not in self.told:
            self.told.add(text)
            self.progress.warn(text)

    def step(self, name: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Pass a step on."""
        self.progress.step(name, done, total, values)
