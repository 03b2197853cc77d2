"""Descriptions by somebody who knew neither phrases nor rules, written before the classifier was learned.

Nothing is learned from them, nothing tuned on them: who has looked at the wrong ones and changes what decides needs
new ones.

docs/scoping.md says how many are right, and lists those that are not.
"""

import json
from pathlib import Path

from vision_cli.core.progress import Silent
from vision_cli.stages.scoping.suggest import SuggestRequest, decide, suggest

FILE = Path(__file__).with_name("descriptions.jsonl")
PAGE = Path(__file__).parents[2] / "docs" / "scoping.md"
ROWS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
BAR = 0.9


def answers(text):
    """Return what is said of a description: the task, and that a published model does it already."""
    request = SuggestRequest(text)
    decision = decide(request)
    found = suggest(request, decision, Silent())
    return {decision.task, *(["pretrained"] if found.approach.pretrained else [])}


def wrong():
    return [row for row in ROWS if not answers(row["text"]) & {row["task"], *row.get("also", [])}]


def test_as_many_are_right_as_the_page_says_and_it_lists_the_others():
    missed = wrong()
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert len(ROWS) >= 60
    assert len(ROWS) - len(missed) >= BAR * len(ROWS)
    assert f"{len(ROWS) - len(missed)} of {len(ROWS)}" in page
    for row in missed:
        assert " ".join(row["text"].split()) in page, row["text"]
