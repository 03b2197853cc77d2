"""Pictures of what was explained: heat over the photo, channels of a layer, training photos beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision_cli.core.decoding.pixels import values_of_photo
from vision_cli.core.decoding.placing import place
from vision_cli.core.errors import VisionError
from vision_cli.imaging import draw, heat, overlay, read, sheets, write
from vision_cli.imaging.draw import Line
from vision_cli.imaging.sheets import Style, Tile, Words
from vision_cli.stages.explaining.asked import Explanation, Part
from vision_cli.stages.explaining.evidence import Look, Seen, spread

Photo = NDArray[np.uint8]
_MARK = (70, 220, 255)
_TILE_PX, _COLUMNS = 420, 3
_SMALL_PX, _MANY_COLUMNS = 200, 6
_SHOWN_PX, _SHEET_SHOWN_PX = 480, 1000
_MEANING = {
    "cam": "share of the score, place by place (CAM)",
    "gradcam": "evidence by Grad-CAM",
    "hirescam": "evidence by HiResCAM",
    "scorecam": "evidence by Score-CAM",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """Pictures of one photo.

    Attributes:
        pictures: uint8 (H, W, 3), by what they show.
        shown: a small one for a report.
    """

    pictures: Mapping[str, Photo]
    shown: Photo


def drawn(look: Look, seen: Seen, found: Explanation, maps: int) -> Drawn:
    """Return the pictures of one photo.

    Args:
        look: the network.
        seen: the photo as the network sees it.
        found: what is known of it.
        maps: channels of the layer to show.
    """
    photo = read.read_photo(seen.path)
    pictures: dict[str, Photo] = {}
    heated, shown = _heat(look, photo, found)
    pictures["heat"] = heated
    if maps:
        pictures["maps"] = _maps(look, seen, photo, maps)
    if found.nearest:
        pictures["nearest"] = _nearest(photo, found, plain=look.subject.card.task == "classify")
    return Drawn(pictures, shown)


def without_regions(found: Explanation) -> Explanation:
    """Return an explanation without its masks, which are as large as the photo."""
    return replace(found, parts=tuple(replace(part, region=None) for part in found.parts))


def save(drawings: Drawn, folder: Path, name: str) -> dict[str, Path]:
    """Write the pictures of one photo into a folder, and return where each is."""
    written = {}
    for kind, picture in drawings.pictures.items():
        path = folder / (f"{name}.png" if kind == "heat" else f"{name}-{kind}.png")
        write.write_photo(path, picture)
        written[kind] = path
    return written


def _heat(look: Look, photo: Photo, found: Explanation) -> tuple[Photo, Photo]:
    """Return the picture of the maps, and a small one for a report."""
    if not found.parts:
        plain = heat.with_scale(photo, [Line(found.answer)], meaning="no map")
        return plain, draw.thumbnail(photo, _SHOWN_PX)
    size_px = (photo.shape[1], photo.shape[0])
    surfaces = (spread(part, size_px, look.subject.card.preprocess) for part in found.parts)
    meaning = _meaning(found.parts)
    if len(found.parts) == 1 and found.parts[0].box is None and found.parts[0].region is None:
        part, surface = found.parts[0], next(surfaces)
        over = heat.over(photo, surface)
        lines = _lines(part, found)
        return heat.with_scale(over, lines, meaning=meaning, unseen=bool(np.isnan(surface).any())), _small(over)
    tiles, unseen = [], False
    for part, surface in zip(found.parts, surfaces, strict=True):
        unseen = unseen or bool(np.isnan(surface).any())
        tiles.append(Tile([_small(_marked(heat.over(photo, surface), part))], [Words(_said(part))]))
    sheet = sheets.sheet(f"{found.path.name}: {found.answer}", tiles, Style(_COLUMNS, _TILE_PX))
    whole = heat.with_scale(sheet, [], meaning=meaning, unseen=unseen)
    return whole, draw.thumbnail(whole, _SHEET_SHOWN_PX)


def _small(photo: Photo) -> Photo:
    return draw.thumbnail(photo, _SHOWN_PX)


def _marked(picture: Photo, part: Part) -> Photo:
    thick_px = max(2, round(max(picture.shape) / 250))
    if part.region is not None:
        return heat.outlined(picture, part.region, _MARK, thick_px)
    if part.box is None:
        return picture
    return overlay.with_objects(picture, [overlay.Marked(part.box, "", _MARK)], shown_px=_TILE_PX)


def _meaning(parts: Sequence[Part]) -> str:
    methods = {part.method for part in parts}
    layers = list(dict.fromkeys(part.layer for part in parts))
    where = f"layer {layers[0]}" if len(layers) == 1 else f"{len(layers)} layers"
    return f"{_MEANING.get(min(methods), min(methods))}, {where}"


def _lines(part: Part, found: Explanation) -> list[Line]:
    if not part.label:
        return [Line(found.answer)]
    others = part.label != found.answer and found.confidence is not None and "|" not in found.answer
    answer = [Line(f"answer: {found.answer}", found.confidence)] if others else []
    return [Line(part.label, part.confidence), *answer]


def _said(part: Part) -> str:
    if part.confidence is not None:
        return f"{part.label} {part.confidence:.0%}"
    return part.label if part.share is None else f"{part.label}, {part.share:.1%} of the photo"


def _maps(look: Look, seen: Seen, photo: Photo, number: int) -> Photo:
    """Return a sheet of the strongest channels of the layer, each in its own scale."""
    from vision_cli.models.explaining import channels

    spot = look.spot()
    found = channels.strongest(look.subject.network, seen.views[-1], spot, number)
    left, top, width, height = seen.windows[-1]
    part = draw.thumbnail(photo[top : top + height, left : left + width], _SMALL_PX)
    placement = place((part.shape[1], part.shape[0]), look.subject.card.preprocess)
    tiles = [Tile([part], [Words("the photo"), Words("strength: root mean square")])]
    for index, power, values in found:
        low, high = min(0.0, float(values.min())), float(values.max())
        scaled = (values - low) / max(high - low, 1e-30)
        picture = heat.coloured(values_of_photo(scaled.astype(np.float32), placement))
        tiles.append(Tile([picture], [Words(f"channel {index}"), Words(f"strength {power:.3g}")]))
    name = f"{seen.path.name}: layer {spot.name}, {len(found)} strongest of {spot.channels} channels"
    sheet = sheets.sheet(name, tiles, Style(_MANY_COLUMNS, _SMALL_PX))
    unseen = any(bool(np.isnan(values_of_photo(values, placement)).any()) for _, _, values in found[:1])
    return heat.with_scale(sheet, [], meaning="of each channel, in its own scale", unseen=unseen)


def _nearest(photo: Photo, found: Explanation, *, plain: bool) -> Photo:
    """Return a sheet of the photo and the training photos nearest to it."""
    tiles = [Tile([_fitted(photo)], [Words(f"answer: {found.answer}"), Words(found.path.name)])]
    for each in found.nearest:
        try:
            shown: Any = _fitted(read.read_photo(each.path, at_least=(_SMALL_PX, _SMALL_PX)))
        except VisionError:
            continue
        other = plain and each.label != found.answer
        text = f"{each.distance:.3f}  {each.label or ''}"
        tiles.append(Tile([shown], [Words(text, wrong=other), Words(each.path.name)]))
    title = "The training photos nearest to it, with distance and label"
    return sheets.sheet(title, tiles, Style(_MANY_COLUMNS, _SMALL_PX))


def _fitted(photo: Photo) -> Photo:
    return draw.thumbnail(photo, _SMALL_PX)
