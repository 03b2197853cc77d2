"""`vision report` on a project with runs, as they lie on the disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from report_documents import judged, result
from report_pages import Page

from vision_cli.core import artefact
from vision_cli.core import project as projects
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Silent
from vision_cli.core.project import Project
from vision_cli.imaging.write import write_photo
from vision_cli.stages.evaluating import report

CLASSES = ("dark", "light")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of 20 photos."""
    rng = np.random.default_rng(0)
    for index, level in enumerate((40, 200)):
        for number in range(10):
            pixels = (level + rng.integers(-30, 30, (24, 32, 3))).astype(np.uint8)
            path = tmp_path / "photos" / CLASSES[index] / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_photo(path, pixels)
    lines = (
        "version: 1",
        "name: shades",
        "data: {sources: {photos: {path: photos, format: imagefolder}}}",
        "kpis: [top1 > 0.4]",
    )
    (tmp_path / "vision.yaml").write_text("\n".join(lines))
    return projects.load(tmp_path / "vision.yaml")


def trained(project: Project, state: str = "done") -> None:
    folder = project.root / "runs/train/20260301-100000-shades"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"config": {"model": {"input": {"channels": 3}}}, "versions": {}}))
    (folder / "status.json").write_text(json.dumps({"state": state}))
    (folder / "result.json").write_text(json.dumps({"how": ["the backbone was frozen"], "seconds": 61}))
    (folder / "metrics.jsonl").write_text('{"epoch": 1, "train_loss": 0.5, "val_loss": 0.625}\n')
    (folder.parent / "latest").symlink_to(folder.name)


def evaluated(
    project: Project, stamp: str = "20260301-110000", top1: float = 0.5, kpi: str = "top1 > 0.4", **changes: Any
) -> Path:
    folder = project.root / f"runs/eval/{stamp}-shades-torch"
    folder.mkdir(parents=True)
    found = result(CLASSES, judged(kpi, top1), **changes)
    found["metrics"]["top1"] = top1
    found["model"]["path"] = str(project.root / "runs/train/x/model")
    (folder / "result.json").write_text(json.dumps(found))
    photos = [str(project.root / f"photos/{name}/0.jpg") for name in CLASSES]
    columns = {
        "path": [*photos, "gone.jpg"],
        "truth": ["dark", "light", "dark"],
        "predicted": ["light", "light", "light"],
    }
    pq.write_table(pa.table({**columns, "confidence": [0.75, 0.875, 0.99]}), folder / "predictions.parquet")
    return folder


def shown(project: Project) -> Page:
    done = report.report(report.ReportRequest(project), Silent())
    assert done.size_mb == pytest.approx(done.path.stat().st_size / 1e6)
    return Page(done.path.read_text(encoding="utf-8"))


def test_data_training_and_evaluation_come_from_the_runs(project: Project) -> None:
    trained(project)
    evaluated(project)
    page = shown(project)
    assert page.faults == []
    assert "1 of 1 KPI met" in page.text
    assert "Every photo is 32 × 24 px." in page.text
    assert "the backbone was frozen" in page.text
    assert "1 min 1 s" in page.text
    assert "model.input.channels 3" in page.text
    assert "confidence 0.8 to 0.9: 100% of 1 photo" in page.text
    assert "File runs/train/x/model" in page.text
    assert str(project.root) not in page.text


def test_only_photos_that_are_still_there_are_shown(project: Project) -> None:
    evaluated(project)
    page = shown(project)
    assert "is dark answer light 75 % sure" in page.text
    assert "99 % sure" not in page.text


def test_the_newest_evaluation_of_a_runtime_counts(project: Project) -> None:
    evaluated(project, top1=0.5)
    evaluated(project, "20260301-120000", top1=0.625)
    text = shown(project).text
    assert "top1 0.625" in text
    assert "top1 0.500" not in text


TRAIN_SPLIT: dict[str, Any] = {"data": {"split": "train", "photos": 60, "digest": "9f2c1e7ab04d"}}


