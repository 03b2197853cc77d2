"""`--quiet` after training, evaluation, prediction, export: what a script needs; and nothing is said twice."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vision_cli.advice.plan import Finding
from vision_cli.cli.brief import Brief
from vision_cli.cli.paper import Paper
from vision_cli.cli.progress import PlainProgress
from vision_cli.cli.render import eval as eval_render
from vision_cli.cli.render import export as export_render
from vision_cli.cli.render import predict as predict_render
from vision_cli.cli.render import report as report_render
from vision_cli.cli.render import train as train_render
from vision_cli.core.kpi import judge, parse
from vision_cli.core.measurement import Measurement
from vision_cli.metrics import MAIN, names_of
from vision_cli.stages.evaluating.evaluate import EvalResult
from vision_cli.stages.evaluating.report import ReportResult
from vision_cli.stages.running.export import Exported, ExportResult
from vision_cli.stages.running.place_rows import PlaceRow
from vision_cli.stages.running.predict import PredictResult
from vision_cli.stages.training import planning
from vision_cli.stages.training.train import TrainResult
from vision_cli.stages.training.trial import ByHeart

FINDING = Finding("few-train-photos", "1 class has fewer than 10 photos.", 3.0)
FIGURES = Measurement({"ap50": 0.4}, {}, 5)


def drawn(draw: Any, result: Any, *, brief: bool = False) -> list[str]:
    """Return the lines on stdout."""
    out = io.StringIO()
    page = Brief(out) if brief else Paper(out)
    draw(result, page)
    if isinstance(page, Brief):
        page.close()
    return out.getvalue().splitlines()


def trained(**more: Any) -> TrainResult:
    values = {"run": Path("runs/train/one"), "model": Path("runs/train/one/model"), "measurement": FIGURES, **more}
    return TrainResult("detect", {"train": 8}, ("cup",), (FINDING,), how=("would train x (y) for detect",), **values)


def test_who_evaluated_stands_apart_from_the_confusions() -> None:
    more = {"confusion": [[1, 2], [3, 4]], "settings": {"evaluator": "some", "version": "1", "confidence": 0.5}}
    lines = drawn(eval_render.draw, replace(judged("> 0.3"), more=more))
    at = next(row for row, line in enumerate(lines) if line.startswith("evaluator"))
    assert lines[at - 1] == ""
    assert lines[at - 2].startswith("(background)")


def test_the_time_of_a_training_is_that_of_all_of_it() -> None:
    assert any("36 min 47 s in all" in line for line in drawn(train_render.draw, trained(seconds=2207.0)))


def judged(bound: str) -> EvalResult:
    judgement = judge(parse(f"ap50 {bound}"), FIGURES.values, {}, n_photos=5, runtime="torch")
    model = {"path": "m", "name": "m", "family": "ssdlite", "task": "detect"}
    how = {"name": "torch", "threads": 1, "precision": "float32"}
    data = {"photos": 5, "split": "test"}
    run = Path("runs/eval/one")
    return EvalResult(model, data, how, ("cup",), FIGURES, {}, {"size_mb": 1.0}, (judgement,), (), run)


def test_a_training_says_its_run(tmp_path: Path) -> None:
    assert drawn(train_render.draw_brief, trained(), brief=True) == ["run: runs/train/one"]
    assert drawn(train_render.draw_brief, trained(run=None), brief=True) == ["would train x (y) for detect"]
    told = drawn(train_render.draw_brief, trained(by_heart=ByHeart(8, 3.0, 2.0, "ap50", 0.2, 0.9)))
    assert any("NOT learned by heart" in line for line in told)
    assert told[-1] == "run: runs/train/one"


def test_findings_are_said_once_and_only_to_those_who_listen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert not any(FINDING.message in line for line in drawn(train_render.draw, trained()))
    monkeypatch.setattr(planning.plan, "warn", lambda *_, **__: [FINDING])
    project: Any = type("P", (), {"root": tmp_path})()
    data: Any = type("D", (), {"dataset": None, "task": "detect"})()
    for quiet, times in ((False, 1), (True, 0)):
        err = io.StringIO()
        planning.findings(project, data, PlainProgress(err, quiet=quiet))
        assert err.getvalue().count(FINDING.message) == times


def test_an_evaluation_says_its_run_and_the_kpis_that_failed() -> None:
    assert drawn(eval_render.draw_brief, judged("> 0.1"), brief=True) == ["run: runs/eval/one"]
    told = drawn(eval_render.draw_brief, judged("> 0.9"))
    assert any("ap50 > 0.9" in line and "FAIL" in line for line in told)
    assert told[-1] == "run: runs/eval/one"
    assert len(told) < 8


def test_predictions_say_where_they_are_and_what_was_refused() -> None:
    rows = tuple(PlaceRow(Path(f"{number}.png"), (4, 3)) for number in range(50))
    refused = ((Path("half.png"), "is cut off"),)
    result = PredictResult(Path("m"), "torch", "detect", rows, refused, Path("a.json"))
    assert drawn(predict_render.draw_brief, result) == ["refused: half.png: is cut off", "output: a.json"]
    asked = PredictResult(Path("m"), "torch", "detect", rows)
    assert drawn(predict_render.draw_brief, asked) == drawn(predict_render.draw, asked)


def test_exports_and_reports_say_their_files() -> None:
    files = tuple(Exported("onnx", Path(name), 1.0, "float32", None, 3) for name in ("a.onnx", "a.tflite"))
    assert drawn(export_render.draw_brief, ExportResult(Path("m"), files), brief=True) == ["a.onnx", "a.tflite"]
    assert drawn(report_render.draw, ReportResult(Path("r.html"), ("data",), 1.0), brief=True) == [
        "report  r.html (1.00 MB)"
    ]


MANY = Measurement({f"{name}{of}": 0.4 for name in names_of("detect") for of in ("", "[cup]")}, {}, 5)


def test_a_training_and_an_evaluation_show_what_matters_and_say_where_the_rest_is() -> None:
    judgement = judge(parse("ar_10 > 0.1"), MANY.values, {}, n_photos=5, runtime="torch")
    result = trained(measurement=MANY, judgements=(judgement,))
    told = drawn(train_render.draw, result)
    start = next(at for at, line in enumerate(told) if line.startswith("Validation split"))
    shown = [line.split()[0] for line in told[start + 1 : told.index("", start)]]
    assert shown == [*MAIN["detect"], "ar_10", "and"]
    left = len(names_of("detect")) - len(MAIN["detect"]) - 1
    assert f"and {left} more figures: result.json of the run has them" in told
    told = drawn(eval_render.draw, replace(judged("> 0.1"), measurement=MANY))
    assert f"and {left + 1} more figures: result.json of the run has them" in told
    assert not any(line.startswith("error_class") for line in told)


def test_few_figures_are_all_shown() -> None:
    few = Measurement({"ap50": 0.4, "ar_1": 0.2, "ar_10": 0.3}, {}, 5)
    told = drawn(train_render.draw, trained(measurement=few))
    assert any(line.startswith("ar_1 ") for line in told)
    assert not any("more figures" in line for line in told)
