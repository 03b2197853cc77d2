"""Pictures of answers about whole photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.artefact import Decode
from vision_cli.imaging.sheets import Style, Tile, Words

_LIKELY = 0.5
_STYLE = Style(columns=8, photo_px=150)


@dataclass(frozen=True, slots=True)
class PhotoPainter:
    """Writes labels and answers under photos.

    Attributes:
        task: `classify`, `multilabel` or `regress`.
        names: of the classes; none for `regress`.
        decode: brings raw outputs back to the labels' scale.
    """

    task: str
    names: Sequence[str]
    decode: Decode
    most: int = 16
    style: Style = _STYLE
    beside: Style = _STYLE
    how: str = "label above, answer below"

    def labelled(self, photos: NDArray[np.uint8], targets: NDArray[Any]) -> list[Tile]:
        """Return photos with their labels."""
        return [Tile([photo], [Words(self._label(target))]) for photo, target in zip(photos, targets, strict=True)]

    def answered(
        self, photos: NDArray[np.uint8], targets: NDArray[Any], raw: tuple[NDArray[np.float32], ...]
    ) -> list[Tile]:
        """Return photos with their labels and the answers."""
        scores = self.decode.scores(raw[0], self.task)
        return [
            Tile([photo], [Words(f"is {self._label(target)}"), self._answer(row, target)])
            for photo, target, row in zip(photos, targets, scores, strict=True)
        ]

    def _label(self, target: Any) -> str:
        match self.task:
            case "classify":
                return self.names[int(target)]
            case "multilabel":
                return self._several(target >= _LIKELY)
            case _:
                return f"{float(target[0]) * self.decode.std + self.decode.mean:.4g}"

    def _several(self, there: NDArray[np.bool_]) -> str:
        return ", ".join(self.names[index] for index in np.flatnonzero(there).tolist()) or "no label"

    def _answer(self, scores: NDArray[np.float64], target: Any) -> Words:
        match self.task:
            case "classify":
                best = int(scores.argmax())
                return Words(f"{scores[best]:.0%} {self.names[best]}", best != int(target))
            case "multilabel":
                said = scores >= _LIKELY
                return Words(f"said {self._several(said)}", bool((said != (target >= _LIKELY)).any()))
            case _:
                return Words(f"said {scores[0]:.4g}")
