"""Data sets as they are published, through their reader to perfect figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from coco_golden import SHARED
from simulated_objects import perfect

from vision_cli import formats
from vision_cli.core.config import SourceConfig
from vision_cli.core.truth import truth_of
from vision_cli.metrics.detection import ObjectsRequest, measure
from vision_cli.views import pixels


@pytest.mark.skipif(not (SHARED / "bccd_voc").is_dir(), reason="the shared data is not here")
def test_blood_cells_of_voc() -> None:
    """364 photos, 4,888 boxes; two end in the pixel column or row where they begin: one pixel, not none."""
    path = Path(SHARED / "bccd_voc")
    dataset = pixels.to_edges(formats.read("bccd", SourceConfig(path=str(path)), path))
    truth = truth_of(dataset, dataset.classes)
    assert (truth.n_photos, len(truth)) == (364, 4888)
    assert truth.notes == ()
    assert truth.boxes[:, 2:].min() == 1.0
    found = measure(ObjectsRequest(truth, perfect(truth), dataset.classes, confidences=(0.5,), resamples=20))
    for name in ("ap", "ap50", "voc2007_ap", "voc2012_ap", "f1", "recall[WBC]"):
        assert found.measurement.values[name] == pytest.approx(1.0), name
    assert found.measurement.values["count_mae"] == 0.0


@pytest.mark.skipif(not (SHARED / "coco_golden").is_dir(), reason="the shared data is not here")
def test_the_published_sample_through_the_reader_of_coco() -> None:
    path = SHARED / "coco_golden" / "instances_val2014_100.json"
    dataset = formats.read("golden", SourceConfig(path=str(path)), path)
    truth = truth_of(dataset, dataset.classes, masks=True)
    assert (truth.n_photos, len(truth), int(truth.crowd.sum())) == (100, 839, 9)
    found = measure(ObjectsRequest(truth, perfect(truth), dataset.classes, kind="masks", resamples=5)).measurement
    assert found.values["ap"] == found.values["ap_small"] == 1.0
    assert (found.values["f1"], found.values["count_mae"]) == (1.0, 0.0)
