"""`vision doctor`: everything that can be wrong before any work starts, found by small checks in one table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from vision_cli.core import project as projects
from vision_cli.core import run as runs
from vision_cli.core.errors import UsageError, VisionError
from vision_cli.core.weights import cache_folder
from vision_cli.stages.project import config, installation, machine
from vision_cli.stages.project.checkline import CheckLine

_MOST_LEFTOVERS = 20


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """Where to look.

    Attributes:
        project_file: None looks upwards from the working directory.
        overrides: `key=value` words that the project is read with.
    """

    project_file: Path | None = None
    overrides: tuple[str, ...] = ()

    @property
    def file(self) -> Path | None:
        """Return the project file, if there is one."""
        return self.project_file or projects.find(Path.cwd())

    @property
    def root(self) -> Path:
        """Return the project's folder; the working directory without a project."""
        return self.file.absolute().parent if self.file else Path.cwd()


@dataclass(frozen=True, slots=True)
class DoctorResult:
    """Every line of every check, in the table's order."""

    lines: tuple[CheckLine, ...]

    @property
    def healthy(self) -> bool:
        """Return whether no check found an error."""
        return all(line.level != "error" for line in self.lines)

    def count(self, level: str) -> int:
        """Return how many lines have a level."""
        return sum(line.level == level for line in self.lines)


def project_file(request: DoctorRequest) -> Iterator[CheckLine]:
    """Check the project file as `vision config check` does; each problem is a line."""
    if request.file is None:
        yield CheckLine("project", "note", "no vision.yaml here or above", "Write one: vision init --data FOLDER")
        return
    try:
        config.check(projects.load(request.file, request.overrides))
    except UsageError as error:
        for problem in error.details or (error.message,):
            yield CheckLine("project", "error", problem, error.hint)
    else:
        yield CheckLine("project", "ok", f"{request.file} is valid")


def leftovers(request: DoctorRequest) -> Iterator[CheckLine]:
    """Tell runs that never ended, locks that are held, and files that a crash left half written."""
    folder = request.root / runs.RUNS
    found = [*_open_runs(folder), *_locks(request.root), *_halves(request.root)]
    yield from found or [CheckLine("leftovers", "ok", "no open run, no held lock, no half-written file")]


def _open_runs(folder: Path) -> Iterator[CheckLine]:
    for path in sorted(folder.glob(f"*/*/{runs.STATUS}")):
        if path.parent.is_symlink():
            continue
        try:
            status = runs.Run(path.parent).status
        except VisionError as error:
            yield CheckLine("run", "warning", error.message, error.hint)
            continue
        if status.get("state") == "running":
            alive = _is_alive(status.get("pid"))
            message = f"{path.parent} is {'running' if alive else 'not finished, and its process is gone'}"
            hint = None if alive else "vision train --resume, or delete the folder"
            yield CheckLine("run", "note" if alive else "warning", message, hint)


def _is_alive(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # someone else's
        return True
    return True


def _locks(root: Path) -> Iterator[CheckLine]:
    places = (root / runs.RUNS, root / ".vision", cache_folder())
    for path in sorted(path for place in places for path in place.rglob("*.lock")):
        try:
            with FileLock(path, timeout=0):
                pass
        except Timeout:
            yield CheckLine("lock", "note", f"{path} is held by another command", "Wait for it, or end it.")
        except OSError as error:
            yield CheckLine("lock", "warning", f"{path}: {error.strerror}")


def _halves(root: Path) -> Iterator[CheckLine]:
    places = (root.glob(".*.part"), root.glob("exports/.*.part"), (root / runs.RUNS).rglob(".*.part"))
    paths = [path for place in places for path in place]
    for path in sorted(paths)[:_MOST_LEFTOVERS]:
        yield CheckLine("half-written", "note", f"{path} was never finished", "Harmless; delete it when nothing runs.")


CHECKS: Mapping[str, Callable[[DoctorRequest], Iterable[CheckLine]]] = {
    "versions": lambda request: installation.versions(),
    "extras": lambda request: installation.extras(),
    "opencv": lambda request: installation.opencvs(),
    "processor": lambda request: machine.processor(),
    "disk": lambda request: machine.disk(request.root),
    "rights": lambda request: machine.rights(request.root),
    "switches": lambda request: machine.switches(),
    "leftovers": leftovers,
    "project": project_file,
}
"""Every check by name. One that crashes is an error itself."""


def doctor(request: DoctorRequest) -> DoctorResult:
    """Run every check."""
    return DoctorResult(tuple(line for name in CHECKS for line in _examine(name, request)))


def _examine(name: str, request: DoctorRequest) -> list[CheckLine]:
    try:
        return list(CHECKS[name](request))
    except Exception as error:  # noqa: BLE001  # a check that crashed has not passed
        return [CheckLine(name, "error", f"the check itself failed: {type(error).__name__}: {error}")]
