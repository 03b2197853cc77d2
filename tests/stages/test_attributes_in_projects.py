"""Attributes of photos beside their features, from the project file to an exported file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stage_projects as projects

CLASSES, EACH = ("cheap", "dear"), 24


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained project whose photos are noise: only their price tells what they are."""
    folder, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(0)
    labels, prices = ["path,label"], ["path,price,town"]
    for at in range(len(CLASSES) * EACH):
        name = f"photos/{at:02}.png"
        projects.save(folder / name, rng.integers(0, 256, (64, 64, 3)))
        labels.append(f"{name},{CLASSES[at % 2]}")
        prices.append(f"{name},{10 + 20 * (at % 2) + rng.normal(0, 2):.2f},{rng.choice(['Bonn', 'Köln'])}")
    (folder / "labels.csv").write_text("\n".join(labels) + "\n")
    (folder / "prices.csv").write_text("\n".join(prices) + "\n")
    (folder / "vision.yaml").write_text(
        "version: 1\nname: shop\ntask: classify\n"
        "data:\n  sources:\n    photos: {path: labels.csv, metadata: [{path: prices.csv, by: path}]}\n"
        "model:\n  family: features\n  backbone: test_resnet\n  weights: none\n  input: {size: 64}\n"
        "  features: {classifier: logistic, columns: [price, town], select: 40, pca: 10}\n"
        "export: {formats: [onnx]}\n"
    )
    projects.done(folder, "train")
    return folder


def top1(folder: Path, *words: str) -> float:
    document = projects.done(folder, "eval", "--json", *words).document
    return float(document["metrics"]["top1"])


def test_a_price_decides_where_photos_say_nothing(project: Path) -> None:
    assert top1(project) >= 0.9
    card = json.loads((project / "runs/train/latest/model/artefact.json").read_text())
    price, town = card["model"]["attributes"]
    assert (price["name"], town["values"]) == ("price", ["Bonn", "Köln"])
    first, second = (weights[0] for weights in price["weights"])
    assert second - first > 1  # the dearer, the more `dear`


def test_an_exported_file_takes_photos_alone_and_judges_alike(project: Path) -> None:
    files = projects.done(project, "export", "--json").document["files"]
    assert [each["parity"]["passed"] for each in files] == [True]
    assert top1(project, "--model", files[0]["path"]) == top1(project)


def test_predict_and_sql_know_the_attributes_of_a_view(project: Path) -> None:
    rows = projects.done(project, "predict", "--data", "all", "--json").document
    said = {Path(each["path"]).name: (each["answer"], each["confidence"]) for each in rows["predictions"]}
    right = [answer == CLASSES[int(name[:2]) % 2] for name, (answer, _) in said.items()]
    assert np.mean(right) > 0.9
    assert not rows["notes"]
    sql = "SELECT path, predict('shop', path), confidence('shop', path) FROM images"
    found = projects.done(project, "data", "query", sql, "--json").document["rows"]
    asked: dict[str, Any] = {Path(path).name: (word, sure) for path, word, sure in found}
    assert {name: word for name, (word, _) in asked.items()} == {name: word for name, (word, _) in said.items()}
    assert [asked[name][1] for name in said] == pytest.approx([sure for _, sure in said.values()], abs=1e-6)


def test_a_photo_alone_counts_as_average_and_that_is_said(project: Path) -> None:
    rows = projects.done(project, "predict", "photos/00.png", "photos/01.png", "--json").document
    assert "price, town" in rows["notes"][0]
    assert all(each["confidence"] < 0.95 for each in rows["predictions"])


def test_a_column_that_is_not_there_is_refused_before_photos_are_read(project: Path) -> None:
    called = projects.call(project, "train", "model.features.columns=[prize]")
    assert (called.code, "Did you mean 'price'?" in called.err) == (2, True)
    called = projects.call(project, "train", "model.features.classifier=svm")
    assert (called.code, "takes no attributes" in called.err) == (2, True)
