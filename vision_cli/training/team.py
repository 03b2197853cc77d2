"""Processes that train one network together: one a GPU, on one machine or several, or some on a CPU.

Each learns from its part of every batch; gradients are averaged before every step, so that all of them hold the same
weights. What must not happen is that one of them waits for another that has given up. So all that they tell each other
begins with a word on how each is doing, in a message of one size whatever it is about: who runs out of memory, sees a
loss that is no number or fails otherwise says so at the next meeting, and all of them stop for the same reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from vision_cli.core.errors import VisionError
from vision_cli.training.memory import is_out_of_memory

_FINE, _MEMORY, _NOT_FINITE, _FAILED = range(4)
_WORDS = 4
_SLOTS = 4096 - _WORDS
_ERROR_KEY = "vision/error"


class NotFiniteError(ArithmeticError):
    """The loss or a weight became NaN or infinite."""


class RelayedError(VisionError):
    """What went wrong in another process.

    Args:
        told: as `VisionError.as_json` tells it.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(str(told["message"]), hint=told.get("hint"), details=told.get("details", ()))
        self.exit_code, self.kind = int(told["exit_code"]), str(told["kind"])


class _AgreedMemoryError(MemoryError):
    """Memory ran out in some process, and all know it."""


class _AgreedNotFiniteError(NotFiniteError):
    """A loss was no number in some process, and all know it."""


@dataclass(slots=True)
class Team:
    """The processes of a training, as one of them sees it.

    Attributes:
        rank: of this process; 0 writes, tells and validates.
        size: number of processes.
        local_rank: of this process on its machine: its GPU.
        local_size: processes on this machine.
        store: where an error's text is left for the others; None where there are none.
        broken: whether all know of an error that ends the training.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    store: Any = None
    broken: bool = False

    @property
    def first(self) -> bool:
        """Return whether this process writes, tells and validates."""
        return self.rank == 0

    def meet(self, values: Tensor | None = None) -> Tensor:
        """Wait for all processes, and return the sum of their values, float64 of at most 4,092 numbers, on the CPU.

        Raises:
            MemoryError: memory ran out in some process.
            NotFiniteError: a loss was no number in some process.
            RelayedError: some process failed.
        """
        return self._meeting(_FINE, values)

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes, with its shape, type and device, without a gradient.

        Raises:
            MemoryError, NotFiniteError, RelayedError: see `meet`.
        """
        if self.size == 1:
            return values
        flat = values.detach().reshape(-1).to("cpu", torch.float64)
        found = [self.meet(part) for part in torch.split(flat, _SLOTS)]
        return torch.cat(found).to(values.device, values.dtype).reshape(values.shape)

    def summed(self, values: Tensor) -> Tensor:
        """Return the same as `total`, with a gradient: of all that depends on the sum, in whatever process.

        Raises:
            MemoryError, NotFiniteError, RelayedError: see `meet`, and so may the pass backward.
        """
        found: Tensor = _Summed.apply(values, self)
        return found

    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace gradients by their mean over all processes; what has one in none of them keeps none.

        Raises:
            MemoryError, NotFiniteError, RelayedError: see `meet`.
        """
        if self.size == 1 or not parameters:
            return
        flags = torch.tensor([parameter.grad is not None for parameter in parameters], dtype=torch.float64)
        used = torch.cat([self.meet(part) for part in torch.split(flags, _SLOTS)]) > 0
        learning = [parameter for parameter, each in zip(parameters, used.tolist(), strict=True) if each]
        for parameter in learning:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in learning if parameter.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        flat.div_(self.size)
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        torch._foreach_copy_(gradients, [part.view_as(each) for part, each in zip(parts, gradients, strict=True)])

    def from_first(self, make: Callable[[], bytes]) -> bytes:
        """Return what the first process makes, in all of them.

        Raises:
            MemoryError, NotFiniteError, RelayedError: see `meet`.
        """
        content = make() if self.first else b""
        if self.size == 1:
            return content
        length = int(self.meet(torch.tensor([len(content)], dtype=torch.float64))[0])
        carrier = torch.empty(length, dtype=torch.uint8)
        if self.first and content:
            carrier.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        if length:
            dist.broadcast(carrier, 0)
        return carrier.numpy().tobytes()

    def level(self, module: nn.Module) -> None:
        """Give all processes the weights of the first."""
        if self.size == 1:
            return
        self.meet()
        with torch.no_grad():
            for value in module.state_dict().values():
                carrier = value.detach().contiguous()
                dist.broadcast(carrier, 0)
                value.copy_(carrier)

    def same_everywhere(self, text: str) -> bool:
        """Return whether all processes have the same text of ASCII."""
        return self.size == 1 or bool(self.total(torch.tensor(self.from_first(text.encode) != text.encode())) == 0)

    @contextmanager
    def agreeing(self) -> Iterator[None]:
        """Tell the others when memory runs out or a loss is no number within; all leave with the same error."""
        try:
            yield
        except (_AgreedMemoryError, _AgreedNotFiniteError):
            raise
        except (NotFiniteError, MemoryError, RuntimeError) as error:
            word = _MEMORY if is_out_of_memory(error) else _NOT_FINITE if isinstance(error, NotFiniteError) else _FAILED
            if self.size == 1 or word == _FAILED or self.broken:
                raise
            self._meeting(word)
            raise

    @contextmanager
    def to_the_end(self) -> Iterator[None]:
        """Leave together: tell the others of any error within, and wait for them where there is none."""
        try:
            yield
            if self.size > 1:
                self.meet()
        except Exception as error:
            if self.size > 1 and not self.broken:
                self._leave(error)
            raise

    def _leave(self, error: Exception) -> None:
        with suppress(Exception):  # who is gone already needs no word
            self.store.set(_ERROR_KEY, json.dumps(_told(error, self.rank)))
            self._meeting(_FAILED)

    def _meeting(self, word: int, values: Tensor | None = None) -> Tensor:
        count = 0 if values is None else len(values)
        if self.size == 1:
            return values if values is not None else torch.empty(0, dtype=torch.float64)
        message = torch.zeros(_WORDS + _SLOTS, dtype=torch.float64)
        message[word] = 1
        if values is not None:
            message[_WORDS : _WORDS + count] = values
        dist.all_reduce(message)
        self._heed(word, message[:_WORDS].tolist())
        return message[_WORDS : _WORDS + count]

    def _heed(self, word: int, words: list[float]) -> None:
        if words[_FAILED]:
            self.broken = True
            if word != _FAILED:
                told = json.loads(self.store.get(_ERROR_KEY))
                raise RelayedError(told) if told["kind"] != "bug" else RuntimeError(told["message"])
        elif words[_MEMORY]:
            raise _AgreedMemoryError("memory ran out")
        elif words[_NOT_FINITE]:
            raise _AgreedNotFiniteError("the training loss is not finite")


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, team: Team) -> Tensor:
        ctx.team = team
        return team.total(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.team.total(gradient), None


ALONE = Team()


def _told(error: Exception, rank: int) -> dict[str, Any]:
    if isinstance(error, VisionError):
        return dict(error.as_json())
    if is_out_of_memory(error):
        return {"kind": "resource", "message": f"memory ran out in process {rank}.", "exit_code": 6}
    return {"kind": "bug", "message": f"in process {rank}: {error!r}"}


def parallel_workers(team: Team, workers: int | None, alone: int) -> int:
    """Return how many processes decode for one process of a team: as asked, or its share of those of a machine."""
    return workers if workers is not None else max(1, alone // team.local_size)
