"""What the models answered, and how good that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.reports import wording
from vision_cli.reports.charts.columns import reliability
from vision_cli.reports.charts.points import against
from vision_cli.reports.charts.spans import share_bar
from vision_cli.reports.document import EvalSection
from vision_cli.reports.elements import Markup, beside, element, facts, figure, name, note, row, section, table
from vision_cli.reports.naming import judged, runtime
from vision_cli.reports.sections.classes import classes
from vision_cli.reports.sections.confusion import confusion
from vision_cli.reports.sections.pictures import gallery
from vision_cli.reports.sections.places import examples, places, settings
from vision_cli.reports.wording import is_number

_ELSEWHERE = frozenset((*wording.SPEED, *wording.COUNTS, *(f"error_{kind}" for kind in wording.ERRORS)))
"""Figures with a table of their own."""


def evaluation(shown: Sequence[EvalSection], task: str) -> Markup:
    """Return the part about the evaluations: the first one open, the others folded."""
    first = shown[0]
    parts = [element("article", element("h3", _title(first)), *_detail(first, task, None))]
    for other in shown[1:]:
        parts.append(element("details", element("summary", _title(other)), *_detail(other, task, first)))
    return section("Evaluation", "evaluation", *parts)


def _title(shown: EvalSection) -> str:
    return f"{runtime(shown)}: {judged(shown.result)}"


def _detail(shown: EvalSection, task: str, first: EvalSection | None) -> list[Markup | None]:
    """Return everything of one evaluation; what is the same as in the first is only said to be."""
    same = first is not None and _same_answers(shown, first)
    quality = beside(_metrics(shown.result), _values(shown), _calibration(shown))
    parts: list[Markup | None] = [facts(_facts(shown)), _warnings(shown), quality]
    if same and first is not None:
        return [*parts, note(f"Classes, confusions and worst mistakes are the same as with {runtime(first)}.")]
    if task in PLACE_TASKS:
        return [*parts, classes(shown), *places(shown), confusion(shown), *examples(shown)]
    mistakes = "Largest differences" if task == "regress" else "Worst mistakes: wrong, and most sure of it"
    pictures = gallery(mistakes, shown.mistakes, task) or note("No mistake to show.")
    return [*parts, classes(shown), confusion(shown), pictures]


def _same_answers(shown: EvalSection, first: EvalSection) -> bool:
    """Return whether two evaluations cannot be told apart by class figures, confusions and shown mistakes."""
    said: list[list[Any]] = [
        [(each.name, each.truth, each.answer) for each in part.mistakes] for part in (shown, first)
    ]
    figures = [_class_figures(part.result) for part in (shown, first)]
    matrix = [part.result.get("confusion") for part in (shown, first)]
    said = [[*each, *(picture.said for picture in part.worst)] for each, part in zip(said, (shown, first), strict=True)]
    return said[0] == said[1] and figures[0] == figures[1] and matrix[0] == matrix[1] and not shown.pairs


def _class_figures(result: Mapping[str, Any]) -> dict[str, str]:
    return {key: wording.figure(value, key) for key, value in (result.get("metrics") or {}).items() if "[" in key}


def _facts(shown: EvalSection) -> list[tuple[str, str]]:
    model, ran = shown.result.get("model") or {}, shown.result.get("runtime") or {}
    pairs: list[tuple[str, str]] = [("Model", name(str(model.get("name", wording.NOTHING))))]
    if model.get("path"):
        pairs.append(("File", name(str(model["path"]), 120)))
    if model.get("family"):
        pairs.append(("Family", name(str(model["family"]))))
    if "holds" not in model:  # of another tool's results nobody knows it
        pairs.append(("Precision", str(ran.get("precision") or "float32")))
    pairs += [("Threads", str(ran["threads"]))] if ran.get("threads") else []
    return [*pairs, *settings(shown.result.get("settings") or {})]


def _warnings(shown: EvalSection) -> Markup | None:
    warnings = shown.result.get("warnings") or ()
    return element("ul", *(element("li", str(each)) for each in warnings), class_="findings") if warnings else None


def _metrics(result: Mapping[str, Any]) -> Markup:
    values, intervals = result.get("metrics") or {}, result.get("intervals") or {}
    keys = [key for key in values if "[" not in key and key not in _ELSEWHERE and not _twin(key, values)]
    keys = [key for key in keys if values[key] is not None or key not in wording.SIZES]
    rows = [_metric(key, values[key], intervals.get(key)) for key in keys]
    return table("Quality, with 95 % intervals", ("metric", "value", "interval", ""), rows, "figures quality")


def _twin(key: str, values: Mapping[str, Any]) -> bool:
    """Return whether a figure is shown under another name already."""
    return key == "accuracy" and values.get("top1") == values[key]


def _metric(key: str, value: Any, ends: Any) -> Markup:
    better = element("small", " lower is better") if key in wording.LOWER_IS_BETTER else None
    head = element("span", wording.label(key), better, element("code", key))
    bar = ""
    if key in wording.SHARES and is_number(value):
        known = wording.interval(ends) != ""
        bar = share_bar(float(value), (float(ends[0]), float(ends[1])) if known else None)
    return row(head, wording.figure(value, key), wording.interval(ends, key), bar)


def _values(shown: EvalSection) -> Markup | None:
    pairs = [(truth, answer) for truth, answer in shown.pairs if is_number(truth) and is_number(answer)]
    if not pairs:
        return None
    what = f"Answers against true values of {wording.count(len(pairs), 'photo')}; on the line they are equal"
    return figure("Truth and answer", against(pairs, ("true value", "answer"), what), note(what + "."))


def _calibration(shown: EvalSection) -> Markup | None:
    known = [(float(sure), bool(right)) for sure, right in shown.certainties if is_number(sure)]
    if not known:
        return None
    what = "Share of right answers by the model's confidence; on the line it is as often right as it says"
    chart = reliability(known, what)
    return figure("Is its confidence right?", chart, note(f"{what}. The number over a bar counts its photos."))
