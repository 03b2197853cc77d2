"""What descriptions say by their form: concepts, and those that are waived."""

import pytest

from vision_cli.scoping.wording import concepts, worded


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("how many cows are on the pasture", "count"),
        ("how many kilograms does the sow weigh", "unit"),
        ("on a scale from 0 to 10", "scale"),
        ("where in the photo is the logo", "where"),
        ("the exact outline of every leaf", "outline"),
        ("which pixels are road", "pixel"),
        ("tick all that apply", "several"),
        ("is the lid closed or not", "whether"),
        ("transcribe the handwritten letter", "read"),
        ("from the patient records", "table"),
        ("forecast next month", "future"),
    ],
)
def test_a_turn_of_speech_is_a_concept(text, concept):
    assert concept in worded(text).concepts


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("find every ship, outlines are not needed", "outline"),
        ("name all birds without boxes", "where"),
        ("I don't care where the spots are, only which disease it is", "where"),
        ("no need to count them, tell me the species", "count"),
        ("not how many trees but how much ground they cover", "count"),
    ],
)
def test_what_is_waived_is_no_wish(text, denied):
    said = worded(text)
    assert denied in said.denied
    assert denied not in said.concepts


def test_only_forms_of_answers_are_waived():
    said = worded("find workers without helmets")
    assert "helmets" in said.text
    assert not said.denied


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("people who are wearing masks", "outline"),
        ("we have a large number of photos", "count"),
        ("sort of useful", "kind"),
        ("store it to our database", "table"),
        ("logs on a truck", "table"),
    ],
)
def test_words_with_another_meaning_are_no_concept(text, concept):
    assert concept not in worded(text).concepts


def test_how_many_of_a_unit_is_a_quantity_and_no_count():
    assert "count" not in worded("how many litres are in the tank").concepts


def test_words_of_other_languages_and_odd_letters_pass_through():
    said = worded("zoek  krakeling\u2019s\u00a0alsjeblieft 🥨")
    assert "krakeling's alsjeblieft 🥨" in said.text


def test_the_lists_are_read_whole():
    assert {"count", "where", "unit"} <= set(concepts())
    assert "units" not in concepts()
