"""What is known of answers about places: curves, kinds of errors, counts, example photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vision_cli.reports import wording
from vision_cli.reports.charts.curves import KINDS, Curve, curves
from vision_cli.reports.document import EvalSection, Example
from vision_cli.reports.elements import Markup, beside, element, figure, name, note, photo, row, table
from vision_cli.reports.wording import count, is_number, one_line

_SETTINGS = {
    "confidence": "Confidence that counts",
    "confidence_iou": "IoU that counts as found",
    "boundary_tolerance": "Tolerance of outlines",
    "resamples": "Resamples",
}
_MANY = 20


def settings(known: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how an evaluation was made: evaluator, version and bounds."""
    evaluator = f"{known.get('evaluator', '')} {known.get('version', '')}".strip()
    pairs = [("Evaluator", evaluator)] if evaluator else []
    ious = [each for each in known.get("ious") or () if is_number(each)]
    pairs += [("IoUs of AP", f"{min(ious):.2f} to {max(ious):.2f}")] if ious else []
    return [*pairs, *((words, _setting(known[key])) for key, words in _SETTINGS.items() if known.get(key) is not None)]


def _setting(value: Any) -> str:
    if is_number(value):
        return wording.plain(value, 3)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_setting(each) for each in value)
    return str(value)


def places(shown: EvalSection) -> list[Markup | None]:
    """Return curves, errors, counts and segments, whichever the task has."""
    return [beside(_curves(shown), _errors(shown)), _counts(shown), _segments(shown)]


def _curves(shown: EvalSection) -> Markup | None:
    """Return precision over recall, of the classes with the lowest AP50 where they are many."""
    known, values = shown.result.get("curves") or {}, shown.result.get("metrics") or {}
    order = sorted(known, key=lambda each: _figure(values.get(f"ap50[{each}]")))[: len(KINDS)]
    drawn = [curve for curve in (_curve(each, known[each]) for each in order) if curve[1]]
    if not drawn:
        return None
    more = f"; the {len(drawn)} of {len(known)} classes with the lowest AP50" if len(drawn) < len(known) else ""
    what = f"Precision over recall at IoU 0.5 of {', '.join(each for each, _ in drawn)}{more}"
    chart = curves([(one_line(each), points) for each, points in drawn], ("recall", "precision"), what)
    return figure(f"Precision over recall at IoU 0.5{more}", chart)


def _figure(value: Any) -> float:
    return float(value) if is_number(value) else 2.0


def _curve(each: str, known: Mapping[str, Any]) -> Curve:
    pairs = zip(known.get("recall") or (), known.get("precision") or (), strict=False)
    return each, [(float(x), float(y)) for x, y in pairs if is_number(x) and is_number(y)]


def _errors(shown: EvalSection) -> Markup | None:
    known, values = shown.result.get("errors") or {}, shown.result.get("metrics") or {}
    if not known:
        return None
    order = sorted(wording.ERRORS, key=lambda kind: -_cost(values.get(f"error_{kind}")))
    keys = [f"error_{kind}" for kind in order]
    cells = [
        (f"{known.get(kind, 0):,}", wording.figure(values.get(key), key)) for kind, key in zip(order, keys, strict=True)
    ]
    rows = [row(wording.label(key), *each) for key, each in zip(keys, cells, strict=True)]
    box = table("Errors, the dearest first", ("kind", "how often", "costs in AP50"), rows, "figures errors")
    costs = "By how much AP50 would rise if this kind alone were put right (TIDE)."
    return element("div", box, note(f"{costs} As for AP every detection counts, however unsure; {_sure(shown)}."))


def _sure(shown: EvalSection) -> str:
    """Return what else is said of detections, and which ones that is of."""
    return f"the confusions and numbers of objects are of those {wording.sure(shown.result.get('settings') or {})}"


def _cost(value: Any) -> float:
    return float(value) if is_number(value) else -1.0


def _counts(shown: EvalSection) -> Markup | None:
    """Return how wrong the number of objects a photo is, in all and of each class."""
    values = shown.result.get("metrics") or {}
    if all(values.get(key) is None for key in wording.COUNTS):
        return None
    texts = {
        each: [wording.figure(values.get(f"{key}[{each}]"), key) for key in wording.COUNTS] for each in shown.classes
    }
    rows = [row("all objects", *(wording.figure(values.get(key), key) for key in wording.COUNTS))]
    rows += [row(name(each), *cells) for each, cells in texts.items()]
    head = ("class", *(wording.label(key) for key in wording.COUNTS))
    kind = "figures counted" + (" long" if len(rows) > _MANY else "")
    return table("Number of objects a photo, against the labels", head, rows, kind)


def _segments(shown: EvalSection) -> Markup | None:
    """Return how many segments of each class were found, false and missed, the most frequent first."""
    known = shown.result.get("segments") or {}
    there = {each: counts for each, counts in known.items() if any(counts.values())}
    if not there:
        return None
    kinds = ("found", "false", "missed")
    order = sorted(there, key=lambda each: -sum(there[each].get(kind, 0) for kind in ("found", "missed")))
    rows = [row(name(each), *(f"{there[each].get(kind, 0):,}" for kind in kinds)) for each in order]
    caption = f"Segments, {count(len(rows), 'class', 'classes')}"
    return table(caption, ("class", *kinds), rows, "figures segments" + (" long" if len(rows) > _MANY else ""))


def examples(shown: EvalSection) -> list[Markup | None]:
    """Return the photos that were answered worst and best."""
    if not shown.worst and not shown.best:
        return [note("No photo to show.")]
    parts = {"Worst photos": shown.worst, "Best photos": shown.best}
    return [_gallery(title, pictures) for title, pictures in parts.items() if pictures]


def _gallery(title: str, pictures: Sequence[Example]) -> Markup:
    tiles = (element("li", _tile(each)) for each in pictures)
    return element(
        "div", element("h3", f"{title}: truth left, answer right"), element("ul", *tiles, class_="gallery examples")
    )


def _tile(each: Example) -> Markup:
    keys = (element("span", _swatch(colour), name(text, 30), class_="key") for text, colour in each.keys)
    caption = element("figcaption", element("span", each.said), *keys, title=one_line(each.name))
    return element("figure", photo(each.jpeg, f"Photo {each.name}, truth and answer: {each.said}"), caption)


def _swatch(colour: tuple[int, int, int]) -> Markup:
    dot = element("rect", width=10, height=10, rx=2, fill="#" + "".join(f"{part:02x}" for part in colour))
    return element("svg", dot, viewBox="0 0 10 10", aria_hidden="true")
