"""PyTorch on the CPU: the network as it was trained."""

from __future__ import annotations

from pathlib import Path

from vision_cli.core import policy
from vision_cli.core.artefact import Card
from vision_cli.core.contracts import Batch, Network
from vision_cli.runtimes import loading


class TorchRunner:
    """A built network.

    Args:
        card: of the model.
        network: with its weights; it is put into evaluation mode and channels-last memory.
        size_mb: of the weights' file, 1 MB = 10**6 bytes.
        threads: of torch, for the whole process; None leaves them.
        path: of the artefact, for messages.
    """

    runtime = "torch"

    def __init__(
        self, card: Card, network: Network, size_mb: float, *, threads: int | None = None, path: Path | None = None
    ) -> None:
        import torch

        policy.keep_freed_memory()
        if threads is not None:
            torch.set_num_threads(threads)
        self.card = card
        self.size_mb = size_mb
        self.path = path
        module: torch.nn.Module = network  # type: ignore[assignment]
        self._network = module.to(memory_format=torch.channels_last).eval()

    def run(self, batch: Batch) -> Batch:
        """Return the first of `run_all`."""
        return self.run_all(batch)[0]

    def run_all(self, batch: Batch) -> tuple[Batch, ...]:
        """Map preprocessed float32 (N, C, H, W) to all raw outputs float32 (N, ...), in the network's order.

        Raises:
            DataError: wrong size of photo, or the model answers NaN.
        """
        import torch

        if not len(batch):
            return tuple(each[:0] for each in self.run_all(loading.grey(self.card)))
        photos = torch.from_numpy(loading.as_layout(batch, self.card))
        with torch.inference_mode():
            answer = self._network(photos.contiguous(memory_format=torch.channels_last))
        raw = [each.float().numpy() for each in (answer if isinstance(answer, tuple) else (answer,))]
        where = str(self.path or self.card.name)
        return loading.check_raw(raw, self.card, photos=len(batch), where=where)
