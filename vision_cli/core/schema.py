"""The JSON Schema (draft-07) of `vision.yaml` that editors complete from."""

from __future__ import annotations

from typing import Any

from vision_cli.core.config import ProjectConfig

DRAFT = "http://json-schema.org/draft-07/schema#"


def project_schema() -> dict[str, Any]:
    """Return the schema, with pydantic's 2020-12 words rewritten as draft-07's."""
    schema = _draft7(ProjectConfig.model_json_schema(mode="validation"))
    kpi = schema["properties"]["kpis"]
    kpi["items"] = {"anyOf": [{"type": "string"}, kpi["items"]]}
    facts = schema["definitions"]["SourceConfig"]["properties"]["metadata"]
    one = [{"type": "string"}, facts.pop("items")]
    del facts["type"]
    facts["anyOf"] = [*one, {"type": "array", "items": {"anyOf": one}}]
    size = schema["definitions"]["InputConfig"]["properties"]["size"]
    size["anyOf"].append({"type": "integer"})
    return {"$schema": DRAFT, **schema, "title": "vision.yaml"}


def _draft7(node: Any) -> Any:
    if isinstance(node, list):
        return [_draft7(item) for item in node]
    if not isinstance(node, dict):
        return node.replace("#/$defs/", "#/definitions/") if isinstance(node, str) else node
    renamed = {
        {"$defs": "definitions", "prefixItems": "items"}.get(key, key): _draft7(item) for key, item in node.items()
    }
    if "$ref" in renamed and len(renamed) > 1:  # draft-07 ignores what stands beside a $ref
        renamed["allOf"] = [{"$ref": renamed.pop("$ref")}]
    return renamed
