"""`vision data query` for people and pipes."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.text import place
from vision_cli.stages.querying import query_file
from vision_cli.stages.querying.query import QueryResult

ROWS = 50
"""Of a table, where nobody asks for more."""

_COLUMNS = 20
_CELL = 60


def draw(result: QueryResult, paper: Paper) -> None:
    """Draw the rows as a table, or as the bytes of a file."""
    if result.output is not None:
        paper.outcome(f"{len(result.table)} rows: {place(result.output)}")
    elif result.format == "table":
        _table(result, paper)
    else:
        paper.raw(query_file.content(result.table, result.format).decode())


def _table(result: QueryResult, paper: Paper) -> None:
    columns = query_file.columns(result.table)
    shown = columns[:_COLUMNS]
    right = [at for at, (_, kind) in enumerate(shown) if kind.startswith(("int", "uint", "double", "float", "decimal"))]
    rows = query_file.json_rows(result.table.select(range(len(shown))))
    paper.table([name for name, _ in shown], [[_cell(value) for value in row] for row in rows], right=right)
    if len(columns) > len(shown):
        paper.line(f"{len(columns) - len(shown)} more columns; --format csv has all.")
    if result.total > len(result.table):
        paper.line(f"{len(result.table)} of {result.total} rows; --limit {result.total} shows all.")


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"
