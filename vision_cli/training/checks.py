"""What a training can refuse before its first photo: a device, a precision or a number of stages that there is not."""

from __future__ import annotations

import torch

from vision_cli.core.config import TrainConfig
from vision_cli.core.contracts import Network
from vision_cli.core.errors import UsageError
from vision_cli.training import freezing


def accelerator(device: str) -> str:
    """Return the device that `auto` means, or the one asked for.

    Raises:
        UsageError: it is not there.
    """
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if present[name])
    if not present[device]:
        raise UsageError(f"train.device: there is no {device} device here.", hint="Use auto or cpu.")
    return device


def check_precision(options: TrainConfig, *, own_process: bool = False) -> None:
    """Refuse a precision that the device does not compute in.

    Args:
        options: device and precision.
        own_process: the family trains by a recipe of its own, which knows no half precision on a CPU.

    Raises:
        UsageError: there is no such precision, or no such device.
    """
    if options.precision == "32" or accelerator(options.device) != "cpu":
        return
    if own_process:
        raise UsageError(
            f"train.precision: {options.precision} needs a GPU in a family that trains by its own recipe.",
            hint="Use 32 on a CPU.",
        )
    if options.precision == "16":
        raise UsageError("train.precision: 16 needs a GPU.", hint="Use 32, or bf16, on a CPU.")


def freezing_plan(options: TrainConfig, network: Network, *, photos: int) -> freezing.Freezing:
    """Return what the options freeze of a network.

    Args:
        options: freeze, norms and device decide.
        network: its stages are counted.
        photos: to learn from.

    Raises:
        UsageError: it has fewer stages, or there is no such device.
    """
    accelerated = accelerator(options.device) != "cpu"
    if network.n_features:
        plan = freezing.plan(options, photos=photos, accelerated=accelerated)
    else:
        plan = freezing.early(options, network, photos=photos)
    there = len(network.stages)
    if plan.stages > there:
        raise UsageError(
            f"train.freeze: {plan.stages} stages, but the backbone has {there}.",
            hint=f"Use 0 to {there} stages, or backbone.",
        )
    return plan
