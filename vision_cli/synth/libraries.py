"""Versions that decide on the bytes of a photo that is made."""

from __future__ import annotations

import cv2
import numpy as np

from vision_cli.synth import cache, render


def versions() -> dict[str, str]:
    """Return the version of each library, and of our own rendering, by name."""
    own = f"{render.VERSION}, scenes {cache.VERSION}"
    return {"rendering": own, "NumPy": np.__version__, "OpenCV": cv2.__version__}
