"""Wrong files: refused with exit code 3 and one message; the process lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from vision_cli.core import files
from vision_cli.core.artefact import METADATA_KEY, Card
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError
from vision_cli.exporters import EXPORTERS
from vision_cli.runtimes import RUNTIMES, runtime_of

FORMATS = ("onnx", "tflite")


def _open(path: Path, name: str, card: Card | None = None) -> Any:
    return RUNTIMES.load(name).open_model(path, threads=1, card=card)


@pytest.fixture(params=FORMATS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "it does not exist"),
        (b"", "the file is empty"),
        (b"\x08", "the file is something else"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "the file is something else"),
        (b"PK\x03\x04archive/data.pkl" + bytes(50), "the file is something else"),
        (b"<html>" * 20, "the file is something else"),
    ],
)
def test_what_is_not_a_model(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=f"not a model: expected .*, but {message}") as caught:
        runtime_of(path)
    assert caught.value.exit_code == 3


def test_a_folder_without_card_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the folder has no artefact\.json"):
        runtime_of(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"junk" * 100, b"\x1c\x00\x00\x00TFL3" + b"\xff" * 200, b"\x08\x0a\x3a\xff\xff\xff\x7f"]
)
def test_junk(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"empty|not a whole (ONNX|TFLite) file"):
        _open(path, name)


def test_missing(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the model does not exist"):
        _open(tmp_path / "nowhere", name)


def test_cut_anywhere(name: str, files_by_format: Mapping[str, Path], tmp_path: Path) -> None:
    content = files_by_format[name].read_bytes()
    path = tmp_path / "cut"
    for length in range(1, len(content), len(content) // 150):
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            _open(path, name)


def test_cut_file_with_a_given_card(name: str, files_by_format: Mapping[str, Path], tmp_path: Path) -> None:
    """No checksum stands between the runtime and the bytes then."""
    content, card = files_by_format[name].read_bytes(), replace(_open(files_by_format[name], name).card, sha256={})
    path = tmp_path / "cut"
    # The zip at the end of a TFLite file is no part of the model.
    model_bytes = content.rfind(b"PK\x03\x04") if name == "tflite" else len(content)
    for length in range(1, model_bytes - 64, model_bytes // 40):
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            _open(path, name, card)


def test_one_flipped_bit_anywhere(name: str, files_by_format: Mapping[str, Path], tmp_path: Path) -> None:
    content = files_by_format[name].read_bytes()
    path = tmp_path / "flipped"
    for at in range(0, len(content), len(content) // 200):
        flipped = bytearray(content)
        flipped[at] ^= 0x10
        path.write_bytes(flipped)
        with pytest.raises(DataError):
            _open(path, name)


def test_a_flipped_weight_is_called_a_change(name: str, files_by_format: Mapping[str, Path], tmp_path: Path) -> None:
    content = bytearray(files_by_format[name].read_bytes())
    content[_place_of_weights(name, bytes(content), files_by_format[name])] ^= 1
    path = tmp_path / "flipped"
    path.write_bytes(content)
    with pytest.raises(DataError, match="was changed after it was written: its checksum does not match"):
        _open(path, name)


def _place_of_weights(name: str, content: bytes, path: Path) -> int:
    if name == "onnx":
        weights = max((item.raw_data for item in onnx.load(path).graph.initializer), key=len)
        return content.index(weights) + len(weights) // 2
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(content, 0)
    tensors = [model.Subgraphs(0).Tensors(index) for index in range(model.Subgraphs(0).TensorsLength())]
    buffer = max((model.Buffers(tensor.Buffer()) for tensor in tensors), key=lambda buffer: buffer.DataLength())
    return int(buffer._tab.Vector(buffer._tab.Offset(4))) + 2


def test_other_class_map(name: str, files_by_format: Mapping[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "renamed"
    path.write_bytes(files_by_format[name].read_bytes().replace(b'"garden"', b'"cellar"'))
    with pytest.raises(DataError, match="the class names do not match their hash"):
        _open(path, name)


def test_other_number_of_classes(name: str, files_by_format: Mapping[str, Path]) -> None:
    card = _open(files_by_format[name], name).card
    with pytest.raises(DataError, match=r"gave outputs of shape \(1, 3\), but the card promises 2 a photo"):
        _open(files_by_format[name], name, replace(card, classes=ClassMap(("a", "b"))))


def test_other_input_size(name: str, files_by_format: Mapping[str, Path]) -> None:
    card = _open(files_by_format[name], name).card
    other = replace(card, preprocess=replace(card.preprocess, size_px=(224, 224)))
    with pytest.raises(DataError, match=r"the file takes float32 \[.*\], but its card says float32 \[N, .*224"):
        _open(files_by_format[name], name, other)


@pytest.mark.parametrize("text", ["{}", "[1, 2", "null", "[" * 100_000])
def test_broken_sidecar(name: str, text: str, files_by_format: Mapping[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    path.write_bytes(files_by_format[name].read_bytes().replace(b"vision_artefact", b"other_artefacts"))
    (tmp_path / "theirs.json").write_text(text)
    with pytest.raises(DataError, match=r"theirs\.json"):
        _open(path, name)


def test_nan_weights(name: str, card: Card, network: Any, tmp_path: Path) -> None:
    import copy

    broken = copy.deepcopy(network)
    with torch.no_grad():
        broken[-1].weight[0, 0] = float("nan")
    exporter = EXPORTERS.load(name)
    path = exporter.export(broken, card, tmp_path / "nan", precision="float32")
    with pytest.raises(DataError, match="the model answers NaN or infinity"):
        _open(path, name)


@pytest.mark.parametrize("where", ["graph", "constant", "subgraph", "function", "sparse"])
@pytest.mark.parametrize("location", ["../../secret.bin", "/etc/hostname", "weights.bin", "*/_ORT_MEM_ADDR_/*"])
def test_external_data_is_never_followed(where: str, location: str, card: Card, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(_with_external_data(where, location, card))
    with pytest.raises(DataError, match="keeps its weights in other files, which are not followed"):
        _open(path, "onnx")


def _with_external_data(where: str, location: str, card: Card) -> bytes:
    tensor = numpy_helper.from_array(np.ones((3, 1280), np.float32), "weights")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    graph = helper.make_graph([], "graph", [], [])
    model = helper.make_model(graph)
    constant = helper.make_node("Constant", [], ["weights"], value=tensor)
    match where:
        case "graph":
            model.graph.initializer.append(tensor)
        case "constant":
            model.graph.node.append(constant)
        case "subgraph":
            inner = helper.make_graph([constant], "inner", [], [])
            model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner))
        case "function":
            model.functions.add(name="function", domain="own").node.append(constant)
        case "sparse":
            model.graph.sparse_initializer.add(dims=[3]).values.CopyFrom(tensor)
    helper.set_model_props(model, {METADATA_KEY: files.json_text(card.as_json())})
    return bytes(model.SerializeToString())


def test_several_outputs(card: Card, tmp_path: Path) -> None:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 32, 40])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("boxes", "scores")]
    nodes = [helper.make_node("Relu", ["image"], [name]) for name in ("boxes", "scores")]
    model = helper.make_model(helper.make_graph(nodes, "graph", [image], outputs), ir_version=10)
    model.opset_import[0].version = 18
    onnx.save(model, tmp_path / "two.onnx")
    with pytest.raises(DataError, match="expected one input and one output, got image, boxes, scores"):
        _open(tmp_path / "two.onnx", "onnx", card)
