"""Make photo i: choose objects, places and looks, paint from far to near, and say what is where."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.arranging import Arranger, plan_of
from vision_cli.synth.labels import Placed
from vision_cli.synth.logos import LogoBook
from vision_cli.synth.lot import Lot, Purpose
from vision_cli.synth.painting import Easel
from vision_cli.synth.scene import Background, Scene
from vision_cli.synth.settings import RenderSettings
from vision_cli.synth.things import Thing

VERSION = 2
"""Goes up whenever photo i of the same settings gets other pixels or labels."""

_ATTEMPTS = 8
_PATIENT = 4
"""Attempts before less is asked of a place."""

_WHOLE = 0.98
"""Share of its pixels from which on nothing is said to hide an object."""

_USUAL_QUALITY, _LEAST_QUALITY, _MOST_QUALITY = 92, 60, 95


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A photo with its labels.

    Attributes:
        photo: uint8 (H, W, 3), RGB.
        objects: what is labelled in it, from far to near.
        rejects: how much was tried in vain, by reason.
        jpeg_quality: 60 to 95, that suits the scene.
        blend: name in the table `BLENDS`.
        mirrored: whether the background is.
    """

    photo: NDArray[np.uint8]
    objects: tuple[Placed, ...]
    rejects: Counter[str]
    jpeg_quality: int
    blend: str
    mirrored: bool


def render(background: Background, scene: Scene, book: LogoBook, settings: RenderSettings, lot: Lot) -> Rendered:
    """Make one photo; equal arguments give equal bytes.

    Args:
        background: the photo at working size.
        scene: its analysis.
        book: objects, and pictures that distract.
        settings: what is asked for.
        lot: which photo of which seed.
    """
    plan = plan_of(settings, lot)
    rejects: Counter[str] = Counter()
    for attempt in range(_ATTEMPTS):
        asked = settings if attempt < _PATIENT else replace(settings, loose=1.0, occluders=0.0, contrast_least=5.0)
        easel = _painted(Arranger(background, scene, book, asked, lot, plan, attempt))
        rejects += easel.rejects
        if plan.objects == 0 or any(thing.labelled for thing in easel.done):
            break
        rejects["a photo without any object"] += 1
    objects = tuple(placed for thing in easel.done if (placed := _placed(thing, easel)) is not None)
    photo = easel.photo
    if plan.mirrored:
        photo = np.asarray(cv2.flip(photo, 1), np.uint8)
        objects = tuple(placed.mirrored(photo.shape[1]) for placed in objects)
    return Rendered(photo, objects, rejects, _quality(scene), easel.blend, plan.mirrored)


def _painted(arranger: Arranger) -> Easel:
    """Paint what was arranged, from far to near."""
    arranged, settings, lot = arranger.arrange(), arranger.settings, arranger.lot
    easel = Easel(
        photo=arranger.background.photo.copy(),
        background=arranger.background,
        scene=arranger.scene,
        settings=settings,
        light=arranged.light,
        blend=settings.blends[lot.index % len(settings.blends)],
        rejects=arranged.rejects.copy(),
    )
    for thing in arranged.things:
        easel.paint(replace(thing, hidden=None), lot.rng(Purpose.NOISE, arranger.attempt, thing.number))
    return easel


def _quality(scene: Scene) -> int:
    return int(np.clip(scene.jpeg_quality or _USUAL_QUALITY, _LEAST_QUALITY, _MOST_QUALITY))


def _placed(thing: Thing, easel: Easel) -> Placed | None:
    """Return a painted object's label; None for what has none."""
    found = thing.seen_in(easel.photo)
    if found is None:
        return None
    mask, (left, top, right, bottom) = found
    layer, pose = thing.layer, thing.layer.pose
    x0, y0, x1, y1 = layer.full_box
    box = left + layer.left, top + layer.top, right - left, bottom - top
    return Placed(
        class_name=pose.logo.class_name,
        variant=pose.logo.variant,
        box=box,
        full_box=(x0, y0, x1 - x0, y1 - y0),
        left=box[0],
        top=box[1],
        mask=mask,
        visibility=thing.visibility,
        truncated=layer.truncated,
        occluded=thing.seen_px < _WHOLE * thing.within_px,
        plane=pose.plane.region if pose.plane else None,
        size_px=max(x1 - x0, y1 - y0),
        angle_deg=pose.angle_deg,
        tilt_deg=pose.tilt_deg,
        contrast=thing.contrast,
        blend=easel.blend,
        look=thing.look,
        parameters=_parameters(thing, easel),
    )


def _parameters(thing: Thing, easel: Easel) -> dict[str, object]:
    """Return everything else that was drawn for an object."""
    pose, light = thing.layer.pose, easel.light
    return {
        "corners": [[round(float(value), 2) for value in corner] for corner in pose.corners],
        "depth": round(pose.depth, 4),
        "lies": pose.lies,
        "stands": pose.stands,
        "bend": thing.bend.kind if thing.bend else None,
        "bend_deg": round(thing.bend.angle_deg, 1) if thing.bend and thing.bend.kind == "cylinder" else None,
        "blur_px": thing.lens.sigma_px,
        "motion_px": thing.lens.motion_px,
        "motion_deg": thing.lens.motion_deg,
        "exposure": round(light.exposure, 3),
        "shadow_deg": round(light.from_deg, 1),
    }
