"""Start `child.py` with the switches that keep Ultralytics to itself, and hear what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vision_cli.core.catalogue import require
from vision_cli.core.errors import DataError, MissingPartError, ResourceError, VisionError
from vision_cli.models.ultralytics.published import INTERPRETER

_CHILD = Path(__file__).with_name("child.py")
_KEPT_LINES = 20
# Not the user's to choose, unlike those of core/policy.py: what is installed, sent or unpickled here is our promise.
_SWITCHES = {
    "YOLO_AUTOINSTALL": "false",
    "YOLO_OFFLINE": "true",
    "YOLO_VERBOSE": "false",
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
    "PIP_NO_INDEX": "1",
    "UV_OFFLINE": "1",
    "PYTHONUNBUFFERED": "1",
}
Hear = Callable[[Mapping[str, Any]], None]


def interpreter(family: str) -> str:
    """Return the Python that runs Ultralytics.

    Raises:
        MissingPartError: it is not installed here, and no other Python is named.
    """
    named = os.environ.get(INTERPRETER)
    if named is None:
        require(("ultralytics",), extra="yolo", what=f"model family '{family}'")
        return sys.executable
    if not Path(named).is_file():
        raise MissingPartError(
            f"model family '{family}': {INTERPRETER} is {named}, and there is no such file.",
            hint=f"Set {INTERPRETER} to a Python with Ultralytics, or unset it: pip install 'vision-cli[yolo]'",
        )
    return named


def run(request: Mapping[str, Any], hear: Hear, *, family: str, log: Path | None = None) -> dict[str, Any]:
    """Let the child do one piece of work; return the last thing that it says.

    Args:
        request: `work` and what it needs.
        hear: gets what it says on the way.
        family: for messages.
        log: what its libraries print goes there; nowhere when None.

    Raises:
        MissingPartError: Ultralytics is not installed.
        ResourceError: memory does not suffice.
        DataError: it refuses.
    """
    python = interpreter(family)
    with tempfile.TemporaryDirectory(prefix="vision-yolo-") as folder:
        printed = log or Path(folder) / "log.txt"
        with printed.open("ab") as errors, _start(python, Path(folder), errors) as process:
            last = _heard(process, request, hear)
            code = process.wait()
        if last.get("event") != "done":
            raise _failed(family, last, printed, code=code, kept=log is not None)
    return last


def _start(python: str, folder: Path, errors: Any) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "COMET_"))}
    own = {"YOLO_CONFIG_DIR": str(folder), "MPLCONFIGDIR": str(folder)}
    # A group of its own: Ctrl-C reaches who started it, and it ends with its input.
    return subprocess.Popen(  # noqa: S603  our own program
        [python, "-P", str(_CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**inherited, **_SWITCHES, **own},
        cwd=folder,
        start_new_session=True,
        encoding="utf-8",
    )


def _heard(process: subprocess.Popen[str], request: Mapping[str, Any], hear: Hear) -> dict[str, Any]:
    last: dict[str, Any] = {}
    if process.stdin is None or process.stdout is None:
        return last
    try:
        process.stdin.write(json.dumps(dict(request)) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            last = json.loads(line)
            if last["event"] not in ("done", "error"):
                hear(last)
    except BrokenPipeError:
        pass  # it ended before it read; its exit code and last words tell why
    except BaseException:
        process.kill()
        raise
    return last


def _failed(family: str, last: Mapping[str, Any], log: Path, *, code: int, kept: bool) -> VisionError:
    text = str(last.get("text") or f"the process ended with code {code}").splitlines()[0][:300]
    details = () if kept else tuple(log.read_text(errors="replace").strip().splitlines()[-_KEPT_LINES:])
    where = f" Its own words are in {log}." if kept else ""
    match last.get("kind"):
        case "missing":
            return MissingPartError(
                f"model family '{family}': {text}.", hint=f"pip install 'vision-cli[yolo]', or set {INTERPRETER}"
            )
        case "memory":
            return ResourceError(
                f"{family}: memory ran out: {text}.", hint="Choose a smaller train.batch_size or model.input.size."
            )
        case "unfit":
            return DataError(
                f"{family}: the weights do not fit the network: {text}.",
                hint="They are of another network, or the folder was mixed from two models.",
            )
        case "not-finite":
            return DataError(f"{family}: {text}.", hint=f"Lower train.learning_rate; check the labels.{where}")
        case _:
            return DataError(
                f"{family}: Ultralytics stopped: {text}", hint=where.strip() or "Its last words:", details=details
            )
