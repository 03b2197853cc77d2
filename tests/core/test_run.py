"""Run folders: written from the first second, honest about how they ended."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vision_cli.core import run
from vision_cli.core.errors import DataError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_run_says_what_it_began_with(tmp_path: Path) -> None:
    record = run.create(tmp_path, "train", "Été & co/../x", {"seed": 7}, now=NOW)
    assert record.folder.parent == tmp_path / "runs" / "train"
    assert record.folder.name == "20260102-030405-t-co-..-x"
    assert record.manifest["seed"] == 7
    assert record.manifest["versions"]["python"].startswith("3.")
    assert record.status["state"] == "running"


def test_latest_is_the_newest_even_within_one_second(tmp_path: Path) -> None:
    first = run.create(tmp_path, "train", "a", {}, now=NOW)
    second = run.create(tmp_path, "train", "a", {}, now=NOW)
    assert first.folder != second.folder
    assert run.latest(tmp_path, "train").folder == second.folder.resolve()


def test_no_run_yet_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        run.latest(tmp_path, "train")
    assert caught.value.hint == "Run `vision train` first."


@pytest.mark.parametrize(
    ("error", "state"), [(KeyboardInterrupt(), "interrupted"), (DataError("no"), "failed"), (ValueError("x"), "failed")]
)
def test_the_end_is_recorded(tmp_path: Path, error: BaseException, state: str) -> None:
    record = run.create(tmp_path, "eval", "a", {})
    with pytest.raises(type(error)), run.recorded(record):
        raise error
    assert record.status["state"] == state


def test_a_run_that_ends_well_is_done(tmp_path: Path) -> None:
    record = run.create(tmp_path, "eval", "a", {})
    with run.recorded(record):
        record.log({"epoch": 1, "val_loss": float("nan")})
    assert record.status["state"] == "done"
    assert record.metrics() == [{"epoch": 1, "val_loss": None}]


def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    record = run.create(tmp_path, "train", "a", {})
    record.log({"epoch": 1})
    with (record.folder / run.METRICS).open("ab") as file:
        file.write(b'{"epoch": 2, "train_lo')
    record.log({"epoch": 3})
    assert [row["epoch"] for row in record.metrics()] == [1, 3]


def test_a_manifest_that_is_not_json_is_refused(tmp_path: Path) -> None:
    record = run.create(tmp_path, "train", "a", {})
    (record.folder / run.MANIFEST).write_text("{")
    with pytest.raises(DataError, match=r"run\.json: not JSON"):
        _ = record.manifest


def test_the_manifest_is_strict_json(tmp_path: Path) -> None:
    record = run.create(tmp_path, "train", "a", {"lr": float("inf"), "path": tmp_path})
    text = (record.folder / run.MANIFEST).read_text()
    assert json.loads(text, parse_constant=lambda name: pytest.fail(name))["lr"] is None


def test_a_run_of_another_kind_is_named_where_there_is_no_training(tmp_path):
    with pytest.raises(DataError) as refused:
        run.latest(tmp_path, "train")
    assert refused.value.hint == "Run `vision train` first."
    (tmp_path / "runs/trial/latest/model").mkdir(parents=True)
    with pytest.raises(DataError) as refused:
        run.latest(tmp_path, "train")
    assert refused.value.hint.endswith("There is one of another kind: --model runs/trial/latest/model.")
