"""Which evaluations a report stands on, and what the declared KPIs come to on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from vision_cli.core import artefact, run
from vision_cli.core.kpi import Interval, Kpi
from vision_cli.core.measurement import Measurement
from vision_cli.core.project import Project
from vision_cli.reports import wording
from vision_cli.reports.wording import is_number
from vision_cli.stages.evaluating import evaluate
from vision_cli.stages.evaluating.results_subject import RESULTS
from vision_cli.stages.running import loading

_RUNTIMES = ("torch", "onnx", "tflite", RESULTS)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The evaluations that a report stands on.

    Attributes:
        results: folder and document of each, every KPI that the project declares judged.
        left_out: in words, why others are not shown.
    """

    results: Sequence[tuple[Path, dict[str, Any]]]
    left_out: Sequence[str]


def choose(project: Project) -> Chosen:
    """Return the newest evaluation of the current model in each runtime, on the split that the project declares.

    Where no model was trained here, they are those of other tools' results, the newest of each file. A project without
    data of its own shows them on whatever data they were made.
    """
    created = _created(project)
    newest: dict[str, tuple[Path, dict[str, Any]]] = {}
    left_out: dict[str, int] = {}
    for folder in sorted((project.root / run.RUNS / "eval").glob("*")):
        path = folder / evaluate.RESULT_NAME
        if folder.is_symlink() or not path.is_file():
            continue
        result = run.read_json(path)
        why = _unfit(project, result, created)
        if why:
            left_out[why] = left_out.get(why, 0) + 1
        else:
            newest[_kept_apart(result)] = (folder, result)
    order = sorted(newest.items(), key=lambda item: _RUNTIMES.index(item[0].split()[0]))
    declared = project.config.targets()
    results = [(folder, _judged(result, declared)) for _, (folder, result) in order]
    return Chosen(results, [f"{wording.count(number, 'evaluation')} {why}" for why, number in left_out.items()])


def _kept_apart(result: Mapping[str, Any]) -> str:
    """Return what the newest evaluation is kept of: a runtime with a precision, or a file of results; and its data."""
    name = result["runtime"]["name"]
    more = result["model"]["path"] if name == RESULTS else result["runtime"].get("precision", "")
    return f"{name} {more} {(result.get('data') or {}).get('path', '')}"


def _created(project: Project) -> str | None:
    """Return when the last training's model was made; None where there is none."""
    card = project.root / run.RUNS / "train" / run.LATEST / loading.MODEL_FOLDER / artefact.CARD_NAME
    return run.read_json(card).get("created") if card.is_file() else None


def _unfit(project: Project, result: Mapping[str, Any], created: str | None) -> str | None:
    """Return why an evaluation says nothing about the project's targets; None where it does."""
    data = result.get("data") or {}
    of_the_project = bool(project.config.data.sources)
    if of_the_project and data.get("path"):
        return "on other data than the project's"
    if of_the_project and data.get("split") != project.config.eval.split:
        return f"on the split '{data.get('split')}'"
    if result["runtime"]["name"] == RESULTS:
        return "of another tool's results" if created else None
    trained = result["model"].get("trained")
    return "of another model than the last training's" if created and trained != created else None


def _judged(result: Mapping[str, Any], declared: Sequence[Kpi]) -> dict[str, Any]:
    """Return the document with the declared KPIs as `kpis`, and those that only that run was asked as `asked`."""
    before = {(str(entry.get("kpi")), entry.get("confidence")): entry for entry in result.get("kpis") or ()}
    wanted = {(str(kpi), kpi.confidence): kpi for kpi in declared}
    entries = [before.get(key) or _judge(kpi, result) for key, kpi in wanted.items()]
    return {**result, "kpis": entries, "asked": [entry for key, entry in before.items() if key not in wanted]}


def _judge(kpi: Kpi, result: Mapping[str, Any]) -> dict[str, Any]:
    """Judge a KPI that the evaluation was not asked on the figures that it found."""
    figures = result.get("metrics") or {}
    low, high = (result.get("intervals") or {}).get(kpi.key) or (None, None)
    shares = result.get(evaluate.SHARES)
    kind: Literal["share", "value"] = "share" if kpi.key in (shares or ()) else "value"
    kept = {kpi.key: Interval(low, high, kind=kind)} if is_number(low) and is_number(high) else {}
    found = Measurement(figures, kept, int((result.get("data") or {}).get("photos") or 0))
    judged = found.judge(kpi, runtime=result["runtime"]["name"])
    if shares is None and judged.more_photos is not None:
        # An older evaluation did not keep which kind of interval it was, and the number depends on that.
        judged = replace(judged, more_photos=None, reason=None)
    return judged.as_json()
