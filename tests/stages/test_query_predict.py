"""`predict('NAME', path)` in SQL: only the photos that a query needs, only models of the project, nothing opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import stage_projects as projects

from vision_cli.core.artefact import Card, Decode
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import UsageError
from vision_cli.core.preprocess import Preprocess
from vision_cli.stages.few_shot import answering
from vision_cli.stages.querying import asking
from vision_cli.stages.running import loading
from vision_cli.stages.running.photo_answers import Answer
from vision_cli.views import sandbox
from vision_cli.views.sql_functions import Function


class Greenest:
    """Says `summer` of photos that are more green than red, and keeps count of those that it saw."""

    runtime, size_mb = "torch", 0.0

    def __init__(self) -> None:
        preprocess = Preprocess((8, 8), resize="stretch", mean=(0, 0, 0), std=(1, 1, 1))
        classes = ClassMap(("summer", "winter"))
        self.card = Card("classify", classes, preprocess, Decode(), "timm", {}, "", "seasons", "")
        self.seen = 0

    def run(self, batch: Any) -> Any:
        self.seen += len(batch)
        green = batch[:, 1].mean(axis=(1, 2)) - batch[:, 0].mean(axis=(1, 2))
        return np.stack([20 * (green - 0.15), np.zeros(len(batch))], axis=1).astype(np.float32)

    def run_all(self, batch: Any) -> Any:
        return (self.run(batch),)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project of drawn photos with a run, and the model that stands for it."""
    projects.class_folders(tmp_path / "photos", 6, ("summer", "winter"))
    (tmp_path / "vision.yaml").write_text("version: 1\nname: seasons\ndata:\n  sources:\n    photos: {path: photos}\n")
    run = tmp_path / "runs" / "train" / "20260101-000000-first" / "model"
    run.mkdir(parents=True)
    (run / "artefact.json").write_text("{}")
    model = Greenest()
    monkeypatch.setattr(loading, "open_model", lambda path, **_: model)
    return tmp_path, model


def rows(folder: Path, sql: str) -> list[Any]:
    found: list[Any] = projects.done(folder, "data", "query", sql, "--json").document["rows"]
    return found


def test_a_model_is_a_function_of_path(asked: Any) -> None:
    folder, model = asked
    sql = (
        "SELECT class, predict('seasons', path), confidence('seasons', path) "
        "FROM images JOIN annotations ON images.id = image_id ORDER BY path"
    )
    found = rows(folder, sql)
    assert [said for _, said, _ in found] == [name for name, _, _ in found]
    assert all(0.5 <= sure <= 1 for _, _, sure in found)
    assert model.seen == 12


def test_only_photos_that_are_needed_are_looked_at(asked: Any) -> None:
    folder, model = asked
    sql = "SELECT count(*) FROM images WHERE path LIKE 'summer/%' AND predict('seasons', path) = 'summer'"
    assert rows(folder, sql) == [[6]]
    assert model.seen == 6


def test_answers_may_decide_what_is_asked_next(asked: Any) -> None:
    folder, _ = asked
    sql = """WITH green AS (SELECT path FROM images WHERE predict('seasons', path) = 'summer')
    SELECT count(*), min(confidence('first', path)) > 0.5 FROM green"""
    assert rows(folder, sql) == [[6, True]]


def test_only_photos_of_the_data_are_read(asked: Any) -> None:
    folder, model = asked
    (folder / "secret.jpg").write_bytes(b"x")
    document = projects.done(folder, "data", "query", "SELECT predict('seasons', '../secret.jpg')", "--json").document
    assert document["rows"] == [[None]]
    assert "secret.jpg" in document["notes"][0]
    assert model.seen == 0
    assert rows(folder, "SELECT predict('seasons', NULL), predict(NULL, path) FROM images LIMIT 1") == [[None, None]]


@pytest.mark.parametrize("name", ["sesons", "../elsewhere", "/etc", "photos", ""])
def test_only_models_of_the_project_have_a_name(asked: Any, name: str) -> None:
    folder, _ = asked
    called = projects.call(folder, "data", "query", f"SELECT predict('{name}', path) FROM images")  # noqa: S608
    assert (called.code, "no model of that name" in called.err) == (2, True)
    assert "seasons" in called.err


