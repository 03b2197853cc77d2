"""Thresholds of the checks. Every one can be set: `vision data check --set blur=0.7`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from vision_cli.core.catalogue import hint_for
from vision_cli.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a check begins to find something.

    Attributes:
        train_px: (width, height) that photos are shrunk to for training.
        blur: from 0 sharp to 1 blurred, after F. Crete et al. 2007, at 512 px. 1,000 real photos reach 0.61; a Gaussian
            blur of 3 px lifts 99 % of them over 0.62.
        dark: grey level 0..255 that 99 % of the pixels stay below. 1,000 real photos: lowest 77.
        overexposed: share of pixels with luma 250 or more. 1,000 real photos and logos on white: highest 0.57.
        single_colour: standard deviation of the most varied channel, in grey levels. 1,000 real photos: lowest 18.
        aspect: longer side by shorter side.
        tiny_px: shorter side.
        huge_mp: megapixels.
        huge_mb: megabytes of the file.
        edge_px: by so much a box or outline may stick out of the photo.
        box_tiny_px: square root of a box's area at the training size.
        box_huge: share of the photo that a box covers.
        box_twice_iou: intersection over union of two boxes of one class.
        off_box_px: distance of an outline's edge from its box's edge, beyond 5 % of the box's side.
        rare: photos of a class.
        imbalance: annotations of the largest class by those of a class.
        burst_s: seconds between photos of one burst.
        frames: distance of the numbers in two file names of one video.
        recall: of a class, that `class-needs-photos` asks for where no KPI of the project names one.
        crops: of boxes, that the deep checks embed; of more so many are drawn, every class alike as far as it goes.
        seed: of the deep checks' random draws.
    """

    train_px: tuple[int, int] = (640, 640)
    blur: float = 0.62
    dark: float = 64.0
    overexposed: float = 0.6
    single_colour: float = 4.0
    aspect: float = 3.0
    tiny_px: float = 32.0
    huge_mp: float = 40.0
    huge_mb: float = 25.0
    edge_px: float = 1.0
    box_tiny_px: float = 4.0
    box_huge: float = 0.98
    box_twice_iou: float = 0.95
    off_box_px: float = 2.0
    rare: float = 10.0
    imbalance: float = 20.0
    burst_s: float = 2.0
    frames: float = 5.0
    recall: float = 0.9
    crops: float = 5000.0
    seed: float = 0.0

    def with_words(self, words: Iterable[str]) -> Settings:
        """Return the settings with some changed.

        Args:
            words: `name=number` each; `train_px` takes one number, or `width x height` as `640x480`.

        Raises:
            UsageError: an unknown name, or no number.
        """
        return replace(self, **dict(map(_parsed, words)))  # type: ignore[arg-type]


def _parsed(word: str) -> tuple[str, float | tuple[int, int]]:
    name, _, text = word.partition("=")
    known = [item.name for item in fields(Settings)]
    if name not in known:
        raise UsageError(
            f"no threshold is called '{name}'.", hint=hint_for(name, known, listing="vision data check --list")
        )
    try:
        if name == "train_px":
            width, _, height = text.partition("x")
            size = int(width), int(height or width)
            if min(size) > 0:
                return name, size
        elif 0 <= (number := float(text)) < float("inf"):
            return name, number
    except ValueError:
        pass
    raise UsageError(f"--set {word}: '{text}' is no number above 0.", hint=f"For example --set {name}=1.5.")
