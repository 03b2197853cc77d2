"""Draw each step of `vision synth logos` for one background: the picture of docs/rendering.md.

python bench/synth_pictures.py LOGOS PHOTO OUT.jpg [--seed 7]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision_cli.core import rle
from vision_cli.imaging import sheets
from vision_cli.imaging.write import write_photo
from vision_cli.synth import logos, pictures
from vision_cli.synth.analysis import analyse, read_background
from vision_cli.synth.logos import LogoBook
from vision_cli.synth.lot import Lot
from vision_cli.synth.render import Rendered, render
from vision_cli.synth.scene import AnalysisSettings, Background, Scene
from vision_cli.synth.settings import EFFECTS, RenderSettings

Photo = NDArray[np.uint8]
_TILE_PX, _QUALITY = 320, 85
_BARE = RenderSettings(
    per_photo=(4, 4),
    distractors=(1, 1),
    negatives=0.0,
    mirror=False,
    looks={"plain": 1.0},
    blends=("hard",),
    photos_a_scene=4,
    effects=frozenset(),
)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logos", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    background = read_background(given.photo)
    scene = analyse(background, AnalysisSettings())
    drawing = Drawing(background, scene, logos.load(given.logos), given.seed)
    tiles = [sheets.Tile([sheets.fitted(photo, _TILE_PX)], [sheets.Words(name)]) for name, photo in drawing.steps()]
    write_photo(given.out, sheets.sheet("One photo, step by step", tiles, sheets.Style(3, _TILE_PX)), quality=_QUALITY)


class Drawing:
    """The steps of one photo."""

    def __init__(self, background: Background, scene: Scene, book: LogoBook, seed: int) -> None:
        """Keep the inputs; the poses follow from the seed."""
        self._background, self._scene, self._book, self._seed = background, scene, book, seed

    def steps(self) -> list[tuple[str, Photo]]:
        """Return name and picture of each step."""
        bare = self._made(_BARE)
        mixed = replace(_BARE, looks=RenderSettings().looks)
        whole = self._made(replace(mixed, effects=frozenset(EFFECTS), blends=("feather",)))
        seen = {name: photo for name, photo in pictures.steps(self._background, self._scene)}
        return [
            ("1 logos, trimmed", self._logos(bare)),
            ("2 background", seen["photo"]),
            ("3 segments", seen["segments"]),
            ("4 depth (geometric)", seen["depth"]),
            ("5 planes", seen["planes"]),
            ("6 placement: poses on surfaces", self._poses(bare)),
            ("7 warp, hidden by what is nearer", bare.photo),
            ("8 look and blend: light, shadow, blur, noise", whole.photo),
            ("9 labels: visible box, full box (thin), mask", labels(whole)),
        ]

    def _made(self, settings: RenderSettings) -> Rendered:
        return render(self._background, self._scene, self._book, settings, Lot(self._seed, 0, 4))

    def _logos(self, made: Rendered) -> Photo:
        """Return the cut-outs of this photo on a chequered ground."""
        shape = self._background.photo.shape[:2]
        rows, columns = np.indices(shape) // 16
        canvas = np.repeat(np.where((rows + columns) % 2, 204, 235).astype(np.uint8)[..., None], 3, axis=2)
        names = {(each.class_name, each.variant) for each in made.objects}
        shown = [logo for logo in self._book.logos if (logo.class_name, logo.variant) in names]
        side = min(shape[0], shape[1] // max(len(shown), 1)) - 16
        for number, logo in enumerate(shown):
            _lay(canvas, cv2.resize(logo.rgba, (side, side), interpolation=cv2.INTER_AREA), number * (side + 16) + 8)
        return canvas

    def _poses(self, made: Rendered) -> Photo:
        canvas = (self._background.photo * np.float32(0.55)).astype(np.uint8)
        for each in made.objects:
            corners = np.array(each.parameters["corners"], np.float32).round().astype(np.int32)
            colour = (255, 210, 60) if each.plane is not None else (90, 200, 255)
            cv2.polylines(canvas, [corners], True, colour, 2, cv2.LINE_AA)
            cv2.line(canvas, corners[0].tolist(), corners[1].tolist(), (255, 255, 255), 3, cv2.LINE_AA)
        return canvas


def _lay(canvas: Photo, rgba: Photo, left: int) -> None:
    side = rgba.shape[0]
    top = (canvas.shape[0] - side) // 2
    part = canvas[top : top + side, left : left + side]
    alpha = rgba[: part.shape[0], : part.shape[1], 3:] / np.float32(255)
    part[:] = alpha * rgba[: part.shape[0], : part.shape[1], :3] + (1 - alpha) * part


def labels(made: Rendered) -> Photo:
    """Draw what is known of a photo's objects."""
    canvas = made.photo.copy()
    for each in made.objects:
        mask = rle.decode(each.counts(canvas.shape[:2]), *canvas.shape[:2])
        canvas[mask] = (0.45 * canvas[mask] + 0.55 * np.array((90, 255, 120))).astype(np.uint8)
        for box, width in ((each.full_box, 1), (each.box, 2)):
            x, y, w, h = (round(float(value)) for value in box)
            cv2.rectangle(canvas, (x, y), (x + w, y + h), (255, 80, 40), width, cv2.LINE_AA)
    return canvas


if __name__ == "__main__":
    main()
