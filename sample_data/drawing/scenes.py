"""Scenes to put logos into; none holds one."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from drawing import indoors, outdoors
from drawing.noise import Noise
from drawing.outdoors import Scene
from drawing.stage import render

SIZE_PX = (640, 480)

SCENES: dict[str, Callable[[np.random.Generator], Scene]] = {
    "billboard": outdoors.billboard,
    "boxes": indoors.boxes,
    "brick_wall": outdoors.brick_wall,
    "bus_stop": outdoors.bus_stop,
    "cafe_corner": outdoors.cafe_corner,
    "desk": indoors.desk,
    "mug": indoors.mug,
    "shirts": indoors.shirts,
    "shop_front": outdoors.shop_front,
    "street": outdoors.street,
    "van": outdoors.van,
    "warehouse": outdoors.warehouse,
}


def draw_scene(seed: int, name: str, size_px: tuple[int, int] = SIZE_PX) -> NDArray[np.uint8]:
    """Return a scene, uint8 (H, W, 3); it depends on the seed and its name alone."""
    rng = np.random.default_rng([seed, *name.encode()])
    pieces, look = SCENES[name](rng)
    picture = render(pieces, look, Noise(rng), size_px)
    grain = rng.normal(0, 1.5, picture.shape)
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)
