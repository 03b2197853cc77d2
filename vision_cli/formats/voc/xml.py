"""One Pascal VOC annotation, from XML bytes. Expat parses; nothing of XML that VOC does not need is let in.

Document types, entities of one's own and depth beyond 32 are refused before they cost anything, as defusedxml would.
Source of the elements: the VOC2012 development kit, http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/, section
'Annotation'; `occluded` came with VOC2010's action task, `attributes` as a list of names and values with CVAT.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from vision_cli.formats.voc.text import unspelled

MAX_DEPTH = 32
_MAX_ELEMENTS = 2_000_000
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_BOX = ("xmin", "ymin", "xmax", "ymax")
_KNOWN = frozenset({"folder", "filename", "path", "source", "owner", "size", "segmented", "object"})
_FLAGS = ("truncated", "occluded", "difficult")
_FLAG_TEXTS = {"difficult": frozenset({"0", "1"}), "occluded": frozenset({"0", "1", "2", "3"})}


class XmlError(Exception):
    """The document is refused; the message says why and where."""


@dataclass(slots=True)
class Node:
    """An element.

    Attributes:
        tag: its name.
        attributes: of XML, by name.
        children: elements in it.
        text: what stands in it, without white space around it.
        start: byte of its `<`.
        end: byte behind its last `>`.
    """

    tag: str
    attributes: dict[str, str]
    start: int
    children: list[Node] = field(default_factory=list)
    text: str = ""
    end: int = -1

    def child(self, tag: str) -> Node | None:
        """Return the first element of a name."""
        for node in self.children:
            if node.tag == tag:
                return node
        return None

    def child_text(self, tag: str) -> str | None:
        """Return the text of the first element of a name."""
        node = self.child(tag)
        return None if node is None else node.text


_DANGERS = (
    *("StartDoctypeDeclHandler", "EntityDeclHandler", "UnparsedEntityDeclHandler"),
    *("ExternalEntityRefHandler", "SkippedEntityHandler"),
)


def parse(content: bytes) -> Node:
    """Return the root element; the byte range of each element is set, whatever the encoding.

    Raises:
        XmlError: not well-formed, a document type or an entity is declared, too deep, or over two million elements.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    top = Node("", {}, 0)
    stack = [top]
    count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(stack) > MAX_DEPTH or count > _MAX_ELEMENTS:
            raise XmlError(f"line {parser.CurrentLineNumber}: elements are nested over {MAX_DEPTH} deep, or too many")
        node = Node(tag, attributes, parser.CurrentByteIndex)
        stack[-1].children.append(node)
        stack.append(node)

    def end(tag: str) -> None:
        node = stack.pop()
        at = parser.CurrentByteIndex
        node.end = content.find(b">", at) + 1
        node.text = node.text.strip(" \t\r\n") if node.text else ""

    def text(data: str) -> None:
        stack[-1].text += data

    def refuse(*_: Any) -> int:
        raise XmlError(f"line {parser.CurrentLineNumber}: document types and entities are refused")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    for danger in _DANGERS:
        setattr(parser, danger, refuse)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise XmlError(f"line {error.lineno}: not well-formed: {expat.errors.messages[error.code]}") from error
    except (LookupError, ValueError) as error:
        raise XmlError(f"the encoding is unknown: {error}") from error
    return top.children[0]


@dataclass(frozen=True, slots=True)
class VocObject:
    """An object as its texts say; None where an element is not there.

    Attributes:
        name: of the class.
        box: xmin, ymin, xmax, ymax; empty texts where one is missing; None without `bndbox`.
        truncated: a number.
        occluded: 0 to 3.
        difficult: 0 or 1.
        attributes: JSON object of all else, None when there is nothing else.
        start: byte of its `<`.
        end: byte behind its last `>`.
    """

    name: str
    box: tuple[str, ...] | None
    truncated: str | None
    occluded: str | None
    difficult: str | None
    attributes: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class VocPhoto:
    """What a document says of its photo.

    Attributes:
        filename: as it stands there.
        size: texts of width and height; None where either is not there.
        metadata: texts of further elements by name.
        objects: in order.
        end: byte of the `<` of the root's end tag.
    """

    filename: str | None
    size: tuple[str, str] | None
    metadata: dict[str, str]
    objects: Sequence[VocObject]
    end: int


