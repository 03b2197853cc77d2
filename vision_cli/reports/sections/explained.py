"""Where the evidence for answers lies: photos with heat over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vision_cli.reports.document import Explained, Heated
from vision_cli.reports.elements import Markup, element, facts, join, name, note, photo, section
from vision_cli.reports.wording import one_line, per_cent

CSS = (
    ".gallery.heat { grid-template-columns: repeat(auto-fill, minmax(min(100%, 12.5rem), 1fr)); gap: 1.25rem 1rem; } "
    ".gallery.heat img { aspect-ratio: auto; max-height: 22rem; } "
    ".gallery.heat .whole { grid-column: 1 / -1; } .gallery.heat .whole img { max-height: none; }"
)
_SCALE = (
    "Heat is black where there is none and pale yellow where there is most, in each picture by itself. What is pale "
    "grey was not seen by the network."
)
_KINDS: Mapping[str, str] = {
    "wrong": "Answered wrong",
    "worst": "Answered worst",
    "right": "Answered right",
    "best": "Answered best",
    "": "Photos",
}
_CHOSEN = "Validation photos: the surest answers of each kind, or the worst and best of some from all over the split. "


def explained(shown: Explained) -> Markup:
    """Return the section, the wrong answers first."""
    groups = ((kind, [each for each in shown.photos if each.kind == kind]) for kind in _KINDS)
    galleries = [_gallery(_KINDS[kind], photos) for kind, photos in groups if photos]
    about = facts([("model", shown.model), ("method", shown.method), ("layer", shown.layer)])
    chosen = _CHOSEN if shown.chosen else ""
    return section("Explanations", "explanations", about, note(f"{chosen}{_SCALE}"), *galleries)


def _gallery(title: str, photos: Sequence[Heated]) -> Markup:
    tiles = (element("li", _tile(each), class_="whole" if each.several else None) for each in photos)
    return element("div", element("h3", title), element("ul", *tiles, class_="gallery heat"))


def _tile(each: Heated) -> Markup:
    lines = [] if each.truth is None else [_line("judged" if each.several else "is", each.truth, wrong=False)]
    lines.append(_line("answer", each.answer, wrong=each.kind == "wrong"))
    if each.confidence is not None:
        lines.append(element("small", f"{per_cent(each.confidence)} sure"))
    if each.about and each.about != each.answer:
        lines.append(_line("evidence for", each.about, wrong=False))
    if each.nearest:
        near = ", ".join(f"{label} {distance:.2f}" for label, distance in each.nearest)
        lines.append(_line("nearest in training", near, wrong=False))
    caption = element("figcaption", *lines, title=one_line(each.name))
    return element("figure", photo(each.jpeg, f"Photo {each.name} with heat where '{each.answer}' comes from"), caption)


def _line(what: str, text: str, *, wrong: bool) -> Markup:
    said = element("span", name(text, 80), class_="off" if wrong else None)
    return element("span", join((element("small", what), Markup(" "), said)))
