"""Label Studio's labelling configuration: the order of classes, and what to label with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from vision_cli.core.errors import DataError
from vision_cli.core.files import read_limited
from vision_cli.formats.cvat.xml import Element, children_of_root, utf8_xml

CONFIG = "label_config.xml"
_MAX_BYTES = 16 << 20
_LABELS = frozenset({"Label", "Choice"})
_TAGS = {
    "rectangle": ("RectangleLabels", "label"),
    "polygon": ("PolygonLabels", "polygon"),
    "brush": ("BrushLabels", "brush"),
    "keypoint": ("KeyPointLabels", "keypoint"),
    "ellipse": ("EllipseLabels", "ellipse"),
}


def control_of(shape: str) -> str:
    """Return the name of the control that draws a shape."""
    return _TAGS[shape][1]


def read_config(file: Path) -> bytes | None:
    """Return the configuration beside a file, None without one that can be read."""
    path = file.with_name(CONFIG)
    return utf8_xml(read_limited(path, max_bytes=_MAX_BYTES, what=CONFIG), CONFIG) if path.is_file() else None


def class_order(config: bytes | None, used: Sequence[str]) -> list[str]:
    """Return the classes in the configuration's order if it has all that are used, else those by code points."""
    names = sorted(set(used))
    declared = list(dict.fromkeys(_declared(config))) if config is not None else []
    return declared if set(names) <= set(declared) else names


def _declared(config: bytes) -> list[str]:
    try:
        waiting = list(children_of_root(config, CONFIG, "View"))
    except DataError:
        return []
    found: list[str] = []
    while waiting:
        element: Element = waiting.pop(0)
        if element.name in _LABELS and element.attributes.get("value"):
            found.append(element.attributes["value"])
        waiting = element.children + waiting
    return found


def config_of(names: Sequence[str], shapes: Sequence[str], *, choices: bool, number: bool) -> bytes:
    """Return a configuration with a control for each kind of label.

    Args:
        names: the classes.
        shapes: of `labelstudio_results.REGIONS`, in the order of the controls.
        choices: whether photos have classes of their own.
        number: whether photos have a number.
    """
    lines = ["<View>", '  <Image name="image" value="$image"/>']
    for shape in shapes:
        tag, control = _TAGS[shape]
        labels = [f"    <Label value={quoteattr(name, _LINE)}/>" for name in names]
        lines += [f'  <{tag} name="{control}" toName="image">', *labels, f"  </{tag}>"]
    if choices:
        labels = [f"    <Choice value={quoteattr(name, _LINE)}/>" for name in names]
        lines += ['  <Choices name="choice" toName="image" choice="multiple">', *labels, "  </Choices>"]
    if number:
        lines.append('  <Number name="number" toName="image"/>')
    return "\n".join([*lines, "</View>", ""]).encode()


_LINE = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
