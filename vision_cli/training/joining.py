"""How the processes of a training find each other."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # compiled
from torch.distributed.rendezvous import rendezvous

from vision_cli.training.team import Team

_PATIENCE = datetime.timedelta(days=30)
"""Others wait while the first validates; one that is gone is noticed by its closed connection, not by time."""
_HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Seat:
    """The place of this process among all of them.

    Attributes:
        rank: 0 to `size` - 1.
        size: number of processes.
        local_rank: among those of this machine.
        local_size: how many those are.
        port: of this machine, where the first one waits; None where torchrun's variables tell the place.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    port: int | None = None


def meeting_place(size: int) -> Any:
    """Return the store by which the processes of this machine find each other, on a free port: `.port`."""
    return TCPStore(_HERE, 0, size, is_master=True, timeout=_PATIENCE, wait_for_workers=False)


def arrived(store: Any, rank: int) -> bool:
    """Return whether a process has found the meeting place."""
    return bool(store.check([_key(rank)]))


@contextmanager
def joined(seat: Seat, store: Any = None) -> Iterator[Team]:
    """Meet the others, and part from them: where one fails, all leave.

    Args:
        seat: of this process.
        store: `meeting_place` of the first process.
    """
    if seat.size == 1:
        yield Team()
        return
    store = _rendezvous(seat) if store is None else store
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(seat.local_rank)
    threads = torch.get_num_threads()
    dist.init_process_group(backend, store=store, rank=seat.rank, world_size=seat.size, timeout=_PATIENCE)
    team = Team(seat.rank, seat.size, seat.local_rank, seat.local_size, store)
    torch.set_num_threads(max(1, threads // seat.local_size))
    try:
        with team.to_the_end():
            yield team
    finally:
        torch.set_num_threads(threads)
        with suppress(Exception):  # of a group that lost a process there is nothing to destroy
            dist.destroy_process_group()


def _rendezvous(seat: Seat) -> Any:
    if seat.port is None:
        store, _, _ = next(rendezvous("env://", timeout=_PATIENCE))
        store.set_timeout(_PATIENCE)
        return store
    store = TCPStore(_HERE, seat.port, seat.size, is_master=False, timeout=_PATIENCE, wait_for_workers=False)
    store.set(_key(seat.rank), "here")
    return store


def _key(rank: int) -> str:
    return f"vision/here/{rank}"
