"""What happens to a photo before a network sees it: one frozen value that every consumer reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from vision_cli.core.errors import DataError
from vision_cli.core.tiling import Tiles

Resize = Literal["crop", "stretch", "letterbox"]
Interpolation = Literal["bilinear", "bicubic", "area", "nearest"]
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
PAD_GREY = 114
"""What a network sees where there is no photo: YOLO's grey, about ImageNet's mean."""


@dataclass(frozen=True, slots=True)
class Preprocess:
    """Preprocessing of a network's input.

    Attributes:
        size_px: (width, height) that the network sees.
        resize: `crop` shrinks the shorter side to size / crop_pct and cuts the centre; `stretch` ignores the
            aspect ratio; `letterbox` keeps it and pads with grey 114.
        crop_pct: share of the shrunk photo that the centre crop keeps; only for `crop`.
        interpolation: always antialiased.
        channels: 1 grey, 3 RGB, 4 RGB with alpha.
        mean: a channel, of pixel values in 0..1.
        std: a channel, of pixel values in 0..1.
        tiles: each tile of a photo is one input, and what is found in them is merged; None shows photos whole.
    """

    size_px: tuple[int, int] = (224, 224)
    resize: Resize = "crop"
    crop_pct: float = 0.875
    interpolation: Interpolation = "bicubic"
    channels: int = 3
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    tiles: Tiles | None = None

    def __post_init__(self) -> None:
        if len(self.mean) != self.channels or len(self.std) != self.channels or min(self.std) <= 0:
            raise DataError(
                f"preprocess: mean and std need {self.channels} values (std above 0), got {self.mean} and {self.std}."
            )
        if min(self.size_px) < 1 or max(self.size_px) > 8192 or not 0 < self.crop_pct <= 1:
            raise DataError(f"preprocess: size {self.size_px} or crop_pct {self.crop_pct} is out of range.")

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; `tiles` only where there are some."""
        members = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        return {**members, "tiles": self.tiles.as_json()} if self.tiles else _without_tiles(members)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Preprocess:
        """Read what `as_json` wrote.

        Raises:
            DataError: a key is missing, unknown or out of range.
        """
        try:
            width, height = document["size_px"]
            values: dict[str, Any] = {
                key: tuple(item) if isinstance(item, list) else item for key, item in document.items()
            }
            values["size_px"] = (int(width), int(height))
            values["tiles"] = None if document.get("tiles") is None else Tiles.from_json(document["tiles"])
            return cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"preprocess: {error}.", hint="The model file was not written by vision.") from error


def _without_tiles(members: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key != "tiles"}
