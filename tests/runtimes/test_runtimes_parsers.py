"""Our two small parsers against the formats' own libraries, and against noise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from vision_cli.runtimes.flatbuffer import read_metadata
from vision_cli.runtimes.protobuf import read_onnx


def test_tflite_metadata_as_the_schema_reads_it(files_by_format: Mapping[str, Path]) -> None:
    content = files_by_format["tflite"].read_bytes()
    tree = schema.ModelT.InitFromPackedBuf(content, 0)
    expected = {
        entry.name.decode(): b"" if tree.buffers[entry.buffer].data is None else bytes(tree.buffers[entry.buffer].data)
        for entry in tree.metadata
    }
    assert read_metadata(content) == expected
    assert expected["labels"] == b"kitchen\ngarden\nattic"


@given(st.dictionaries(st.text(), st.text()))
def test_onnx_metadata_as_the_onnx_package_writes_it(metadata: dict[str, str]) -> None:
    model = helper.make_model(helper.make_graph([], "graph", [], []))
    helper.set_model_props(model, metadata)
    head = read_onnx(model.SerializeToString())
    assert head.metadata == {key: value.encode() for key, value in metadata.items()}
    assert not head.reads_other_files


@given(st.binary())
def test_noise_is_a_value_error(content: bytes) -> None:
    for parse, noise in (
        (read_onnx, content),
        (read_metadata, content),
        (read_metadata, content[:4] + b"TFL3" + content),
    ):
        try:
            parse(noise)
        except ValueError:
            continue


@given(st.data())
def test_damaged_files_are_read_or_refused(files_by_format: Mapping[str, Path], data: st.DataObject) -> None:
    for name, parse in (("onnx", read_onnx), ("tflite", read_metadata)):
        content = bytearray(files_by_format[name].read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        try:
            parse(bytes(content))
        except ValueError:
            continue


def test_deep_graphs_are_refused_without_recursion_error() -> None:
    def message(number: int, content: bytes) -> bytes:
        size, digits = len(content), b""
        while size >= 0x80:
            digits, size = digits + bytes([size & 0x7F | 0x80]), size >> 7
        return bytes([number << 3 | 2]) + digits + bytes([size]) + content

    graph = b""
    for _ in range(5000):
        graph = message(1, message(5, message(6, graph)))  # a node's attribute holds the graph
    with pytest.raises(ValueError, match="levels of graphs"):
        read_onnx(message(7, graph))
