"""Choose what goes into a photo, where, and how it looks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from vision_cli.synth import LOOKS, distractors, lighting, occlusion
from vision_cli.synth import bend as bending
from vision_cli.synth.bend import Bend
from vision_cli.synth.lighting import Light
from vision_cli.synth.logos import Logo, LogoBook
from vision_cli.synth.lot import Lot, Purpose
from vision_cli.synth.placement import Placer, Pose
from vision_cli.synth.scene import Background, Scene
from vision_cli.synth.settings import RenderSettings
from vision_cli.synth.things import PIECE, Thing, cover_of
from vision_cli.synth.warp import Finish, Lens, warp

_UNTOUCHED = Finish(np.eye(3, 4, dtype=np.float32))
_FIRST_PIECE = 1000
"""Pieces of the scene are numbered from here, whatever the number of objects."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a photo shall have."""

    objects: int
    distractors: int
    mirrored: bool


def plan_of(settings: RenderSettings, lot: Lot) -> Plan:
    """Draw how many objects and distractors a photo gets, and whether its background is mirrored."""
    rng = lot.rng(Purpose.PLAN)
    negative, mirrored = rng.random() < settings.negatives, rng.random() < 0.5
    objects = int(rng.integers(settings.per_photo[0], settings.per_photo[1] + 1))
    others = int(rng.integers(settings.distractors[0], settings.distractors[1] + 1))
    return Plan(0 if negative else objects, others, mirrored and settings.mirror)


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """What is painted, before any of it is.

    Attributes:
        light: of the photo.
        things: in the order of painting.
        rejects: how much found no place, by reason.
    """

    light: Light
    things: tuple[Thing, ...]
    rejects: Counter[str]


