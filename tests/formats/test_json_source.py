"""JSON that is cut, foreign, too deep, too large, or says a thing twice ends in a DataError with the byte."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_cli.core.errors import DataError
from vision_cli.formats import json_source
from vision_cli.formats.json_source import JsonText

NUMBERS = msgspec.json.Decoder(dict[str, list[float]])
DEEP = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def load(tmp_path: Path, content: bytes) -> JsonText:
    path = tmp_path / "labels.json"
    path.write_bytes(content)
    return json_source.load(path)


def test_a_byte_order_mark_is_left_out_and_counted(tmp_path: Path) -> None:
    text = load(tmp_path, b'\xef\xbb\xbf{"a": [1, NaN]}')
    assert text.data.startswith(b"{")
    with pytest.raises(DataError, match=r"malformed: invalid character at byte 13\."):
        text.decode(NUMBERS)
    assert (tmp_path / "labels.json").read_bytes()[13:16] == b"NaN"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty at byte 0"),
        (b" \n ", "empty at byte 0"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16 or UTF-32, not UTF-8, at byte 0"),
        ('{"a": 1}'.encode("utf-16-le"), "UTF-16 or UTF-32, not UTF-8, at byte 0"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b'{"a": "' + b"x" * (1 << 20) + b'\xe2\x82"}', "not UTF-8 at byte 1,048,583"),
    ],
)
def test_text_that_is_no_utf8_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": [1', "ends too early, at byte 8"),
        (b'{"a": [1, 2]} x', "trailing characters at byte 14"),
        (b'{"a": [1e999]}', "number out of range at byte 7"),
        (b'{"a": [Infinity]}', "invalid character at byte 7"),
        (b"[1, 2]", "expected `object`, got `array`"),
        (b'{"a": ["x"]}', "expected `float`, got `str`"),
    ],
)
def test_decoding_names_the_byte(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(tmp_path, content).decode(NUMBERS)


@pytest.mark.parametrize("decoder", [msgspec.json.Decoder(), msgspec.json.Decoder(dict[str, msgspec.Raw])])
def test_depth_is_refused_where_it_begins(tmp_path: Path, decoder: msgspec.json.Decoder[object]) -> None:
    text = load(tmp_path, DEEP)
    with pytest.raises(DataError, match="nested too deeply at byte 505"):
        text.decode(decoder)
    with pytest.raises(DataError, match="nested too deeply at byte 505"):
        text.value()


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1, "b": 2, "a": 3}',
        b'{"a": [1, 2], "b": {}, "a": []}',
        b'{"b": "\\"a\\": 1", "a": 1, "\\u0061": 1}',
        b'{"a": 1, "a": 1}',
    ],
)
def test_a_name_that_stands_twice_is_refused(tmp_path: Path, content: bytes) -> None:
    text = load(tmp_path, content)
    with pytest.raises(DataError, match="holds the name 'a' twice in one object, at byte"):
        text.members()
    with pytest.raises(DataError, match="holds the name 'a' twice in one object, at byte"):
        text.value()


def test_the_byte_of_a_repeated_name_deep_inside() -> None:
    data = b'{"list": [{"x": "a"}, {"a": 1, "b": {"a": 2}, "a": 3}]}'
    at = data.rindex(b'"a"')
    with pytest.raises(DataError, match=f"'a' twice in one object, at byte {at}"):
        JsonText(Path("f.json"), data).value()


def test_a_large_file_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(3 << 30)  # sparse
    with pytest.raises(DataError, match="larger than 2147 MB"):
        json_source.load(path)


def test_offsets_count_what_was_left_out() -> None:
    text = JsonText(Path("f.json"), b"0123456789", start=3, gap_at=4, gap=100)
    assert [text.offset(0), text.offset(3), text.offset(4)] == [3, 6, 107]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=5), st.booleans(), st.sampled_from([None, 0, 2]))
def test_members_give_each_value_byte_for_byte(
    document: dict[str, object], ascii_only: bool, indent: int | None
) -> None:
    content = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    try:
        content.decode()
    except UnicodeDecodeError:
        return
    text = JsonText(Path("f.json"), content)
    try:
        members = text.members()
    except DataError:
        assert b"\\ud" in content  # a lone surrogate is no text
        return
    assert [member.name for member in members] == list(document)
    for member in members:
        assert content[member.value_at : member.value_at + len(member.value)] == member.value
        assert json.loads(member.value) == document[member.name]
    assert text.value() == document
