"""Text in XML: what it must escape, and what it cannot hold at all."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

# XML 1.0, section 2.2, says which characters no document holds; carriage returns and white space at either end would
# not come back as they were. Office Open XML (ECMA-376 part 1, 22.9.2.19) spells them _x000D_, and itself _x005F_.
_UNHELD = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|^[ \t\n]+|[ \t\n]+$|_(?=x[0-9A-F]{4}_)")
# All texts that `escaped` changes, and a few more, in the syntax of Arrow's RE2.
_MAYBE = r"[&<>\x00-\x1f\x{fffe}\x{ffff}]|^ | $|_x"
_SPECIAL = b"&<>" + bytes(range(32))
_SPELLED = re.compile(r"_x([0-9A-F]{4})_")


def spelled(text: str) -> str:
    """Return a text that XML can hold: others than its characters as `_x0007_`."""
    return _UNHELD.sub(lambda found: "".join(f"_x{ord(letter):04X}_" for letter in found[0]), text)


def unspelled(text: str) -> str:
    """Return the inverse of `spelled`; a text that it never wrote stays."""
    if "_x" not in text:
        return text
    original = _SPELLED.sub(lambda found: chr(int(found[1], 16)), text)
    return original if spelled(original) == text else text


def escaped(text: str) -> str:
    """Return a text as it stands in XML."""
    return spelled(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _is_plain(column: pa.StringArray) -> bool:
    """Tell whether nothing in a column needs a look, from all of its bytes at once: an expression takes longer."""
    offsets = memoryview(column.buffers()[1]).cast("i")[column.offset : column.offset + len(column) + 1]
    text = bytes(memoryview(column.buffers()[2] or b"")[offsets[0] : offsets[-1]])
    spaced = pc.or_(pc.starts_with(column, " "), pc.ends_with(column, " "))
    return (
        text.isascii()
        and len(text.translate(None, _SPECIAL)) == len(text)
        and b"_x" not in text
        and not pc.any(spaced).as_py()
    )


def escaped_texts(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column of texts as they stand in XML; usual ones are told by one pass of an expression over all."""
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if _is_plain(column) or not pc.any(pc.match_substring_regex(column, _MAYBE)).as_py():
        return column
    return pa.array([None if text is None else escaped(text) for text in column.to_pylist()], pa.string())
