"""`vision compare`: trained or evaluated runs and model files on one test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_cli import metrics
from vision_cli.core import artefact, files, run
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.core.kpi import DEFAULT_CONFIDENCE, Kpi
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.metrics import MAIN
from vision_cli.stages.comparing import contenders, rows
from vision_cli.stages.comparing.contenders import Contender
from vision_cli.stages.comparing.judged import How, Judged, of_model, of_saved
from vision_cli.stages.comparing.pairs import Pair, all_pairs
from vision_cli.stages.comparing.rows import Row, Standing
from vision_cli.stages.data import load_folder, load_view
from vision_cli.stages.evaluating import judging
from vision_cli.stages.evaluating.subject import check_split
from vision_cli.stages.running import loading

STAGE = "compare"
RESULT_NAME = "result.json"


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """What to compare.

    Attributes:
        project: its data, split and KPIs.
        runs: folders of runs, model folders, .onnx and .tflite files; two or more.
        kpis: instead of the project's; empty means the project's.
        metric: that decides; the first KPI's on quality, or the task's first, when None.
        split: that is judged; the project's `eval.split` when None.
        data: another data set than the project's.
        cost: `latency`, `size` or `memory`.
        confidence: of all answers together.
        threads: of the runtime; all cores when None.
        dry_run: judge and write nothing.
    """

    project: Project
    runs: tuple[Path, ...]
    kpis: tuple[Kpi, ...] = ()
    metric: str | None = None
    split: str | None = None
    data: Path | None = None
    cost: str = "latency"
    confidence: float = DEFAULT_CONFIDENCE
    threads: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class CompareResult:
    """What was found.

    Attributes:
        task: of all.
        data: split, photos, digest, and whether answers are those that evaluation runs kept.
        rows: one a contender.
        pairs: every two of them.
        standing: frontier, and who meets the KPIs at the least cost.
        notes: what a reader must know.
        run: the run's folder; None after a dry run.
        plot: quality over cost; None where there is none.
    """

    task: str
    data: Mapping[str, Any]
    rows: tuple[Row, ...] = ()
    pairs: tuple[Pair, ...] = ()
    standing: Standing | None = None
    notes: tuple[str, ...] = ()
    run: Path | None = None
    plot: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that `--json` prints."""
        return {
            "task": self.task,
            "data": dict(self.data),
            "models": [row.as_json() for row in self.rows],
            "pairs": [pair.as_json() for pair in self.pairs],
            "standing": self.standing and self.standing.as_json(self.rows),
            "notes": list(self.notes),
            "plot": self.plot,
            "run": self.run,
        }


@dataclass(frozen=True, slots=True)
class _Work:
    """What is compared on what, checked before any work."""

    request: CompareRequest
    contenders: list[Contender]
    task: str
    targets: tuple[Kpi, ...]
    key: str

    @property
    def how(self) -> How:
        """Return how each is judged."""
        names = dict.fromkeys(
            [*MAIN[self.task], *(target.metric for target in self.targets), self.key.split("[", 1)[0]]
        )
        resamples = self.request.project.config.eval.resamples
        return How(self.targets, tuple(names), resamples, self.request.threads)


def compare(request: CompareRequest, progress: Progress) -> CompareResult:
    """Judge two or more models on the same photos, and tell which is better.

    Raises:
        UsageError: fewer than two, a metric or KPI that does not exist, or tasks that differ.
        DataError: a path is no model, or test sets or classes differ.
    """
    check_split(request.split)
    found = contenders.resolve(request.runs)
    work = _asked(request, found)
    from_runs = contenders.all_saved(found) and request.split is None and request.data is None
    if request.dry_run:
        return CompareResult(work.task, {"kept": from_runs}, notes=tuple(each.name for each in found))
    manifest = {"runs": [str(path.absolute()) for path in request.runs], "metric": work.key}
    record = run.create(request.project.root, STAGE, "-".join(each.name for each in found)[:60], manifest)
    with run.recorded(record):
        judged, data, notes = _of_runs(work) if from_runs else _of_models(work, progress)
        shown = tuple(each.row for each in judged)
        progress.say("comparing photo by photo")
        pairs = all_pairs(judged, work.key, work.task, work.how.resamples, request.confidence)
        standing = rows.standing(shown, work.key, work.task, request.cost)
        plot = rows.draw(record.folder, shown, standing, f"{work.key} on {data['photos']} photos")
        result = CompareResult(work.task, data, shown, pairs, standing, notes, record.folder, plot)
        files.write_json(record.folder / RESULT_NAME, result.as_json())
    return result


