"""The top of the page: what was judged, and whether it is good enough."""

from __future__ import annotations

from collections.abc import Sequence

from vision_cli.reports import wording
from vision_cli.reports.charts.axes import Scale
from vision_cli.reports.charts.spans import Reading, against_bound, reach
from vision_cli.reports.document import Document
from vision_cli.reports.elements import Markup, badge, element, facts, join, name, note, section
from vision_cli.reports.naming import judged, runtime
from vision_cli.reports.verdicts import (
    NOT_JUDGED,
    Target,
    evidence,
    interval_of,
    interval_text,
    kind,
    targets,
    value_text,
)
from vision_cli.reports.wording import is_number

_HEADLINES = {
    "classify": ("top1", "f1", "latency_ms.p95", "size_mb"),
    "multilabel": ("f1", "map", "latency_ms.p95", "size_mb"),
    "regress": ("mae", "r2", "latency_ms.p95", "size_mb"),
    "detect": ("ap50", "ap", "f1", "latency_ms.p95", "size_mb"),
    "instance": ("ap50", "ap", "f1", "latency_ms.p95", "size_mb"),
    "semantic": ("miou", "pixel_accuracy", "latency_ms.p95", "size_mb"),
    "panoptic": ("pq", "sq", "rq", "latency_ms.p95", "size_mb"),
}
_MISSING = {
    "fail": "failed",
    "not enough evidence": "without enough evidence",
    "not measured": "not measured",
    NOT_JUDGED: NOT_JUDGED,
}
_TASKS = {
    "classify": "one class a photo",
    "multilabel": "several labels a photo",
    "regress": "a value a photo",
    "detect": "boxes of objects",
    "instance": "masks of objects",
    "semantic": "a class a pixel",
    "panoptic": "a segment a pixel",
}


def header(document: Document, links: Sequence[tuple[str, str]]) -> Markup:
    """Return the title with links (anchor, text) to the parts of the page."""
    items = (element("li", element("a", text, href=f"#{anchor}")) for anchor, text in links)
    return element(
        "header",
        element("p", f"vision report · {document.created}", class_="eyebrow"),
        element("h1", name(document.name, 90)),
        element("nav", element("ul", *items), aria_label="Parts of this page"),
    )


def summary(document: Document) -> Markup:
    """Return the verdicts and the figures that matter most."""
    results = [(runtime(each), each.result) for each in document.evaluations]
    found = targets(results, document.declared or ())
    asked = targets(results, member="asked")
    return section(
        "Summary",
        "summary",
        _overall(document, found),
        element("div", *(_card(each) for each in found), class_="cards") if found else None,
        element("h3", "Not declared in vision.yaml, asked with --kpi: no part of the verdict") if asked else None,
        element("div", *(_card(each) for each in asked), class_="cards") if asked else None,
        note(f"No part of the verdict: {'; '.join(document.left_out)}.") if document.left_out else None,
        facts(_facts(document)),
    )


def _overall(document: Document, found: Sequence[Target]) -> Markup:
    """Return one sentence that a person in a hurry can take away."""
    if not document.evaluations and found:
        what = "The model of the last training was not" if document.training else "No model or file of results was"
        text = f"{what} evaluated on the split '{document.split}': run vision eval."
        return _banner("none", f"0 of {wording.count(len(found), 'KPI')} met", text)
    if not document.evaluations:
        return _banner("none", "Not evaluated yet", "Run vision eval to judge a model on photos it has not seen.")
    if not found:
        return _banner("none", "No KPI declared", "Add kpis to vision.yaml, for example f1 > 0.9, and evaluate again.")
    met = sum(each.verdict == "pass" for each in found)
    title = f"{met} of {wording.count(len(found), 'KPI')} met"
    worst = next(each for each in ("fail", "unsure", "none", "pass") if any(kind(t.verdict) == each for t in found))
    missing = ", ".join(
        f"{number} {words}" for verdict, words in _MISSING.items() if (number := _count(found, verdict))
    )
    if missing:
        return _banner(worst, title, f"{missing}.")
    unsure = sum(each.unsettled for each in found)
    doubt = f" Not certain of {unsure}: the interval holds the bound." if unsure else ""
    return _banner(worst, title, f"Every declared target is met.{doubt}")


def _count(found: Sequence[Target], verdict: str) -> int:
    return sum(each.verdict == verdict for each in found)


def _banner(look: str, title: str, text: str) -> Markup:
    return element("p", element("strong", title), " ", element("span", text), class_=f"banner {look}")


def _card(target: Target) -> Markup:
    look = kind(target.verdict)
    demanded = target.entries[0][1].get("confidence") if target.entries else None
    demand = note(f"Its {wording.per_cent(demanded)} interval must pass.") if demanded else None
    nothing = None if target.entries else note(f"Not judged: {target.elsewhere or 'no evaluation measured it'}.")
    head = join([badge(target.verdict, look), element("h3", name(target.text))])
    return element("article", head, demand, *_readings(target), nothing, class_=f"card {look}")


def _readings(target: Target) -> list[Markup]:
    """Return a line for each value, all on one scale; runtimes with the same figures share one."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, (_, entry) in enumerate(target.entries):
        shown = (value_text(entry, target.kpi), interval_text(entry, target.kpi), str(entry.get("verdict")))
        groups.setdefault(shown, []).append(index)
    readings = {shown: _reading(target, members[0]) for shown, members in groups.items()}
    known = [each for each in readings.values() if each is not None]
    scale = reach(known) if known else None
    several = len({verdict for _, _, verdict in groups}) > 1
    return [_line(target, members, readings[shown], scale, several=several) for shown, members in groups.items()]


def _line(
    target: Target, members: Sequence[int], reading: Reading | None, scale: Scale | None, *, several: bool
) -> Markup:
    entry = target.entries[members[0]][1]
    where = ", ".join(target.entries[each][0] for each in members)
    value, ends, verdict = value_text(entry, target.kpi), interval_text(entry, target.kpi), str(entry.get("verdict"))
    words = f"{target.text} on {where}: {value}" + (f", interval {ends}" if ends else "") + f", {verdict}"
    own = badge(verdict, kind(verdict)) if several else None
    figures = element("p", element("b", value), element("span", ends), element("em", where), own, class_="reading")
    bar = against_bound(reading, scale, words) if reading and scale else None
    said = evidence(entry, target.kpi)
    return join([figures, bar, note(said) if said else None])


def _reading(target: Target, index: int) -> Reading | None:
    entry, kpi = target.entries[index][1], target.kpi
    if kpi is None or not is_number(entry.get("value")):
        return None
    share = kpi.metric in wording.SHARES or kpi.metric == "r2"
    upwards = kpi.op.startswith(">")
    return Reading(float(entry["value"]), interval_of(entry), kpi.bound, upwards, share, wording.unit(kpi.metric))


def _facts(document: Document) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = [("Task", f"{document.task}, {_TASKS.get(document.task, '')}".rstrip(", "))]
    if document.data is not None:
        pairs.append(("Photos", f"{len(document.data.sizes_px):,}"))
    if document.evaluations:
        first = document.evaluations[0]
        figures = first.result.get("metrics") or {}
        pairs.append(("Model", name(str((first.result.get("model") or {}).get("name", wording.NOTHING)))))
        pairs.append(("Judged on", judged(first.result)))
        headlines = [key for key in _HEADLINES.get(document.task, ()) if figures.get(key) is not None]
        pairs += [(f"{wording.label(key)} ({runtime(first)})", wording.figure(figures[key], key)) for key in headlines]
    return pairs
