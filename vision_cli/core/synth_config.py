"""The section `synth` of the project file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from vision_cli.core.section import Fraction, Section

PlaceTask = Literal["detect", "instance", "semantic", "panoptic"]
Effect = Literal["colour", "shading", "white-balance", "shadow", "blur", "motion", "noise"]


class PhotosConfig(Section):
    """What every command of `vision synth` takes. Ranges are [lowest, highest], or one number for both."""

    backgrounds: str | None = None
    """Photos without any of these objects: a folder, or a text file with their addresses, relative to the project file,
    or a view."""
    side: Literal["train", "val", "test"] = "train"
    """Side of the split whose photos serve, where a view is named for backgrounds or objects; what is made from them
    is on that side, too."""
    rectify: bool = False
    """Of objects out of labelled photos: turn flat rectangles seen in perspective to face the camera."""
    cutouts: Annotated[int, Field(ge=1, le=10_000)] = 50
    """Of objects out of labelled photos: most of a class that are cut out."""
    cutout_px: Annotated[int, Field(ge=16, le=4096)] = 48
    """Of objects out of labelled photos: least longer side."""
    check_clean: bool = False
    """Look for the objects in the backgrounds, and use none that seems to show one (docs/synth.md)."""
    clean_score: Annotated[float, Field(gt=0, le=1)] = 0.5
    """How much a place must look like an object for that, from 0 to 1."""
    real: str | None = None
    """Folder of real photos, relative to the project file: the report says how far from them the made ones are."""
    distractor_logos: str | None = None
    """Folder of pictures that are of no class: put into photos without a label, beside made-up ones."""
    count: Annotated[int, Field(ge=1, le=10_000_000)] = 1000
    """Photos to make; more of them later leave the first ones as they are."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Another seed gives other photos."""
    format: str | None = None
    """The data set's; any that is written: `vision data convert --help` lists them. By the task when absent: `coco`,
    `masks`, `panoptic`, `imagefolder`."""
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
    standing: Fraction = 0.0
    """Share of the others that stand upright on floors and tables, as they were photographed."""
    loose_tilt_deg: Annotated[float, Field(ge=0, le=80)] = 50.0
    """Most that those are turned away from the camera."""
    planes: bool = True
    """Put objects on the scene's surfaces; all are loose without."""
    curvature: Fraction = 0.2
    """Share of objects that are bent around a cylinder or rippled like cloth."""
    looks: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Weight of each look: `plain`, `print`, `fabric`, `glass`, `emboss`, `neon`, `cutout`; the command's own mix when
    empty (docs/rendering.md)."""
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

    @field_validator("per_photo", "distractors", "size_share", "size_px", "margin", mode="before", check_fields=False)
    @classmethod
    def _both(cls, value: Any) -> Any:
        return (value, value) if isinstance(value, int | float | str) else value

    @model_validator(mode="after")
    def _ranges(self) -> Self:
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


class LogosConfig(PhotosConfig):
    """What `vision synth logos` makes: things that are flat, on the surfaces of photos."""

    logos: str | None = None
    """The objects: a folder of `class.png`, `class__variant.png` or `class/variant.png` with a transparent background,
    or SVG, relative to the project file; or labelled photos with outlines to cut them from: a view, or a data set."""
    task: PlaceTask = "instance"
    """What the labels are for; it chooses the format."""
    rectify: bool = True
    """Of objects out of labelled photos: turn flat rectangles seen in perspective to face the camera."""


class PasteConfig(PhotosConfig):
    """What `vision synth paste` makes: things that stand on floors and tables, or are held."""

    objects: str | None = None
    """The objects: a folder of `class.png`, `class__variant.png` or `class/variant.png` with a transparent background,
    relative to the project file; or labelled photos with outlines to cut them from: a view, or a data set."""
    task: PlaceTask = "instance"
    """What the labels are for; it chooses the format."""
    size_share: tuple[float, float] = (0.1, 0.6)
    """Longer side of an object's box as a share of the photo's longer side."""
    rotation_deg: Annotated[float, Field(ge=0, le=180)] = 8.0
    """Most that an object is turned off upright, to either side."""
    loose: Fraction = 0.3
    """Share of objects that are held before the scene, anywhere, instead of standing in it."""
    standing: Fraction = 1.0
    """Share of the others that stand upright on floors and tables, as they were photographed."""
    loose_tilt_deg: Annotated[float, Field(ge=0, le=80)] = 0.0
    """Most that held ones are turned away from the camera."""
    curvature: Fraction = 0.0
    """Share of objects that are bent around a cylinder or rippled like cloth."""
    looks: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Weight of each look, as for logos; `cutout` alone when empty."""


class ClassifyConfig(PhotosConfig):
    """What `vision synth classify` makes: a photo with one object, or what is around it."""

    objects: str | None = None
    """The objects: a folder of `class.png`, `class__variant.png` or `class/variant.png` with a transparent background,
    or SVG, relative to the project file; or labelled photos with outlines to cut them from: a view, or a data set."""
    crop: Literal["object", "photo"] = "object"
    """Keep the object with a margin, or the whole photo."""
    margin: tuple[float, float] = (0.05, 0.4)
    """Around the object, on each side by itself, as a share of its longer side."""
    negative_class: Annotated[str, Field(min_length=1)] | None = None
    """Class of photos without any object, `negatives` of all; there are none when absent."""
    per_photo: tuple[int, int] = (1, 1)
    """Objects of a photo that has any: one."""
    size_share: tuple[float, float] = (0.2, 0.8)
    """Longer side of an object's box as a share of the photo's longer side."""
    visibility_least: Annotated[float, Field(gt=0, le=1)] = 0.6
    """Least share of an object that is seen."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.per_photo != (1, 1):
            raise ValueError("per_photo must be 1: a photo has one class")
        if not 0 <= self.margin[0] <= self.margin[1] <= 5:
            raise ValueError(f"margin must be [lowest, highest] from 0 to 5, got {list(self.margin)}")
        return self


class TuneConfig(Section):
    """How `vision synth tune` searches."""

    real: str | None = None
    """Labelled real photos to judge on: a view, whose side `val` serves, or a data set, relative to the project file;
    of one that comes with a split its side `val`, else all."""
    photos: Annotated[int, Field(ge=8, le=100_000)] = 240
    """Synthetic photos of a trial."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 4
    """Of a trial's training."""
    trials: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Trials in all; more of them later go on."""
    confirm: Annotated[int, Field(ge=0, le=20)] = 3
    """How often the best settings and those of the project file are tried once more with other seeds, to tell a gain
    from luck."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Another seed tries other settings."""
    search: dict[str, tuple[float, float] | None] = {}
    """What is searched, and from where to where: {rotation_deg: [0, 90], curvature: null}; null is our own range. The
    command's own when empty (docs/synth_tune.md)."""


class SynthConfig(Section):
    """Photos that nobody took."""

    logos: LogosConfig = LogosConfig()
    """Flat objects, put on the surfaces of real backgrounds."""
    paste: PasteConfig = PasteConfig()
    """Cut-outs of anything, put into real backgrounds."""
    classify: ClassifyConfig = ClassifyConfig()
    """One object a photo, for classifiers."""
    tune: TuneConfig = TuneConfig()
    """The search for settings that bring a detector up on real photos."""
