from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_cli.core.artefact import Card, Decode
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.seal import CHECKSUM, opened, sealed


def _card(names: tuple[str, ...], **changes: Any) -> Card:
    return Card("classify", ClassMap(names), Preprocess(), Decode(), "timm", {}, "MIT", "n", "2025", **changes)


def _sealed(card: Card, before: bytes, after: bytes) -> tuple[bytes, bytes]:
    content = sealed(card, lambda text: before + text.encode() + after)
    return content[len(before) : len(content) - len(after)], content


@given(st.binary(), st.binary(), st.lists(st.text(min_size=1), unique=True).map(tuple))
def test_what_was_sealed_opens(before: bytes, after: bytes, names: tuple[str, ...]) -> None:
    text, content = _sealed(_card(names, sha256={"weights": "x"}), before, after)
    card = opened(text, content, where="file")
    assert card.classes.names == names
    assert list(card.sha256) == [CHECKSUM]


def test_every_bit_counts() -> None:
    text, content = _sealed(_card(("0" * 64, "b")), b"weights", b"more")
    for at in (0, 6, len(content) - 1, content.index(text) + text.index(b"MIT")):
        changed = bytearray(content)
        changed[at] ^= 1
        with pytest.raises(DataError, match="file: was changed after it was written"):
            opened(text, bytes(changed), where="file")


def test_a_card_without_checksum_is_refused() -> None:
    text, content = _sealed(_card(("a",)), b"", b"")
    digest = opened(text, content, where="file").sha256[CHECKSUM].encode()
    bare = text.replace(digest, b"")
    with pytest.raises(DataError, match="checksum does not match"):
        opened(bare, bare, where="file")


def test_a_card_must_be_packed_once() -> None:
    with pytest.raises(RuntimeError, match="exactly once"):
        sealed(_card(("a",)), lambda text: text.encode() * 2)
