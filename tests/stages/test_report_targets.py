"""KPIs that an evaluation was not asked: a report judges them on its figures, as the evaluation would have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vision_cli.core import files
from vision_cli.core import project as projects
from vision_cli.core.kpi import Interval, parse
from vision_cli.core.measurement import Measurement
from vision_cli.reports import verdicts
from vision_cli.stages.evaluating import report_verdicts
from vision_cli.stages.evaluating.evaluate import EvalResult

KPIS = ("ap50 > 0.6", "f1 >= 0.7", "count_mae < 2", "recall > 0.5")
FOUND = Measurement(
    {"ap50": 0.62, "f1": 0.68, "count_mae": 1.8, "recall": 0.9},
    {
        "ap50": Interval(0.55, 0.69, kind="share"),
        "f1": Interval(0.61, 0.74, kind="share"),
        "count_mae": Interval(1.4, 2.2),
        "recall": Interval(0.8, 0.95, kind="share"),
    },
    72,
)


def evaluated(folder: Path, drop: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return the entries of declared KPIs of an evaluation that was asked none."""
    lines = "".join(f'  - "{each}"\n' for each in KPIS)
    (folder / "vision.yaml").write_text(f"version: 1\nname: x\ntask: detect\nkpis:\n{lines}")
    model = {"path": "gone", "name": "x", "family": "ssdlite", "task": "detect"}
    runtime, data = {"name": "torch", "threads": 1, "precision": "float32"}, {"split": "test", "photos": 72}
    document = EvalResult(model, data, runtime, ("a",), FOUND, {}, {}, (), (), folder).as_json()
    run = folder / "runs/eval/20260301-110000-x-torch"
    run.mkdir(parents=True)
    kept = {name: value for name, value in document.items() if name not in drop}
    files.write_json(run / "result.json", {**kept, "run": str(run)})
    ((_, judged),) = report_verdicts.choose(projects.load(folder / "vision.yaml")).results
    entries: list[dict[str, Any]] = judged["kpis"]
    return entries


def test_a_report_needs_as_many_photos_as_the_evaluation(tmp_path: Path) -> None:
    entries = {each["kpi"]: each for each in evaluated(tmp_path)}
    for text in KPIS:
        wanted = FOUND.judge(parse(text), runtime="torch").as_json()
        assert entries[str(parse(text))] == wanted
    assert entries["ap50 > 0.6"]["more_photos"]
    said = verdicts.evidence(entries["ap50 > 0.6"], parse("ap50 > 0.6"))
    assert f"about {entries['ap50 > 0.6']['more_photos']:,} more test photos" in said


def test_an_evaluation_of_earlier_is_told_without_a_number(tmp_path: Path) -> None:
    entries = evaluated(tmp_path, drop=("intervals_of_shares",))
    assert [each["more_photos"] for each in entries] == [None] * len(KPIS)
    assert [each["verdict"] for each in entries] == ["pass", "fail", "pass", "pass"]
    said = [verdicts.evidence(each, parse(each["kpi"])) for each in entries]
    assert said[:3] == ["The 95 % interval holds the bound."] * 3


@pytest.mark.parametrize("text", ["ap50 > 0.62", "ap50 > 0.6"])
def test_nobody_claims_that_no_number_is_known(text: str) -> None:
    entry = {**FOUND.judge(parse(text), runtime="torch").as_json(), "more_photos": None}
    assert verdicts.evidence(entry, parse(text)) == "The 95 % interval holds the bound."
