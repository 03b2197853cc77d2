"""Paint one thing after the other into a photo, each in its own neighbourhood, and note what it changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision_cli.synth import BLENDS, LOOKS, lighting, shadow
from vision_cli.synth.labels import CHANGED_LEVELS, bounds, difference
from vision_cli.synth.lighting import Light
from vision_cli.synth.looks.sample import Sample
from vision_cli.synth.scene import Background, Scene
from vision_cli.synth.settings import RenderSettings
from vision_cli.synth.shadow import Shade
from vision_cli.synth.things import PIECE, WHOLE, Thing, Window

_LOOSE_SHADOW = 0.5


@dataclass(slots=True, eq=False)
class Easel:
    """A photo in the making.

    Attributes:
        photo: uint8 (H, W, 3), painted on.
        background: as it was.
        scene: the background's.
        settings: what was asked for.
        light: of this photo.
        blend: name in `BLENDS`.
        rejects: how much was not painted, by reason.
        done: what was painted, in order.
    """

    photo: NDArray[np.uint8]
    background: Background
    scene: Scene
    settings: RenderSettings
    light: Light
    blend: str
    rejects: Counter[str]
    done: list[Thing] = field(default_factory=list)

    def paint(self, thing: Thing, rng: np.random.Generator) -> bool:
        """Paint a thing unless nobody would see where it ends; tell whether it was."""
        dimmed = self._cast(thing, rng)
        sample = self._sample(thing)
        if thing.look != PIECE:
            sample = LOOKS.load(thing.look).apply(sample, rng)
            self._noise(sample, rng)
            sample = BLENDS.load(self.blend).apply(sample)
        below, painted = laid_over(self.photo[thing.layer.window], sample)
        change = difference(painted, below)
        fault = self._fault(thing, change) if thing.labelled else None
        if fault is not None:
            self.rejects[fault] += 1
            if dimmed is not None and dimmed.before is not None:
                self.photo[dimmed.window] = dimmed.before
            return False
        self.photo[thing.layer.window] = below if self._omits(thing) else painted
        self._note(thing, sample, dimmed)
        thing.without = below if thing.labelled else None
        return True

    def _omits(self, thing: Thing) -> bool:
        return thing.labelled and self.settings.omit == sum(one.labelled for one in self.done)

    def _note(self, thing: Thing, sample: Sample, dimmed: Shade | None) -> None:
        """Do to the photo without each of those below it what was done to the photo: shadow, glow and paint."""
        for earlier in self.done:
            if dimmed is not None:
                earlier.dim(dimmed)
            shared = earlier.shares(thing.layer.window)
            if shared is not None:
                own, part = shared
                earlier.cover_up(own, sample.alpha[part])
                if earlier.without is not None:
                    earlier.without[own] = laid_over(earlier.without[own], sample, part)[1]
        self.done.append(thing)

    def _cast(self, thing: Thing, rng: np.random.Generator) -> Shade | None:
        height = self._shadow_height(thing, rng)
        if height and thing.look != PIECE and thing.layer.pose.stands:
            return shadow.cast_on_floor(self.photo, thing.layer, self.light)
        return shadow.cast(self.photo, thing.layer, self.light, height) if height else None

    def _sample(self, thing: Thing) -> Sample:
        layer, effects = thing.layer, self.settings.effects
        ground = self.background.photo[layer.window].astype(np.float32)
        colour = layer.rgba[..., :3].astype(np.float32)
        if thing.look == PIECE:
            flat = np.ones(ground.shape[:2], np.float32)
            return Sample(colour, thing.cover, ground, flat, flat, layer.pose.size_px)
        gain = lighting.gain(self.scene, layer, self.light, effects)
        grain = lighting.grain(self.scene, layer, self.background.photo)
        return Sample(colour, thing.cover, ground, gain, grain, layer.pose.size_px)

    def _noise(self, sample: Sample, rng: np.random.Generator) -> None:
        if "noise" in self.settings.effects:
            lighting.add_noise(sample.colour, self.scene.noise_sigma, rng)

    def _shadow_height(self, thing: Thing, rng: np.random.Generator) -> float:
        """Return how high a thing is above what is behind it, as a share of its size; 0 when it casts no shadow."""
        contact, far, aloof = rng.uniform(0.008, 0.05), rng.uniform(0.04, 0.2), rng.random() < _LOOSE_SHADOW
        if "shadow" not in self.settings.effects:
            return 0.0
        if thing.look == PIECE:
            return float(contact)
        if not LOOKS.load(thing.look).CASTS:
            return 0.0
        if thing.layer.pose.plane is not None:
            return float(contact)
        return 0.0 if aloof else float(far)

    def _fault(self, thing: Thing, change: NDArray[np.uint8]) -> str | None:
        """Say why an object cannot be seen where it is said to be."""
        covered = thing.cover >= 0.5
        wanted, found = bounds(covered), bounds(change >= CHANGED_LEVELS)
        if wanted is None or found is None:
            return "nothing of it is seen"
        thing.contrast = float(change[covered].mean())
        if thing.contrast < self.settings.contrast_least:
            return "too little contrast"
        side = max(wanted[2] - wanted[0], wanted[3] - wanted[1])
        off = max(abs(one - other) for one, other in zip(wanted, found, strict=True))
        return "an edge is not seen" if off > max(3.0, 0.05 * side) else None


def laid_over(
    under: NDArray[np.uint8], sample: Sample, part: Window = WHOLE
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return uint8 (h, w, 3) with the glow of a sample, or of a part of it, and with all of it."""
    pixels = under.astype(np.float32)
    if sample.spill is not None:
        pixels += sample.spill[part] * (1 - pixels * np.float32(1 / 255))
    painted = _pixels(pixels + sample.alpha[part][..., None] * (sample.colour[part] - pixels))
    return _pixels(pixels), painted


def _pixels(field: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(field + np.float32(0.5), 0, 255).astype(np.uint8))
