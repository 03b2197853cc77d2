"""The program that runs Ultralytics: it reads one request from its input and answers in lines of JSON.

It knows nothing of this package, so that an interpreter of its own can run it. Whatever libraries print goes to the
error stream. It has no network, installs nothing, and unpickles nothing but tensors and plain values. It ends when its
input ends, so that it does not outlive who started it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Request = dict[str, Any]
Say = Callable[[dict[str, Any]], None]
MAX_DETECTIONS = 300
_LOOPBACK = ("127.", "::1", "localhost")
_RESOLVING = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def main() -> int:
    """Do what the request asks for; every outcome is an event."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.addaudithook(_refuse_network)

    def say(event: dict[str, Any]) -> None:
        answers.write(json.dumps(event) + "\n")

    try:
        done = _WORKS[request["work"]](request, say)
    except ModuleNotFoundError as error:
        say({"event": "error", "kind": "missing", "text": str(error)})
    except Exception as error:
        # The boundary: who started this process turns it into one line.
        say({"event": "error", "kind": _kind(error), "text": f"{type(error).__name__}: {error}"})
        raise
    else:
        say({"event": "done", **done})
        return 0
    return 1


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(1)


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    host = None
    if event in _RESOLVING:
        host = arguments[0]
    elif event in _SENDING and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    if host is not None and not str(host).startswith(_LOOPBACK):
        raise PermissionError("the network is off in this process")


def _kind(error: BaseException) -> str:
    text = str(error).lower()
    if isinstance(error, UnfitError):
        return "unfit"
    if isinstance(error, MemoryError) or any(words in text for words in _OUT_OF_MEMORY):
        return "memory"
    return "not-finite" if "nan" in text.split() or "NaN" in str(error) else "other"


# What published files hold beside tensors becomes one of these: nothing of Ultralytics or of anybody else is called.
class Inert:
    """Stands for every class and function that a pickle names: it keeps its state and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> Inert:
        """Take any arguments."""
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        """Keep members, whatever their names."""
        if isinstance(state, dict):
            self.__dict__.update(state)


def tensors(request: Request, _say: Say) -> dict[str, Any]:
    """Bring the tensors of a published file into a safetensors file; return the names of its classes."""
    import pickle

    import torch
    from safetensors.torch import save_file

    path = request["path"]
    unknown = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    try:
        with torch.serialization.safe_globals([(Inert, name) for name in unknown]):
            document = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError("it holds what only running it would open") from error
    found: Any = document.get("ema") or document.get("model") if isinstance(document, dict) else document
    state = found if isinstance(found, dict) else dict(_members(found, ""))
    state = {str(name): each.float().contiguous() for name, each in state.items() if isinstance(each, torch.Tensor)}
    if not state:
        raise ValueError("no tensors by name")
    names = getattr(found, "names", None)
    listed = list(names.values()) if isinstance(names, dict) else list(names or ())
    metadata = {"names": "\n".join(" ".join(str(name).split()) for name in listed)}
    save_file({name: each.clone() for name, each in state.items()}, request["target"], metadata)
    return {}


def _members(module: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of a module that was never built, by the names that its state dict would have."""
    for kind in ("_parameters", "_buffers"):
        yield from ((prefix + name, each) for name, each in (getattr(module, kind, None) or {}).items())
    for name, each in (getattr(module, "_modules", None) or {}).items():
        yield from _members(each, f"{prefix}{name}.")


def _network(request: Request, n_classes: int) -> Any:
    from ultralytics.nn.tasks import DetectionModel, SegmentationModel

    kind = SegmentationModel if request["task"] == "instance" else DetectionModel
    return kind(f"{request['backbone']}.yaml", nc=n_classes, verbose=False)


class UnfitError(ValueError):
    """Tensors are not those of the network."""


def _fill(network: Any, state: dict[str, Any]) -> None:
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:]]
        raise UnfitError("; ".join(lines)[:300]) from error


