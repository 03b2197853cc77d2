"""Small photos with what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from vision_cli.reports.document import Picture
from vision_cli.reports.elements import Markup, element, join, name, photo
from vision_cli.reports.wording import is_number, one_line, per_cent

_SEPARATOR = "|"


def gallery(title: str, pictures: Sequence[Picture], task: str = "classify") -> Markup | None:
    """Return photos in a grid; None without any."""
    if not pictures:
        return None
    kind = "gallery" if any(each.answer is not None for each in pictures) else "gallery samples"
    tiles = (element("li", _tile(picture, task)) for picture in pictures)
    return element("div", element("h3", title), element("ul", *tiles, class_=kind))


def _tile(picture: Picture, task: str) -> Markup:
    if picture.answer is None:
        lines, alt = (
            [_words(_labels(picture.truth, task), _labels(picture.truth, task))],
            f"Photo {picture.name}, {picture.truth}",
        )
    else:
        truth, answer = _labels(picture.truth, task), _labels(picture.answer, task)
        lines = [
            _line("is", _words(truth, answer if task == "multilabel" else truth)),
            _line("answer", _words(answer, truth)),
        ]
        lines += _sureness(picture, task)
        alt = f"Photo {picture.name}: it is {picture.truth}, the answer was {picture.answer}"
    caption = element("figcaption", *lines, title=one_line(picture.name))
    return element("figure", photo(picture.jpeg, alt), caption)


def _sureness(picture: Picture, task: str) -> list[Markup]:
    if is_number(picture.confidence):
        return [element("small", f"{per_cent(picture.confidence)} sure")]
    if task == "regress" and picture.answer is not None:
        with suppress(ValueError):
            return [element("small", f"off by {float(picture.answer) - float(picture.truth):+.4g}")]
    return []


def _labels(text: str, task: str) -> list[str]:
    if task == "multilabel":
        return text.split(_SEPARATOR) if text else []
    return [text]


def _line(what: str, words: Markup) -> Markup:
    return element("span", element("small", what), " ", words)


def _words(labels: Sequence[str], expected: Sequence[str]) -> Markup:
    """Return labels with commas; what was not expected stands out."""
    if not labels:
        return element("em", "no label", class_="off" if expected else None)
    words = [element("span", name(each, 40), class_="off" if each not in expected else None) for each in labels]
    return join([words[0], *(part for each in words[1:] for part in (Markup(", "), each))])
