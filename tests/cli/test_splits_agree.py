"""Every command that looks at a view sees the splits that training sees, and writes nothing to know them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from stages import street_project as streets

from vision_cli.core import project as projects
from vision_cli.stages import data


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = streets.project(tmp_path)
    file = folder / "vision.yaml"
    file.write_text(file.read_text().replace("data:\n", "data:\n  split: {train: 0.4, val: 0.3, test: 0.3}\n"))
    file.write_text(file.read_text().replace("  views:\n", "  views:\n    frames: {from: [street]}\n"))
    return folder


def of_training(project: Path) -> dict[str, str]:
    dataset = data.load_view(projects.load(project / "vision.yaml", environment={}), "frames", remember=False).dataset
    return dict(zip(dataset.images["path"].to_pylist(), dataset.images["split"].to_pylist(), strict=True))


@pytest.mark.parametrize("remembered", [False, True])
def test_all_commands_tell_the_splits_of_training(vision: Callable, project: Path, remembered: bool) -> None:
    dealt = of_training(project)
    if remembered:  # another dealing than a new one would be: what is remembered holds
        turned = dict(zip(dealt, [*list(dealt.values())[1:], next(iter(dealt.values()))], strict=True))
        loaded = data.load_view(projects.load(project / "vision.yaml", environment={}), "frames", remember=True).dataset
        memory = json.loads((project / "splits.json").read_text())
        sources = loaded.images["source"].to_pylist()
        memory["photos"] = {f"{each}/{path}": turned[path] for each, path in zip(sources, dealt, strict=True)}
        (project / "splits.json").write_text(json.dumps(memory))
        assert of_training(project) == turned
        dealt = turned
    counts = Counter(dealt.values())
    assert set(counts) == {"train", "val", "test"}
    assert vision("data", "view", "frames", "--json").document["splits"] == counts
    stats = vision("data", "stats", "frames", "--json").document
    assert {name: each["photos"] for name, each in stats["splits"].items()} == counts
    rows = vision("data", "query", "SELECT path, split FROM images", "--view", "frames", "--json").document["rows"]
    assert dict(rows) == dealt
    told = vision("data", "show", "frames", "--where", "split = 'test'", "--dry-run", "--json").document
    assert (told["photos"], told["before"]) == (counts["test"], len(dealt))
    assert (project / "splits.json").exists() is remembered


def test_a_look_at_too_many_photos_says_that_it_shares_out_none(
    vision: Callable, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "MOST_DEALT", 3)
    found = vision("data", "view", "all", "--json").document
    assert found["splits"] == {"train": 6, "": 1}
    assert any(note.startswith("1 photos have no split yet") for note in found["notes"])
