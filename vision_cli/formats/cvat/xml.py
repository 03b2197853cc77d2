"""CVAT's XML as small elements, each with its place in the file; nothing but plain XML is taken.

Document type declarations are refused, and with them entities of any kind; so are elements deeper than CVAT nests them.
"""

from __future__ import annotations

import pyexpat
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from vision_cli.core.errors import DataError

MAX_DEPTH = 24
_CHUNK = 1 << 16
_BAD_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_QUOTES = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


@dataclass(slots=True)
class Element:
    """One element.

    Attributes:
        name: of its tag.
        attributes: in the file's order.
        text: what stands in it outside of its children.
        children: likewise in order.
        start: byte offset of its tag.
        end: byte offset behind it.
        line: 1-based line.
    """

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)
    start: int = 0
    end: int = 0
    line: int = 0

    def child(self, name: str) -> Element | None:
        """Return the first child of this name."""
        return next((child for child in self.children if child.name == name), None)

    def child_text(self, name: str) -> str:
        """Return the text of the first child of this name, stripped; empty without."""
        child = self.child(name)
        return "" if child is None else child.text.strip()


class _Builder:
    """Builds the children of the root, one after the other."""

    def __init__(self, content: bytes, where: str) -> None:
        self.content, self.where = content, where
        self.root: Element | None = None
        self.done: list[Element] = []
        self._open: list[Element] = []
        self.parser = pyexpat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ExternalEntityRefHandler = self._refuse

    def feed(self, chunk: bytes, *, last: bool) -> None:
        try:
            self.parser.Parse(chunk, last)
        except pyexpat.ExpatError as error:
            reason = pyexpat.ErrorString(error.code)
            raise DataError(
                f"{self.where}:{error.lineno}: this is no well-formed UTF-8 XML: {reason}, at byte "
                f"{self.parser.ErrorByteIndex}.",
                hint="Export it again; the file may be cut.",
            ) from error

    def _refuse(self, *_: object) -> int:
        raise DataError(
            f"{self.where}:{self.parser.CurrentLineNumber}: document types and entities are refused.",
            hint="CVAT writes neither; remove the DOCTYPE.",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        at = self.parser.CurrentByteIndex
        element = Element(name, attributes, start=at, line=self.parser.CurrentLineNumber)
        if len(self._open) >= MAX_DEPTH:
            raise DataError(f"{self.where}:{element.line}: elements are nested deeper than {MAX_DEPTH}.")
        if self.root is None:
            self.root = element
        elif len(self._open) > 1:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        element, at = self._open.pop(), self.parser.CurrentByteIndex
        # At the end of `<a/>` expat stands behind it, at that of `<a></a>` before `</a>`.
        closed = not element.children and not element.text and self.content[element.start : at].endswith(b"/>")
        element.end = at if closed else self.content.index(b">", at) + 1
        if len(self._open) == 1:
            self.done.append(element)

    def _text(self, text: str) -> None:
        if len(self._open) > 1:
            self._open[-1].text += text


def utf8_xml(content: bytes, where: str) -> bytes:
    """Return XML without a byte order mark, UTF-16 with one as UTF-8.

    Raises:
        DataError: UTF-16 that is none.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return content.decode("utf-16").encode()
        except UnicodeError as error:
            raise DataError(f"{where}: this is no UTF-16 text.", hint="Save it as UTF-8.") from error
    return content.removeprefix(b"\xef\xbb\xbf")


def children_of_root(content: bytes, where: str, root: str) -> Iterator[Element]:
    """Yield the children of the root element, each complete.

    Args:
        content: UTF-8.
        where: how messages call the file.
        root: name that the root must have.

    Raises:
        DataError: not well-formed, another root, a document type, entities, or nested too deep.
    """
    builder = _Builder(content, where)
    for start in range(0, max(len(content), 1), _CHUNK):
        builder.feed(content[start : start + _CHUNK], last=start + _CHUNK >= len(content))
        if builder.root is not None and builder.root.name != root:
            raise DataError(f"{where}: the root element is <{builder.root.name}>, not <{root}>.")
        yield from builder.done
        builder.done.clear()


def _checked(text: str) -> str:
    if not is_xml_text(text):
        raise DataError(f"{text[:80]!r} has control characters, which XML has no way to write.", hint="Rename it.")
    return text


def start_tag(name: str, attributes: Mapping[str, str]) -> str:
    """Return a start tag without its `>`.

    Raises:
        DataError: a value has characters that XML has no way to write.
    """
    return f"<{name}" + "".join(f' {key}="{escape(_checked(value), _QUOTES)}"' for key, value in attributes.items())


def text_element(name: str, text: str, attributes: Mapping[str, str] | None = None) -> str:
    """Return an element of text; a carriage return is written so that it stays one."""
    return f"{start_tag(name, attributes or {})}>{escape(_checked(text), {chr(13): '&#13;'})}</{name}>"


def is_xml_text(text: str) -> bool:
    """Return whether XML 1.0 has a way to write every character."""
    return _BAD_XML.search(text) is None
