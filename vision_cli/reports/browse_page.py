"""The frame of the page to browse photos: head, style, script, policy."""

from __future__ import annotations

import base64
import hashlib
import html
from functools import cache
from importlib import resources

_SCRIPTS = ("browse_data.js", "browse_draw.js", "browse_grid.js", "browse_photo.js", "browse_filters.js")
_STYLE, _FRAME = "browse.css", "browse.html"


def index(title: str) -> bytes:
    """Return the page; data files are looked for below `data/`, thumbnails below `thumbs/`."""
    frame = _asset(_FRAME)
    parts = {
        "{{title}}": html.escape(title),
        "{{policy}}": policy(),
        "{{style}}": _asset(_STYLE),
        "{{script}}": script(),
    }
    for name, content in parts.items():  # a title cannot hold a later name: it is put in last
        if name != "{{title}}":
            frame = frame.replace(name, content)
    return frame.replace("{{title}}", parts["{{title}}"]).encode("utf-8", "backslashreplace")


def policy() -> str:
    """Allow this one script and style by their hashes, and scripts and photos from beside the page; nothing else.

    `file:` is for a page that is opened from the disk; on a page that is served it allows nothing.
    """
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' file: '{_hash(script())}'",
        "style-src": f"'{_hash(_asset(_STYLE))}'",
        "img-src": "'self' file: data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@cache
def script() -> str:
    """Return all of the page's own script."""
    return "'use strict';\n" + "\n".join(_asset(name) for name in _SCRIPTS)


@cache
def _asset(name: str) -> str:
    return resources.files("vision_cli.reports").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
