"""What the last `vision explain` of a project showed, for its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vision_cli.core import run
from vision_cli.core.errors import DataError
from vision_cli.core.project import Project
from vision_cli.reports.document import Explained, Heated
from vision_cli.stages.explaining.asked import RESULT_NAME, STAGE
from vision_cli.stages.explaining.explain import SHOWN

_MOST = 24


def last(project: Project) -> Explained | None:
    """Return what the last run showed; None where there is none, or nothing of it is left."""
    try:
        document = run.read_json(run.latest(project.root, STAGE).folder / RESULT_NAME)
        found = _read(document, project.root.resolve())
    except (DataError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return found if found.photos else None


def _read(document: Mapping[str, Any], root: Path) -> Explained:
    rows = document["explanations"]
    parts = [part for row in rows for part in row["parts"]]
    methods, layers = (sorted({str(part[key]) for part in parts}) for key in ("method", "layer"))
    place = Path(document["model"])
    inside = place.is_absolute() and place.resolve().is_relative_to(root)
    model = str(place.resolve().relative_to(root)) if inside else str(place)
    photos = [each for row in rows[:_MOST] for each in _heated(row)]
    return Explained(model, ", ".join(methods) or "-", ", ".join(layers) or "-", bool(document["chosen"]), photos)


def _heated(row: Mapping[str, Any]) -> Iterator[Heated]:
    picture = Path(str(row["pictures"].get(SHOWN, "")))
    if not picture.is_file():
        return
    truth, parts = row.get("truth"), row["parts"]
    several = len(parts) > 1 or any("box" in part or "share" in part for part in parts)
    yield Heated(
        jpeg=picture.read_bytes(),
        name=Path(row["path"]).name,
        answer=str(row["answer"]),
        confidence=row["confidence"],
        truth=truth,
        kind=str(row.get("chosen_as") or ""),
        about="" if several or not parts else str(parts[0]["class"]),
        several=several,
        nearest=[(str(each["label"] or ""), float(each["distance"])) for each in row["nearest"]],
    )