@dataclass(slots=True, eq=False)
class Arranger:
    """One attempt at a scene's objects.

    Attributes:
        background: the photo.
        scene: its analysis.
        book: objects, and pictures that distract.
        settings: what is asked for.
        lot: of the photo.
        plan: how much of everything.
        attempt: from 0; each draws other numbers.
        rejects: how much found no place, by reason.
    """

    background: Background
    scene: Scene
    book: LogoBook
    settings: RenderSettings
    lot: Lot
    plan: Plan
    attempt: int = 0
    rejects: Counter[str] = field(default_factory=Counter)

    def arrange(self) -> Arrangement:
        """Choose objects, places and looks; photos of one scene in a row share the work."""
        latest = _LATEST.get("arranged")
        if latest is None or not self._is_like(latest[0]):
            light = lighting.light_of(self.scene, self._rng(Purpose.LOOK))
            things = self._arranged(self._things(light))
            latest = self, Arrangement(light, tuple(things), self.rejects)
            _LATEST["arranged"] = latest
        return latest[1]

    def _is_like(self, other: Arranger) -> bool:
        """Tell whether another one arranges the very same."""
        same = self.scene is other.scene and self.background is other.background
        same = same and self.book is other.book and self.settings is other.settings
        mine, others = (each.lot for each in (self, other))
        drawn = (mine.seed, mine.group, self.attempt) == (others.seed, others.group, other.attempt)
        return same and drawn

    def _rng(self, purpose: Purpose, *more: int) -> np.random.Generator:
        return self.lot.rng(purpose, self.attempt, *more)

    def _things(self, light: Light) -> list[Thing]:
        """Return what found a place, from far to near."""
        rng = self._rng(Purpose.POSE)
        placer = Placer(self.scene, self.settings, rng, [], self.rejects)
        chosen = [(self._logo(rng), True) for _ in range(self.plan.objects)]
        chosen += [
            (distractors.draw(self.book, self._rng(Purpose.DISTRACTORS, number)), False)
            for number in range(self.plan.distractors)
        ]
        found = []
        for number, (logo, labelled) in enumerate(chosen):
            pose = placer.place(logo.mirrored() if self.plan.mirrored else logo)
            thing = self._thing(pose, labelled, number, light) if pose else None
            if thing is not None:
                found.append(thing)
        return sorted(found, key=lambda thing: (-thing.layer.pose.depth, thing.number))

    def _logo(self, rng: np.random.Generator) -> Logo:
        variants = self.book.variants[int(rng.integers(len(self.book.variants)))]
        return variants[int(rng.integers(len(variants)))]

    def _thing(self, pose: Pose, labelled: bool, number: int, light: Light) -> Thing | None:
        rng = self._rng(Purpose.LOOK, number)
        look = self._look(pose, rng)
        bend = self._bend(look, rng)
        lens = lighting.lens_of(self.scene, pose, self.settings.effects, rng)
        colours = lighting.colours(self.scene, light, self.settings.effects, rng)
        finish = Finish(colours, bend, lens, LOOKS.load(look).REACH * pose.size_px)
        layer = warp(pose, finish, self.scene.shape)
        if layer is None:
            self.rejects["leaves the photo"] += 1
            return None
        share = occlusion.open_share(self.scene, layer) if self.settings.occlusion else None
        thing = Thing(layer, cover_of(layer, share), look, labelled, bend, lens, number)
        if labelled and thing.visibility < self.settings.visibility_least:
            self.rejects["too little of it is seen"] += 1
            return None
        return thing

    def _look(self, pose: Pose, rng: np.random.Generator) -> str:
        """Draw a look; what is held before the scene has none of those that are part of a surface."""
        looks = self.settings.looks
        if pose.plane is None or pose.stands:
            free = {name: weight for name, weight in looks.items() if not LOOKS.load(name).NEEDS_SURFACE}
            looks = free if sum(free.values()) > 0 else looks
        limits = np.cumsum(list(looks.values()))
        return list(looks)[int(np.searchsorted(limits, rng.random() * limits[-1], side="right"))]

    def _bend(self, look: str, rng: np.random.Generator) -> Bend | None:
        bent, cylinder = rng.random() < self.settings.curvature, rng.random() < 0.6
        if look == "fabric" and self.settings.curvature > 0:
            return bending.draw(rng, "cloth")
        return bending.draw(rng, "cylinder" if cylinder else "cloth") if bent else None

    def _arranged(self, things: list[Thing]) -> list[Thing]:
        """Return what is painted, in order: no thing that hides too much of another, and pieces of the scene."""
        order: list[Thing] = []
        rng = self._rng(Purpose.OCCLUDERS)
        for thing in things:
            added, wanted = self._add(order, thing), rng.random() < self.settings.occluders
            piece = self._piece(thing, rng) if added and wanted and thing.labelled else None
            if piece is not None:
                self._add(order, piece)
        return order

    def _add(self, order: list[Thing], thing: Thing) -> bool:
        """Append a thing unless it hides too much of what is there; tell whether it was."""
        covered = []
        for earlier in order:
            part = earlier.shares(thing.layer.window)
            if part is None or not earlier.labelled:
                continue
            trial = replace(earlier, hidden=None if earlier.hidden is None else earlier.hidden.copy())
            trial.cover_up(part[0], thing.cover[part[1]])
            if trial.visibility < self.settings.visibility_least:
                self.rejects["hides another"] += 1
                return False
            covered.append((earlier, trial.hidden))
        for earlier, hidden in covered:
            earlier.hidden = hidden
        order.append(thing)
        return True

    def _piece(self, thing: Thing, rng: np.random.Generator) -> Thing | None:
        pose = occlusion.piece(self.background.photo, self.scene, thing.layer.pose, rng)
        layer = warp(pose, _UNTOUCHED, self.scene.shape) if pose else None
        if layer is None:
            return None
        return Thing(layer, cover_of(layer, None), PIECE, False, None, Lens(), _FIRST_PIECE + thing.number)


_LATEST: dict[str, tuple[Arranger, Arrangement]] = {}
"""The one scene arranged last, as photos of a scene come in a row; what is in it is never changed."""
