"""Who does the trials: this process one after the other, or several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from vision_cli.core.progress import Progress
from vision_cli.stages.searching.trial import FAILED, Trial
from vision_cli.stages.tuning.trying import Judge, Trying

_ENDING_S = 5.0
_WATCH_S = 1.0


class Hands(Protocol):
    """Does trials."""

    @property
    def free(self) -> bool:
        """Return whether one more trial may begin."""

    def start(self, trial: Trial) -> None:
        """Begin a trial."""

    def wait(self, judge: Judge) -> list[Trial]:
        """Return trials that are over, one at least; `judge` is asked about those that go on meanwhile."""

    def close(self) -> None:
        """End what still goes on."""


class OwnHands:
    """This process does one trial after the other."""

    def __init__(self, trying: Trying, progress: Progress) -> None:
        self._trying, self._progress = trying, progress
        self._trial: Trial | None = None

    @property
    def free(self) -> bool:
        """Return whether the last one is over."""
        return self._trial is None

    def start(self, trial: Trial) -> None:
        """Take a trial."""
        self._trial = trial

    def wait(self, judge: Judge) -> list[Trial]:
        """Do it."""
        trial, self._trial = self._trial, None
        return [] if trial is None else [self._trying.tried(trial, judge, self._progress)]

    def close(self) -> None:
        """Nothing goes on."""


class Processes:
    """Several processes do a trial each; one that is killed fails its trial and is replaced.

    Args:
        trying: what the trials have in common.
        jobs: processes.
        progress: hears their warnings.
    """

    def __init__(self, trying: Trying, jobs: int, progress: Progress) -> None:
        self._trying, self._jobs, self._progress = trying, jobs, progress
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    @property
    def free(self) -> bool:
        """Return whether a process has nothing to do."""
        return len(self._busy) < self._jobs

    def start(self, trial: Trial) -> None:
        """Give a trial to a process, a new one if need be."""
        worker = self._idle.pop() if self._idle else _Worker(self._trying, self._jobs)
        worker.begin(trial)
        self._busy.append(worker)

    def wait(self, judge: Judge) -> list[Trial]:
        """Answer what the processes ask until a trial is over."""
        over: list[Trial] = []
        while self._busy and not over:
            ready = wait([worker.pipe for worker in self._busy])
            over = [trial for worker in [*self._busy] if worker.pipe in ready and (trial := self._heard(worker, judge))]
        return over

    def _heard(self, worker: _Worker, judge: Judge) -> Trial | None:
        """Take a message of a process; return its trial if that is over."""
        try:
            kind, content = worker.pipe.recv()
        except (EOFError, OSError):
            self._busy.remove(worker)
            return worker.lost()
        if kind == "warn":
            self._progress.warn(content)
        elif kind == "scores":
            worker.pipe.send(judge(worker.trial, content))
        else:
            self._busy.remove(worker)
            self._idle.append(worker)
            over: Trial = content
            return over
        return None

    def close(self) -> None:
        """End the processes."""
        for worker in (*self._idle, *self._busy):
            worker.end()


class _Worker:
    """A process that does one trial after the other."""

    def __init__(self, trying: Trying, jobs: int) -> None:
        context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
        self.pipe, theirs = context.Pipe()
        threads = max(1, (os.cpu_count() or 1) // jobs)
        self._process = context.Process(target=_serve, args=(theirs, trying, threads, os.getpid()))
        self._process.start()
        theirs.close()
        self._trial: Trial | None = None
        self._started = 0.0

    @property
    def trial(self) -> Trial:
        """Return what it is at."""
        if self._trial is None:
            raise RuntimeError("nothing was begun")
        return self._trial

    def begin(self, trial: Trial) -> None:
        """Give it a trial."""
        self._trial, self._started = trial, time.monotonic()
        self.pipe.send(trial)

    def lost(self) -> Trial:
        """Return the trial of a process that is gone."""
        self._process.join(_ENDING_S)
        code = self._process.exitcode
        why = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
        said = f"its process ended {why}: memory may have run out"
        return replace(self.trial, state=FAILED, said=said, seconds=round(time.monotonic() - self._started, 1))

    def end(self) -> None:
        """End it."""
        self.pipe.close()
        self._process.terminate()
        self._process.join(_ENDING_S)
        if self._process.is_alive():
            self._process.kill()


def _serve(pipe: Connection, trying: Trying, threads: int, parent: int) -> None:
    """Do trials until nobody sends any."""
    os.environ["OMP_NUM_THREADS"] = str(threads)  # before numpy and torch are there
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    import torch

    torch.set_num_threads(threads)
    telling = _Telling(pipe)
    while True:
        try:
            trial = pipe.recv()
            pipe.send(("over", trying.tried(trial, telling.asks, telling)))
        except (EOFError, OSError, KeyboardInterrupt):
            return


def _end_with(parent: int) -> None:
    """End this process when the one that began it is gone: `kill -9` closes no trial."""
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)


class _Telling:
    """Passes warnings on; the first process draws what is to be drawn."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def say(self, text: str) -> None:
        """Leave lines out."""

    def warn(self, text: str) -> None:
        """Pass a warning on."""
        self._pipe.send(("warn", text))

    def step(self, name: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Leave steps out."""

    def asks(self, trial: Trial, scores: Sequence[float | None]) -> bool:
        """Ask the first process whether to end a trial."""
        self._pipe.send(("scores", list(scores)))
        answer: Any = self._pipe.recv()
        return bool(answer)
