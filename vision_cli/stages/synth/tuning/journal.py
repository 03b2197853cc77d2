"""What was tried: a line a trial, so that a search goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import UsageError
from vision_cli.stages.searching.sameness import differences
from vision_cli.stages.searching.trial import Trial
from vision_cli.stages.synth.making.run_folder import locked

STATE, LOG, PAGE, DIFF = "tune.json", "journal.jsonl", "report.html", "vision.yaml.diff"
REAL, TRIAL = "real", "trial"
"""Folders: the photos that trials are judged on, and what the trial of the moment makes."""

_OURS = frozenset({STATE, LOG, PAGE, DIFF, REAL, TRIAL})
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Journal:
    """The folder of a search.

    Attributes:
        path: of the folder.
    """

    path: Path

    @property
    def log(self) -> Path:
        """The file with a line a trial."""
        return self.path / LOG

    def check_folder(self) -> None:
        """Refuse a folder of somebody else.

        Raises:
            UsageError: saying what is there.
        """
        if not os.path.lexists(self.path):
            return
        if not self.path.is_dir():
            raise UsageError(f"{self.path}: is a file.", hint="Choose a folder: --out FOLDER.")
        foreign = sorted(name.name for name in self.path.iterdir() if not self._is_ours(name.name))
        if foreign:
            raise UsageError(
                f"{self.path}: holds what this command did not write.",
                details=foreign[:_SHOWN],
                hint="Choose another folder: --out FOLDER.",
            )

    def check(self, fingerprint: Mapping[str, Any]) -> None:
        """Refuse another search.

        Raises:
            UsageError: saying what differs.
        """
        before = self.state().get("settings")
        different = [] if before is None else differences(before, fingerprint)
        if different:
            raise UsageError(
                f"{self.path}: its trials were made with other settings.",
                details=different[:_SHOWN],
                hint="Choose another folder with --out, take the old settings back, or delete this one.",
            )

    def _is_ours(self, name: str) -> bool:
        return name in _OURS or name.endswith(".part") or name.startswith(f".{REAL}")

    def state(self) -> dict[str, Any]:
        """Return what the folder says of itself; nothing when it says nothing."""
        with suppress(OSError, ValueError):
            found = json.loads((self.path / STATE).read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
        return {}

    @contextmanager
    def held(self, fingerprint: Mapping[str, Any]) -> Iterator[None]:
        """Make the folder, write down what it is a search for, and be its only writer.

        Raises:
            ResourceError: another process writes there, or the disk refuses.
        """
        with files.disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self.log.touch()
        with locked(self.log):
            if not self.state():
                files.write_json(self.path / STATE, {"settings": fingerprint})
            yield

    def trials(self) -> list[Trial]:
        """Return what was tried, in order."""
        rows = files.read_json_lines(self.log) if self.log.is_file() else []
        return [Trial(**{**row, "scores": tuple(row["scores"])}) for row in rows]

    def add(self, trial: Trial) -> None:
        """Write a trial down."""
        files.append_json_line(self.log, asdict(trial))
