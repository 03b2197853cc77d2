"""How many processes a training has, and the other ones of this machine: started, watched and ended by the first."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vision_cli
from vision_cli.core.config import ProjectConfig, TrainConfig
from vision_cli.core.contracts import Network
from vision_cli.core.errors import ResourceError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.run import Run
from vision_cli.models.ultralytics.recipe import Recipe
from vision_cli.stages.data import TaskData
from vision_cli.stages.training import fitting

if TYPE_CHECKING:
    from vision_cli.training.joining import Seat
    from vision_cli.training.team import Team

_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_LOOK_SECONDS = 0.2
_END_SECONDS = 30.0
_KEPT_LINES = 12


def seat(config: ProjectConfig, environment: Mapping[str, str] = os.environ) -> Seat:
    """Return the place of this process: torchrun's, or the first of those that will be started here.

    Raises:
        UsageError: there are not so many devices, or several machines without torchrun.
    """
    from vision_cli.training.joining import Seat

    train = config.train
    if by_torchrun(environment):
        rank, size, local_rank, local_size = (int(environment[name]) for name in _TORCHRUN[:4])
        _check_torchrun(train, size, local_size)
        _check_batch(train, size)
        return Seat(rank, size, local_rank, local_size)
    if train.nodes > 1:
        raise UsageError(
            f"train.nodes: {train.nodes} machines, but torchrun did not start this process.",
            hint=f"On each machine: torchrun --nnodes={train.nodes} --nproc-per-node=GPUS --node-rank=NUMBER "
            "--master-addr=FIRST_MACHINE --no-python vision train",
        )
    size = _here(train)
    return Seat(0, size, 0, size)


def by_torchrun(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether torchrun started this process, and the others."""
    return all(name in environment for name in _TORCHRUN)


def _check_torchrun(train: TrainConfig, size: int, local_size: int) -> None:
    nodes = size // local_size
    if train.nodes not in (1, nodes) or train.devices not in ("auto", local_size):
        raise UsageError(
            f"train.devices: torchrun started {local_size} processes on each of {nodes} machines, but the project file "
            f"says {train.devices} on {train.nodes}.",
            hint="Leave train.devices and train.nodes out: torchrun's are taken.",
        )


def _here(train: TrainConfig) -> int:
    """Return the number of processes on this machine."""
    import torch

    from vision_cli.training.checks import accelerator

    device = accelerator(train.device)
    there = torch.cuda.device_count() if device == "cuda" else 1 if device == "mps" else _cores()
    if train.devices == "auto":
        return min(there, train.batch_size) if device == "cuda" else 1
    if train.devices > there:
        what = {"cuda": "GPU", "mps": "GPU"}.get(device, "core")
        raise UsageError(
            f"train.devices: {train.devices}, but there {'is' if there == 1 else 'are'} {there} "
            f"{what}{'' if there == 1 else 's'} here.",
            hint=f"Use auto, or at most {there}.",
        )
    _check_batch(train, train.devices)
    return train.devices