def test_names_mean_models(tmp_path: Path) -> None:
    projects.class_folders(tmp_path / "photos", 1, ("summer", "winter"))
    (tmp_path / "vision.yaml").write_text("version: 1\nname: shop\ndata:\n  sources:\n    photos: {path: photos}\n")
    from vision_cli.core import project

    loaded = project.load(tmp_path / "vision.yaml", ())
    for name in ("20260101-000000-first", "20260102-000000-first", "20260103-000000-other"):
        (tmp_path / "runs" / "train" / name / "model").mkdir(parents=True)
        (tmp_path / "runs" / "train" / name / "model" / "artefact.json").write_text("{}")
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "shop.onnx").write_bytes(b"x")
    runs = tmp_path / "runs" / "train"
    expected = {
        "shop": runs / "20260103-000000-other" / "model",
        "first": runs / "20260102-000000-first" / "model",
        "20260101-000000-first": runs / "20260101-000000-first" / "model",
        "runs/train/20260101-000000-first": runs / "20260101-000000-first" / "model",
        "exports/shop.onnx": tmp_path / "exports" / "shop.onnx",
    }
    assert {name: asking.model_of(loaded, name).resolve() for name in expected} == {
        name: path.resolve() for name, path in expected.items()
    }


def test_few_shot_classes_have_a_name(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, model = asked
    (folder / "classes.json").write_text("{}")

    class Opened:
        def look(self, paths: Any, progress: Any) -> Any:
            rows = [Answer(path, "sun" if "summer" in str(path) else "none of these", None, {}) for path in paths]
            return tuple(rows[1:]), ((paths[0], "broken"),)

    monkeypatch.setattr(answering, "open_classes", lambda book, *_, **__: Opened() if book.is_file() else None)
    sql = "SELECT path, predict('classes', path) FROM images ORDER BY path"
    called = projects.done(folder, "data", "query", sql, "--json").document
    said = {path: word for path, word in called["rows"]}
    assert sorted(map(str, said.values())) == sorted(["None", *["sun"] * 5, *["none of these"] * 6])
    assert "1 photos cannot be read" in called["notes"][0]
    assert model.seen == 0


@pytest.mark.parametrize(("sql", "found"), [
    ("SELECT predict('a', path) FROM images", ["predict"]),
    ("SELECT Confidence ( 'a', path) FROM images", ["confidence"]),
    ("SELECT 'predict(' FROM images -- predict(x)", []),
    ("SELECT predict FROM images", []),
])  # fmt: skip
def test_a_call_is_known_by_its_tokens(sql: str, found: list[str]) -> None:
    assert asking.called(sql) == found


@pytest.mark.parametrize("sql", [
    "SELECT predict('m', content) FROM read_text('/etc/passwd')",
    "SELECT predict('m', getenv('HOME'))",
    "COPY (SELECT predict('m', 'x')) TO '/tmp/x.csv'",
    "SELECT predict('m', 'x'); SELECT 1",
    "CREATE MACRO predict(a, b) AS 1",
])  # fmt: skip
def test_functions_leave_the_sandbox_locked(sql: str) -> None:
    table = pa.table({"path": ["x"]})
    function = Function("predict", "VARCHAR", {("m", "x"): "known"})
    assert (
        sandbox.run("SELECT predict('m', path) FROM images", {"images": table}, functions=[function])
        .table[0][0]
        .as_py()
        == "known"
    )
    with pytest.raises(UsageError):
        sandbox.run(sql, {"images": table}, functions=[function])


def test_unknown_answers_come_back_as_questions() -> None:
    table = pa.table({"path": ["x", "y", "x", None]})
    found = sandbox.run(
        "SELECT predict('m', path)::int FROM images WHERE path = 'x' OR predict('n', path) IS NULL",
        {"images": table},
        functions=[Function("predict", "VARCHAR", {("m", "x"): "1"})],
    )
    assert set(found.asked) <= {("n", "x"), ("n", "y"), ("m", "y")}
    assert ("n", "y") in found.asked
