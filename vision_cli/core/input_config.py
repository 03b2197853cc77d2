"""What the network sees: the section `model.input` of the project file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from vision_cli.core.section import Fraction, Section


class TilesConfig(Section):
    """Large photos as overlapping tiles, for small objects: in training, evaluation and prediction alike."""

    size: tuple[int, int]
    """Of a tile in pixels of the photo: one number, or [width, height]."""
    overlap: Annotated[float, Field(ge=0, le=0.9)] = 0.2
    """Least share of a tile's side that its neighbour sees, too; more than the objects that are looked for."""
    whole: bool = True
    """Show the whole photo as one more view, for objects that are larger than the overlap."""
    negatives: Fraction = 0.25
    """Largest share of the views to learn from that may be without an object, for `detect` and `instance`."""

    @field_validator("size", mode="before")
    @classmethod
    def _square(cls, value: Any) -> Any:
        return (value, value) if isinstance(value, int | str) else value

    @field_validator("size")
    @classmethod
    def _range(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not all(32 <= side <= 8192 for side in value):
            raise ValueError(f"must be between 32 and 8192 pixels, got {value[0]} x {value[1]}")
        return value


class InputConfig(Section):
    """What the network sees."""

    size: tuple[int, int] | None = None
    """Pixels: one number, or [width, height]; the weights' own size when absent."""
    channels: Literal[1, 3, 4] = 3
    """1 grey, 3 RGB, 4 RGB and alpha; the first layer is adapted."""
    resize: Literal["auto", "crop", "stretch", "letterbox"] = "auto"
    """`crop` loses the long side's ends, `stretch` the aspect ratio, `letterbox` some pixels; `auto` crops where the
    whole photo has one answer, and letterboxes where the task is about places."""
    tiles: TilesConfig | None = None
    """Cut photos into tiles, only for tasks about places; photos are shown whole when absent."""

    @field_validator("size", mode="before")
    @classmethod
    def _square(cls, value: Any) -> Any:
        return (value, value) if isinstance(value, int | str) else value

    @field_validator("size")
    @classmethod
    def _range(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and not all(32 <= side <= 4096 for side in value):
            raise ValueError(f"must be between 32 and 4096 pixels, got {value[0]} x {value[1]}")
        return value

    @field_validator("channels", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdecimal() else value
