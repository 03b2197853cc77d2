"""The page of offenders: thumbnails of the first places of each finding, with their boxes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vision_cli.checks.finding import Finding
from vision_cli.checks.request import Request
from vision_cli.core.errors import DataError
from vision_cli.core.progress import Progress
from vision_cli.imaging import draw, marking, read, write
from vision_cli.reports import gallery
from vision_cli.reports.charts.growth import Growth
from vision_cli.reports.gallery import Gallery, Group, Item
from vision_cli.stages.checking import lists
from vision_cli.stages.checking.lists import Place

if TYPE_CHECKING:
    from vision_cli.stages.checking.check import CheckResult, Found

ITEMS = 36
"""Of a finding."""
MAX_BOXES = 200
THUMBNAIL_PX = 256
_QUALITY = 78


def page(result: CheckResult, asked: Request, progress: Progress) -> str:
    """Return the page."""
    pictures = _Pictures(asked)
    groups = []
    for number, found in enumerate(result.found, start=1):
        groups.append(_group(found, asked, pictures))
        progress.step("thumbnails", number, len(result.found))
    counts = {name: result.number(name) for name in ("error", "warning", "info")}
    return gallery.render(
        Gallery(
            title=result.data,
            facts=(
                ("photos", f"{result.photos:,}"),
                ("annotations", f"{result.annotations:,}"),
                ("format", result.format or "view"),
                ("checks", str(len(result.checks))),
            ),
            counts=counts,
            groups=tuple(groups),
            notes=result.notes,
        )
    )


def _group(found: Found, asked: Request, pictures: _Pictures) -> Group:
    finding = found.finding
    places = lists.places(asked.dataset, finding, ITEMS)
    items = [_item(finding, number, place, pictures) for number, place in enumerate(places)]
    return Group(
        check=finding.check,
        severity=finding.severity,
        figure=f"{finding.figure:,.4g}" if finding.figure % 1 else f"{finding.figure:,.0f}",
        reason=finding.reason,
        hint=finding.hint,
        total=len(finding.where),
        items=tuple(items),
        growth=_growth(finding),
    )


def _growth(finding: Finding) -> Growth | None:
    told = finding.details
    if "expected" not in told:
        return None
    return Growth(told["measured"], told["expected"], told["bound"], told["unit"])


def _item(finding: Finding, number: int, place: Place, pictures: _Pictures) -> Item:
    where = finding.where
    row, partner, annotation = (int(each[number]) for each in (where.images, where.partners, where.annotations))
    value = "" if place.value is None or not finding.measure else f"{finding.measure}: {place.value:.4g}"
    rather = f"suggested: {place.suggestion}" if place.suggestion else ""
    details = [value, f"class {place.label}" if place.label else "", rather, _box(place)]
    return Item(
        name=place.file,
        details=tuple(each for each in details if each),
        jpeg=pictures.of(row, annotation, int(where.others[number])) if row >= 0 else None,
        other_name=place.other,
        other_jpeg=pictures.of(partner, -1, -1) if partner >= 0 else None,
    )


def _box(place: Place) -> str:
    return "box " + ", ".join(f"{side:g}" for side in place.box) if place.box else ""


class _Pictures:
    """Makes thumbnails; the last photos stay in memory, for findings often share them."""

    def __init__(self, asked: Request) -> None:
        self._asked = asked
        self._paths = asked.dataset.paths()
        self._order = np.argsort(asked.rows, kind="stable")
        self._bounds = np.searchsorted(asked.rows[self._order], np.arange(len(asked.dataset) + 1))
        self.of = lru_cache(512)(self._of)

    def _of(self, row: int, annotation: int, other: int) -> bytes | None:
        """Return a JPEG of a photo with its boxes, one or two of them loud; None where it cannot be read."""
        photo = _photo(self._paths[row])
        if photo is None:
            return None
        rows = self._order[self._bounds[row] : self._bounds[row + 1]]
        loud = np.isin(rows, [annotation, other])
        shown = np.flatnonzero(loud | (np.arange(len(rows)) < MAX_BOXES))
        boxes, sizes = self._asked.boxes, self._asked.image_sizes[row]
        edges = np.stack([boxes.left, boxes.top, boxes.right, boxes.bottom], axis=1)[rows[shown]]
        known = bool((sizes > 0).all())
        there = ~np.isnan(edges[:, 0]) if known else np.zeros(len(edges), np.bool_)
        shares = edges[there] / np.tile(sizes if known else np.ones(2), 2)
        picture = marking.marked(photo, shares, loud[shown][there], max_px=THUMBNAIL_PX)
        return write.encode_jpeg(picture, _QUALITY)


def _photo(path: Path) -> NDArray[np.uint8] | None:
    try:
        return draw.thumbnail(read.read_photo(path, at_least=(THUMBNAIL_PX, THUMBNAIL_PX)), THUMBNAIL_PX)
    except DataError:
        return None
