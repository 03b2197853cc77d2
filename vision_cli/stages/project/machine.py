"""Checks of the machine: disk, rights, processor, switches."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vision_cli.core import files, policy
from vision_cli.core.weights import cache_folder
from vision_cli.stages.project.checkline import CheckLine, Level

LOW_MB = 2_000
"""Less free space than this is worth a warning: a run with its checkpoints takes hundreds of megabytes."""
FULL_MB = 100


def disk(root: Path) -> Iterator[CheckLine]:
    """Check the free space where runs, weights and temporary files go."""
    for name, place in _places(root).items():
        free = files.free_mb(place)
        level: Level = "error" if free < FULL_MB else "warning" if free < LOW_MB else "ok"
        hint = None if level == "ok" else "Make room, or move the folder to another disk."
        yield CheckLine(f"disk for {name}", level, f"{free / 1000:.1f} GB free at {place}", hint)


def rights(root: Path) -> Iterator[CheckLine]:
    """Check that files can be written there, by writing one."""
    for name, place in _places(root).items():
        existing = next(folder for folder in (place, *place.parents) if folder.is_dir())
        try:
            with tempfile.TemporaryFile(dir=existing):
                yield CheckLine(f"write to {name}", "ok", str(place))
        except OSError as error:
            hint = "Change the folder's rights, or set VISION_CACHE to another one."
            yield CheckLine(f"write to {name}", "error", f"{existing}: {error.strerror}", hint)


def _places(root: Path) -> dict[str, Path]:
    return {"project": root, "weights": cache_folder(), "temporary files": Path(tempfile.gettempdir())}


def processor() -> Iterator[CheckLine]:
    """Tell cores, memory, threads, and the GPU that training would use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield CheckLine("cpu", "ok", f"{usable} of {os.cpu_count()} cores usable{_memory()}")
    limits = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if name in os.environ}
    if limits:
        yield CheckLine("threads", "note", ", ".join(f"{name}={value}" for name, value in limits.items()))
    if importlib.util.find_spec("torch") is None:
        yield CheckLine("gpu", "note", "torch is not installed", "pip install 'vision-cli[train]'")
    else:
        yield _gpu()


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # no such system call here
        return ""
    return f", {total / 1e9:.1f} GB memory"


def _gpu() -> CheckLine:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return CheckLine("gpu", "ok", ", ".join(names))
    if torch.backends.mps.is_available():
        return CheckLine("gpu", "ok", "Apple GPU (mps)")
    return CheckLine("gpu", "note", f"none; torch {torch.__version__} trains on the CPU")


def switches() -> Iterator[CheckLine]:
    """Tell the switches of telemetry and downloads; a user's own setting wins over ours."""
    for name, ours in policy.QUIET_SWITCHES.items():
        value = os.environ.get(name, ours)
        kept = value == ours
        yield CheckLine("switch", "ok" if kept else "note", f"{name}={value}{'' if kept else ', your own setting'}")
    state = "set: nothing is downloaded" if policy.offline() else "not set: weights that are asked for are downloaded"
    yield CheckLine("switch", "ok", f"VISION_OFFLINE {state}")
