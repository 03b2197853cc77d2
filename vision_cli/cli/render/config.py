"""`vision config` for people."""

from __future__ import annotations

import json
from typing import Any

from vision_cli.cli.paper import Paper
from vision_cli.core.files import json_text
from vision_cli.stages.project.config import CheckResult, SchemaResult, ShowResult


def settings(result: ShowResult, paper: Paper) -> None:
    """Draw the settings as YAML that `vision.yaml` could hold."""
    if not isinstance(result.tree, dict | list):
        paper.line(_value(result.tree))
        return
    for line in _yaml(result.tree).splitlines():
        paper.line(line)


def with_origins(result: ShowResult, paper: Paper) -> None:
    """Draw one line a value with where it comes from."""
    paper.pairs([("project file", result.file or "none")])
    paper.line()
    paper.table(
        ("setting", "value", "origin"), [(each.key, _value(each.value), each.origin) for each in result.settings]
    )


def schema(result: SchemaResult, paper: Paper) -> None:
    """Draw the schema, or where it was written."""
    if result.output is None:
        paper.raw(json_text(result.schema))
    else:
        paper.line(f"schema: {result.output}")


def checked(result: CheckResult, paper: Paper) -> None:
    """Draw that all is well."""
    for note in result.notes:
        paper.line(f"note: {note}")
    paper.line(f"{result.file}: no problem.")


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _yaml(tree: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, default_flow_style=False, width=100)
    return text