def _asked(request: CompareRequest, found: list[Contender]) -> _Work:
    """Read the cards: one task, and KPIs and a metric that it has.

    Raises:
        UsageError: they do not fit.
    """
    cards = {}
    for each in found:
        cards[each.name] = str(each.result["model"]["task"]) if each.result is not None else task_of(each.model)
    task = contenders.check_one_task(cards)
    declared = request.kpis or judging.of_models(request.project.config.targets())
    targets = tuple(target for target in declared if request.kpis or task in _tasks(target))
    key = rows.main_key(task, [target for target in targets if task in _tasks(target)], request.metric)
    rows.check_key(key, task)
    return _Work(request, found, task, targets, key)


def task_of(model: Path) -> str:
    """Return the task of a model; a folder is not opened for it, but its card is read."""
    return artefact.load_card(model).task if model.is_dir() else loading.open_model(model, threads=1).card.task


def _tasks(target: Kpi) -> Sequence[str]:
    return metrics.metric_card(target.metric).tasks if target.metric in metrics.METRICS else ("detect", "instance")


def _of_runs(work: _Work) -> tuple[list[Judged], dict[str, Any], tuple[str, ...]]:
    """Judge what evaluation runs kept; no model runs."""
    kept, notes = contenders.saved(work.contenders)
    judging.check_kpis(work.targets, work.task, kept[0].card.classes)
    judged = [of_saved(each, one, work.how) for each, one in zip(work.contenders, kept, strict=True)]
    first = work.contenders[0].result or {}
    told = {name: first["data"].get(name) for name in ("split", "digest")}
    notes = (*notes, "answers and speed are those that the runs kept; no model ran again.")
    return judged, {**told, "photos": len(kept[0].paths), "kept": True}, notes


def _of_models(work: _Work, progress: Progress) -> tuple[list[Judged], dict[str, Any], tuple[str, ...]]:
    """Run every model on the test set of now.

    Raises:
        DataError: an evaluation run judged another test set, or there are no photos.
    """
    request = work.request
    loaded = load_folder(request.project, request.data) if request.data else load_view(request.project)
    split = request.split or ("all" if request.data else request.project.config.eval.split)
    dataset = loaded.dataset.split(split)
    if not len(dataset):
        raise DataError(f"the split '{split}' has no photo to judge on.", hint="Check data.split, or give --split.")
    digest = loaded.dataset.digest()
    for each in work.contenders:
        _check_same(each, dataset, split, digest)
        if request.data is None:
            _check_dealt_alike(each, request.project, digest)
    judged = [of_model(each.name, each.model, dataset, work.how, progress) for each in work.contenders]
    other = {one.row.name: one.digest for one in judged if one.digest and one.digest != digest}
    notes = tuple(
        f"{name} learned from other data ({learned}; now {digest}): test photos may have been training photos then."
        for name, learned in other.items()
        if request.data is None
    )
    return judged, {"split": split, "digest": digest, "photos": len(dataset), "kept": False}, notes


def _check_same(contender: Contender, dataset: Dataset, split: str, digest: str) -> None:
    """Refuse an evaluation run whose test set is not the one of now.

    Raises:
        DataError: with both digests.
    """
    if contender.result is None:
        return
    data = contender.result["data"]
    if data.get("digest") == digest and data.get("split") == split:
        return
    raise DataError(
        f"{contender.name} was judged on another test set than the one of now.",
        details=[
            f"{contender.name}: split {data.get('split')}, {data.get('photos')} photos, data {data.get('digest')}",
            f"now: split {split}, {len(dataset)} photos, data {digest}",
        ],
        hint=f"Give its model, to judge it anew: {contender.model}",
    )


def _check_dealt_alike(contender: Contender, project: Project, digest: str) -> None:
    """Refuse a training run whose photos were dealt otherwise: it learned from some of what are test photos now.

    Raises:
        DataError: with both digests.
    """
    manifest = contender.model.parent / run.MANIFEST
    if contender.result is not None or not manifest.is_file():
        return
    before = run.read_json(manifest)
    split = before.get("config", {}).get("data", {}).get("split")
    now = project.config.data.split.model_dump(mode="json", by_alias=True)
    if before.get("data_digest") == digest or split is None or split == now:
        return
    changed = [f"data.split.{key}: {split.get(key)} then, {now[key]} now" for key in now if split.get(key) != now[key]]
    raise DataError(
        f"{contender.name} was trained on another split: test photos of now taught it.",
        details=[f"{contender.name}: data {before.get('data_digest')}; now: data {digest}", *changed],
        hint="Compare on photos that none has seen (--data PATH), or bring data.split back.",
    )
