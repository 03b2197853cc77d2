"""The JSON Schema agrees with JSON Schema's own rules and with what `load` accepts."""

import json

import jsonschema
import pytest
import yaml

from vision_cli.core import project
from vision_cli.core.errors import UsageError
from vision_cli.core.schema import project_schema


def test_it_is_a_draft_7_schema():
    schema = project_schema()
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(schema)
    assert "$defs" not in json.dumps(schema)
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"], len(node)
        for item in node.values():
            yield from references(item)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def test_every_reference_leads_somewhere_and_stands_alone():
    schema = project_schema()
    found = list(references(schema))
    assert found
    for target, siblings in found:
        assert target.removeprefix("#/definitions/") in schema["definitions"]
        assert siblings == 1


def properties(schema, node):
    """Every property with its definition, through references."""
    for name, item in node.get("properties", {}).items():
        yield name, item
    for definition in schema["definitions"].values():
        for name, item in definition.get("properties", {}).items():
            yield name, item


def test_every_key_has_a_description_for_the_editor():
    schema = project_schema()
    assert [name for name, item in properties(schema, schema) if not item.get("description")] == []


ACCEPTED = [
    "name: shop\ntask: classify\n",
    "classes: [no, 007, 1e3, winter]\n",
    "model: {input: {size: 224}}\n",
    "model: {input: {size: [320, 240], channels: 1}}\n",
    "train: {freeze: 3 stages, epochs: 5, learning_rate: 0.01}\n",
    "kpis: [f1 > 0.5, {kpi: top1 > 0.9, confidence: 0.95}]\n",
    "data: {sources: {a: {path: x}}, views: {v: {from: [a], map: {old: null, b: c}}}}\n",
    "export: {formats: [onnx], precision: float16}\n",
]
REFUSED = [
    "nmae: shop\n",
    "task: detekt\n",
    "train: {epochs: 0}\n",
    "train: {epochs: many}\n",
    "train: {epoch: 5}\n",
    "model: {input: {channels: 2}}\n",
    "data: {sources: {a: {format: csv}}}\n",
    "data: {views: {v: {from: []}}}\n",
    "export: {formats: [coreml]}\n",
    "kpis: [{kpi: f1 > 0.5, confidence: 2}]\n",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_editor_and_loader_accept(tmp_path, text):
    (tmp_path / "vision.yaml").write_text(text)
    project.load(tmp_path / "vision.yaml", environment={})
    jsonschema.validate(yaml.safe_load(text), project_schema(), cls=jsonschema.Draft7Validator)


@pytest.mark.parametrize("text", REFUSED)
def test_editor_and_loader_refuse(tmp_path, text):
    (tmp_path / "vision.yaml").write_text(text)
    with pytest.raises(UsageError):
        project.load(tmp_path / "vision.yaml", environment={})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), project_schema(), cls=jsonschema.Draft7Validator)
