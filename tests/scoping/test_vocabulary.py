"""Vectors of words, and slips of the pen."""

import numpy as np
import pytest

from vision_cli.scoping import vocabulary


def cosine(one, other):
    first, second = (vocabulary.shipped().vector(word) for word in (one, other))
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.parametrize(
    ("word", "alike", "other"),
    [("cartons", "crates", "physics"), ("receipts", "invoices", "sheep"), ("seven", "nine", "lawn")],
)
def test_words_of_like_meaning_have_like_vectors(word, alike, other):
    assert cosine(word, alike) > cosine(word, other) + 0.2


def test_the_table_is_small_and_of_one_length():
    table = vocabulary.shipped()
    assert vocabulary.FILE.stat().st_size < 3_000_000
    assert len(table.rows) == len(table.steps) == len(table.scales) >= 15_000
    lengths = np.linalg.norm(table.steps * table.scales[:, None].astype(float), axis=1)
    assert lengths == pytest.approx(np.full(len(lengths), 2.0), abs=0.05)


def test_rounding_changes_next_to_nothing_and_a_file_holds_it_all(tmp_path):
    words = ["one", "two", "it's"]
    exact = np.random.default_rng(0).normal(0, 1, (3, 64)).astype(np.float32)
    vocabulary.write(vocabulary.rounded(words, exact), tmp_path / "table.npz")
    with np.load(tmp_path / "table.npz") as found:
        again = vocabulary.unpacked(found)
    assert list(again.rows) == words
    for word, row in zip(words, exact, strict=True):
        assert again.vector(word) == pytest.approx(row, abs=0.02)
    assert again.vector("three") is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("how many milimeters", "how many millimeters"),
        ("a vegan pizza", "a vegan pizza"),
        ("the bedrom", "the bedroom"),
        ("a genuin note", "a genuine note"),
        ("find the lynx", "find the lynx"),
        ("qwxzj and abc", "qwxzj and abc"),
    ],
)
def test_one_slip_is_put_right(said, meant):
    assert vocabulary.spelled(said) == meant


def test_numbers_are_one_word_and_marks_are_kept():
    assert vocabulary.tokens("3 or 12 dogs?") == ["0", "or", "0", "dogs", "?"]
