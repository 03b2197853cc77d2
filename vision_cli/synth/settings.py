"""What rendering is asked for: numbers of objects, their poses, how they look, and how they are blended in."""

from __future__ import annotations

from dataclasses import dataclass, field

EFFECTS = ("colour", "shading", "white-balance", "shadow", "blur", "motion", "noise")
"""Steps of the look that can be left out one by one."""

DEFAULT_BLENDS = ("alpha", "feather", "poisson", "hard")
DEFAULT_LOOKS = {"plain": 0.6, "print": 0.22, "fabric": 0.06, "glass": 0.06, "emboss": 0.02, "neon": 0.04}
"""Of drawn things."""

CUTOUT_LOOKS = {"cutout": 1.0}
"""Of photographed ones."""


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """How photos are made. Ranges are (lowest, highest), both inclusive.

    Attributes:
        per_photo: objects of a photo that has any.
        distractors: things in a photo that are of no class and get no label.
        negatives: 0 to 1, share of photos without any object; they may have distractors.
        size_share: of the longer side of an object's box in the photo's longer side, drawn log-uniformly.
        size_px: the same in pixels; wins over `size_share`.
        rotation_deg: turns an object has at most off upright, to either side, on what stands.
        lying_rotation_deg: the same on what lies flat: floors, tables.
        lean_deg: an object leans at most so far off the surface that it is on.
        loose: 0 to 1, share of objects held before the scene instead of on a surface, in any pose.
        standing: 0 to 1, share of the others that stand on floors and tables, where the scene has any.
        loose_tilt_deg: how far loose ones are turned away from the camera at most.
        planes: put objects on the scene's surfaces; without, all are loose.
        curvature: 0 to 1, share of objects that are bent around a cylinder or rippled like cloth.
        looks: weight of each look by its name in the table `LOOKS`.
        blends: names in the table `BLENDS`; photos of one scene take them in turn.
        photos_a_scene: photos that share background, objects and poses and differ in the blend; 0 is one per blend.
        effects: of `EFFECTS`.
        occlusion: let nearer regions of the scene hide what is behind them.
        occluders: 0 to 1, share of objects that a piece of the scene is laid over.
        overlap: 0 to 1, how much of an object others may hide.
        visibility_least: 0 to 1, share of an object that must be seen, else it is not put there.
        inside_least: 0 to 1, share of an object that must lie on its own surface.
        contrast_least: grey levels between an object and what it covers, on average, else it is not put there.
        mirror: mirror half of the backgrounds, never the objects.
        omit: leave out the pixels of this one of a photo's objects and nothing else, to see which they are.
    """

    per_photo: tuple[int, int] = (1, 4)
    distractors: tuple[int, int] = (0, 2)
    negatives: float = 0.1
    size_share: tuple[float, float] = (0.06, 0.45)
    size_px: tuple[float, float] | None = None
    rotation_deg: float = 30.0
    lying_rotation_deg: float = 180.0
    lean_deg: float = 12.0
    loose: float = 0.25
    standing: float = 0.0
    loose_tilt_deg: float = 50.0
    planes: bool = True
    curvature: float = 0.2
    looks: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_LOOKS))
    blends: tuple[str, ...] = DEFAULT_BLENDS
    photos_a_scene: int = 0
    effects: frozenset[str] = frozenset(EFFECTS)
    occlusion: bool = True
    occluders: float = 0.25
    overlap: float = 0.25
    visibility_least: float = 0.4
    inside_least: float = 0.75
    contrast_least: float = 12.0
    mirror: bool = True
    omit: int | None = None

    @property
    def scene_photos(self) -> int:
        """How many photos in a row share one scene."""
        return self.photos_a_scene or len(self.blends)

    def size_range_px(self, longer_side_px: int) -> tuple[float, float]:
        """Return the range of an object's longer side in a photo of this longer side."""
        if self.size_px is not None:
            return self.size_px
        return self.size_share[0] * longer_side_px, self.size_share[1] * longer_side_px
