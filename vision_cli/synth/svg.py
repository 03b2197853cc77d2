"""Draw SVG files with resvg, which runs no script, fetches nothing, and is given no folder to read from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from numpy.typing import NDArray

from vision_cli.core.catalogue import require
from vision_cli.core.errors import DataError
from vision_cli.imaging.read import read_photo

_DPI = 96.0  # without it, millimetres are nothing
_MOST_ASPECT = 20.0
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|-?\.\d+")
_HINT = "Save it as PNG with a transparent background."


def draw(content: bytes, side_px: int, name: str) -> NDArray[np.uint8]:
    """Return a drawing as uint8 (h, w, 4), its longer side of so many pixels.

    Raises:
        MissingPartError: resvg is not installed.
        DataError: no SVG, text that needs fonts, or more than the library can draw.
    """
    require(("resvg_py",), extra="svg", what=f"{name}: an SVG file")
    import resvg_py

    text, aspect = _checked(content, name)
    width, height = (side_px, None) if aspect >= 1 else (None, side_px)
    try:
        drawn = resvg_py.svg_to_bytes(svg_string=text, skip_system_fonts=True, dpi=_DPI, width=width, height=height)
    except ValueError as error:
        raise DataError(f"{name}: it cannot be drawn ({error}).", hint=_HINT) from error
    return read_photo(bytes(drawn), channels=4, name=name)


def _checked(content: bytes, name: str) -> tuple[str, float]:
    """Return the text of a drawing that needs nothing but itself, and its width divided by its height.

    Raises:
        DataError: see `draw`.
    """
    try:
        text = content.decode("utf-8-sig")
        root = ElementTree.fromstring(text)
    except (UnicodeDecodeError, ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise DataError(f"{name}: this is no SVG drawing ({error}).", hint=_HINT) from error
    for element in root.iter():
        tag = str(element.tag).rpartition("}")[2]
        if tag in ("text", "tspan"):
            raise DataError(f"{name}: it has text, which looks different with every font.", hint="Turn it into paths.")
        if tag == "image":
            raise DataError(f"{name}: it shows another picture.", hint=_HINT)
    return text, _aspect(root.attrib, name)


def _aspect(attributes: Mapping[str, str], name: str) -> float:
    box = [*_NUMBER.findall(attributes.get("viewBox", "")), "", "", "", ""][2:4]
    stated = [_NUMBER.match(attributes.get(side, "").strip()) for side in ("width", "height")]
    texts = box if all(box) else [found.group() if found else "" for found in stated]
    width, height = (float(text) if text else 0.0 for text in texts)
    if not (0 < width < math.inf and 0 < height < math.inf and 1 / _MOST_ASPECT <= width / height <= _MOST_ASPECT):
        raise DataError(f"{name}: the drawing states no size, or one that no logo has.", hint="Give it a viewBox.")
    return width / height
