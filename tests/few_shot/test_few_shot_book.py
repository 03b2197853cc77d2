"""The book of classes: every change gives a new one, and a broken file is refused by name."""

import json

import pytest

from vision_cli.core.errors import DataError, UsageError
from vision_cli.few_shot import book as books
from vision_cli.few_shot.book import Book, Example


def example(number: int) -> Example:
    return Example(f"photos/{number}.jpg", f"{number:064x}")


def filled() -> Book:
    book, _ = Book("net", "logistic").added("winter", [example(1), example(2)])
    return book.added("summer", [example(3)])[0]


def test_photos_are_added_once_and_stand_for_one_class():
    book, new = filled().added("winter", [example(2), example(4), example(4)])
    assert new == (example(4),)
    assert book.classes["winter"] == (example(1), example(2), example(4))
    with pytest.raises(DataError, match="stand for another class") as caught:
        book.added("autumn", [example(3), example(9)])
    assert caught.value.details == ("photos/3.jpg: is an example of 'summer'",)


def test_photos_and_classes_are_taken_out():
    book = filled()
    assert book.without("winter", [example(1).sha256]).classes["winter"] == (example(2),)
    assert book.without("winter").names == ("summer",)
    assert book.without("summer", [example(3).sha256]).names == ("winter",)
    with pytest.raises(UsageError, match="no class 'wnter'") as caught:
        book.without("wnter")
    assert "winter" in (caught.value.hint or "")
    with pytest.raises(DataError):
        book.without("winter", [example(3).sha256])


def test_classes_are_merged_and_renamed_where_they_stood():
    book = filled().added("autumn", [example(5)])[0]
    merged = book.merged("cold", ["winter", "autumn"])
    assert merged.names == ("cold", "summer")
    assert merged.classes["cold"] == (example(1), example(2), example(5))
    assert book.merged("winter", ["autumn"]).classes["winter"] == merged.classes["cold"]
    assert book.merged("cold", ["winter"]).names == ("cold", "summer", "autumn")
    assert book.renamed("winter", "ice").names == ("ice", "summer", "autumn")
    with pytest.raises(UsageError, match="already"):
        book.renamed("winter", "summer")
    with pytest.raises(UsageError, match="nothing to merge"):
        book.merged("winter", ["winter"])
    with pytest.raises(UsageError, match="no class 'spring'"):
        book.merged("winter", ["spring"])


@pytest.mark.parametrize("name", ["", " winter", "a\nb", "None of these", "x" * 201])
def test_a_name_that_can_be_no_class_is_refused(name):
    with pytest.raises(UsageError):
        filled().added(name, [example(7)])


def test_what_is_written_is_read():
    book = filled()
    assert books.from_json(json.loads(json.dumps(book.as_json())), where="x") == book


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version 2"),
        ({"colour": 1}, "colour"),
        ({"classes": {"winter": []}}, "without a photo"),
        ({"classes": {"winter": [{"photo": "a.jpg"}]}}, "sha256"),
        ({"classes": {"winter": [{"photo": "a.jpg", "sha256": "../x"}]}}, "no SHA-256"),
        ({"classes": {"none of these": [{"photo": "a", "sha256": "0" * 64}]}}, "none of these"),
        ({"classes": []}, "no book"),
        ({"none_below": 7}, "none_below"),
        ({"none_below": float("nan")}, "none_below"),
        ({"own_classes": "yes"}, "own_classes"),
        ({"backbone": 3}, "expected a text"),
        (
            {"classes": {n: [{"photo": "a", "sha256": "0" * 64}] for n in ("a", "b")}},
            "an example of 'a' and of 'b'",
        ),
    ],
)
def test_a_broken_book_is_refused_by_name(change, said):
    document = {**filled().as_json(), **change}
    with pytest.raises(DataError, match=r"^shop/classes\.json: ") as caught:
        books.from_json(document, where="shop/classes.json")
    assert said in caught.value.message


@pytest.mark.parametrize("document", [None, 3, [], "text", {}])
def test_no_document_at_all_is_refused(document):
    with pytest.raises(DataError):
        books.from_json(document, where="classes.json")
