"""The labels that CVAT's `<meta>` declares, as they came and as shapes need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vision_cli.formats.cvat import shapes as cvat_shapes
from vision_cli.formats.cvat.xml import Element, children_of_root, text_element
from vision_cli.formats.labelling_rows import Row, agree_in

_WRAP = b"<r>"
_TYPES = {"checkbox": ("false", "false\ntrue"), "number": ("0", "-1000000\n1000000\n0.000001"), "text": ("", "")}


class Declared:
    """Input types of attributes by label: those of `<meta>`, and what is used beyond.

    Args:
        record: bytes of `<meta>`; empty without.
        class_records: bytes of each `<label>`, by class.
    """

    def __init__(self, record: bytes, class_records: Mapping[str, bytes]) -> None:
        self.record, self.class_records = record, class_records
        self.types: dict[tuple[str, str], str] = {}
        self.new: dict[str, dict[str, str]] = {}
        for label in _labels(record):
            name = (label.child("name") or Element("name", {})).text
            for attribute in (label.child("attributes") or Element("attributes", {})).children:
                self.types[name, attribute.child_text("name")] = attribute.child_text("input_type")

    def kind(self, label: str, name: str, value: Any) -> str | None:
        """Return the input type of an attribute, declared now if it is not yet."""
        if (label, name) not in self.types and label:
            kind = "checkbox" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "text"
            self.types[label, name] = kind
            self.new.setdefault(label, {})[name] = kind
        return self.types.get((label, name))

    def merged(self, part: Element, old: Row, element: Element, row: Row) -> Element:
        """Return a shape with the source's own text wherever the row still says the same."""
        if part.name != element.name:
            return element
        places = ("outline", "keypoints", "rotation_deg", *(() if "outline" in row else "xywh"))
        same_place = all(agree_in(name, old, row) for name in places)
        same_words = agree_in("attributes", old, row)
        attributes = dict(element.attributes)
        for name, text in part.attributes.items():
            if name in cvat_shapes.geometry_keys():
                keep = same_place and same_words
            elif name in ("label", "occluded"):
                keep = attributes.get(name) == text
            else:
                keep = same_words
            if keep:
                attributes[name] = text
        order = [name for name in part.attributes if name in attributes]
        order += [name for name in attributes if name not in part.attributes]
        columns = all(agree_in(name, old, row) for name in cvat_shapes.COLUMNS if name != "track_id")
        children = part.children if same_words and same_place and columns else element.children
        if "label" not in part.attributes and "frame" in part.attributes:
            order.remove("label")
        return Element(element.name, {name: attributes[name] for name in order}, children=children)


def _labels(record: bytes) -> list[Element]:
    """Return the `<label>` elements of `<meta>`; their offsets count from the start of the record."""
    if not record:
        return []
    found = next(children_of_root(_WRAP + record + b"</r>", "meta", "r"))
    holders = [holder.child("labels") for holder in found.children]
    labels = [label for labels in holders if labels is not None for label in labels.children]
    for label in labels:
        label.start, label.end = label.start - len(_WRAP), label.end - len(_WRAP)
    return labels


def meta(declared: Declared, classes: Sequence[str]) -> bytes:
    """Return `<meta>`: the record where it declares the very classes in their order, else with other labels in it."""
    labels = _labels(declared.record)
    names = [(label.child("name") or Element("name", {})).text for label in labels]
    own = [name for name, label in zip(names, labels, strict=True) if name and not label.child_text("parent")]
    if declared.record and list(dict.fromkeys(own)) == list(classes) and not declared.new:
        return declared.record
    parts = [_label(name, declared) for name in classes]
    parts += [
        declared.record[label.start : label.end]
        for label in labels
        if label.child_text("parent") and label.child_text("parent") in classes
    ]
    inside = b"".join(b"        %b\n" % part for part in parts)
    if labels:
        return declared.record[: labels[0].start] + inside.strip() + declared.record[labels[-1].end :]
    return b"<meta>\n    <task>\n      <labels>\n%b      </labels>\n    </task>\n  </meta>" % inside


def _label(name: str, declared: Declared) -> bytes:
    record, new = declared.class_records.get(name), declared.new.get(name, {})
    if record is not None and not new:
        return record
    parts = [f"<label>{text_element('name', name)}<attributes>"]
    for (label, attribute), kind in declared.types.items():
        if label == name:
            parts.append(_attribute(attribute, kind))
    return "".join([*parts, "</attributes></label>"]).encode()


def _attribute(name: str, kind: str) -> str:
    default, values = _TYPES.get(kind, ("", ""))
    words = [("name", name), ("mutable", "False"), ("input_type", kind), ("default_value", default), ("values", values)]
    return "<attribute>" + "".join(text_element(key, text) for key, text in words) + "</attribute>"
