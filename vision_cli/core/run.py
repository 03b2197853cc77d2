"""Run folders: `runs/<stage>/<time>-<name>/`, written from the first second on; `latest` points to the newest."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vision_cli.core import files
from vision_cli.core.errors import DataError, VisionError

RUNS = "runs"
LATEST = "latest"
STATUS = "status.json"
MANIFEST = "run.json"
METRICS = "metrics.jsonl"
_PACKAGES = ("numpy", "pyarrow", "torch", "torchvision", "timm", "pytorch-lightning", "onnxruntime", "ai-edge-litert")


@dataclass(frozen=True, slots=True)
class Run:
    """One run's folder."""

    folder: Path

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what was written at the start: stage, config, seeds, versions, input hashes."""
        return read_json(self.folder / MANIFEST)

    @property
    def status(self) -> dict[str, Any]:
        """Return the state: `running`, `done`, `failed` or `interrupted`, with times and message."""
        return read_json(self.folder / STATUS)

    @property
    def command(self) -> str:
        """Return what was typed to start the run, to be typed again."""
        return shlex.join(["vision", *self.manifest.get("argv", [])])

    def log(self, row: Mapping[str, Any]) -> None:
        """Append a row to `metrics.jsonl`."""
        files.append_json_line(self.folder / METRICS, row)

    def metrics(self) -> list[dict[str, Any]]:
        """Return the rows of `metrics.jsonl`."""
        return files.read_json_lines(self.folder / METRICS)

    def set_status(self, state: str, **details: Any) -> None:
        """Write `status.json` whole."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        files.write_json(self.folder / STATUS, {"state": state, "at": now, "pid": os.getpid(), **details})


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that vision wrote.

    Raises:
        DataError: missing or not a JSON object.
    """
    try:
        document = json.loads(files.read_limited(path, max_bytes=200_000_000, what="this file of a run"))
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise DataError(f"{path}: expected a JSON object.")
    return document


def versions() -> dict[str, str]:
    """Return the versions of Python, vision and the libraries that decide results."""
    found = {"python": platform.python_version(), "platform": platform.platform(), "vision-cli": _version("vision-cli")}
    return {**found, **{name: _version(name) for name in _PACKAGES if _version(name)}}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def slug(text: str) -> str:
    """Return a text as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:60] or "run"


def create(root: Path, stage: str, name: str, manifest: Mapping[str, Any], *, now: datetime | None = None) -> Run:
    """Create a run's folder with its manifest and point `latest` to it.

    Args:
        root: the project's folder.
        stage: `train`, `eval`, `export` …
        name: of the project.
        manifest: resolved config, seeds, input hashes; versions and command line are added.
        now: UTC.
    """
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    parent = root / RUNS / stage
    with files.disk_errors(parent):
        parent.mkdir(parents=True, exist_ok=True)
        folder = _fresh(parent, f"{stamp}-{slug(name)}")
    run = Run(folder)
    files.write_json(folder / MANIFEST, {"stage": stage, "argv": sys.argv[1:], "versions": versions(), **manifest})
    run.set_status("running")
    _point(parent / LATEST, folder.name)
    return run


def _fresh(parent: Path, name: str) -> Path:
    for number in range(1, 10_000):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise DataError(f"{parent / name}: too many runs in one second.")


def _point(link: Path, target: str) -> None:
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    os.replace(temporary, link)


@contextmanager
def recorded(run: Run) -> Iterator[Run]:
    """Close a run's status whatever happens: done, failed or interrupted."""
    try:
        yield run
    except KeyboardInterrupt:
        run.set_status("interrupted")
        raise
    except VisionError as error:
        run.set_status("failed", error=error.as_json())
        raise
    except BaseException as error:
        run.set_status("failed", error={"kind": "bug", "message": repr(error)})
        raise
    if run.status.get("state") == "running":
        run.set_status("done")


def latest(root: Path, stage: str) -> Run:
    """Return the newest run of a stage.

    Raises:
        DataError: there is none.
    """
    link = root / RUNS / stage / LATEST
    if not link.is_dir():
        others = [each.parent for each in sorted(root.glob(f"{RUNS}/*/{LATEST}/model"))]
        trial = f" There is one of another kind: --model {others[0].relative_to(root)}/model." if others else ""
        raise DataError(f"{root / RUNS / stage}: no run yet.", hint=f"Run `vision {stage}` first.{trial}")
    return Run(link.resolve())