class TestVerdict:
    """Only the KPIs of vision.yaml, on the declared split and the current model, make the verdict."""

    def test_a_kpi_asked_ad_hoc_does_not_hide_a_missed_target(self, project: Project) -> None:
        evaluated(project, top1=0.3)
        evaluated(project, "20260301-120000", top1=0.3, kpi="top1 > 0.1")
        text = shown(project).text
        assert "0 of 1 KPI met 1 failed." in text
        assert "Every declared target is met" not in text
        declared, asked = text.split("Not declared in vision.yaml, asked with --kpi: no part of the verdict")
        assert "top1 > 0.4" in declared
        assert "top1 > 0.1" not in declared.split("Summary")[-1]
        assert "top1 > 0.1" in asked

    def test_a_demanded_confidence_is_not_met_by_figures_without_it(self, project: Project) -> None:
        evaluated(project, kpi="top1 > 0.1")
        strict = projects.load(project.file, ("kpis=[{kpi: top1 > 0.4, confidence: 0.99}]",))
        assert "0 of 1 KPI met 1 without enough evidence." in shown(strict).text

    def test_an_evaluation_on_training_photos_is_no_verdict(self, project: Project) -> None:
        evaluated(project, top1=0.3)
        evaluated(project, "20260301-120000", top1=1.0, **TRAIN_SPLIT)
        text = shown(project).text
        assert "0 of 1 KPI met 1 failed." in text
        assert "No part of the verdict: 1 evaluation on the split 'train'." in text
        assert "Judged on test, 120 photos" in text
        assert "top1 1.000" not in text

    def test_with_training_photos_alone_nothing_is_judged(self, project: Project) -> None:
        evaluated(project, top1=1.0, **TRAIN_SPLIT)
        text = shown(project).text
        assert "0 of 1 KPI met No model or file of results was evaluated on the split 'test'" in text
        assert "not judged" in text
        assert "Every declared target is met" not in text

    def test_the_declared_split_may_be_another(self, project: Project) -> None:
        evaluated(project, top1=0.5, data={"split": "val", "photos": 9, "digest": "9f"})
        assert (
            "1 of 1 KPI met Every declared target is met."
            in shown(projects.load(project.file, ("eval.split=val",))).text
        )

    def test_other_data_and_an_earlier_model_are_no_verdict(self, project: Project) -> None:
        trained(project)
        model = project.root / "runs/train/latest/model"
        model.mkdir()
        (model / artefact.CARD_NAME).write_text(json.dumps({"created": "now"}))
        of_now: dict[str, Any] = {"model": {"name": "net", "task": "classify", "trained": "now"}}
        evaluated(project, top1=0.3, **of_now)
        evaluated(project, "20260301-120000", top1=1.0)
        elsewhere = {"split": "test", "photos": 9, "digest": "9f", "path": "elsewhere"}
        evaluated(project, "20260301-130000", top1=1.0, data=elsewhere, **of_now)
        text = shown(project).text
        assert "0 of 1 KPI met 1 failed." in text
        assert "1 evaluation of another model than the last training's" in text
        assert "1 evaluation on other data than the project's" in text

    def test_what_no_evaluation_measured_is_never_met(self, project: Project) -> None:
        evaluated(project)
        wanted = projects.load(project.file, ("kpis=[top1 > 0.4, size_mb < 3 @ tflite]",))
        assert "1 of 2 KPIs met 1 not judged." in shown(wanted).text


def test_an_evaluation_without_predictions_still_has_its_figures(project: Project) -> None:
    (evaluated(project) / "predictions.parquet").unlink()
    assert "top1 0.500" in shown(project).text


def test_an_unfinished_training_is_said_to_be(project: Project) -> None:
    trained(project, state="interrupted")
    assert "this run is not finished: interrupted" in shown(project).text


def test_a_dry_run_writes_nothing(project: Project) -> None:
    evaluated(project)
    before = set(project.root.rglob("*"))
    done = report.report(report.ReportRequest(project, dry_run=True), Silent())
    assert done.sections == ("data", "evaluation")
    assert set(project.root.rglob("*")) == before


def test_a_project_with_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vision.yaml").write_text("version: 1\nname: empty\n")
    with pytest.raises(DataError, match="nothing to report yet"):
        report.report(report.ReportRequest(projects.load(tmp_path / "vision.yaml")), Silent())


def test_a_folder_as_output_is_refused_before_any_work(project: Project) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        report.report(report.ReportRequest(project, output=project.root), Silent())
