"""Suppression built into the ONNX file: the boxes that the decoding in numpy gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from place_networks import answers, network_and_card, photos

from vision_cli.core.decoding.photos import decode_batch
from vision_cli.core.errors import UsageError
from vision_cli.exporters import EXPORTERS
from vision_cli.runtimes import RUNTIMES

PHOTO_SIZES = [(300, 200), (90, 120), (96, 64), (640, 33), (50, 50)]


@pytest.mark.parametrize(
    ("layout", "activation", "batch"),
    [
        ("anchors", "softmax", "any"),
        ("anchors", "sigmoid", "one"),
        ("points", "softmax", "one"),
        ("points", "sigmoid", "any"),
    ],
)
def test_suppression_in_the_file_gives_the_boxes_of_numpy(
    layout: str, activation: str, batch: str, tmp_path: Path
) -> None:
    network, card = network_and_card(layout, activation)
    if batch == "one":
        network = OneByOne(network).eval()
    exporter = EXPORTERS.load("onnx")
    path = exporter.export(network, card, tmp_path / "model.onnx", precision="float32", nms=True)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    assert [port.name for port in onnx.load(path).graph.output] == ["detections"]
    runner = RUNTIMES.load("onnx").open_model(path, threads=1)
    assert runner.takes_one == (batch == "one")
    assert runner.card.place_decode.layout == "boxes"
    raw = runner.run_all(photos(5))
    assert raw[0].shape == (5, card.place_decode.max_detections, 6)
    found = decode_batch(raw, runner.card.place_decode, card.preprocess, PHOTO_SIZES)
    expected = decode_batch(answers(network, photos(5)), card.place_decode, card.preprocess, PHOTO_SIZES)
    for one, other in zip(found, expected, strict=True):
        assert len(one) == len(other) > 3
        assert np.abs(one.scores - other.scores).max() < 1e-4
        assert np.abs(one.boxes - other.boxes).max() < 1e-2
        assert one.classes.tolist() == other.classes.tolist()


class OneByOne(torch.nn.Module):
    """Treats each photo by itself, as torchvision's two-stage detectors do: no batch of any size."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, photos: torch.Tensor) -> tuple[torch.Tensor, ...]:
        each = [self.network(photos[index : index + 1]) for index in range(photos.shape[0])]
        return tuple(torch.cat(parts) for parts in zip(*each, strict=True))


def test_rows_without_a_box_are_empty(tmp_path: Path) -> None:
    network, card = network_and_card("anchors")
    card = replace(card, decode=replace(card.place_decode, score_floor=0.9999))
    path = EXPORTERS.load("onnx").export(network, card, tmp_path / "model", precision="float32", nms=True)
    rows = RUNTIMES.load("onnx").open_model(path, threads=1).run(photos(1))[0]
    empty = rows[rows[:, 5] == -1]
    assert len(empty) > 0
    assert not empty[:, :5].any()


@pytest.mark.parametrize(("layout", "reason"), [("boxes", "does it by itself"), ("pixels", "answers each pixel")])
def test_nothing_to_suppress(layout: str, reason: str, tmp_path: Path) -> None:
    network, card = network_and_card(layout)
    with pytest.raises(UsageError, match=f"no suppression can be built in: 'small' {reason}"):
        EXPORTERS.load("onnx").export(network, card, tmp_path / "model", precision="float32", nms=True)
    assert not list(tmp_path.iterdir())
