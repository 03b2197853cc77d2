"""Files are read back by the formats' own libraries, and their outputs compared with torch's."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import timm
import torch
from ai_edge_litert import schema_py_generated as schema

from vision_cli.core.artefact import METADATA_KEY, parse_card
from vision_cli.core.errors import DataError, UsageError
from vision_cli.exporters import EXPORTERS
from vision_cli.runtimes import RUNTIMES, runtime_of

FORMATS = ("onnx", "tflite")
NAMES = ("shop window", "éclair", "no", "007", "two\nlines", "<script>", "[/]")


@pytest.fixture(scope="module")
def lite0(kit: Any) -> Any:
    torch.manual_seed(0)
    backbone = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0)
    return kit.Classifier(backbone, backbone.num_features, len(NAMES)).eval()


@pytest.fixture(scope="module")
def lite0_card(kit: Any) -> Any:
    return kit.card_of(NAMES, size_px=(128, 96), channels=3, backbone="tf_efficientnet_lite0")


@pytest.fixture(scope="module", params=FORMATS)
def lite0_file(request: pytest.FixtureRequest, lite0: Any, lite0_card: Any, tmp_path_factory: Any) -> Path:
    exporter = EXPORTERS.load(request.param)
    target = tmp_path_factory.mktemp("lite0") / f"model{exporter.SUFFIX}"
    return exporter.export(lite0, lite0_card, target, precision="float32")


@pytest.fixture(scope="module", params=[(name, precision) for name in FORMATS for precision in ("float32", "float16")])
def small_file(request: pytest.FixtureRequest, kit: Any, tmp_path_factory: Any) -> Path:
    name, precision = request.param
    exporter = EXPORTERS.load(name)
    card = kit.card_of(("a", "b", "c"), size_px=(40, 32), channels=1, backbone="small")
    target = tmp_path_factory.mktemp("small") / f"{precision}{exporter.SUFFIX}"
    return exporter.export(kit.small_network(), card, target, precision=precision)


@pytest.mark.parametrize("number", [1, 5])
def test_efficientnet_answers_as_torch(lite0_file: Path, lite0: Any, lite0_card: Any, kit: Any, number: int) -> None:
    batch = kit.photos(lite0_card, number)
    runner = RUNTIMES.load(runtime_of(lite0_file)).open_model(lite0_file, threads=1)
    assert np.abs(runner.run(batch) - kit.answers(lite0, batch)).max() < 1e-4


def test_the_card_comes_back(lite0_file: Path, lite0_card: Any) -> None:
    runner = RUNTIMES.load(runtime_of(lite0_file)).open_model(lite0_file, threads=1)
    layout = {"onnx": "nchw", "tflite": "nhwc"}[runner.runtime]
    assert replace(runner.card, sha256={}) == replace(lite0_card, layout=layout, precision="float32")
    assert runner.size_mb == lite0_file.stat().st_size / 1e6


def test_other_tools_read_the_metadata(lite0_file: Path, lite0_card: Any) -> None:
    metadata = _metadata_by_the_formats_library(lite0_file)
    assert parse_card(metadata[METADATA_KEY], where="").classes == lite0_card.classes
    assert json.loads(metadata[METADATA_KEY])["class_map"] == metadata["class_map"] == lite0_card.classes.digest
    assert metadata["labels"].split("\n") == [name.replace("\n", " ") for name in NAMES]


def _metadata_by_the_formats_library(path: Path) -> dict[str, str]:
    if path.suffix == ".onnx":
        return {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    tree = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    ours = [entry for entry in tree.metadata if tree.buffers[entry.buffer].data is not None]
    return {entry.name.decode(): bytes(tree.buffers[entry.buffer].data).decode(errors="replace") for entry in ours}


def test_small_network_answers_as_torch(small_file: Path, kit: Any) -> None:
    runner = RUNTIMES.load(runtime_of(small_file)).open_model(small_file, threads=1)
    batch = kit.photos(runner.card, 5)
    raw, reference = runner.run(batch), kit.answers(kit.small_network(), batch)
    if runner.card.precision == "float32":
        assert np.abs(raw - reference).max() < 1e-4
    else:
        scores, expected = (runner.card.decode.scores(values, "classify") for values in (raw, reference))
        assert 0 < np.abs(scores - expected).max() < 2e-2


def test_float16_takes_half_the_bytes_of_its_weights(small_file: Path, kit: Any) -> None:
    weights = sum(tensor.numel() for tensor in kit.small_network().parameters())
    runner = RUNTIMES.load(runtime_of(small_file)).open_model(small_file, threads=1)
    size = {"float32": 4, "float16": 2}[runner.card.precision]
    assert small_file.stat().st_size == pytest.approx(weights * size, rel=0.2)


@pytest.mark.parametrize("lite0_file", ["onnx"], indirect=True)
def test_onnx_file_states_its_ports(lite0_file: Path) -> None:
    model = onnx.load(lite0_file)
    onnx.checker.check_model(model, full_check=True)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 18)]
    (image,), (raw,) = model.graph.input, model.graph.output
    assert (image.name, raw.name) == ("image", "raw")
    assert [size.dim_value or size.dim_param for size in image.type.tensor_type.shape.dim] == ["batch", 3, 96, 128]
    # Batch normalisation was folded into the convolutions.
    assert {node.op_type for node in model.graph.node}.isdisjoint({"BatchNormalization", "Transpose"})


@pytest.mark.parametrize("lite0_file", ["tflite"], indirect=True)
def test_tflite_file_follows_its_conventions(lite0_file: Path) -> None:
    content = lite0_file.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["labels.txt"]
        assert archive.read("labels.txt").decode().split("\n")[1] == "éclair"
    model = schema.Model.GetRootAsModel(content, 0)
    vectors = [model.Buffers(index) for index in range(model.BuffersLength())]
    starts = [buffer._tab.Vector(buffer._tab.Offset(4)) for buffer in vectors if buffer.DataLength()]
    assert {start % 16 for start in starts} == {0}  # force_align: 16 in schema.fbs
    graph = model.Subgraphs(0)
    assert list(graph.Tensors(graph.Inputs(0)).ShapeAsNumpy()) == [1, 96, 128, 3]
    codes = {
        model.OperatorCodes(graph.Operators(index).OpcodeIndex()).BuiltinCode()
        for index in range(graph.OperatorsLength())
    }
    assert schema.BuiltinOperator.TRANSPOSE not in codes


@pytest.mark.parametrize("name", FORMATS)
def test_same_network_gives_the_same_bytes_in_silence(
    name: str, kit: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    exporter = EXPORTERS.load(name)
    network = kit.small_network(channels=3, n_outputs=1).train()
    card = kit.card_of((), size_px=(32, 32), channels=3, backbone="small", task="regress")
    first, second = (exporter.export(network, card, tmp_path / str(turn), precision="float32") for turn in (1, 2))
    assert first.read_bytes() == second.read_bytes()
    assert capfd.readouterr() == ("", "")
    assert network.training
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]


class _DataDependent(torch.nn.Module):
    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return photos.mean(dim=(2, 3)) if photos.sum().item() > 0 else photos.amax(dim=(2, 3))


@pytest.mark.parametrize("name", FORMATS)
def test_a_network_that_cannot_be_converted_is_named(name: str, kit: Any, tmp_path: Path) -> None:
    card = kit.card_of(("a",), size_px=(32, 32), channels=1, backbone="odd_net")
    target = tmp_path / "model"
    target.write_bytes(b"an earlier export")
    with pytest.raises(DataError, match=r"odd_net cannot be converted to (ONNX|TFLite): \w+: \S+") as caught:
        EXPORTERS.load(name).export(_DataDependent(), card, target, precision="float32")
    assert "\n" not in caught.value.message
    assert target.read_bytes() == b"an earlier export"


@pytest.mark.parametrize("name", FORMATS)
def test_weights_beyond_float16_are_refused(name: str, kit: Any, tmp_path: Path) -> None:
    network = kit.small_network()
    with torch.no_grad():
        network.head.weight[0, 0] = 1e5
    card = kit.card_of(("a", "b", "c"), size_px=(40, 32), channels=1, backbone="small")
    with pytest.raises(DataError, match=r"reach 1e\+05, more than float16"):
        EXPORTERS.load(name).export(network, card, tmp_path / "model", precision="float16")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_unknown_precision_is_guessed(name: str, kit: Any, tmp_path: Path) -> None:
    card = kit.card_of(("a", "b", "c"), size_px=(40, 32), channels=1, backbone="small")
    with pytest.raises(UsageError, match="unknown precision 'float17'") as caught:
        EXPORTERS.load(name).export(kit.small_network(), card, tmp_path / "model", precision="float17")
    assert caught.value.hint == "Did you mean 'float16'?"
