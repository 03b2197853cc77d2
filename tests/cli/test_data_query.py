"""`vision data query` and `vision data view` as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from stages import street_project as streets


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return streets.project(tmp_path)


def test_the_residential_streets(vision: Callable, project: Path) -> None:
    called = vision("data", "view", "evenings", "--json")
    assert called.code == 0, called.err
    assert (called.document["photos"], called.document["before"]) == (2, 6)
    assert "count('Car|Van|Truck', 'occluded >= 1') >= 2" in called.document["where"]
    shown = vision("data", "view")
    assert "holds for 2 of 6 photos" in shown.out
    assert "other views: both, all" in shown.out


def test_a_table_ends_after_fifty_rows(vision: Callable, project: Path) -> None:
    called = vision("data", "query", "SELECT range AS n FROM range(60), classes LIMIT 60")
    assert called.code == 0, called.err
    assert called.out.splitlines()[0].strip() == "n"
    assert called.out.splitlines()[-1] == "50 of 60 rows; --limit 60 shows all."
    assert (
        vision("data", "query", "SELECT range AS n FROM range(60), classes LIMIT 60", "--limit", "70").out.count("\n")
        == 61
    )


def test_a_table_ends_after_twenty_columns(vision: Callable, project: Path) -> None:
    names = ", ".join(f"1 AS c{row}" for row in range(1000))
    sql = f"SELECT {names} FROM classes LIMIT 1"  # noqa: S608
    called = vision("data", "query", sql)
    assert "980 more columns; --format csv has all." in called.out
    assert vision("data", "query", sql, "--format", "csv").out.count(",") == 2 * 999


def test_what_a_cell_holds_cannot_move_the_cursor(vision: Callable, project: Path) -> None:
    called = vision("data", "query", "SELECT chr(27) || '[2J' || chr(10) || '[/]<script>' AS x FROM classes LIMIT 1")
    assert called.out == "x\n\\x1b[2J [/]<script>\n"


@pytest.mark.parametrize(("form", "first"), [("csv", '"path"'), ("json", '[{"path"')])
def test_rows_for_a_pipe(vision: Callable, project: Path, form: str, first: str) -> None:
    called = vision("data", "query", "SELECT path FROM images", "--format", form)
    assert called.out.startswith(first)
    assert called.out.count("drive_1") == 2


def test_one_json_document(vision: Callable, project: Path) -> None:
    found = vision("data", "query", "SELECT id, captured_at FROM images ORDER BY id", "--json").document
    assert found["columns"] == [{"name": "id", "type": "int64"}, {"name": "captured_at", "type": "timestamp[us]"}]
    assert found["rows"][0] == [0, "2011-09-26T20:41:07"]
    assert found["total"] == 2


def test_a_file(vision: Callable, project: Path) -> None:
    called = vision("data", "query", "SELECT path FROM images", "--view", "all", "--out", "rows.csv")
    assert called.out == "7 rows: rows.csv\n"
    assert Path("rows.csv").read_text().count("\n") == 8
    again = vision("data", "query", "SELECT path FROM images", "--out", "other.csv", "--dry-run")
    assert (again.code, Path("other.csv").exists()) == (0, False)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["SELECT * FROM read_csv('/etc/passwd')"], 2, "reads the project's tables and nothing else"),
        (["ATTACH 'x.db'"], 2, "expected a SELECT, got ATTACH"),
        (["COPY images TO 'x.csv'"], 2, "expected a SELECT, got COPY"),
        (["INSTALL httpfs"], 2, "expected a SELECT, got LOAD"),
        (
            ["WITH RECURSIVE t AS (SELECT 1 a UNION ALL SELECT a + 1 FROM t) FROM t, runs", "--seconds", "0.5"],
            3,
            "0.5 seconds",
        ),
        (["SELECT list(range) FROM range(1000000000), runs", "--memory", "100"], 3, ""),
        (["SELECT * FROM images", "--view", "evening"], 2, "no view is called 'evening'"),
        (["SELECT * FROM images", "--data", "gone"], 3, "no such file or folder"),
        (["SELECT * FROM images", "--format", "parquet"], 2, "Parquet is not for a terminal"),
    ],
)
def test_what_is_refused(vision: Callable, project: Path, words: list[str], code: int, message: str) -> None:
    (project / "runs/x/1").mkdir(parents=True)
    (project / "runs/x/1/run.json").write_text("{}")
    called = vision("data", "query", *words, "--json")
    assert called.code == code, called.err
    assert called.document["ok"] is False
    assert message in called.document["error"]["message"]
    assert not (project / "x.csv").exists()


def test_a_view_is_added(vision: Callable, project: Path) -> None:
    words = ["data", "view", "--add", "calm", "--from", "street", "--where", "none('Pedestrian')", "--map", "Van=Car"]
    dry = vision(*words, "--dry-run")
    assert (dry.code, Path("vision.yaml").read_text()) == (0, streets.PROJECT)
    assert "would be written to vision.yaml" in dry.out
    called = vision(*words)
    assert "    calm:\n      from: [street]\n" in called.out
    assert vision("data", "view", "calm", "--json").document["photos"] == 2
    assert vision("config", "check").code == 0
    assert vision(*words).code == 2


def test_a_quiet_dry_run_names_the_view(vision: Callable, project: Path) -> None:
    called = vision("data", "view", "--add", "my view", "--from", "street", "-q", "--dry-run")
    assert called.out == "would be written to vision.yaml: view my view\n"


def test_a_view_called_all_has_to_be_meant(vision: Callable, project: Path) -> None:
    words = ("data", "view", "--add", "all", "--from", "street")
    called = vision(*words)
    assert (called.code, Path("vision.yaml").read_text()) == (2, streets.PROJECT)
    assert "takes its place in all commands, without more." in called.err
    assert "--force" in called.err
    assert "note" not in vision("config", "check").out
    assert vision(*words, "--force").code == 0
    assert vision("data", "view", "all", "--json").document["photos"] == 6
    checked = vision("config", "check")
    assert checked.code == 0
    assert "the view 'all' takes the place of every source in all commands (without more)" in checked.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from", "street"], "describe a new view"),
        (["--add", "x"], "a new view needs one name and a source"),
        (["y", "--add", "x", "--from", "street"], "a new view needs one name and a source"),
        (["--add", "x", "--from", "street", "--from", "street"], "this is no view"),
        (["--add", "x", "--from", "street", "--map", "Car"], "old=new"),
    ],
)
def test_a_view_that_is_none(vision: Callable, project: Path, words: list[str], message: str) -> None:
    called = vision("data", "view", *words)
    assert called.code == 2
    assert message in called.err


def test_metadata_that_is_away_is_found_by_the_check(vision: Callable, project: Path) -> None:
    (project / "drives.json").unlink()
    called = vision("config", "check")
    assert called.code == 2
    assert "data.sources.street.metadata.0" in called.err
    assert vision("data", "view").code == 3