def photo_of(content: bytes) -> VocPhoto:
    """Return what a document says.

    Raises:
        XmlError: see `parse`, or the root is no `annotation`.
    """
    root = parse(content)
    if root.tag != "annotation":
        raise XmlError(f"the root element is <{root.tag[:40]}>, not <annotation>")
    size = root.child("size")
    width, height = (None, None) if size is None else (size.child_text("width"), size.child_text("height"))
    metadata = {
        node.tag: node.text
        for node in root.children
        if node.tag not in _KNOWN and not node.children and not node.attributes and node.text
    }
    objects = [_object(node) for node in root.children if node.tag == "object"]
    stated = (width, height) if width is not None and height is not None else None
    return VocPhoto(root.child_text("filename"), stated, metadata, objects, content.rfind(b"</", 0, root.end))


def _object(node: Node) -> VocObject:
    name, box = "", None
    flags: dict[str, str | None] = dict.fromkeys(_FLAGS)
    rest: list[Node] = []
    for child in node.children:
        tag = child.tag
        if tag == "name" and not name:
            name = child.text
        elif tag == "bndbox" and box is None:
            texts = {edge.tag: edge.text for edge in child.children}
            box = tuple([texts.get(edge, "") for edge in _BOX])
        elif tag in flags and flags[tag] is None and _is_flag(tag, child.text):
            flags[tag] = child.text
        elif tag != "pose" or child.text not in ("", "Unspecified"):
            rest.append(child)
    attributes = json.dumps(_members(rest), ensure_ascii=False) if rest else None
    truncated, occluded, difficult = flags["truncated"], flags["occluded"], flags["difficult"]
    return VocObject(name, box, truncated, occluded, difficult, attributes, node.start, node.end)


def _is_flag(tag: str, text: str) -> bool:
    if tag != "truncated":
        return text in _FLAG_TEXTS[tag]
    try:
        return text.isascii() and "_" not in text and 0 <= float(text) <= 1
    except ValueError:
        return False


def _members(nodes: Sequence[Node]) -> dict[str, Any]:
    """Return elements as a JSON object; a list where a name repeats, CVAT's attributes under their own names."""
    members: dict[str, Any] = {}
    for node in nodes:
        named = _named_attributes(node)
        if named is not None and not named.keys() & members.keys():
            members.update(named)
            continue
        value = _value(node)
        if node.tag not in members:
            members[node.tag] = value
        elif isinstance(members[node.tag], list):
            members[node.tag].append(value)
        else:
            members[node.tag] = [members[node.tag], value]
    return members


def _value(node: Node) -> Any:
    """Return a text, or an object of children, XML attributes as `@name`, and text as `#text` beside them."""
    if not node.children and not node.attributes:
        return unspelled(node.text)
    value = {f"@{name}": text for name, text in node.attributes.items()} | _members(node.children)
    return value | {"#text": unspelled(node.text)} if node.text else value


def _named_attributes(node: Node) -> dict[str, Any] | None:
    """Return CVAT's `<attributes><attribute><name/><value/></attribute></attributes>` as members, if it is that."""
    if node.tag != "attributes" or node.attributes or not node.children:
        return None
    found: dict[str, Any] = {}
    for child in node.children:
        if child.tag != "attribute" or [part.tag for part in child.children] != ["name", "value"]:
            return None
        name, value = child.children
        text = unspelled(value.text)
        try:
            found[unspelled(name.text)] = json.loads(text) if value.attributes.get("type") == "json" else text
        except (ValueError, RecursionError):
            return None
    if len(found) < len(node.children):
        return None
    return found


def can_be_cut(content: bytes) -> bool:
    """Return whether the bytes of elements can be cut out and put together: every encoding but UTF-16."""
    return not content.startswith(_UTF_16)
