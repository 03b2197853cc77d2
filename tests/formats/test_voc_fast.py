"""The short way through an annotation says what the long way says, of every document."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.formats.voc import fast as voc_fast
from vision_cli.formats.voc import xml as voc_xml
from vision_cli.formats.voc.xml import XmlError

BOX = "<bndbox><xmin>1</xmin> <ymin>2.50</ymin><xmax>3</xmax><ymax>1e1</ymax></bndbox>"
PLAIN = f"<object>\n<name> a b </name><pose>Unspecified</pose><truncated>0</truncated>{BOX}\n</object>"
PIECES = [
    *(PLAIN, PLAIN.replace("0<", "1<"), PLAIN.replace("a b", ""), PLAIN.replace("1e1", ""), PLAIN.replace("a b", "ä")),
    *("<object>", "</object>", "<object/>", "<!--", "-->", "<![CDATA[", "]]>", "<a>", "</a>", "&amp;", "&x;", "\x01"),
    *(
        "\n\t",
        "\r\n",
        "<size><width>1</width><height>2</height></size>",
        "<filename>a</filename>",
        "</annotation>",
        "x",
    ),
    *("<annotation>", "<?pi?>", "<!DOCTYPE a>", PLAIN.replace("a b", "\x01"), PLAIN.replace("a b", "]]>"), "]]", "\0"),
]


def said(function, content: bytes):
    try:
        photo = function(content)
    except XmlError:
        return None
    return photo.filename, photo.size, photo.metadata, list(photo.objects), photo.end


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(["", "<?xml version='1.0'?>", "\ufeff"]))
@settings(max_examples=600, derandomize=True, deadline=None)
def test_both_ways_say_the_same(pieces: list[str], start: str) -> None:
    content = f"{start}<annotation>{''.join(pieces)}</annotation>\n".encode()
    assert said(voc_fast.photo_of, content) == said(voc_xml.photo_of, content)


def test_the_short_way_is_taken_and_only_of_the_plain_form() -> None:
    assert voc_fast._plain_photo(f"<annotation>{PLAIN}\n{PLAIN}</annotation>\n".encode()) is not None
    for odd in (PLAIN.replace("a b", "&lt;"), PLAIN.replace("<name>", "<name x='1'>"), f"<!-- {PLAIN} -->", "<a/>"):
        assert voc_fast._plain_photo(f"<annotation>{odd}</annotation>".encode()) is None


@pytest.mark.parametrize("name", ["bccd_voc/BCCD/Annotations", "raccoon_voc/annotations", "cards/real_test"])
def test_both_ways_say_the_same_of_published_sets(shared_data: Path, name: str) -> None:
    files = sorted((shared_data / name).glob("*.xml"))
    assert files
    for file in files:
        content = file.read_bytes()
        assert voc_fast._plain_photo(content) is not None
        assert said(voc_fast.photo_of, content) == said(voc_xml.photo_of, content)
