"""The channels of a layer that answer strongest to a photo."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vision_cli.models.explaining.spots import Spot, as_maps, watched

Channel = tuple[int, float, NDArray[np.float32]]
"""Index, root mean square, and the map float32 (h, w)."""


def strongest(network: Any, photo: Tensor, spot: Spot, number: int) -> list[Channel]:
    """Return the channels with the largest root mean square, the strongest first; of equal ones the first.

    Args:
        network: in evaluation mode.
        photo: float32 (1, channels, height, width).
        spot: the layer.
        number: of channels; all where there are fewer.
    """
    with torch.no_grad(), watched(spot.module, leaves=False) as seen:
        network(photo)
    maps = as_maps(seen[-1], (int(photo.shape[2]), int(photo.shape[3])))
    if maps is None:
        return []
    powers = maps[0].square().mean(dim=(1, 2)).sqrt()
    order = torch.argsort(powers, descending=True, stable=True)[:number].tolist()
    return [(at, float(powers[at]), np.asarray(maps[0, at].numpy(), np.float32)) for at in order]