def _check_batch(train: TrainConfig, size: int) -> None:
    if size > train.batch_size:
        raise UsageError(
            f"train.batch_size: {train.batch_size} photos cannot be shared out among {size} processes.",
            hint="A batch is that of all processes together: make it larger.",
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def why_alone(config: ProjectConfig, data: TaskData, network: Network) -> str | None:
    """Return what one process does by itself, so that others would have nothing to do; None where they share the work.

    Raises:
        UsageError: several are asked for, and the family trains by a recipe of its own.
    """
    if isinstance(network, Recipe):
        if config.train.devices not in ("auto", 1) or config.train.nodes > 1:
            raise UsageError(
                f"train.devices: '{network.family}' trains by its own recipe, in one process.",
                hint="Leave train.devices and train.nodes out, or choose another model.family.",
            )
        return "its own recipe"
    if config.model.family == fitting.FEATURES:
        return "the family features"
    return "a frozen backbone" if fitting.freezes_backbone(config, data, network) else None


def without_idlers(place: Seat, config: ProjectConfig, learning: tuple[TaskData, Network], progress: Progress) -> Seat:
    """Return the place of a process that learns alone where others would have nothing to do, and say so.

    Raises:
        UsageError: see `why_alone`.
    """
    from vision_cli.training.joining import Seat

    reason = why_alone(config, *learning)
    if reason is None or place.size == 1:
        return place
    if config.train.devices != "auto" or by_torchrun():
        progress.warn(f"train.devices: without effect with {reason}: one process does it all.")
    return Seat()


@dataclass(frozen=True, slots=True)
class Call:
    """What the other processes of this machine are asked to do.

    Attributes:
        request: as `companion` reads it.
        record: the run; what they print goes to files in it.
        batch_size: photos.
    """

    request: Mapping[str, Any]
    record: Run
    batch_size: int


@contextmanager
def together(place: Seat, call: Call, progress: Progress) -> Iterator[Team]:
    """Start the other processes of this machine, or join those that torchrun started, and part from them in the end.

    Raises:
        ResourceError: one of them was killed.
        VisionError: what ended one of them ends all.
    """
    from vision_cli.training import joining

    if place.size == 1 or by_torchrun():
        with joining.joined(place) as team:
            yield team
        return
    progress.say(f"{place.size} processes learn together, from {call.batch_size} photos a batch")
    store = joining.meeting_place(place.size)
    with tempfile.TemporaryDirectory(prefix="vision-train-") as folder:
        others = _Others(call, place.size, store.port, Path(folder))
        try:
            others.start()
            others.wait_for(lambda rank: joining.arrived(store, rank))
            with joining.joined(place, store) as team:
                yield team
            others.end(_END_SECONDS)
        except RuntimeError as error:
            if found := others.fallen():
                raise found from error
            raise
        finally:
            others.end(0.0)


class _Others:
    """The processes of this machine besides the first."""

    def __init__(self, call: Call, size: int, port: int, folder: Path) -> None:
        self._call, self._size, self._port, self._folder = call, size, port, folder
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        for rank in range(1, self._size):
            self._started[rank] = self._one(rank)

    def _one(self, rank: int) -> subprocess.Popen[bytes]:
        seat = {"rank": rank, "size": self._size, "local_rank": rank, "local_size": self._size, "port": self._port}
        folder = self._folder / str(rank)
        folder.mkdir()
        root = str(Path(vision_cli.__file__).parents[1])
        paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        with self._log(rank).open("wb") as log:
            # A session of its own: Ctrl-C reaches the first process alone. The others end with their input.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "vision_cli.stages.training.companion"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": paths},
            )
        asked = {"seat": seat, "folder": str(folder), **self._call.request}
        with suppress(BrokenPipeError):
            self._input(process).write(f"{json.dumps(asked)}\n".encode())
            self._input(process).flush()
        return process

    @staticmethod
    def _input(process: subprocess.Popen[bytes]) -> Any:
        return process.stdin

    def _log(self, rank: int) -> Path:
        return self._call.record.folder / f"process-{rank}.log"

    def wait_for(self, arrived: Any) -> None:
        """Wait until all are there.

        Raises:
            ResourceError: one ended on the way.
        """
        while missing := [rank for rank in self._started if not arrived(rank)]:
            if any(self._started[rank].poll() is not None for rank in missing) and (found := self.fallen()):
                raise found
            time.sleep(_LOOK_SECONDS)

    def fallen(self) -> ResourceError | None:
        """Return the error of a process that ended before its time, or None."""
        time.sleep(_LOOK_SECONDS)  # a connection closes a moment before its process is gone
        for rank, process in self._started.items():
            code = process.poll()
            if code:
                return self._error(rank, code)
        return None

    def _error(self, rank: int, code: int) -> ResourceError:
        log = self._log(rank)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        lines = log.read_text(errors="replace").splitlines()[-_KEPT_LINES:]
        memory = "Perhaps memory ran out: make train.batch_size, train.workers or train.devices smaller."
        return ResourceError(
            f"process {rank} of 0 to {self._size - 1} of the training {how}.",
            hint=memory if code == -signal.SIGKILL else f"What it said is in {log}." if lines else None,
            details=lines,
        )

    def end(self, patience: float) -> None:
        """Let them end by themselves for some seconds, then end them."""
        until = time.monotonic() + patience
        for rank, process in self._started.items():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
            with suppress(OSError):
                self._input(process).close()
            try:
                process.wait(_LOOK_SECONDS * 10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log = self._log(rank)
            with suppress(OSError):
                if not log.stat().st_size:
                    log.unlink()
