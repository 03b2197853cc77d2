"""Side effects of other people's libraries, switched off in one place before they are imported."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

QUIET_SWITCHES: dict[str, str] = {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_OFFLINE": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GLOG_minloglevel": "2",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
}
"""Environment variables that stop telemetry, installs at run time and native log noise."""

# torch's OpenMP threads spin while they wait, which starves the decoding workers on small machines.
THREAD_SWITCHES: dict[str, str] = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}

# Arrow's own allocator keeps what was freed: a conversion of 94 MB of JSON takes 20 to 80 MB more with it.
MEMORY_SWITCHES: dict[str, str] = {"ARROW_DEFAULT_MEMORY_POOL": "system"}

# numpy starts the threads of its linear algebra at import: 50 ms of CPU on two cores.
ONE_THREAD_SWITCHES: dict[str, str] = {"OPENBLAS_NUM_THREADS": "1"}

OFFLINE_SWITCHES: dict[str, str] = {"VISION_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
"""Environment variables that forbid downloads to us and to the libraries that would do them for us."""


# malloc.h of glibc.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def apply(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set every switch that the user has not set."""
    for name, value in {**QUIET_SWITCHES, **THREAD_SWITCHES, **MEMORY_SWITCHES}.items():
        environment.setdefault(name, value)
    if offline(environment):
        go_offline(environment)


def go_offline(environment: MutableMapping[str, str] = os.environ) -> None:
    """Forbid downloads, here and in the processes that are started from here."""
    environment.update(OFFLINE_SWITCHES)


def without_algebra(environment: MutableMapping[str, str] = os.environ) -> None:
    """Start no thread for numpy's linear algebra; for commands that do none, before numpy is imported."""
    for name, value in ONE_THREAD_SWITCHES.items():
        environment.setdefault(name, value)


def offline(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Return whether the user forbade downloads (`--offline` or VISION_OFFLINE)."""
    return environment.get("VISION_OFFLINE", "").lower() not in ("", "0", "false", "no")


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory instead of giving it back to the system after every layer of a network.

    A network frees and asks for the same large blocks again and again, and each time the kernel maps and zeroes them
    anew. Measured on EfficientNet-Lite0 at 288 px in batches of 8 on two cores: 660,000 page faults and 41 CPU ms a
    photo before, 5,000 and 28 after; training at 192 px in batches of 32 takes 3.3 GB instead of 2.8. Returns whether
    it was done: only glibc knows the call.
    """
    import ctypes

    try:
        libc = ctypes.CDLL("libc.so.6")
        return bool(libc.mallopt(_M_MMAP_MAX, 0) and libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
    except (OSError, AttributeError):
        return False
