"""Find a model and open it in its runtime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vision_cli import models, runtimes
from vision_cli.core import artefact, run
from vision_cli.core.contracts import Network, Runner
from vision_cli.core.errors import DataError
from vision_cli.core.project import Project

MODEL_FOLDER = "model"
WEIGHTS_NAME = "model.safetensors"


def find_model(project: Project, path: Path | None) -> Path:
    """Return the path of a model: the one named, or the last training run's.

    Raises:
        DataError: nothing is there.
    """
    if path is None:
        return trained(project) / MODEL_FOLDER
    if not path.exists():
        from vision_cli.stages.few_shot import imagenet

        if imagenet.is_known(path):
            return imagenet.opened(tuple(project.config.classes or ()))[0]
    if (path / MODEL_FOLDER / artefact.CARD_NAME).is_file():
        return path / MODEL_FOLDER
    if not path.exists():
        raise DataError(
            f"{path}: does not exist.", hint="Give a run's folder, a model folder, an .onnx or .tflite file."
        )
    return path


def trained(project: Project) -> Path:
    """Return the folder of the last training run that ended with a model."""
    folder = run.latest(project.root, "train").folder
    if not (folder / MODEL_FOLDER / artefact.CARD_NAME).is_file():
        state = run.Run(folder).status.get("state", "unknown")
        earlier = _earlier(folder)
        choice = f", or take an earlier run: --model {earlier}" if earlier else ""
        raise DataError(
            f"{folder}: the last training is '{state}' and has no model.",
            hint=f"Run `{resume_command(run.Run(folder))}`{choice}.",
        )
    return folder


def resume_command(record: run.Run) -> str:
    """Return what continues a training: what started it, overrides included, with `--resume`."""
    return record.command if "--resume" in record.command else f"{record.command} --resume"


def _earlier(folder: Path) -> Path | None:
    """Return the newest run before this one that ended with a model."""
    runs = sorted(card.parents[1] for card in folder.parent.glob(f"*/{MODEL_FOLDER}/{artefact.CARD_NAME}"))
    return next((each for each in reversed(runs) if each.name != run.LATEST), None)


def open_model(path: Path, *, threads: int | None = None) -> Runner:
    """Open an artefact folder (torch), an .onnx or a .tflite file.

    Args:
        path: the model.
        threads: of the runtime; all cores when None.

    Raises:
        DataError: not a model, or a broken one.
        MissingPartError: its runtime is not installed.
    """
    threads = threads or os.cpu_count() or 1
    name = runtimes.runtime_of(path)
    module = runtimes.RUNTIMES.load(name)
    if name != "torch":
        runner: Runner = module.open_model(path, threads=threads)
        return runner
    card = artefact.load_card(path)
    size_mb = (path / card.weights_file).stat().st_size / 1e6
    opened: Runner = module.TorchRunner(card, load_network(path, card), size_mb, threads=threads, path=path)
    return opened


def load_network(folder: Path, card: artefact.Card) -> Network:
    """Build the torch network of an artefact folder; nothing is downloaded."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / card.weights_file
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path}: not a safetensors file: {error}.", hint="Copy the folder again.") from error
    return models.rebuild(card, state)


def weights_of(network: Network) -> bytes:
    """Return a network's tensors, or those that it was made of, as the bytes of a safetensors file."""
    from safetensors.torch import save

    state: dict[str, Any] = getattr(network, "tensors", None) or network.state_dict()  # type: ignore[attr-defined]
    return save({name: tensor.contiguous() for name, tensor in state.items()})
