"""Decisions, their reasons, and the one question."""

import pytest

from vision_cli.scoping.deciding import decide, softmax, told
from vision_cli.scoping.questions import _PAIRS, deciding
from vision_cli.scoping.rules import RULES
from vision_cli.scoping.wording import worded


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("find our logo in customers' photos", "detect"),
        ("hot dog or not hot dog", "classify"),
        ("list all tags that apply to a photo, several are possible", "multilabel"),
        ("how many sheep are in the drone picture", "count"),
        ("how many kilograms does the pig on the picture weigh", "regress"),
        ("exact outline of every pill, also where pills touch", "instance"),
        ("what share of the roof surface is covered by moss", "semantic"),
        ("every pixel of the street scene, road and sky as areas and each car on its own", "panoptic"),
        ("read the serial number on the type plate", "text_recognition"),
        ("forecast next month's sales from our order history", "not_vision"),
        ("help with my pictures", "unclear"),
    ],
)
def test_plain_wishes(text, task):
    found = decide(text)
    assert found.task == task
    assert found.reasons


def test_a_clear_wish_has_no_question_and_a_vague_one_has():
    assert decide("draw a bounding box around every car").question is None
    vague = decide("do something with ai for our photos")
    assert vague.task == "unclear"
    assert vague.question is not None
    assert len(vague.question.answers) >= 2


def test_a_named_task_is_a_reason():
    assert any("in so many words" in reason for reason in decide("semantic segmentation of the tongue").reasons)


def test_what_the_user_says_is_certain():
    found = told("regress", worded("whatever"))
    assert (found.task, found.confidence, found.question) == ("regress", 1.0, None)


def test_questions_do_not_depend_on_the_order_of_the_two():
    said = worded("tell me about the place and the form of each of these objects")
    one, other = (deciding(pair, said) for pair in (("detect", "instance"), ("instance", "detect")))
    assert one.text == other.text == _PAIRS[frozenset(("detect", "instance"))]
    assert [task for _, task in one.answers] == ["detect", "instance"]


def test_every_rule_holds_for_some_phrase_and_not_for_all():
    from phrase_set import script

    looked = [worded(each.text) for each in script().phrases()]
    for rule in RULES:
        held = sum(rule.holds(said) for said in looked)
        assert 0 < held < len(looked) / 2 or rule.reason == "it speaks of photos" or held < len(looked), rule.reason


def test_shares_add_up_to_one():
    import numpy as np

    shares = softmax(np.array([[1000.0, 0.0], [0.0, 0.0]]))
    assert shares.sum(axis=1) == pytest.approx([1, 1])
    assert shares[0, 0] == pytest.approx(1)


@pytest.mark.parametrize("text", ["?", "🥨", "a" * 500, "\x00", "- - -", "1 2 3", "\ud800"])
def test_odd_descriptions_are_decided_too(text):
    assert 0 <= decide(text).confidence <= 1
