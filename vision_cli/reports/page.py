"""The frame of the page: head, style, policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources

from vision_cli.reports.elements import Markup, document, element, style


def page(title: str, header: Markup, sections: Sequence[Markup], *, more_css: str = "") -> str:
    """Return a whole HTML5 page that asks nothing of a network and runs nothing.

    Args:
        title: of the window.
        header: above the sections.
        sections: in order.
        more_css: rules of this kind of page, behind those of all.
    """
    css = _css() + more_css
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(css)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        style(css),
    )
    body = element("body", header, element("main", *sections, id="main"))
    return document(element("html", head, body, lang="en"))


def _css() -> str:
    return resources.files("vision_cli.reports").joinpath("page.css").read_text(encoding="utf-8")


def _policy(css: str) -> str:
    """Allow the pictures inside the page and this one style sheet, by its hash; nothing else."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
