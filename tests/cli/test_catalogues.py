"""What lists names, what a group says without a command, and options that exclude one another."""

import pytest

from vision_cli.core.tasks import TASKS
from vision_cli.formats import FORMATS
from vision_cli.metrics import MAIN, METRICS, names_of


@pytest.mark.parametrize("task", TASKS)
def test_the_metrics_of_a_task_begin_with_its_main_ones(vision, task):
    rows = vision("metrics", "list", task, "--json").document["metrics"]
    assert sorted(row["name"] for row in rows) == sorted(names_of(task))
    assert (
        [row["name"] for row in rows if row["main"]]
        == list(MAIN[task])
        == [row["name"] for row in rows][: len(MAIN[task])]
    )
    assert all(task in row["tasks"] for row in rows)


def test_all_metrics_stand_on_one_page_with_their_tasks(vision):
    called = vision("metrics", "list")
    lines = {line.split()[0]: line for line in called.out.splitlines()[1:]}
    assert {name.removesuffix("[class]") for name in lines} == set(METRICS)
    assert "objects" not in lines["ap[class]"]
    assert "COCO" in lines["ap"]
    assert "semantic" in lines["miou"]
    assert " all " in lines["size_mb"]
    assert vision("metrics", "list", "segment").code == 2


def test_a_page_of_formats_says_which_are_written(vision):
    rows = vision("data", "formats", "--json").document["formats"]
    assert [row["name"] for row in rows] == list(FORMATS)
    assert [row["name"] for row in rows if not row["written"]] == ["tfrecord"]
    assert "tfrecord" in vision("data", "formats").out


@pytest.mark.parametrize(
    "group", [(), ("data",), ("data", "label"), ("synth",), ("config",), ("models",), ("metrics",)]
)
def test_a_group_without_a_command_names_its_commands(vision, group):
    called = vision(*group, "--json")
    error = called.document["error"]
    assert (called.code, error["kind"]) == (2, "usage")
    assert error["message"].endswith("missing command.")
    assert error["details"], "one line a command"
    for line in error["details"]:
        assert vision(*group, line.partition(":")[0], "--help").code == 0
    if group:
        assert error["details"][0] in vision(*group).err


@pytest.mark.parametrize("words", [("--quiet", "--verbose"), ("-v", "-q"), ("-qv",)])
@pytest.mark.parametrize("command", [("doctor",), ("data", "formats"), ("train",)])
def test_quiet_and_verbose_exclude_one_another(vision, command, words):
    called = vision(*command, *words)
    assert (called.code, called.out) == (2, "")
    assert "--quiet and --verbose exclude one another" in called.err


@pytest.mark.parametrize(
    "words",
    [
        ("init", "--data", "x", "--kpi", "zzz>0.5", "--task", "detect"),
        ("data", "convert", "x", "y", "--to", "zzz"),
        ("models", "list", "zzz"),
        ("data", "check", "--only", "zzz"),
        ("data", "zzz"),
    ],
)
def test_hints_do_not_list_whole_tables(vision, tmp_path, words):
    (tmp_path / "x" / "a").mkdir(parents=True)
    assert all(line.count(", ") <= 8 for line in vision(*words).err.splitlines())
