"""One self-contained HTML file for people."""

from __future__ import annotations

from vision_cli.reports import maps
from vision_cli.reports.document import Document
from vision_cli.reports.elements import Markup, element, note
from vision_cli.reports.page import page
from vision_cli.reports.sections.data import data
from vision_cli.reports.sections.evaluation import evaluation
from vision_cli.reports.sections.explained import CSS as HEAT_CSS
from vision_cli.reports.sections.explained import explained
from vision_cli.reports.sections.exports import exports
from vision_cli.reports.sections.runtimes import runtimes
from vision_cli.reports.sections.summary import header, summary
from vision_cli.reports.sections.training import training
from vision_cli.reports.wording import cut, one_line

_LINKS = {
    "summary": "Summary",
    "data": "Data",
    "map": "Map",
    "training": "Training",
    "evaluation": "Evaluation",
    "explanations": "Explanations",
    "runtimes": "Runtimes",
    "exports": "Exports",
}


def render(document: Document) -> str:
    """Return the page: no script, no request, everything inside."""
    parts = {"summary": summary(document), **_parts(document)}
    links = [(anchor, _LINKS[anchor]) for anchor in parts]
    title = f"{cut(one_line(document.name), 80)}: vision report"
    return page(title, header(document, links), [*parts.values(), _missing(document)], more_css=_css(document))


def _css(document: Document) -> str:
    heat = HEAT_CSS if document.explained is not None else ""
    return f"{maps.CSS if document.map is not None else ''}{heat}"


def _parts(document: Document) -> dict[str, Markup]:
    parts = {}
    if document.data is not None:
        parts["data"] = data(document.data)
    if document.map is not None:
        parts["map"] = maps.map_section(maps.read(document.map))
    if document.training is not None:
        parts["training"] = training(document.training)
    if document.evaluations:
        parts["evaluation"] = evaluation(document.evaluations, document.task)
    if document.explained is not None:
        parts["explanations"] = explained(document.explained)
    if len(document.evaluations) > 1:
        parts["runtimes"] = runtimes(document.evaluations, document.task)
    if document.exports:
        parts["exports"] = exports(document.exports)
    return parts


def _missing(document: Document) -> Markup:
    """Say what is not on the page, and which command would bring it there."""
    absent = {
        "the data is not at hand": document.data is None,
        "nothing is trained yet (vision train)": document.training is None,
        "nothing is evaluated yet (vision eval)": not document.evaluations,
        "nothing is exported yet (vision export)": not document.exports,
    }
    said = "; ".join(text for text, missing in absent.items() if missing)
    return element("footer", note(f"Not on this page: {said}.") if said else None, note("Made by vision report."))
