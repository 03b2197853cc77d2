"""Shapes of CVAT's XML from rows."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
import numpy as np

from vision_cli.formats.cvat import shapes as cvat_shapes
from vision_cli.formats.cvat.shapes import BESIDE, CLASH, COLUMNS, CUBOID, JSON, Size
from vision_cli.formats.cvat.xml import Element, is_xml_text, start_tag, text_element
from vision_cli.formats.labelling_rows import Row, attributes_of, far_edge, keypoints_of, number_text

_LINES = frozenset({"polyline", "linestrip", "line"})


class Declaring(Protocol):
    """Who knows, and learns, the input types of attributes."""

    def kind(self, label: str, name: str, value: Any) -> str | None:
        """Return the input type of an attribute, declared now if it is not yet."""


def elements_of(row: Row, size: Size, declared: Declaring, group: int = 0) -> list[Element]:
    """Return the shapes of a row: one, or one a polygon with a common group.

    Args:
        row: an annotation.
        size: (width, height) of its photo.
        declared: gets the attributes that are used.
        group: `group_id` that the shapes get; 0 for that of the row.
    """
    attributes = attributes_of(row)
    name, geometries = _geometry(row, size, attributes)
    beside = {key: _beside_text(attributes.pop(key)) for key in list(attributes) if key in BESIDE}
    if group:
        beside["group_id"] = str(group)
    bare = name == "tag" or (name == "skeleton" and "occluded" not in row)
    common = {} if bare else {"occluded": str(min(row.get("occluded", 0), 1))}
    if row.get("rotation_deg") and name in ("box", "ellipse"):
        common["rotation"] = number_text(row["rotation_deg"])
    children = _attributes(row, attributes, declared)
    return [
        Element(name, {"label": row.get("class", ""), **common, **geometry, **beside}, children=[*points, *children])
        for geometry, points in geometries
    ]


def _beside_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _geometry(
    row: Row, size: Size, attributes: dict[str, Any]
) -> tuple[str, list[tuple[dict[str, str], list[Element]]]]:
    """Return the name of the shape and its attributes and points, several where it has several polygons."""
    shape, points = attributes.get("shape"), attributes.get("points")
    if row.get("outline_parts"):
        if row["outline_parts"] < 0:
            return "mask", [(_mask(row, size), [])]
        return "polygon", [({"points": _flat_text(ring)}, []) for ring in cvat_shapes.rings_of(row)]
    if "keypoints" in row:
        return _keypoint_shape(row, attributes)
    if "x" not in row:
        return "tag", [({}, [])]
    if shape in _LINES and points is not None and _are_pairs(points):
        attributes.pop("points")
        attributes.pop("shape")
        return "polyline", [({"points": _pairs_text(points)}, [])]
    if shape == "cuboid" and points is not None and _are_pairs(points) and len(points) == len(CUBOID) // 2:
        attributes.pop("points")
        attributes.pop("shape")
        flat = [number_text(number) for pair in points for number in pair]
        return "cuboid", [(dict(zip(CUBOID, flat, strict=True)), [])]
    if shape in ("ellipse", "circle"):
        attributes.pop("points", None)
        attributes.pop("shape")
        return "ellipse", [(_ellipse(row, points), [])]
    return "box", [(_box(row), [])]


def _keypoint_shape(row: Row, attributes: dict[str, Any]) -> tuple[str, list[tuple[dict[str, str], list[Element]]]]:
    triples = keypoints_of(row)
    if all(seen == 2 for _, _, seen in triples) and "x" not in row:
        return "points", [({"points": _pairs_text([(x, y) for x, y, _ in triples])}, [])]
    labels = attributes.pop("labels", None) or [str(index + 1) for index in range(len(triples))]
    attributes.pop("shape", None)
    parts = [
        Element(
            "points",
            {"label": str(label), "occluded": str(int(seen == 1)), "outside": str(int(seen == 0))}
            | {"points": _pairs_text([(x, y)])},
        )
        for label, (x, y, seen) in zip(labels, triples, strict=True)
    ]
    return "skeleton", [({}, parts)]


def _are_pairs(points: Any) -> bool:
    return isinstance(points, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(number, int | float) for number in pair)
        for pair in points
    )


def _pairs_text(points: Any) -> str:
    return ";".join(f"{number_text(x)},{number_text(y)}" for x, y in points)


def _flat_text(ring: list[float]) -> str:
    return _pairs_text(zip(ring[::2], ring[1::2], strict=True))


def _box(row: Row) -> dict[str, str]:
    x, y, w, h = (row[name] for name in "xywh")
    return {"xtl": number_text(x), "ytl": number_text(y), "xbr": far_edge(x, w), "ybr": far_edge(y, h)}


def _ellipse(row: Row, points: Any) -> dict[str, str]:
    """Return centre and radii: the source's own where they still make the box."""
    x, y, w, h = (row[name] for name in "xywh")
    values = [x + w / 2, y + h / 2, w / 2, h / 2]
    if _are_pairs(points) and len(points) == 2:
        (cx, cy), (rx, ry) = points
        values = [cx, cy, rx, ry] if (cx - rx, cy - ry, 2 * rx, 2 * ry) == (x, y, w, h) else values
    return dict(zip(("cx", "cy", "rx", "ry"), map(number_text, values), strict=True))


def _mask(row: Row, size: Size) -> dict[str, str]:
    crop, left, top = cvat_shapes.outline_mask(row, size)
    flat = crop.ravel().astype(np.int8)
    edges = np.flatnonzero(np.diff(flat)) + 1
    bounds = np.concatenate([[0] if flat[0] else [], [0], edges, [flat.size]]).astype(np.int64)
    height, width = crop.shape
    return {
        "rle": ", ".join(map(str, np.diff(bounds).tolist())),
        "left": str(left),
        "top": str(top),
        "width": str(width),
        "height": str(height),
    }


def _attributes(row: Row, attributes: dict[str, Any], declared: Declaring) -> list[Element]:
    label = row.get("class", "")
    columns = {name: row[name] for name in COLUMNS if name in row}
    found = [Element("attribute", {"name": name}, _column_text(name, value)) for name, value in columns.items()]
    for name, value in columns.items():
        declared.kind(label, name, value if isinstance(value, bool) else str(value))
    for name, value in attributes.items():
        plain = name.removeprefix(CLASH)
        kind = declared.kind(label, plain, value)
        text = attribute_text(value)
        same = (
            plain not in COLUMNS
            and not plain.startswith(JSON)
            and is_xml_text(text)
            and cvat_shapes.typed(text, kind) == value
        )
        if same and type(cvat_shapes.typed(text, kind)) is type(value):
            found.append(Element("attribute", {"name": plain}, text))
        else:
            found.append(Element("attribute", {"name": f"{JSON}{plain}"}, _ascii(value)))
    return found


def _ascii(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return "".join(char if is_xml_text(char) else f"\\u{ord(char):04x}" for char in text)


def attribute_text(value: Any) -> str:
    """Return an attribute's text as CVAT writes it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _column_text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(float(value)) if name in ("area", "truncated", "score") else str(value)


def render(element: Element) -> bytes:
    """Return a shape with its attributes, indented as CVAT does it."""
    tag = start_tag(element.name, element.attributes)
    if not element.children:
        return f"{tag}/>".encode()
    lines = [
        f"      {text_element('attribute', child.text, child.attributes)}"
        if child.name == "attribute"
        else f"      {start_tag(child.name, child.attributes)}/>"
        for child in element.children
    ]
    return "\n".join([f"{tag}>", *lines, f"    </{element.name}>"]).encode()
