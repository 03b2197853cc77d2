"""Which project file is used, where it is not in the folder that one stands in."""

import pytest

YAML = "data: {sources: {photos: {path: photos}}}\n"
SAID = "project file: ../../vision.yaml (there is none in this folder)"


@pytest.fixture
def below(tmp_path, monkeypatch):
    """A folder two below a project's."""
    (tmp_path / "vision.yaml").write_text(YAML)
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("words", [("data", "log"), ("train",), ("data", "view"), ("eval",)])
def test_a_file_above_is_named_once_on_stderr(vision, below, monkeypatch, words):
    monkeypatch.chdir(below)
    called = vision(*words)
    assert called.err.count(SAID) == 1
    assert SAID not in called.out


def test_after_an_init_that_failed_train_says_whose_project_it_takes(vision, below, monkeypatch):
    monkeypatch.chdir(below)
    assert vision("init", "--data", "nowhere").code != 0
    assert SAID in vision("train").err


@pytest.mark.parametrize("option", ["--json", "--quiet", "--project=../../vision.yaml"])
def test_programs_the_quiet_and_those_who_name_it_hear_nothing(vision, below, monkeypatch, option):
    monkeypatch.chdir(below)
    assert "project file:" not in vision("data", "log", option).err


def test_in_its_own_folder_nothing_is_said(vision, below, monkeypatch):
    monkeypatch.chdir(below.parents[1])
    assert "project file:" not in vision("data", "log").err
