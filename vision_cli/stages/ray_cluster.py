"""A Ray cluster: the one of RAY_ADDRESS, the one that runs here, or one of this machine's cores."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vision_cli.core.catalogue import require
from vision_cli.core.errors import ResourceError

_ANSWER_S = 10


def check_parts() -> None:
    """Refuse before any work where Ray is missing.

    Raises:
        MissingPartError: with the line that installs it.
    """
    require(("ray",), extra="ray", what="--on ray")


def _check_answers(address: str) -> None:
    """Refuse at once where nobody listens: Ray itself tries for minutes.

    Raises:
        ResourceError: naming the address.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=_ANSWER_S).close()
        except OSError as error:
            raise _no_cluster(address) from error


def _no_cluster(address: str) -> ResourceError:
    return ResourceError(f"no Ray cluster answers at {address}.", hint="Correct RAY_ADDRESS, or unset it.")


@contextmanager
def joined(workers: int | None) -> Iterator[tuple[int, list[str]]]:
    """Join the cluster of RAY_ADDRESS, or the one that runs on this machine, or start one of this machine's cores.

    Yields:
        Its cores, and what to tell of it.

    Raises:
        ResourceError: none answers at RAY_ADDRESS.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of ours tells nobody that it is used
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of what a later release does
    import ray

    address = os.environ.get("RAY_ADDRESS")
    _check_answers(address or "")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        ray.init(address=address or "auto", **quiet)
        notes = []
    except getattr(ray.exceptions, "AuthenticationError", ()) as error:  # of releases that know tokens
        raise ResourceError(
            f"the Ray cluster{f' at {address}' if address else ''} asks for a token that this machine does not have.",
            hint="Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH as `ray start` on its head says.",
        ) from error
    except ConnectionError as error:
        if address:
            raise _no_cluster(address) from error
        ray.init(num_cpus=workers or os.cpu_count() or 1, include_dashboard=False, **quiet)
        notes = ["No Ray cluster runs here and RAY_ADDRESS names none: one was started with the cores of this machine."]
    try:
        cores = int(ray.cluster_resources().get("CPU", 1))
        machines = sum(1 for node in ray.nodes() if node["Alive"])
        yield cores, notes or [f"On a Ray cluster of {machines} machines with {cores} cores."]
    finally:
        ray.shutdown()
