"""Every console block of docs/tune.md is typed, in its order, and must print exactly what the page shows."""

import re
from pathlib import Path

import pytest
from typed_pages import ROOT, check_page

from vision_cli.core import project
from vision_cli.stages.tuning import applied


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    typed = check_page("tune.md", tmp_path)
    assert [code for _, code in typed] == [0, 2, 2, 2]


def test_the_block_of_settings_on_the_page_is_one_that_the_project_file_takes(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tune.md").read_text()
    (block,) = [each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if each.startswith("tune:")]
    (tmp_path / "vision.yaml").write_text(block)
    config = project.load(tmp_path / "vision.yaml").config.tune
    assert len(config.search) == 7
    assert len({applied.key_of(word) for word in config.search}) == 7