def graph(request: Request, _say: Say) -> dict[str, Any]:
    """Write a trained network as a graph of plain operations, for photos of one size and any number of them."""
    import torch
    import ultralytics
    from safetensors.torch import load_file

    network = _network(request, request["n_classes"]).float()
    _fill(network, load_file(request["weights"]))
    head = network.model[-1]
    head.end2end, head.max_det = request["end2end"], MAX_DETECTIONS
    raw = _raw_outputs(network.eval().fuse(verbose=False), request).requires_grad_(False).eval()
    head.export, head.format, head.xyxy = True, "onnx", True
    photos = torch.zeros(2, 3, request["size_px"], request["size_px"])
    with torch.no_grad():
        raw(photos)
    # The places of the anchors are known now; comparing shapes would make the number of photos a constant.
    head.shape = _Same()
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.export.export(raw, (photos,), dynamic_shapes=({0: batch},))
    torch.export.save(program, request["target"])
    return {"version": ultralytics.__version__}


class _Same:
    """A shape that differs from no other."""

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def _raw_outputs(network: Any, request: Request) -> Any:
    """Return a module whose outputs are of the layouts `scored` and `boxes` of this package."""
    import torch

    n_classes, masks = request["n_classes"], request["task"] == "instance"

    class Raw(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, photos: Any) -> Any:
            found = self.network(photos)
            rows, *prototypes = found if masks else (found,)
            if not request["end2end"]:
                rows = rows.permute(0, 2, 1)
            elif masks:
                chosen = rows[..., 5:6] == torch.arange(n_classes, dtype=rows.dtype)
                rows = torch.cat([rows[..., :4], chosen.to(rows.dtype) * rows[..., 4:5], rows[..., 6:]], dim=-1)
            return (rows, *prototypes)

    return Raw()


def train(request: Request, say: Say) -> dict[str, Any]:
    """Train by Ultralytics' own recipe; the best weights become a safetensors file, the state of each epoch another."""
    import ultralytics
    from ultralytics.data import utils as data_utils
    from ultralytics.engine import trainer as engine
    from ultralytics.models.yolo.detect import DetectionTrainer
    from ultralytics.models.yolo.segment import SegmentationTrainer
    from ultralytics.utils import callbacks

    # Loggers of other services, fonts for pictures that nobody asked for, and a trial of half precision that fetches
    # a network: none of them is wanted.
    callbacks.add_integration_callbacks = lambda _instance: None
    data_utils.check_font = lambda *_: None
    engine.check_amp = lambda _model: True
    before = _state(request)
    if before is not None:
        say({"event": "resumed", "epoch": before["epoch"]})
        if before["stopped"]:
            return {"version": ultralytics.__version__, "best_epoch": before["kept"], "epochs": before["epoch"]}
    kind = SegmentationTrainer if request["task"] == "instance" else DetectionTrainer
    trainer = _quiet_trainer(kind, request, say)(overrides=request["settings"])
    trainer.train()
    return {"version": ultralytics.__version__, "best_epoch": trainer.kept_epoch, "epochs": trainer.epoch + 1}


def _state(request: Request) -> Any:
    """Return where a training stopped; None where there is nothing to go on from."""
    import torch

    if not request["resume"] or not Path(request["state"]).is_file():
        return None
    return torch.load(request["state"], map_location="cpu", weights_only=True)


