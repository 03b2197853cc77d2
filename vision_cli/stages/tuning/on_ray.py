"""Trials on the processes of a Ray cluster.

Every machine reads the project at the same path, so that photos need no way of their own; it is checked that each sees
the same labels. The first process alone draws settings, judges and writes the journal.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from vision_cli.core.errors import ResourceError
from vision_cli.core.progress import Progress
from vision_cli.stages import ray_cluster
from vision_cli.stages.searching.trial import FAILED, Trial
from vision_cli.stages.tuning.trying import Judge, Trying

_LOOK_S = 0.2
Name = tuple[int, int]
"""Number of a trial, and which time it is tried."""


class OnRay:
    """Processes of a cluster do a trial each.

    Args:
        trying: what the trials have in common.
        digest: of the labels that this machine sees.
        jobs: trials at a time; 1 is one a core of the cluster.
        progress: hears of the cluster.

    Raises:
        ResourceError: no cluster answers.
    """

    def __init__(self, trying: Trying, digest: str, jobs: int, progress: Progress) -> None:
        import ray

        self._cluster = ExitStack()
        cores, notes = self._cluster.enter_context(ray_cluster.joined(jobs if jobs > 1 else None))
        for note in notes:
            progress.say(note)
        self._jobs = jobs if jobs > 1 else max(1, cores)
        self._mailbox: Any = ray.remote(num_cpus=0)(_Mailbox).remote()
        self._common = ray.put((trying, digest))
        self._remote: Any = ray.remote(num_cpus=1, max_retries=0)(_do)
        self._busy: dict[Any, Trial] = {}

    @property
    def free(self) -> bool:
        """Return whether one more trial may begin."""
        return len(self._busy) < self._jobs

    def start(self, trial: Trial) -> None:
        """Give a trial to the cluster."""
        self._busy[self._remote.remote(self._common, trial, self._mailbox)] = trial

    def wait(self, judge: Judge) -> list[Trial]:
        """Answer what the processes ask until a trial is over.

        Raises:
            ResourceError: a machine sees other photos.
        """
        import ray

        while self._busy:
            ready, _ = ray.wait(list(self._busy), timeout=_LOOK_S)
            running = {(each.number, each.again): each for each in self._busy.values()}
            for name, scores in ray.get(self._mailbox.take.remote()):
                hopeless = name in running and judge(running[name], scores)
                self._mailbox.answer.remote(name, hopeless)
            if ready:
                return [self._over(reference) for reference in ready]
        return []

    def _over(self, reference: Any) -> Trial:
        import ray

        trial = self._busy.pop(reference)
        try:
            over: Trial = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, ResourceError):
                raise error.cause from None
            return replace(trial, state=FAILED, said=str(error.cause).strip().partition("\n")[0])
        except ray.exceptions.RayError as error:
            return replace(trial, state=FAILED, said=str(error).strip().partition("\n")[0])
        return over

    def close(self) -> None:
        """Leave the cluster; what goes on there is ended."""
        import ray

        for reference in self._busy:
            ray.cancel(reference, force=True)
        self._cluster.close()


class _Mailbox:
    """What processes ask, and what the first one answers."""

    def __init__(self) -> None:
        self._asked: list[tuple[Name, list[float | None]]] = []
        self._answers: dict[Name, asyncio.Future[bool]] = {}

    async def ask(self, name: Name, scores: list[float | None]) -> bool:
        """Wait for the first process to say whether a trial is hopeless."""
        self._answers[name] = asyncio.get_running_loop().create_future()
        self._asked.append((name, scores))
        return await self._answers[name]

    async def take(self) -> list[tuple[Name, list[float | None]]]:
        """Return what was asked since the last time."""
        taken, self._asked = self._asked, []
        return taken

    async def answer(self, name: Name, hopeless: bool) -> None:
        """Let a trial go on, or end it."""
        waiting = self._answers.pop(name, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(hopeless)


def _do(common: tuple[Trying, str], trial: Trial, mailbox: Any) -> Trial:
    """Do a trial in a process of the cluster.

    Raises:
        ResourceError: this machine does not see the project as the first one does.
    """
    import ray

    from vision_cli.core.progress import Silent

    trying, digest = common
    _check_view(trying, digest)

    def judge(trial: Trial, scores: Sequence[float | None]) -> bool:
        return bool(ray.get(mailbox.ask.remote((trial.number, trial.again), list(scores))))

    return trying.tried(trial, judge, Silent())


def _check_view(trying: Trying, digest: str) -> None:
    from vision_cli.core.errors import VisionError
    from vision_cli.stages.data import load_view

    where = os.uname().nodename
    hint = f"Share {trying.project.root} among the machines, at the same path."
    if not trying.folder.is_dir():
        raise ResourceError(f"{where}: has no {trying.folder}.", hint=hint)
    try:
        seen = load_view(trying.project, remember=False).without_test().dataset.digest()
    except VisionError as error:
        raise ResourceError(f"{where}: {error.message}", hint=hint) from error
    if seen != digest:
        raise ResourceError(f"{where}: sees other photos or labels than the first machine.", hint=hint)
