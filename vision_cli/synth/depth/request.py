"""What a depth estimator is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.progress import Progress, Silent
from vision_cli.synth.scene import AnalysisSettings, Background


@dataclass(frozen=True, slots=True)
class DepthRequest:
    """One photo.

    Attributes:
        background: with its photo at working size.
        regions: int32 (H, W), the region of every pixel, small ones included; 0 is the largest.
        focal_px: of that photo.
        settings: of the analysis.
        offline: no download.
        progress: of a download.
    """

    background: Background
    regions: NDArray[np.int32]
    focal_px: float
    settings: AnalysisSettings
    offline: bool = False
    progress: Progress = field(default_factory=Silent)


@dataclass(frozen=True, slots=True)
class DepthMap:
    """How far everything is.

    Attributes:
        depth: float32 (H, W), along the camera's axis, above 0, larger is farther, in any unit.
        horizon: (row in the middle column, slope: rows a column); None where nobody looked for it.
    """

    depth: NDArray[np.float32]
    horizon: tuple[float, float] | None = None
