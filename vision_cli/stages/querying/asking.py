"""`predict('NAME', path)` and `confidence('NAME', path)` in SQL: a trained classifier as a function.

The query runs in its locked process and tells which photos it asks about; those are answered here, and it runs again,
until it asks nothing new. So a WHERE that leaves photos out saves their answers, and the process reads no model and no
photo. Only photos of the table `images` are looked at, and only models of the project.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from vision_cli.core import attributes, policy, run
from vision_cli.core.artefact import CARD_NAME
from vision_cli.core.catalogue import listed, suggestion
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.tasks import PLACE_TASKS
from vision_cli.views import sandbox, sql_text
from vision_cli.views.sql_functions import Function, Key

KINDS = {"predict": "VARCHAR", "confidence": "DOUBLE"}
"""Functions by name, and the type of their answers."""
FEW_SHOT, _FEW_SHOT_FILE = "classes", "classes.json"
Refused = tuple[tuple[Path, str], ...]
_ROUNDS = 30
_EXPORTS = (".onnx", ".tflite")


def called(sql: str) -> list[str]:
    """Return the functions of this module that some SQL calls."""
    found = [token for token in sql_text.tokens(sql) if not token.meaningless]
    pairs = itertools.pairwise(found)
    names = {token.text.lower() for token, after in pairs if token.kind == "word" and after.text == "("}
    return [name for name in KINDS if name in names]


@dataclass(slots=True)
class Asking:
    """Answers for one query.

    Attributes:
        project: whose models are asked.
        dataset: whose photos may be asked about.
        progress: hears how many photos are done.
        notes: what could not be answered.
    """

    project: Project
    dataset: Dataset
    progress: Progress
    notes: list[str] = field(default_factory=list)
    _words: dict[Key, str | None] = field(default_factory=dict)
    _sure: dict[Key, float | None] = field(default_factory=dict)
    _rows: dict[Path, int] = field(default_factory=dict)

    def run(self, sql: str, tables: Mapping[str, pa.Table], limits: sandbox.Limits) -> sandbox.Answer:
        """Run a query that calls `predict` or `confidence`.

        Raises:
            UsageError: the query is wrong, or there is no such model.
            DataError: it takes too long or too much, or asks in circles.
        """
        known: Mapping[str, Mapping[Key, Any]] = {"predict": self._words, "confidence": self._sure}
        functions = [Function(name, KINDS[name], known[name]) for name in called(sql)]
        for _ in range(_ROUNDS):
            answer = sandbox.run(sql, tables, limits, functions)
            if not answer.asked:
                return answer
            self._answer(answer.asked)
        raise DataError(
            f"the query still asks for new predictions after {_ROUNDS} rounds.", hint="Ask in fewer steps, with WITH."
        )

    def _answer(self, asked: Iterable[Key]) -> None:
        places = _places(self.dataset)
        self._rows = self._rows or {path: row for row, path in enumerate(self.dataset.paths())}
        by_name: dict[str, dict[str, Path | None]] = {}
        for name, text in asked:
            by_name.setdefault(name, {})[text] = places.get(text)
        unknown = sorted({text for texts in by_name.values() for text, path in texts.items() if path is None})
        if unknown:
            self.notes.append(f"Not one photo of `images`, so without an answer: {listed(unknown, 5)}.")
        for name, texts in by_name.items():
            self._words |= dict.fromkeys((name, text) for text in texts)
            self._sure |= dict.fromkeys((name, text) for text in texts)
            self._predict(name, {text: path for text, path in texts.items() if path is not None})

    def _predict(self, name: str, texts: Mapping[str, Path]) -> None:
        if not texts:
            return
        said, refused = self._said(name, list(texts.values()))
        for text, path in texts.items():
            if path in said:
                self._words[name, text], self._sure[name, text] = said[path]
        if refused:
            reasons = listed([reason for _, reason in refused], 3)
            self.notes.append(f"{len(refused)} photos cannot be read and have no answer: {reasons}")

    def _said(self, name: str, paths: Sequence[Path]) -> tuple[dict[Path, tuple[str, float | None]], Refused]:
        """Return what a model says of photos and how sure it is, and why some have no answer."""
        from vision_cli.stages.few_shot import answering, imagenet

        book = _few_shot(self.project, name)
        if book is not None:
            opened = answering.open_classes(book, self.progress, offline=policy.offline())
            rows, refused = opened.look(paths, self.progress)
            return {row.path: (row.answer, row.confidence) for row in rows}, refused
        if imagenet.is_known(Path(name)) and name not in _runs(self.project):
            model, notes = imagenet.opened(tuple(self.project.config.classes))
            self.notes += notes
        else:
            model = model_of(self.project, name)
        return self._by_runner(name, model, paths)

    def _by_runner(
        self, name: str, model: Path, paths: Sequence[Path]
    ) -> tuple[dict[Path, tuple[str, float | None]], Refused]:
        from vision_cli.stages.running import answers, inference, loading

        runner = loading.open_model(model)
        if runner.card.task in PLACE_TASKS:
            raise UsageError(
                f"predict('{name}', …): the model finds objects, and has no one answer about a photo.",
                hint="Its answers stand in the table predictions once it is evaluated.",
            )
        rows = [self._rows[path] for path in paths]
        shares = attributes.shares(runner.card.model, self.dataset.images.take(rows))
        found = inference.predict_readable(runner, paths, self.progress, shares=shares)
        words = answers.answers(found.predictions, runner.card)
        sure = answers.confidences(found.predictions, runner.card)
        return dict(zip(found.paths, zip(words, sure, strict=True), strict=True)), found.refused


def _places(dataset: Dataset) -> dict[str, Path]:
    """Return the photos by what may name them: the whole path, and the column `path` where it names one photo."""
    paths = dataset.paths()
    texts = dataset.images["path"].to_pylist()
    counts = Counter(texts)
    named = {text: path for text, path in zip(texts, paths, strict=True) if counts[text] == 1}
    return named | {str(path): path for path in paths}


def model_of(project: Project, name: str) -> Path:
    """Return the model that a name means: the project's, a run's, or one of its files.

    Raises:
        UsageError: there is none, or it lies outside of the project.
    """
    found = _runs(project).get(name) or _file(project, name)
    if found is not None:
        return found
    known = [*_runs(project), *_exported(project), *([FEW_SHOT] if _few_shot(project, FEW_SHOT) else [])]
    guess = suggestion(name, known)
    meant = f"Did you mean '{guess}'? " if guess else ""
    raise UsageError(
        f"predict('{name}', …): the project has no model of that name.",
        hint=f"{meant}Known: {listed(known, 8) or 'none yet, run `vision train`'}.",
    )


def _runs(project: Project) -> dict[str, Path]:
    """Return the models of trainings by the project's name, the runs' names and their ids; the newest of a name."""
    found: dict[str, Path] = {}
    for folder in sorted((project.root / run.RUNS / "train").glob("*")):
        model = folder / "model"
        if not folder.is_symlink() and (model / CARD_NAME).is_file():
            found |= {folder.name[16:]: model, folder.name: model, project.config.name: model}
    return found


def _few_shot(project: Project, name: str) -> Path | None:
    path = project.root / _FEW_SHOT_FILE
    return path if name in (FEW_SHOT, _FEW_SHOT_FILE) and path.is_file() else None


def _file(project: Project, name: str) -> Path | None:
    """Return a model file or a run's folder below the project, by its path there."""
    root = project.root.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.exists() or path == root:
        return None
    if path.is_dir():
        return next((place for place in (path, path / "model") if (place / CARD_NAME).is_file()), None)
    return path if path.suffix.lower() in _EXPORTS else None


def _exported(project: Project) -> Sequence[str]:
    files = (path for suffix in _EXPORTS for path in project.root.glob(f"exports/*{suffix}"))
    return [str(path.relative_to(project.root)) for path in sorted(files)]
