"""Words that are no task, and what they may mean."""

import pytest

from vision_cli.core.tasks import TASKS, hint_for_task


@pytest.mark.parametrize("word", ["segment", "segmentation", "Segmenter", "masks"])
def test_a_word_of_several_tasks_names_each_and_how_they_differ(word):
    told = hint_for_task(word)
    assert all(f"{task}: " in told for task in ("semantic", "instance", "panoptic"))
    assert "Did you mean" not in told
    assert "detect" not in told


@pytest.mark.parametrize(
    ("word", "task"),
    [
        ("instance-segmentation", "instance"),
        ("Semantic Segmentation", "semantic"),
        ("object_detection", "detect"),
        ("detection", "detect"),
        ("clasify", "classify"),
        ("classification", "classify"),
        ("multi-label", "multilabel"),
        ("regression", "regress"),
    ],
)
def test_a_word_of_one_task_is_guessed(word, task):
    assert hint_for_task(word) == f"Did you mean '{task}'?"


def test_a_word_of_no_task_shows_all():
    assert all(f"{task}: " in hint_for_task("xyz") for task in TASKS)
