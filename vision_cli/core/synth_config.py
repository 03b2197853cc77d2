"""The section `synth` of the project file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from vision_cli.core.section import Fraction, Section

Effect = Literal["colour", "shading", "white-balance", "shadow", "blur", "motion", "noise"]


class LogosConfig(Section):
    """What `vision synth logos` makes. Ranges are [lowest, highest], or one number for both."""

    logos: str | None = None
    """Folder of the objects: `class.png`, `class__variant.png` or `class/variant.png` with a transparent background,
    or SVG; relative to the project file."""
    backgrounds: str | None = None
    """Folder of photos without any of these objects, relative to the project file."""
    distractor_logos: str | None = None
    """Folder of pictures that are of no class: put into photos without a label, beside made-up ones."""
    count: Annotated[int, Field(ge=1, le=10_000_000)] = 1000
    """Photos to make; more of them later leave the first ones as they are."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Another seed gives other photos."""
    format: str = "coco"
    """The data set's; any that is written: `vision data convert --help` lists them."""
    image_size: Annotated[int, Field(ge=64, le=8192)] = 640
    """Longest side in pixels; smaller backgrounds stay as they are."""
    depth: str = "geometric"
    """How far things are: `geometric`, `file`, `depth-anything-v2-small` or `midas-small` (docs/scenes.md)."""
    depth_folder: str | None = None
    """Depth maps for `depth: file`, relative to the project file."""
    fov_deg: Annotated[float, Field(ge=5, le=150)] = 60.0
    """Field of view over the longer side of photos whose EXIF block tells no focal length."""
    per_photo: tuple[int, int] = (1, 4)
    """Objects of a photo that has any."""
    distractors: tuple[int, int] = (0, 2)
    """Things of no class in a photo; they get no label."""
    negatives: Fraction = 0.1
    """Share of photos without any object."""
    size_share: tuple[float, float] = (0.06, 0.45)
    """Longer side of an object's box as a share of the photo's longer side."""
    size_px: tuple[float, float] | None = None
    """The same in pixels; wins over `size_share`."""
    rotation_deg: Annotated[float, Field(ge=0, le=180)] = 30.0
    """Most that an object is turned off upright on what stands, to either side."""
    lying_rotation_deg: Annotated[float, Field(ge=0, le=180)] = 180.0
    """The same on what lies: floors, tables."""
    lean_deg: Annotated[float, Field(ge=0, le=60)] = 12.0
    """Most that an object leans off its surface."""
    loose: Fraction = 0.25
    """Share of objects that are held before the scene in any pose, instead of being on a surface."""
    loose_tilt_deg: Annotated[float, Field(ge=0, le=80)] = 50.0
    """Most that those are turned away from the camera."""
    planes: bool = True
    """Put objects on the scene's surfaces; all are loose without."""
    curvature: Fraction = 0.2
    """Share of objects that are bent around a cylinder or rippled like cloth."""
    looks: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Weight of each look: `plain`, `print`, `fabric`, `glass`, `emboss`, `neon`; a mix when empty
    (docs/rendering.md)."""
    blends: list[str] = ["alpha", "feather", "poisson", "hard"]
    """Ways to join an object to the photo; each scene is made once with each of them."""
    effects: list[Effect] = ["colour", "shading", "white-balance", "shadow", "blur", "motion", "noise"]
    """Steps that fit an object to light, lens and sensor of its background."""
    occlusion: bool = True
    """Let nearer parts of the scene hide what is behind them."""
    occluders: Fraction = 0.25
    """Share of objects that a piece of the scene is laid over."""
    overlap: Fraction = 0.25
    """Most of an object that others may hide."""
    visibility_least: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Least share of an object that is seen."""
    contrast_least: Annotated[float, Field(ge=0, le=128)] = 12.0
    """Least difference between an object and what it covers, in grey levels."""
    mirror: bool = True
    """Mirror half of the backgrounds, never the objects."""

    @field_validator("per_photo", "distractors", "size_share", "size_px", mode="before")
    @classmethod
    def _both(cls, value: Any) -> Any:
        return (value, value) if isinstance(value, int | float | str) else value

    @model_validator(mode="after")
    def _ranges(self) -> LogosConfig:
        limits = {"per_photo": (1, 100), "distractors": (0, 100), "size_share": (0.01, 1), "size_px": (4, 8192)}
        for name, (least, most) in limits.items():
            found = getattr(self, name)
            if found is not None and not least <= found[0] <= found[1] <= most:
                raise ValueError(f"{name} must be [lowest, highest] from {least} to {most}, got {list(found)}")
        if not self.blends:
            raise ValueError("blends must name one or more")
        if self.looks and not sum(self.looks.values()):
            raise ValueError("looks must give one or more a weight above 0")
        return self


class SynthConfig(Section):
    """Photos that nobody took."""

    logos: LogosConfig = LogosConfig()
    """Objects out of picture files, put on the surfaces of real backgrounds."""
