"""`vision data query`: SQL over photos, annotations, predictions, embeddings and runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from vision_cli import formats
from vision_cli.core.catalogue import suggestion
from vision_cli.core.config import SourceConfig
from vision_cli.core.containment import Links
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError, VisionError
from vision_cli.core.progress import Progress, Silent
from vision_cli.core.project import Project
from vision_cli.stages import data, places
from vision_cli.stages.querying import asking, query_file, run_tables
from vision_cli.views import sandbox, select, sql_faults, sql_text, tables

OF_DATA = ("images", "annotations", "classes")
OF_RUNS = ("runs", "predictions", "embeddings")


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """What to ask.

    Attributes:
        sql: one SELECT.
        project: names views and has runs.
        view: of the project; its training's view when None.
        data: a folder or file in place of a view.
        format: `table`, `csv`, `parquet` or `json`; what the output's suffix says when None.
        output: file to write; None shows the rows.
        limits: of time, memory and rows.
        dry_run: write nothing.
        links: where links in the folder of `data` may lead.
    """

    sql: str
    project: Project
    view: str | None = None
    data: Path | None = None
    format: str | None = None
    output: Path | None = None
    limits: sandbox.Limits = field(default_factory=sandbox.Limits)
    dry_run: bool = False
    links: Links = "stay"


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What the query gave.

    Attributes:
        table: rows, no more than the limit.
        total: rows without it.
        format: `table`, `csv`, `parquet` or `json`.
        output: file that was written.
        notes: what readers of the data left out.
    """

    table: pa.Table
    total: int
    format: str
    output: Path | None = None
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        members: dict[str, Any] = {
            "columns": [{"name": name, "type": kind} for name, kind in query_file.columns(self.table)],
            "total": self.total,
            "output": self.output,
            "notes": list(self.notes),
        }
        return members if self.output else {**members, "rows": query_file.json_rows(self.table)}


def query(request: QueryRequest, progress: Progress | None = None) -> QueryResult:
    """Answer a query; photos that a model has to be asked about are told to `progress`.

    Raises:
        UsageError: the query is wrong, or asks for what is locked.
        DataError: the data is refused, or the query takes too long or too much.
        ResourceError: the output cannot be written.
    """
    kind = query_file.format_of(request.format, request.output)
    if request.output is not None:
        reads = [request.data] if request.data is not None else []
        places.check_file(request.output, project=request.project, reads=reads)
    functions = asking.called(request.sql)
    found, notes, dataset = _tables(request, asks=bool(functions))
    try:
        if functions and dataset is not None:
            models = asking.Asking(request.project, dataset, progress or Silent())
            answer = models.run(request.sql, found, request.limits)
            notes = (*notes, *models.notes)
        else:
            answer = sandbox.run(request.sql, found, request.limits)
    except VisionError as error:
        raise _guessed(error, found, request.sql) from error
    if request.output is not None and not request.dry_run:
        query_file.write(answer.table, kind, request.output)
    return QueryResult(answer.table, answer.total, kind, request.output, notes)


def _tables(request: QueryRequest, *, asks: bool) -> tuple[dict[str, pa.Table], tuple[str, ...], Dataset | None]:
    """Return the tables that the query may mean, and the photos; what it does not name or ask about is not read."""
    text = request.sql.casefold()
    named = {name for name in (*OF_DATA, *OF_RUNS) if name in text} or {*OF_DATA, *OF_RUNS}
    root = request.project.root
    found: dict[str, pa.Table] = {"runs": run_tables.runs(root)} if "runs" in named else {}
    if named == {"runs"} and not asks:
        return found, (), None
    dataset = _dataset(request, dealt="images" in named)
    found |= tables.tables(dataset)
    if "predictions" in named:
        found["predictions"] = run_tables.predictions(root, dataset)
    notes = dataset.notes
    if "embeddings" in named:
        found["embeddings"], more = run_tables.embeddings(root, dataset)
        notes = (*notes, *more)
    return found, notes, dataset


def _dataset(request: QueryRequest, *, dealt: bool) -> Dataset:
    """Return the photos that are asked about; those of a view with the splits that training sees, if wanted."""
    project = request.project
    if request.data is None and request.links == "follow":
        raise UsageError("--follow-links describes the folder of --data.", hint="Of a source: `links: follow`.")
    if request.data is None:
        dataset = data.load_photos(project, request.view)
        return data.with_splits(project, request.view or project.config.train.view, dataset) if dealt else dataset
    if request.view is not None:
        raise UsageError("--view and --data name different photos.", hint="Give one of them.")
    if not request.data.exists():
        raise DataError(f"{request.data}: there is no such file or folder.", hint="Check the path.")
    config = SourceConfig(path=str(request.data), links=request.links)
    dataset = data.described(project, config, formats.read("data", config, request.data))
    return select.join({"data": dataset}, None, [])


def _guessed(error: VisionError, found: Mapping[str, pa.Table], sql: str) -> VisionError:
    """Return an error with a guess at the column or table that was meant."""
    table = sql_faults.missing_table(error.message)
    if table is not None:
        names = (*OF_DATA, *OF_RUNS)
        guess = suggestion(table.casefold(), names)
        hint = f"Tables: {', '.join(names)}."
        return type(error)(f"there is no table '{table}'.", hint=f"Did you mean '{guess}'? {hint}" if guess else hint)
    missing = sql_faults.missing_column(error.message)
    if missing is None:
        return error
    return type(error)(f"there is no column '{missing}'.", hint=_column_hint(missing, found, sql) or error.hint)


def _column_hint(missing: str, found: Mapping[str, pa.Table], sql: str) -> str | None:
    """Return a guess among the columns of the tables that the query names, else which other table has the column."""
    words = sql_text.words(sql_text.tokens(sql))
    asked = [name for name in found if name in words] or list(found)
    guess = suggestion(missing, [column for name in asked for column in found[name].column_names])
    owners = [name for name, table in found.items() if missing.casefold() in map(str.casefold, table.column_names)]
    if owners:
        joined = {"images", "annotations"} <= {*owners, *asked}
        join = ": JOIN images ON images.id = annotations.image_id" if joined else ""
        return f"A column of that name is in {' and '.join(owners)}{join}."
    return f"Did you mean '{guess}'?" if guess else None
