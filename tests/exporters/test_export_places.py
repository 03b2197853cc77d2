"""Detectors and segmenters as files: the raw outputs of torch, in torch's order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from place_networks import NAMES, SIZE, answers, network_and_card, photos

from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.core.place_decode import PlaceDecode
from vision_cli.exporters import EXPORTERS
from vision_cli.runtimes import RUNTIMES
from vision_cli.runtimes.torch import TorchRunner

FORMATS = ("onnx", "tflite")


# The others are parts of these; a conversion takes seconds.
MADE = [("onnx", "anchors"), ("onnx", "panoptic"), ("tflite", "anchors"), ("tflite", "panoptic")]
MORE = [(name, layout) for name in FORMATS for layout in ("points", "boxes", "pixels")]


@pytest.fixture(scope="module", params=[*MADE, *(pytest.param(each, marks=pytest.mark.slow) for each in MORE)])
def exported(request: pytest.FixtureRequest, tmp_path_factory: Any) -> tuple[Any, Any, Any]:
    """A file opened, and the network and card that it was made from."""
    name, layout = request.param
    network, card = network_and_card(layout)
    exporter = EXPORTERS.load(name)
    path = tmp_path_factory.mktemp(layout) / f"model{exporter.SUFFIX}"
    exporter.export(network, card, path, precision="float32")
    return RUNTIMES.load(name).open_model(path, threads=1), network, card


def test_all_raw_outputs_as_torch_gives_them(exported: Any) -> None:
    runner, network, card = exported
    batch = photos(5)
    expected = answers(network, batch)
    for number in (5, 1):
        raw = runner.run_all(batch[:number])
        assert len(raw) == len(expected) == {"boxes": 2, "panoptic": 3}.get(card.decode.layout, 1)
        for found, wanted in zip(raw, expected, strict=True):
            assert found.dtype == np.float32
            assert found.shape == (number, *wanted.shape[1:])
            assert np.abs(found - wanted[:number]).max() < 2e-4
    assert np.array_equal(runner.run(batch[:1]), runner.run_all(batch[:1])[0])
    assert [each.shape for each in runner.run_all(batch[:0])] == [(0, *each.shape[1:]) for each in expected]
    assert runner.card.decode == card.decode


def test_the_torch_runner_answers_as_the_network() -> None:
    network, card = network_and_card("panoptic")
    runner = TorchRunner(card, network, 1.0, threads=1)
    batch = photos(2)
    for found, wanted in zip(runner.run_all(batch), answers(network, batch), strict=True):
        assert np.abs(found - wanted).max() < 1e-4
    assert [len(each) for each in runner.run_all(batch[:0])] == [0, 0, 0]


@pytest.mark.parametrize("exported", MADE[:2], indirect=True)
def test_onnx_ports(exported: Any) -> None:
    model = onnx.load(exported[0].path)
    onnx.checker.check_model(model, full_check=True)
    assert [port.name for port in model.graph.output] == ["raw", "raw1", "raw2"][: len(model.graph.output)]
    assert {port.type.tensor_type.shape.dim[0].dim_param for port in model.graph.output} == {"batch"}


@pytest.mark.parametrize("exported", MADE[2:], indirect=True)
def test_tflite_names_its_outputs_in_its_signature(exported: Any) -> None:
    from ai_edge_litert.interpreter import Interpreter

    (signature,) = Interpreter(model_path=str(exported[0].path)).get_signature_list().values()
    names = {"anchors": ["raw"], "panoptic": ["raw", "raw1", "raw2"]}[exported[2].decode.layout]
    assert sorted(signature["outputs"]) == names


@pytest.mark.parametrize("name", ["onnx", pytest.param("tflite", marks=pytest.mark.slow)])
def test_float16_of_several_outputs(name: str, tmp_path: Path) -> None:
    network, card = network_and_card("panoptic")
    path = EXPORTERS.load(name).export(network, card, tmp_path / "model", precision="float16")
    raw = RUNTIMES.load(name).open_model(path, threads=1).run_all(photos(2))
    expected = answers(network, photos(2))
    assert 0 < np.abs(raw[2] - expected[2]).max() < 0.05


@pytest.mark.parametrize(
    ("exported", "wrong"),
    [
        (("onnx", "anchors"), r"\[1, 240, 8\] instead of \[N, 240, 7\]"),
        (("tflite", "panoptic"), r"pixels \[1, 3, 8, 12\] instead of \[N, 2, h, w\]"),
    ],
    indirect=["exported"],
)
def test_a_card_of_other_classes_is_refused(exported: Any, wrong: str) -> None:
    runner = exported[0]
    other = replace(runner.card, classes=ClassMap(NAMES[:2]))
    with pytest.raises(DataError, match=wrong):
        RUNTIMES.load(runner.runtime).open_model(runner.path, threads=1, card=other)


@pytest.mark.parametrize("exported", [("onnx", "anchors"), ("tflite", "panoptic")], indirect=True)
def test_a_card_of_another_number_of_outputs_is_refused(exported: Any) -> None:
    runner = exported[0]
    layout = {"panoptic": "pixels", "anchors": "panoptic"}[runner.card.decode.layout]
    other = replace(runner.card, task="panoptic", decode=PlaceDecode(layout))
    with pytest.raises(DataError, match=r"expected one input and (one output|3 outputs), got"):
        RUNTIMES.load(runner.runtime).open_model(runner.path, threads=1, card=other)


def test_a_network_that_gives_other_outputs_than_its_card_is_refused() -> None:
    network, _ = network_and_card("pixels")
    _, card = network_and_card("panoptic")
    runner = TorchRunner(card, network, 1.0, threads=1)
    with pytest.raises(DataError, match="1 outputs instead of the 3 of 'panoptic' for 'panoptic'"):
        runner.run_all(np.zeros((1, 3, SIZE[1], SIZE[0]), np.float32))


def test_float16_moves_no_places(tmp_path: Path) -> None:
    network, card = network_and_card("grid")
    path = EXPORTERS.load("onnx").export(network, card, tmp_path / "model", precision="float16")
    raw = RUNTIMES.load("onnx").open_model(path, threads=1).run(photos(2))
    assert 0 < np.abs(raw - answers(network, photos(2))[0]).max() < 0.01


def test_a_network_whose_shapes_depend_on_the_photo_takes_one_at_a_time(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network, card = network_and_card("regions")
    path = EXPORTERS.load("onnx").export(network, card, tmp_path / "model", precision="float32")
    runner = RUNTIMES.load("onnx").open_model(path, threads=1)
    assert runner.takes_one
    batch = photos(4) * np.array([0.1, 0.5, 1, 3], np.float32)[:, None, None, None]
    found, expected = runner.run(batch), answers(network, batch)[0]
    numbers = (expected[:, :, 5] >= 0).sum(axis=1)
    assert len(set(numbers.tolist())) > 1, "the photos give as many boxes: nothing is tested"
    assert np.abs(found - expected).max() < 1e-3
    assert capfd.readouterr() == ("", "")
