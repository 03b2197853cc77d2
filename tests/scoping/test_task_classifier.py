"""The classifier that is shipped: what it learned from, how well it does on domains it never saw, how honest it is."""

from collections import Counter

import numpy as np
import pytest
from phrase_set import script

from vision_cli.scoping import classifier, deciding, vocabulary
from vision_cli.scoping.evidence import evidence
from vision_cli.scoping.outcomes import NAMES
from vision_cli.scoping.wording import worded

LEARNING = script()
PHRASES = LEARNING.phrases()
HELD_OUT = [each for each in PHRASES if each.held_out]


def test_the_phrase_set_is_large_and_has_every_task_in_many_domains():
    assert len(PHRASES) >= 600
    assert set(NAMES) == {each.task for each in PHRASES}
    assert min(Counter(each.task for each in PHRASES).values()) >= 50
    for task in NAMES:
        assert len({each.domain for each in PHRASES if each.task == task}) >= 8, task
    texts = [each.text.casefold() for each in PHRASES]
    assert len(set(texts)) == len(texts)


def test_every_task_has_phrases_that_nothing_was_learned_from():
    assert len(HELD_OUT) >= 200
    assert set(NAMES) == {each.task for each in HELD_OUT}
    assert not {each.domain for each in HELD_OUT} & {each.domain for each in PHRASES if not each.held_out}


def test_held_out_domains_are_decided_right():
    found = [deciding.decide(each.text).task == each.task for each in HELD_OUT]
    assert np.mean(found) >= 0.9


def test_confidence_is_honest_on_the_held_out_domains():
    found = [deciding.decide(each.text) for each in HELD_OUT]
    sure = np.array([each.confidence for each in found])
    right = np.array([each.task == phrase.task for each, phrase in zip(found, HELD_OUT, strict=True)])
    assert abs(sure.mean() - right.mean()) < 0.03
    assert right[sure >= 0.9].mean() > 0.95
    assert right[sure < 0.7].mean() < 0.75


def test_what_is_shipped_is_small_and_whole():
    weights = classifier.shipped()
    assert classifier.FILE.stat().st_size < 1_000_000
    filters = sum(len(weights.arrays[f"biases{width}"]) for width in classifier.WIDTHS)
    assert weights.arrays["layer"].shape == (len(NAMES), filters + len(evidence(worded("anything"))))
    assert weights.own.steps.dtype == np.int8
    assert 0.3 < weights.temperature < 2


def test_torch_comes_to_the_same_sums():
    torch = pytest.importorskip("torch")
    weights = classifier.shipped()
    said = worded("find the valve in the photo and say where it is, one by one")
    text = classifier.vectors(vocabulary.tokens(said.text), weights.own)
    told = torch.tensor(text.T[None])
    answers = []
    for width in classifier.WIDTHS:
        filters, biases = (torch.tensor(weights.arrays[f"{each}{width}"]).float() for each in ("filters", "biases"))
        answers.append(torch.relu(torch.conv1d(told, filters, biases, padding=width)).amax(dim=2)[0])
    row = torch.cat([*answers, torch.tensor(evidence(said))])
    layer, bias = (torch.tensor(weights.arrays[each]).float() for each in ("layer", "bias"))
    assert classifier.logits(said, weights) == pytest.approx((layer @ row + bias).numpy(), abs=1e-3)


def test_a_text_without_any_known_word_is_decided_too():
    assert classifier.logits(worded(""), classifier.shipped()).shape == (len(NAMES),)


@pytest.mark.slow
def test_learning_again_gives_what_is_shipped():
    pytest.importorskip("torch")
    again, shipped = LEARNING.learn([*PHRASES, *LEARNING.development()]), classifier.shipped()
    sums = [LEARNING.decided(each, HELD_OUT).argmax(axis=1) for each in (again, shipped)]
    assert (sums[0] == sums[1]).mean() > 0.97
