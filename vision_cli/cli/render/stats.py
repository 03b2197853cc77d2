"""`vision data stats` for people and pipes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vision_cli.cli.paper import Paper
from vision_cli.stages.querying.stats import Stats, class_table
from vision_cli.views.statistics import Statistics
from vision_cli.views.statistics_boxes import Spread
from vision_cli.views.statistics_columns import Column

_CLASSES, _PAIRS, _COLUMNS, _NAME = 40, 8, 20, 48
_HEAD = ("", "min", "25 %", "median", "75 %", "max", "mean")
_FIGURES = range(1, 7)
_GROUPED = 1000
_KINDS = {
    "label": "labels of whole photos",
    "box": "boxes",
    "polygon": "outlines of one polygon",
    "polygons": "outlines of several polygons",
    "mask": "masks",
    "track": "with a track",
    "keypoints": "with keypoints",
    "score": "with a score",
}


def csv(result: Stats, paper: Paper) -> None:
    """Print the classes by split as CSV."""
    paper.raw(class_table(result))


def draw(result: Stats, paper: Paper) -> None:
    """Draw the figures, most asked first."""
    found = result.figures
    of = f" ({result.format})" if result.format else ""
    paper.outcome(f"{result.name}{of}: {_count(found)}", style="bold")
    for part in (_photos, _labels, _boxes, _splits, _classes, _pairs, _columns):
        part(found, paper)
    if found.notes:
        paper.line()
    for note in found.notes:
        paper.line(f"note: {note}")


def _count(found: Statistics) -> str:
    classes = "1 class" if found.classes == 1 else f"{found.classes:,} classes"
    unused = f" ({found.unused:,} unused)" if found.unused else ""
    return f"{_number(found.photos, 'photo')}, {_number(found.annotations, 'annotation')}, {classes}{unused}"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _photos(found: Statistics, paper: Paper) -> None:
    sizes = found.sizes
    if sizes.unknown == found.photos:
        return
    paper.heading("Photos")
    rows = [
        ("width px", sizes.width_px, _whole),
        ("height px", sizes.height_px, _whole),
        ("megapixels", sizes.megapixels, _short),
        ("aspect", sizes.aspect, _short),
    ]
    paper.table(_HEAD, [_spread(name, values, text) for name, values, text in rows], right=_FIGURES)
    common = ", ".join(f"{width}x{height} ({count:,})" for width, height, count in sizes.common)
    paper.line(f"{sizes.sizes:,} sizes; commonest {common}" if sizes.sizes > 1 else f"one size: {common}")
    if sizes.unknown:
        paper.line(f"{_number(sizes.unknown, 'photo')} without a size")


def _labels(found: Statistics, paper: Paper) -> None:
    if not found.annotations:
        return
    paper.heading("Annotations")
    rows = []
    if found.boxes is None or found.boxes.count != found.annotations:
        rows.append(_spread("a photo", found.per_photo, _short))
    if found.values is not None:
        rows.append(_spread("value", found.values, _short))
    if rows:
        paper.table(_HEAD, rows, right=_FIGURES)
    kinds = ", ".join(f"{count:,} {_KINDS.get(name, name)}" for name, count in found.shapes.items())
    if kinds:
        paper.line(kinds)
    if found.unlabelled:
        part = _percent(found.unlabelled, found.photos)
        paper.line(f"{_number(found.unlabelled, 'photo')} without annotation ({part})")


def _boxes(found: Statistics, paper: Paper) -> None:
    boxes = found.boxes
    if boxes is None:
        return
    paper.heading("Boxes")
    rows = [
        _spread("a photo", boxes.per_photo, _short),
        _spread("width px", boxes.width_px, _short),
        _spread("height px", boxes.height_px, _short),
        _spread("of the photo", boxes.share, _rate),
    ]
    paper.table(_HEAD, rows, right=_FIGURES)
    sizes = {"small (< 32² px)": boxes.small, "medium": boxes.medium, "large (>= 96² px)": boxes.large}
    paper.line(", ".join(f"{count:,} {name} {_percent(count, boxes.count)}" for name, count in sizes.items()))
    if boxes.without_area:
        without = "1 box" if boxes.without_area == 1 else f"{boxes.without_area:,} boxes"
        paper.line(f"{without} without area")


def _splits(found: Statistics, paper: Paper) -> None:
    for title, counts in (("Splits", found.splits), ("Sources", found.sources)):
        if len(counts) > 1 or any(name and title == "Splits" for name in counts):
            paper.heading(title)
            rows = [
                (_name(name), f"{photos:,}", _percent(photos, found.photos), f"{labels:,}")
                for name, (photos, labels) in counts.items()
            ]
            paper.table((title[:-1].lower(), "photos", "", "annotations"), rows, right=(1, 2, 3))


def _classes(found: Statistics, paper: Paper) -> None:
    if not found.by_class:
        return
    paper.heading("Classes")
    splits = list(found.splits) if len(found.splits) > 1 else []
    head = ["class", "photos", "annotations", "", *(_name(name) for name in splits)]
    lines = sorted(found.by_class, key=lambda line: -line.annotations)
    rows = []
    for line in lines[:_CLASSES]:
        counts = (line.by_split.get(name, (0, 0)) for name in splits)
        cells = (f"{photos:,} / {labels:,}" for photos, labels in counts)
        part = _percent(line.annotations, found.annotations)
        rows.append((_cut(line.name), f"{line.photos:,}", f"{line.annotations:,}", part, *cells))
    paper.table(head, rows, right=range(1, len(head)))
    if splits:
        paper.line("a split's figures: photos / annotations")
    if len(lines) > _CLASSES:
        paper.line(f"and {len(lines) - _CLASSES:,} more with fewer annotations: --csv has all")


def _pairs(found: Statistics, paper: Paper) -> None:
    if not found.pairs:
        return
    paper.heading("Classes together")
    rows = [
        (_cut(pair.first), _cut(pair.second), f"{pair.photos:,}", _rate(pair.share_first), _rate(pair.share_second))
        for pair in found.pairs[:_PAIRS]
    ]
    paper.table(("", "", "photos", "of the first's", "of the second's"), rows, right=(2, 3, 4))
    if found.pair_count > _PAIRS:
        paper.line(f"and {found.pair_count - _PAIRS:,} more pairs: --json has the first {len(found.pairs)}")


def _columns(found: Statistics, paper: Paper) -> None:
    if not found.columns:
        return
    paper.heading("Metadata")
    rows = [(_cut(one.name), one.type, f"{one.known:,}", _range(one)) for one in found.columns[:_COLUMNS]]
    paper.table(("column", "type", "known", "values"), rows, right=(2,))
    if len(found.columns) > _COLUMNS:
        paper.line(f"and {len(found.columns) - _COLUMNS:,} more columns: --json has all")


def _range(one: Column) -> str:
    if one.low is not None:
        return one.low if one.low == one.high else f"{one.low} to {one.high}"
    if one.distinct is None:
        return ""
    if one.distinct == one.known and one.distinct > len(one.common):
        return "all different"
    more = f", {one.distinct - len(one.common):,} others" if one.distinct > len(one.common) else ""
    return ", ".join(f"{value} ({count:,})" for value, count in one.common) + more


def _spread(name: str, values: Spread, text: Callable[[float], str]) -> Sequence[object]:
    figures = (values.low, values.quarter, values.median, values.three_quarters, values.high, values.mean)
    return (name, *(text(each) for each in figures))


def _name(split: str) -> str:
    return split or "(none)"


def _cut(text: str) -> str:
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= _GROUPED else f"{value:.4g}"


def _percent(part: int, whole: int) -> str:
    return _rate(part / whole if whole else 0.0)


def _rate(value: float) -> str:
    per_cent = 100 * value
    return f"{per_cent:.0f} %" if per_cent >= 10 or per_cent == 0 else f"{per_cent:.2g} %"
