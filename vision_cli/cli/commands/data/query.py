"""`vision data query`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vision_cli.cli.command import WritingCommand, examples, group
from vision_cli.cli.session import Session

app = group("query", "Ask photos, annotations, predictions and runs in SQL.")


class Format(StrEnum):
    """How rows are shown or written."""

    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


@app.command(
    cls=WritingCommand,
    epilog=examples(
        "vision data query 'SELECT class, count(*) FROM annotations GROUP BY class ORDER BY class'",
        "vision data query 'SELECT * EXCLUDE (label) FROM images' --data labels.csv --out images.parquet",
        "vision data query \"SELECT path, predict('shop', path) FROM images WHERE split = 'test'\"",
        "vision data query \"SELECT id, metrics->>'top1' FROM runs WHERE stage = 'eval'\"",
    ),
)
def query(
    context: typer.Context,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT.")],
    view: Annotated[str | None, typer.Option("--view", metavar="NAME", help="Its photos; the training's view.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="PATH", help="A folder or file in place of a view.")
    ] = None,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Links in the folder of --data may lead out of it.")
    ] = False,
    format: Annotated[Format | None, typer.Option("--format", help="What the suffix of --out says, or table.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it there.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="Rows; all, and 50 of a table.")] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=86_400, help="Time that it may take.")] = 120.0,
    memory: Annotated[int, typer.Option("--memory", min=50, metavar="MB", help="Memory that it may take.")] = 4000,
) -> None:
    """Ask the tables images, annotations, classes, predictions, embeddings and runs; nothing else can be reached.

    predict('NAME', path) is what a model says of a photo, confidence('NAME', path) how sure it is. The project's name
    is its last training; a run's name, an exported file and `classes`, the few-shot set, are others.
    """
    session = Session.of(context)
    from vision_cli.cli.render import query as render
    from vision_cli.core.containment import Links
    from vision_cli.stages.querying.query import QueryRequest, query
    from vision_cli.views.sandbox import Limits

    form = format.value if format else None
    shown = form or ("" if out else "table")
    rows = render.ROWS if limit is None and shown == "table" and not session.output.as_json else limit
    limits = Limits(memory, seconds, rows)
    links: Links = "follow" if follow_links else "stay"
    request = QueryRequest(sql, session.project(), view, data, form, out, limits, session.dry_run, links)
    session.answer(query(request, session.progress), render.draw)
