"""`vision data check` and `vision data fix` as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Vision = Callable[..., Any]


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Four photos in two splits; one stands on both sides."""
    for name, seed in {"train/cat/a.png": 1, "train/dog/b.png": 2, "test/cat/c.png": 1, "test/dog/d.png": 3}.items():
        path = tmp_path / "pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(blocks).resize((160, 120)).save(path)
    return tmp_path / "pets"


def test_strict_decides_about_the_exit_code(vision: Vision, pets: Path) -> None:
    assert vision("data", "check", "pets").code == 0
    called = vision("data", "check", "pets", "--strict")
    assert called.code == 4
    assert "error: leak-same (1)" in called.out
    assert "test/cat/c.png  = train/cat/a.png" in called.out
    assert vision("data", "check", "pets", "--strict", "--skip", "leak-same").code == 0
    assert vision("data", "check", "pets", "--strict", "--fast").code == 0


def test_json(vision: Vision, pets: Path) -> None:
    document = vision("data", "check", "pets", "--json", "--only", "leak-same", "--only", "photo-dark").document
    assert (document["command"], document["ok"], document["errors"], document["photos"]) == ("data check", True, 1, 4)
    (finding,) = document["findings"]
    assert finding["check"] == "leak-same"
    assert finding["places"] == [{"file": "test/cat/c.png", "other_file": "train/cat/a.png"}]
    assert document["checks"] == ["photo-dark", "leak-same"]
    assert document["left_out"]["box-tiny"] == "not asked for"
    assert vision("data", "check", "pets", "--json", "--strict").document["ok"] is False


def test_lists(vision: Vision) -> None:
    called = vision("data", "check", "--list")
    assert "leak-same" in called.out
    assert "0.62" in called.out
    assert len(vision("data", "check", "--list", "--json").document["checks"]) > 30


@pytest.mark.parametrize(("words", "code", "text"), [
    (["pets", "--only", "leak-sam"], 2, "Did you mean 'leak-same'?"),
    (["pets", "--set", "blur"], 2, "is no number"),
    (["nowhere/"], 3, "there is no such file or folder"),
    (["pets", "--html", "pets"], 2, "is a folder"),
])  # fmt: skip
def test_refusals(vision: Vision, pets: Path, words: list[str], code: int, text: str) -> None:
    called = vision("data", "check", *words)
    assert called.code == code
    assert text in called.err


def test_files_and_dry_run(vision: Vision, pets: Path, tmp_path: Path) -> None:
    vision("data", "check", "pets", "--html", "x.html", "--csv", "x.csv", "--dry-run")
    assert not (tmp_path / "x.html").exists()
    called = vision("data", "check", "pets", "--html", "x.html", "--csv", "x.csv")
    assert "written: x.html" in called.out
    assert "leak-same,error,test/cat/c.png" in (tmp_path / "x.csv").read_text()


def test_fix(vision: Vision, pets: Path, tmp_path: Path) -> None:
    dry = vision("data", "fix", "pets", "mended", "--repair", "leaks-to-one-split", "--dry-run")
    assert dry.code == 0
    assert "would write: mended" in dry.out
    assert not (tmp_path / "mended").exists()
    document = vision(
        "data", "fix", "pets", "mended", "--repair", "leaks-to-one-split", "--json", "--csv", "r.csv"
    ).document
    assert document["repaired"] == [
        {"repair": "leaks-to-one-split", "file": "test/cat/c.png", "before": "test", "after": "train"}
    ]
    assert vision("data", "check", "mended", "--strict").code == 0
    assert (tmp_path / "r.csv").read_text().count("\n") == 2
    assert vision("data", "fix", "pets", "mended").code == 2
