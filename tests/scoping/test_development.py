"""Descriptions that were seen: the classifier learns from them, so that being right of them proves nothing.

What is held here is what the text alone does not say: that published weights do it already, and that no row is lost.
"""

import json
from pathlib import Path

import pytest

from vision_cli.core.progress import Silent
from vision_cli.stages.scoping.suggest import SuggestRequest, decide, suggest

FILE = Path(__file__).with_name("development.jsonl")
ROWS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def answers(text):
    """Return what is said of a description: the task, and that a published model does it already."""
    request = SuggestRequest(text)
    decision = decide(request)
    found = suggest(request, decision, Silent())
    return {decision.task, *(["pretrained"] if found.approach.pretrained else [])}


def test_what_was_seen_is_decided_right():
    right = [bool(answers(row["text"]) & {row["task"], *row.get("also", [])}) for row in ROWS]
    assert len(ROWS) >= 60
    assert sum(right) >= 0.95 * len(ROWS)


@pytest.mark.parametrize("row", [row for row in ROWS if row["task"] == "pretrained"], ids=lambda row: row["domain"])
def test_everyday_things_need_no_training(row):
    assert "pretrained" in answers(row["text"])
