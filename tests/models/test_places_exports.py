"""What each family can be exported to, by doing it, against what it declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vision_cli import models
from vision_cli.core import artefact
from vision_cli.core.config import InputConfig, ModelConfig
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.exporters import EXPORTERS
from vision_cli.models.cards import tasks_of
from vision_cli.runtimes import RUNTIMES

CLASSES = ClassMap(("square", "disc", "ground"))
SIDE = 128
NETWORK_OF_ITS_OWN = ("yolo", "yolo-seg")
PLACES = [
    name
    for name, card in models.FAMILIES.cards().items()
    if "classify" not in tasks_of(card) and name not in NETWORK_OF_ITS_OWN
]
TRIED = [*PLACES, "fcn learned"]


def network_and_card(name: str) -> tuple[Any, artefact.Card]:
    torch.manual_seed(0)
    family, _, upsample = name.partition(" ")
    (task, *_) = tasks_of(models.FAMILIES.card(family))
    config = ModelConfig(
        family=family,
        backbone="mobilenetv3_small_050",
        weights="none",
        input=InputConfig(size=(SIDE, SIDE), resize="stretch"),
        upsample=upsample or "bilinear",  # type: ignore[arg-type]
    )
    network: Any = models.build_places(config, models.PlaceRequest(task, CLASSES, things=(0, 1)))  # type: ignore[arg-type]
    card = artefact.Card(
        task=task,
        classes=CLASSES,
        preprocess=network.preprocess,
        decode=network.decode,
        family=family,
        model=models.options(config, network),
        licence=network.licence,
        name="test",
        created="2026-01-01T00:00:00Z",
    )
    return network.eval(), card


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("format_name", list(EXPORTERS))
@pytest.mark.parametrize("name", TRIED)
def test_a_family_can_be_exported_as_it_declares(name: str, format_name: str, tmp_path: Path) -> None:
    network, card = network_and_card(name)
    declared: dict[str, str | None] = getattr(models.FAMILIES.load(card.family), "EXPORTS", {})
    exporter = EXPORTERS.load(format_name)
    path = tmp_path / f"model{exporter.SUFFIX}"
    if declared.get(format_name):
        with pytest.raises(DataError, match="cannot be converted"):
            exporter.export(network, card, path, precision="float32")
        return
    exporter.export(network, card, path, precision="float32")
    runner = RUNTIMES.load(format_name).open_model(path, threads=1)
    torch.manual_seed(1)
    photos = torch.randn(2, 3, SIDE, SIDE)
    with torch.no_grad():
        expected = [each.numpy() for each in network(photos)]
    found = runner.run_all(photos.numpy())
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() < 1e-2


@pytest.mark.parametrize("name", PLACES)
def test_declared_formats_exist_and_reasons_are_words(name: str) -> None:
    declared: dict[str, str | None] = getattr(models.FAMILIES.load(name), "EXPORTS", {})
    assert set(declared) <= set(EXPORTERS)
    assert all(reason is None or len(reason.split()) > 3 for reason in declared.values())
