"""Queries over photos and runs, and files that are exact."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import street_project as streets
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core import artefact, files, run
from vision_cli.core import project as projects
from vision_cli.core.artefact import Card, Decode, Golden
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, ResourceError, UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.stages.querying import query_file, run_tables
from vision_cli.stages.querying.query import QueryRequest, query
from vision_cli.training.store import EmbeddingStore


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> projects.Project:
    folder = streets.project(tmp_path_factory.mktemp("streets"))
    made = projects.load(folder / "vision.yaml", environment={})
    add_runs(made)
    return made


def add_runs(project: projects.Project) -> None:
    """An evaluation with predictions, a training with embeddings, a broken one."""
    photos = [str(project.root / f"kitti/training/image_2/drive_1/00000{row}.png") for row in (0, 1)]
    now = dt.datetime(2026, 5, 1, 12, 30, tzinfo=dt.UTC)
    judged = run.create(project.root, "eval", "p", {"data_digest": "d1", "data_version": "v" * 64}, now=now)
    files.write_json(judged.folder / "result.json", {"metrics": {"top1": 0.5}})
    judged.set_status("done")
    rows = {
        "path": [*photos, "/elsewhere/x.png"],
        "truth": ["a", "b", "a"],
        "predicted": ["a", "a", "<b>"],
        "confidence": [0.9, 0.1, None],
        "scores": pa.array([[0.9, 0.1], [0.1, 0.9], None], pa.list_(pa.float64())),
    }
    pq.write_table(pa.table(rows), judged.folder / "predictions.parquet")
    trained = run.create(project.root, "train", "p", {"config": {"name": "p"}}, now=now)
    trained.log({"epoch": 1, "val_score": 0.1})
    trained.log({"epoch": 2, "val_score": 0.2})
    add_embeddings(trained.folder, [Path(photo) for photo in photos])
    (project.root / "runs/train/20260501-000000-broken").mkdir()
    (project.root / "runs/train/20260501-000000-broken/run.json").write_text("{")


def add_embeddings(folder: Path, photos: list[Path]) -> None:
    preprocess = Preprocess(size_px=(32, 32))
    card = Card(
        "classify", ClassMap(("a", "b", "c")), preprocess, Decode(), "timm", {}, "MIT", "p", "", "w.safetensors"
    )
    shapes = {"body": {"shape": [7, 9, 3, 3]}, "head.weight": {"shape": [3, 5]}, "head.bias": {"shape": [3]}}
    header = json.dumps(shapes).encode()
    golden = Golden(np.zeros((32, 32, 3), np.uint8), (np.zeros((1, 3), np.float32),))
    weights = len(header).to_bytes(8, "little") + header
    artefact.save(folder / "model", card, golden=golden, weights=weights, weights_file="w.safetensors")
    keys = [
        hashlib.sha256(json.dumps([files.file_sha256(photo), preprocess.as_json(), flip]).encode()).digest()
        for photo in photos
        for flip in (False, True)
    ]
    store = EmbeddingStore(folder / "embeddings/abc.bin", 5)
    store.put(list(dict.fromkeys(keys)), np.arange(len(set(keys)) * 5, dtype=np.float32).reshape(-1, 5))


def asked(project: projects.Project, sql: str, **options: object):
    return query(QueryRequest(sql, project, **options))  # type: ignore[arg-type]


def test_photos_and_annotations_of_the_views(project: projects.Project) -> None:
    sql = "SELECT class, count(*) AS n FROM annotations GROUP BY class ORDER BY class"
    assert asked(project, sql).table.to_pylist() == [
        {"class": "Car", "n": 2},
        {"class": "Pedestrian", "n": 3},
        {"class": "Truck", "n": 1},
        {"class": "Van", "n": 1},
    ]
    assert asked(project, sql, view="both").table.to_pylist() == [
        {"class": "Car", "n": 11},
        {"class": "Pedestrian", "n": 6},
    ]
    assert asked(project, "SELECT name FROM classes ORDER BY id", view="both").table["name"].to_pylist() == [
        "Pedestrian",
        "Car",
    ]
    found = asked(project, "SELECT * EXCLUDE (scene) FROM images", view="all")
    assert "scene" not in found.table.column_names
    assert found.total == 7


def test_a_path_in_place_of_a_view(project: projects.Project) -> None:
    found = asked(
        project, "SELECT path, w FROM annotations JOIN images ON image_id = images.id", data=project.root / "more"
    )
    assert found.table.to_pylist() == [{"path": "JPEGImages/a.jpg", "w": 59.0}, {"path": "JPEGImages/a.jpg", "w": 9.0}]


def test_runs(project: projects.Project) -> None:
    sql = "SELECT *, metrics->>'top1' AS top1 FROM runs ORDER BY stage, id"
    judged, broken, trained = asked(project, sql).table.to_pylist()
    assert judged["top1"] == "0.5"
    assert (judged["stage"], judged["status"], judged["data_digest"]) == ("eval", "done", "d1")
    assert (judged["data_version"], trained["data_version"]) == ("v" * 64, None)
    assert judged["started"] == dt.datetime(2026, 5, 1, 12, 30)
    assert judged["ended"] is not None
    assert json.loads(judged["metrics"]) == {"top1": 0.5}
    assert (broken["status"], broken["metrics"]) == (None, None)
    assert json.loads(trained["metrics"]) == {"epoch": 2, "val_score": 0.2}
    assert trained["ended"] is None


def test_predictions_know_their_photos(project: projects.Project) -> None:
    sql = "SELECT p.*, i.scene FROM predictions p LEFT JOIN images i ON i.id = p.image_id ORDER BY p.path DESC"
    rows = asked(project, sql).table.to_pylist()
    assert {row["scene"] for row in rows if row["image_id"] is not None} == {"residential"}
    assert [row["predicted"] for row in rows if row["image_id"] is None] == ["<b>"]
    assert {(row["path"][-5], row["image_id"]) for row in rows} == {("0", 0), ("1", 1), ("x", None)}


def test_embeddings_know_their_photos(project: projects.Project) -> None:
    rows = asked(project, "SELECT * FROM embeddings ORDER BY image_id").table.to_pylist()
    # all frames have the same bytes, so each photo of the view has the first rows
    assert [row["image_id"] for row in rows] == [0, 1]
    assert all(row["embedding"] == [0.0, 1.0, 2.0, 3.0, 4.0] for row in rows)


def test_embeddings_of_a_broken_run_are_noted(project: projects.Project, tmp_path: Path) -> None:
    folder = streets.project(tmp_path / "p")
    made = projects.load(folder / "vision.yaml", environment={})
    broken = run.create(folder, "train", "x", {})
    EmbeddingStore(broken.folder / "embeddings/a.bin", 3).put([b"k" * 32], np.zeros((1, 3), np.float32))
    found = asked(made, "SELECT * FROM embeddings")
    assert found.total == 0
    assert "the run has no model" in " ".join(found.notes)


def test_without_runs_the_tables_are_there_and_empty(tmp_path: Path) -> None:
    made = projects.load(streets.project(tmp_path / "p") / "vision.yaml", environment={})
    for name, columns in run_tables.column_names().items():
        found = asked(made, f"FROM {name}")
        assert (found.table.column_names, found.total) == (columns, 0)


def test_runs_need_no_data(tmp_path: Path) -> None:
    assert asked(projects.load(start=tmp_path, environment={}), "SELECT * FROM runs").total == 0


@pytest.mark.parametrize(
    ("sql", "options", "error", "message", "hint"),
    [
        ("SELECT sceen FROM images", {}, UsageError, "there is no column 'sceen'", "Did you mean 'scene'?"),
        ("SELECT * FROM pictures", {}, UsageError, "there is no table 'pictures'", "Tables: images, annotations"),
        ("SELECT * FROM image", {}, UsageError, "there is no table 'image'", "Did you mean 'images'?"),
        ("SELECT avg(width) FROM annotations", {}, UsageError, "no column 'width'", "is in images: JOIN images"),
        ("SELECT widht FROM images", {}, UsageError, "no column 'widht'", "Did you mean 'width'?"),
        ("SELECT 1; SELECT 2", {}, UsageError, "got 2 statements", None),
        ("COPY images TO 'x.csv'", {}, UsageError, "expected a SELECT, got COPY", None),
        ("SELECT 1 FROM images", {"view": "nights"}, UsageError, "no view is called 'nights'", None),
        ("SELECT 1 FROM images", {"view": "both", "data": Path("x")}, UsageError, "different photos", None),
        ("SELECT 1 FROM images", {"data": Path("gone")}, DataError, "no such file or folder", None),
        ("SELECT path::int FROM images", {}, DataError, "Could not convert", None),
        ("SELECT 1 FROM images", {"format": "parquet"}, UsageError, "Parquet is not for a terminal", None),
        ("SELECT 1 FROM images", {"output": Path("rows.txt")}, UsageError, "which format?", None),
        ("SELECT 1 FROM images", {"output": Path("/proc/rows.csv")}, ResourceError, "cannot be written", None),
    ],
)
def test_what_is_refused(project, sql: str, options: dict[str, object], error, message: str, hint: str | None) -> None:
    with pytest.raises(error) as caught:
        asked(project, sql, **options)
    assert message in caught.value.message
    assert hint is None or hint in caught.value.hint


VALUES = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8))


@given(st.lists(st.tuples(VALUES, st.none() | st.floats(), st.none() | st.integers(-(2**63), 2**63 - 1)), max_size=8))
@settings(deadline=None, max_examples=80)
def test_csv_says_exactly_what_the_rows_say(rows: list[tuple[str | None, float | None, int | None]]) -> None:
    texts, numbers, wholes = ([row[at] for row in rows] for at in range(3))
    columns = {
        'a,"b"\n': pa.array(texts, pa.string()),
        "f": pa.array(numbers, pa.float64()),
        "i": pa.array(wholes, pa.int64()),
    }
    text = query_file.content(pa.table(columns), "csv").decode()
    found = list(csv.reader(io.StringIO(text, newline="")))
    assert found[0] == list(columns)
    for cells, (word, number, whole) in zip(found[1:], rows, strict=True):
        assert cells[0] == (word or "")
        assert cells[1] == "" if number is None else np.array_equal(float(cells[1]), number, equal_nan=True)
        assert cells[2] == ("" if whole is None else str(whole))


def test_an_empty_text_is_not_null() -> None:
    text = query_file.content(pa.table({"a": ["", None, "=1+1"]}), "csv").decode()
    assert text == '"a"\n""\n\n"=1+1"\n'


def test_values_of_every_kind() -> None:
    table = pa.table(
        {
            "list": pa.array([[1, None]]),
            "struct": pa.array([{"a": "ü"}]),
            "bytes": pa.array([b"\xff"]),
            "whole": pa.array([Decimal(2**70)], pa.decimal128(38, 0)),
            "small": pa.array([Decimal(7)], pa.decimal128(38, 0)),
            "time": pa.array([dt.datetime(2024, 5, 1, 20, 15)]),
            "day": pa.array([dt.date(2024, 5, 1)]),
            "nan": pa.array([float("nan")]),
            "word": pa.array(["x"]).dictionary_encode(),
        }
    )
    assert query_file.json_rows(table) == [
        [[1, None], {"a": "ü"}, "/w==", 2**70, 7, "2024-05-01T20:15:00", "2024-05-01", None, "x"]
    ]
    cells = next(csv.reader(io.StringIO(query_file.content(table, "csv").decode().split("\n", 1)[1])))
    assert cells == [
        "[1, null]",
        '{"a": "ü"}',
        "/w==",
        str(2**70),
        "7",
        "2024-05-01 20:15:00.000000",
        "2024-05-01",
        "nan",
        "x",
    ]
    assert json.loads(query_file.content(table, "json"))[0]["struct"] == {"a": "ü"}


def test_names_that_stand_twice() -> None:
    table = pa.table([[1], [2], [3]], names=["a", "a", "b"])
    assert query_file.plain(table).column_names == ["a", "a_2", "b"]
    assert query_file.json_rows(table) == [[1, 2, 3]]


def test_parquet_keeps_the_types(project: projects.Project, tmp_path: Path) -> None:
    found = asked(
        project,
        "SELECT captured_at, class, w FROM images JOIN annotations ON image_id = images.id",
        output=tmp_path / "a.parquet",
    )
    table = pq.read_table(tmp_path / "a.parquet")
    assert len(table) == found.total == 7
    assert pa.types.is_timestamp(table["captured_at"].type)
    assert table["class"].type == pa.string()


def test_predictions_of_objects_and_pixels(tmp_path: Path) -> None:
    made = projects.load(streets.project(tmp_path / "p") / "vision.yaml", environment={})
    photos = [str(made.root / f"kitti/training/image_2/drive_1/00000{row}.png") for row in (0, 1)]
    objects = {
        "path": photos,
        "truth": [["a"], ["b"]],
        "truth_boxes": [[[0.0, 0.0, 4.0, 4.0]], [[1.0, 1.0, 2.0, 2.0]]],
        "predicted": [[], ["a", "b"]],
        "boxes": [[], [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]],
        "confidence": [[], [0.9, 0.5]],
    }
    pixels = {"path": photos, "truth": [["a", "b"], []], "predicted": [["a"], ["b"]], "pq": [0.5, None]}
    pixels |= {"sq": [0.5, None], "rq": [1.0, None], "found": [1, 0], "false": [0, 2], "missed": [1, 0]}
    nothing = objects | {name: [[], []] for name in ("predicted", "boxes", "confidence")}
    for name, columns in (("objects", objects), ("pixels", pixels), ("nothing", nothing)):
        folder = run.create(made.root, "eval", name, {}).folder
        pq.write_table(pa.table(columns), folder / "predictions.parquet")
    sql = "SELECT image_id, predicted, confidence, x, y, w, h FROM predictions WHERE run LIKE '%objects' ORDER BY x"
    assert asked(made, sql).table.to_pylist() == [
        {"image_id": 1, "predicted": "a", "confidence": 0.9, "x": 1.0, "y": 2.0, "w": 3.0, "h": 4.0},
        {"image_id": 1, "predicted": "b", "confidence": 0.5, "x": 5.0, "y": 6.0, "w": 7.0, "h": 8.0},
    ]
    sql = "SELECT truth, predicted, pq, segments_false AS wrong FROM predictions WHERE run LIKE '%pixels' ORDER BY path"
    assert asked(made, sql).table.to_pylist() == [
        {"truth": "a|b", "predicted": "a", "pq": 0.5, "wrong": 0},
        {"truth": "", "predicted": "b", "pq": None, "wrong": 2},
    ]
    assert asked(made, "SELECT * FROM predictions WHERE run LIKE '%nothing'").total == 0
