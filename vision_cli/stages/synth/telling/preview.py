"""A look at what a run would make: a contact sheet with boxes, and what was seen in a few backgrounds."""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.progress import Progress
from vision_cli.imaging import overlay, sheets
from vision_cli.imaging.write import write_photo
from vision_cli.stages.synth.asking.asked import Asked
from vision_cli.stages.synth.making.maker import Maker
from vision_cli.stages.synth.making.run_folder import PICTURES
from vision_cli.synth import pictures
from vision_cli.synth.render import Rendered

_PHOTO_PX, _STEP_PX = 320, 240
_QUALITY = 88
_SCENES = 4


def write(asked: Asked, photos: int, folder: Path, progress: Progress) -> tuple[Path, Path]:
    """Make one photo of each of the first scenes, and draw them and some of the scenes into two pictures.

    Raises:
        DataError: a background cannot be read.
        ResourceError: the disk refuses.
    """
    maker = Maker(asked)
    tiles, scenes = [], dict[int, sheets.Tile]()
    each = asked.render.scene_photos
    for number in range(photos):
        index = number * each + number % each  # every blend has its turn
        which, made = maker.rendered(index)
        tiles.append(_tile(index, made, asked))
        if which not in scenes and len(scenes) < _SCENES:
            scenes[which] = _steps(maker, which)
        progress.step("preview", number + 1, photos)
    first, second = (folder / name for name in PICTURES)
    columns = min(4, photos)
    title = f"{photos} of the photos that would be made, by number; seed {asked.seed}"
    write_photo(first, sheets.sheet(title, tiles, sheets.Style(columns, _PHOTO_PX)), quality=_QUALITY)
    told = f"background, segments, depth ({asked.analysis.depth}), planes"
    write_photo(second, sheets.sheet(told, [*scenes.values()], sheets.Style(1, _STEP_PX)), quality=_QUALITY)
    return first, second


def _tile(index: int, made: Rendered, asked: Asked) -> sheets.Tile:
    classes = asked.book.classes
    scale = _PHOTO_PX / max(made.photo.shape[:2])
    marks = [
        overlay.Marked((x * scale, y * scale, (x + w) * scale, (y + h) * scale), each.class_name, number)
        for each in made.objects
        for (x, y, w, h), number in [(each.box, classes.index(each.class_name))]
    ]
    drawn = overlay.with_objects(sheets.fitted(made.photo, _PHOTO_PX), marks)
    return sheets.Tile([drawn], [sheets.Words(f"{index}: {made.blend}, {_counted(made)}")])


def _counted(made: Rendered) -> str:
    return f"{len(made.objects)} object{'' if len(made.objects) == 1 else 's'}"


def _steps(maker: Maker, which: int) -> sheets.Tile:
    background, scene = maker.scene(which)
    drawn = [sheets.fitted(photo, _STEP_PX) for _, photo in pictures.steps(background, scene)]
    planes = f"{len(scene.planes)} planes of {int(scene.regions.max()) + 1} regions"
    refused = ", ".join(f"{number} {reason}" for reason, number in scene.rejected.items())
    words = f"{maker.asked.backgrounds[which]}: {planes}" + (f"; refused: {refused}" if refused else "")
    return sheets.Tile(drawn, [sheets.Words(words)])
