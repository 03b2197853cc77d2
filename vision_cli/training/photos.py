"""What to learn from: photos and their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.errors import DataError


@dataclass(frozen=True, slots=True)
class Photos:
    """Photos and their targets.

    Attributes:
        paths: N files.
        targets: classify int64 (N,), class index; multilabel float32 (N, C), 0 or 1; regress float32 (N, 1),
            standardised.
    """

    paths: Sequence[Path]
    targets: NDArray[Any]

    def __post_init__(self) -> None:
        if len(self.paths) != len(self.targets):
            raise DataError(f"photos: {len(self.paths)} paths but {len(self.targets)} targets.")
        if self.targets.dtype.kind == "f" and not np.isfinite(self.targets).all():
            raise DataError("photos: a target is NaN or infinite.", hint="Look for empty cells among the labels.")

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.paths)
