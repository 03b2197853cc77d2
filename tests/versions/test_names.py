"""What people call versions."""

import pytest

from vision_cli.core.errors import UsageError
from vision_cli.versions.names import check_tag, find
from vision_cli.versions.store import Entry

IDS = ["abcd" + "0" * 60, "abcd" + "1" * 60, "1234" + "5" * 60, "9876" + "5" * 60]


def entry(id_, of="view:all", message="why"):
    return Entry(id_, of, message, "2026-01-01T00:00:00+00:00", 1, 1, 1, 1, "d")


LOG = (entry(IDS[0]), entry(IDS[2], "source:x"), entry(IDS[1]), entry(IDS[3], "source:x"), entry(IDS[0]))
TAGS = {"v1": IDS[1], "beef-cattle": IDS[2]}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("HEAD", 4),
        ("HEAD~", 2),
        ("HEAD~0", 4),
        ("HEAD~1", 2),
        ("HEAD~2", 0),
        (IDS[2], 1),
        ("1234", 1),
        ("abcd1", 2),
        ("v1", 2),
        ("v1~1", 0),
        ("9876~1", 1),  # the one before it of the same source
        ("beef-cattle", 1),
    ],
)
def test_names(name, line):
    assert find(name, LOG, TAGS) is LOG[line]


@pytest.mark.parametrize(
    ("name", "message", "detail"),
    [
        ("abcd", "the beginning of 2 versions", "abcd11111111 view:all: why"),
        ("v2", "no version is called 'v2'", "tag v1"),
        ("123", "no version is called '123'", "tag v1"),  # too short to be an id
        ("ffff", "no version is called", "abcd00000000 view:all: why"),
        ("HEAD~3", "there are 2 versions of view:all before it", "abcd11111111"),
        ("HEAD~999999", "there are 2 versions", "abcd"),
        ("head", "no version is called 'head'", "tag"),
        ("", "no name of a version", ""),
        ("HEAD~~", "no name of a version", ""),
        ("HEAD~-1", "no name of a version", ""),
        ("HEAD~1٣", "no name of a version", ""),
    ],
)
def test_names_of_none_or_several_list_the_candidates(name, message, detail):
    with pytest.raises(UsageError) as caught:
        find(name, LOG, TAGS)
    assert message in caught.value.message
    assert detail in "\n".join(caught.value.details)


def test_without_any_version_it_says_how_to_make_one():
    with pytest.raises(UsageError, match="no version yet") as caught:
        find("HEAD", (), {})
    assert "vision data commit" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["v1.2", "before-cleaning", "2026-01-02", "a", "team/x", "123"])
def test_tags(name):
    check_tag(name)


@pytest.mark.parametrize("name", ["HEAD", "", "beef", "1234", "a b", "-x", "../x", "x~1", "é", "x\n", "a" * 101])
def test_what_cannot_be_a_tag(name):
    with pytest.raises(UsageError, match="cannot be a tag"):
        check_tag(name)
