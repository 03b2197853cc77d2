"""Words of four languages for what is asked; everything else passes through."""

import pytest
from phrase_set import script

from vision_cli.scoping.deciding import decide
from vision_cli.scoping.languages import english, language, tables


@pytest.mark.parametrize(
    ("text", "named", "task"),
    [
        ("Wie viele Schafe sind auf dem Bild?", "german", "count"),
        ("Lies die Seriennummer auf dem Typenschild", "german", "text_recognition"),
        ("Combien de moutons voit-on sur la photo ?", "french", "count"),
        ("Le contour exact de chaque cellule, m\u00eame si elles se touchent", "french", "instance"),
        ("\u00bfCu\u00e1ntas personas hay en la imagen?", "spanish", "count"),
        ("Dove si trovano i bulloni? Un riquadro attorno a ciascuno", "italian", "detect"),
    ],
)
def test_what_is_asked_is_understood(text, named, task):
    assert language(text) == named
    assert decide(text).task == task


def test_accents_and_elisions_are_no_matter():
    assert english("o\u00f9 se trouvent les chiens").startswith("where are the dogs")
    assert english("combien d\u2019arbres sont dans la for\u00eat") == "how many trees are in the forest"


def test_english_is_left_as_it_is():
    foreign = {each.domain for each in script().phrases() if each.domain == "foreign"}
    assert foreign
    for each in script().phrases():
        if each.domain != "foreign":
            assert english(each.text) == each.text


def test_each_language_has_words_for_every_kind_of_answer():
    needed = {"how many", "where", "outline", "read", "whether", "several", "every"}
    for name, table in tables().items():
        meanings = " ".join(table.values())
        assert not {word for word in needed if word not in meanings}, name


@pytest.mark.parametrize(
    "text", ["", "\u732b\u3092\u6570\u3048\u308b", "\u0441\u0447\u0438\u0442\u0430\u0442\u044c", "1 2 3"]
)
def test_other_languages_pass_through(text):
    assert language(text) is None
    assert english(text) == text
