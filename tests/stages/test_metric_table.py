"""The table of metrics: a name that means two things has two rows."""

from __future__ import annotations

import pytest

from vision_cli.core.tasks import TASKS
from vision_cli.stages.project.catalogues import metric_table


def test_a_name_has_a_row_for_each_meaning() -> None:
    rows = [(each.name, each.tasks, each.per_class, each.summary) for each in metric_table(None).metrics]
    of_ap = {tasks: (per_class, summary) for name, tasks, per_class, summary in rows if name == "ap"}
    assert of_ap["classify", "multilabel"][0] == "only"
    per_class, summary = of_ap["detect", "instance"]
    assert per_class is True
    assert "COCO" in summary
    recall = {tasks: summary for name, tasks, _, summary in rows if name == "recall"}
    assert "photos" in recall["classify", "multilabel"]
    assert "objects" in recall["detect", "instance"]
    assert len(rows) == len(set(rows))
    assert ["0.75" in summary for name, _, _, summary in rows if name == "ap75"] == [True]


@pytest.mark.parametrize("task", TASKS)
def test_all_rows_together_say_what_those_of_a_task_say(task: str) -> None:
    of_all = {each.name: each for each in metric_table(None).metrics if task in each.tasks}
    of_task = {each.name: each for each in metric_table(task).metrics}
    assert set(of_all) == set(of_task)
    for name, each in of_task.items():
        there = of_all[name]
        assert (each.summary, each.unit, each.better, each.per_class) == (
            there.summary,
            there.unit,
            there.better,
            there.per_class,
        )


def test_a_name_of_one_meaning_has_one_row() -> None:
    rows = [each.name for each in metric_table(None).metrics]
    assert rows.count("latency_ms.p95") == rows.count("oks_ap") == rows.count("top1") == 1