def _quiet_trainer(kind: Any, request: Request, say: Say) -> Any:
    class Trainer(kind):  # type: ignore[misc]  # its class is only known where Ultralytics is
        kept_epoch = 0

        def setup_model(self) -> None:
            self.data["names"] = dict(enumerate(request["classes"]))
            self.model = self.get_model(self.args.model, weights=_start(request), verbose=False)

        def save_model(self) -> bool:
            if self.best_fitness == self.fitness:
                _keep_best(self.ema.ema, request["target"])
                self.kept_epoch = self.epoch + 1
            _keep_state(self, request["state"])
            return True

        def resume_training(self, ckpt: Any) -> None:
            found = _state(request)
            if found is not None:
                _take_up(self, found)

        def final_eval(self) -> None:
            """Judge nothing: who started this process does."""

    def closed(trainer: Any) -> None:
        parts = {name: float(value) for name, value in trainer.label_loss_items(trainer.tloss).items()}
        score = None if trainer.fitness is None else float(trainer.fitness)
        judged = trainer.metrics if score is not None else {}
        val = {name: float(value) for name, value in judged.items() if name.startswith("val/")}
        rate = max(float(group["lr"]) for group in trainer.optimizer.param_groups)
        event = {"epoch": trainer.epoch + 1, "epochs": trainer.epochs, "train": parts, "val": val, "score": score}
        say({"event": "epoch", **event, "learning_rate": rate, "seconds": float(trainer.epoch_time)})

    def build(overrides: Request) -> Any:
        made = Trainer(overrides=overrides)
        made.add_callback("on_fit_epoch_end", closed)
        return made

    return build


def _keep_best(network: Any, target: str) -> None:
    from safetensors.torch import save_file

    state = {name: each.float().contiguous() for name, each in network.state_dict().items()}
    save_file({name: each.clone() for name, each in state.items()}, f"{target}.part")
    os.replace(f"{target}.part", target)


def _keep_state(trainer: Any, target: str) -> None:
    """Write what a training needs to go on after this epoch: tensors and plain values, where Ultralytics pickles."""
    import torch

    fitness, best = trainer.best_fitness, trainer.stopper.best_fitness
    state = {
        "epoch": trainer.epoch + 1,
        "kept": trainer.kept_epoch,
        "stopped": bool(trainer.stop),
        "model": trainer.model.state_dict(),
        "average": trainer.ema.ema.state_dict(),
        "updates": int(trainer.ema.updates),
        "optimizer": trainer.optimizer.state_dict(),
        "scaler": trainer.scaler.state_dict(),
        "fitness": None if fitness is None else float(fitness),
        "stopper": {"best_fitness": float(best), "best_epoch": int(trainer.stopper.best_epoch)},
    }
    torch.save(state, f"{target}.part")
    os.replace(f"{target}.part", target)


def _take_up(trainer: Any, found: Any) -> None:
    """Go on where a training stopped, as Ultralytics' own `resume_training` does; chance begins anew."""
    from ultralytics.utils.torch_utils import init_seeds

    trainer.model.load_state_dict(found["model"])
    trainer.ema.ema.load_state_dict(found["average"])
    trainer.ema.updates = found["updates"]
    trainer.optimizer.load_state_dict(found["optimizer"])
    trainer.scaler.load_state_dict(found["scaler"])
    trainer.best_fitness, trainer.kept_epoch = found["fitness"], found["kept"]
    trainer.stopper.__dict__.update(found["stopper"])
    trainer.start_epoch = found["epoch"]
    if getattr(trainer.model.model[-1], "one2one_cv2", None) is not None:
        # The weights of its two losses move with the epochs.
        trainer.model.criterion = trainer.model.init_criterion()
        trainer.model.criterion.updates = found["epoch"] - 1
        trainer.model.criterion.update()
    init_seeds(trainer.args.seed + 1 + found["epoch"], deterministic=trainer.args.deterministic)


def _start(request: Request) -> Any:
    """Return the network to begin with; None for random weights."""
    if request["weights"] is None:
        return None
    from safetensors.torch import load_file

    state = load_file(request["weights"])
    rows = next(len(each) for name, each in sorted(state.items()) if name.endswith(".cv3.0.2.weight"))
    network = _network(request, rows).float()
    _fill(network, state)
    # Numbers stand for names that nobody knows, here as there: then nothing is matched by name.
    network.names = dict(enumerate(request["names"] or [f"{index}" for index in range(rows)]))
    return network


_WORKS: dict[str, Callable[[Request, Say], dict[str, Any]]] = {"tensors": tensors, "graph": graph, "train": train}

if __name__ == "__main__":
    sys.exit(main())
