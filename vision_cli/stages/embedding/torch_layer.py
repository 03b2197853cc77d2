"""A layer in torch: where nothing was exported, where nothing can be, and what exported files are held to."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from vision_cli.core import policy
from vision_cli.core.contracts import Batch, Network
from vision_cli.models import layers
from vision_cli.training.checks import accelerator

_BATCH_OF_ACCELERATOR = 32


class TorchLayer:
    """One layer of a network, in evaluation mode.

    Args:
        network: its backbone is used as it is.
        layer: by name.
        device: `auto` takes an accelerator where there is one.

    Raises:
        UsageError: there is no such layer.
    """

    runtime = "torch"

    def __init__(self, network: Network, layer: str, *, device: str = "auto") -> None:
        policy.keep_freed_memory()
        self.preprocess = network.preprocess
        self.licence = network.licence
        self.module: Any = layers.at(network, layer)
        self._device = accelerator(device)
        self.at_once = 1 if self._device == "cpu" else _BATCH_OF_ACCELERATOR
        width, height = self.preprocess.size_px
        self.n_features = self.run(np.zeros((1, self.preprocess.channels, height, width), np.float32)).shape[1]

    def use_threads(self, number: int) -> None:
        """Let torch compute with so many threads, in the whole process."""
        torch.set_num_threads(number)

    def run(self, batch: Batch) -> Batch:
        """Map preprocessed photos float32 (N, C, H, W) to vectors float32 (N, D)."""
        module = self.module.to(self._device, memory_format=torch.channels_last)
        photos = torch.from_numpy(np.ascontiguousarray(batch)).to(self._device, memory_format=torch.channels_last)
        with torch.inference_mode():
            rows = module(photos).float().cpu().numpy()
        return np.asarray(rows, np.float32)
