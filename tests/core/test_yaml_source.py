"""YAML as data: text stays text, attacks end at once."""

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vision_cli.core import yaml_source
from vision_cli.core.errors import UsageError

WORDS = [
    "no",
    "yes",
    "on",
    "off",
    "true",
    "007",
    "0x1f",
    "1e3",
    "1_000",
    "12:30:45",
    "2020-01-01",
    ".inf",
    ".nan",
    "3.10",
    "0o17",
    "=",
]


@pytest.mark.parametrize("word", WORDS)
def test_scalars_stay_the_text_they_are(word):
    assert yaml_source.parse(f"classes: [{word}, '{word}']\n{word}: {word}\n", "v").tree == {
        "classes": [word, word],
        word: word,
    }


@pytest.mark.parametrize("word", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_none_unless_quoted(word):
    assert yaml_source.parse(f"a: {word}\nb: '{word}'\n", "v").tree == {"a": None, "b": word}


def test_lines_are_those_of_the_file():
    source = yaml_source.parse("a: 1\n\n# note\nb:\n  c: [x,\n      y]\n  d: {e: 1}\n", "v")
    assert source.lines[("a",)] == 1
    assert source.lines[("b", "c", 0)] == 5
    assert source.lines[("b", "c", 1)] == 6
    assert source.line_of(("b", "d", "e", "unknown", 3)) == 7
    assert source.line_of(("nowhere",)) == 1


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\n\n"])
def test_empty_documents(text):
    assert yaml_source.parse(text, "v").tree == {}


def test_aliases_and_merges_mean_what_yaml_says():
    text = "base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\nsame: *b\n"
    assert yaml_source.parse(text, "v").tree == {
        "base": {"x": "1", "y": "2"},
        "more": {"x": "1", "y": "3"},
        "same": {"x": "1", "y": "2"},
    }


REFUSED = {
    "repeated keys": ("a: 1\nb: 2\na: 3\n", "v: repeated keys."),
    "python tag": ("a: !!python/object/apply:os.system ['true']\n", "v:1: the tag"),
    "own tag": ("a: !thing 1\n", "v:1: the tag"),
    "int tag": ("a: !!int 1\n", "v:1: the tag"),
    "binary tag": ("a: !!binary aGk=\n", "v:1: the tag"),
    "two documents": ("a: 1\n---\nb: 2\n", "v:2: a second document"),
    "broken": ("a: [1\nb: 2\n", "not valid YAML"),
    "tab": ("a:\n\tb: 1\n", "v:2: not valid YAML"),
    "unknown alias": ("a: *nowhere\n", "v:1: the alias '*nowhere' has no anchor"),
    "own alias": ("a: &a [*a]\n", "has no anchor before it"),
    "list as key": ("? [a, b]\n: 1\n", "v:1: a key must be plain text"),
    "control character": ("a: \x00\n", "not valid YAML"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=list(REFUSED))
def test_refusals(text, message):
    with pytest.raises(UsageError) as caught:
        yaml_source.parse(text, "v")
    assert message in caught.value.message


def test_every_repeated_key_is_told_with_both_lines():
    with pytest.raises(UsageError) as caught:
        yaml_source.parse("a: 1\nb: {x: 1, x: 2}\na: 3\n", "v")
    assert caught.value.details == (
        "v:2: 'x' stands here again; first in line 2.",
        "v:3: 'a' stands here again; first in line 1.",
    )


def bomb():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines)


ATTACKS = {
    "100,000 levels, flow": "[" * 100_000,
    "100,000 levels, closed": "[" * 100_000 + "]" * 100_000,
    "100,000 levels, block": "a: " + "{a: " * 100_000,
    "100,000 levels, dashes": "- " * 100_000 + "x",
    "alias bomb": bomb(),
    "10,000 aliases": "a: &a x\nb: [" + ", ".join(["*a"] * 10_000) + "]",
    "many values": "a: [" + "x, " * 300_000 + "]",
    "50 MB": "a: " + "x" * 50_000_000,
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=list(ATTACKS))
def test_attacks_end_in_under_a_second(text):
    started = time.process_time()
    with pytest.raises(UsageError) as caught:
        yaml_source.parse(text, "v")
    assert time.process_time() - started < 1
    assert len(caught.value.message) < 500


PLAIN_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)
TREES = st.recursive(
    PLAIN_TEXT,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(PLAIN_TEXT.filter(lambda key: key != "<<"), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(st.dictionaries(PLAIN_TEXT.filter(lambda key: key != "<<"), TREES, min_size=1, max_size=5))
def test_what_another_library_writes_is_read_back(tree):
    text = yaml.safe_dump(tree, default_style='"', allow_unicode=True, width=10**6)
    assert yaml_source.parse(text, "v").tree == tree
