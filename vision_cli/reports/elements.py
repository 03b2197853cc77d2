"""The only place that makes markup: every text and attribute is escaped on its way in."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape

from vision_cli.reports.wording import cut, one_line

Attribute = str | int | float | bool | None
_VOID = frozenset(("br", "col", "hr", "img", "input", "meta"))
_NAME_LENGTH = 60
_LONG_FACT = 40


class Markup(str):
    """Markup in which every text is escaped; only this module makes it."""

    __slots__ = ()


def element(tag: str, *children: str | None, **attributes: Attribute) -> Markup:
    """Return an element.

    Args:
        tag: its name.
        children: markup stays as it is, any other text is escaped; None is left out.
        attributes: `class_` is `class`, `aria_label` is `aria-label`; None and False are left out, True stands alone.
    """
    start = tag + "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{start}>")
    return Markup(f"<{start}>{join(children)}</{tag}>")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = name.removesuffix("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else one_line(value)
    return f' {name}="{escape(text)}"'


def join(children: Iterable[str | None]) -> Markup:
    """Return children one after the other: markup as it is, any other text escaped."""
    return Markup("".join(_child(child) for child in children if child is not None))


def _child(child: str) -> str:
    return child if isinstance(child, Markup) else escape(one_line(child))


def style(css: str) -> Markup:
    """Return a style sheet of our own; its text is not escaped, for HTML reads it raw."""
    return Markup(f"<style>{css}</style>")


def document(root: Markup) -> Markup:
    """Return a page with its document type."""
    return Markup(f"<!doctype html>\n{root}\n")


def name(text: str, length: int = _NAME_LENGTH) -> Markup:
    """Return a name that a user gave: apart from the direction of the text around it, cut with the whole in `title`."""
    whole = one_line(text)
    return element("bdi", cut(whole, length) or "(empty)", title=whole if len(whole) > length else None)


def photo(jpeg: bytes, alt: str) -> Markup:
    """Return a picture that is part of the page."""
    data = base64.b64encode(jpeg).decode("ascii")
    return element("img", src=f"data:image/jpeg;base64,{data}", alt=cut(one_line(alt), 200), loading="lazy")


def drawing(svg: str, alt: str) -> Markup:
    """Return an SVG file that is part of the page, and whose style is its own."""
    data = base64.b64encode(svg.encode()).decode("ascii")
    return element("img", src=f"data:image/svg+xml;base64,{data}", alt=cut(one_line(alt), 200), class_="drawing")


def badge(text: str, kind: str) -> Markup:
    """Return a short word in a box: `pass`, `fail`, `unsure` or `none`."""
    mark = {"pass": "✓", "fail": "✕", "unsure": "?", "none": "–"}[kind]
    return element("span", element("span", mark, aria_hidden="true"), f" {text}", class_=f"badge {kind}")


def section(title: str, anchor: str, *children: str | None) -> Markup:
    """Return a part of the page with its heading."""
    heading = element("h2", title, id=f"{anchor}-title")
    return element("section", heading, *children, id=anchor, aria_labelledby=f"{anchor}-title")


def table(caption: str, head: Iterable[str], rows: Iterable[Markup], kind: str = "") -> Markup:
    """Return a table in a box that scrolls by itself.

    Args:
        caption: what it shows.
        head: one header cell a column, the first of the row headers.
        rows: from `row`.
        kind: further CSS classes.
    """
    headers = element("tr", *(element("th", each, scope="col") for each in head))
    body = element("tbody", *rows)
    inner = element("table", element("thead", headers), body, class_=kind or None, aria_label=caption)
    return captioned(caption, inner)


def row(header: str, *cells: str) -> Markup:
    """Return a table row that begins with its header."""
    return element("tr", element("th", header, scope="row"), *(element("td", cell) for cell in cells))


def captioned(caption: str, inner: Markup) -> Markup:
    """Return a table with its caption above, in a box that scrolls by itself, with the keyboard too."""
    box = element("div", inner, class_="scroll", tabindex=0, role="region", aria_label=f"Table: {caption}")
    return element("figure", element("figcaption", caption), box, class_="table")


def beside(*children: str | None) -> Markup:
    """Return blocks next to each other where there is room."""
    return element("div", *children, class_="beside")


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Return names and values in a grid."""
    return element("dl", *(_fact(key, value) for key, value in pairs), class_="facts")


def _fact(key: str, value: str) -> Markup:
    kind = "wide" if len(value) > _LONG_FACT else None
    return element("div", element("dt", key), element("dd", value), class_=kind)


def figure(caption: str, *children: str | None) -> Markup:
    """Return a chart with its caption above."""
    return element("figure", element("figcaption", caption), *children, class_="chart")


def note(text: str) -> Markup:
    """Return a quiet remark."""
    return element("p", text, class_="note")
