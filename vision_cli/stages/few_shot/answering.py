"""`vision predict` from few-shot classes: which photos are of which class, and which of none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision_cli.core import run
from vision_cli.core.artefact import CARD_NAME, Card, Decode
from vision_cli.core.dataset import ClassMap
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.core.weights import UNKNOWN_LICENCE
from vision_cli.few_shot.book import FILE_NAME, NONE_OF_THESE, Book
from vision_cli.few_shot.heads import Floats
from vision_cli.few_shot.model import FewShot
from vision_cli.stages.few_shot import describing, fitted, keeping
from vision_cli.stages.few_shot.describing import Describer
from vision_cli.stages.running.photo_answers import Answer

WORD = "classes"
"""What `--model` takes for them."""
FAMILY = "few-shot"
_TOP = 5


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Few-shot classes that are ready to answer.

    Attributes:
        path: of the book.
        card: as that of any other model.
    """

    path: Path
    card: Card
    _book: Book
    _model: FewShot
    _describer: Describer

    @property
    def runtime(self) -> str:
        """Return what computes: `onnx`, `tflite` or `torch`."""
        return self._describer.runtime

    def look(
        self, paths: Sequence[Path], progress: Progress
    ) -> tuple[tuple[Answer, ...], tuple[tuple[Path, str], ...]]:
        """Return what is said of the photos that can be read, and why the others cannot."""
        found = self._describer.describe(paths, progress)
        scores, likeness = self._model.scores(found.vectors), self._model.likeness.of(found.vectors)
        below = self._model.none_below if self._book.none_below is None else self._book.none_below
        rows = [
            _answer(paths[at], self.card.classes.names, row, (like, like < below))
            for at, row, like in zip(found.kept, scores, likeness.tolist(), strict=True)
        ]
        if self._book.own_classes:
            rows = self._with_own(rows, progress)
        return tuple(rows), tuple((paths[at], reason) for at, reason in found.refused)

    def _with_own(self, rows: list[Answer], progress: Progress) -> list[Answer]:
        """Answer with the backbone's own classes where none of the learned ones is it."""
        from vision_cli.models.lite0 import weights
        from vision_cli.stages.few_shot import imagenet

        others = [at for at, row in enumerate(rows) if row.answer == NONE_OF_THESE]
        if others:
            vectors = self._describer.engines[0].embed([rows[at].path for at in others], progress).vectors
            values, names = weights.tensors(), imagenet.labels()
            logits = vectors @ values["_fc.weight"].T + values["_fc.bias"]
            powers = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
            for at, row in zip(others, powers / powers.sum(axis=1, keepdims=True), strict=True):
                rows[at] = _answer(rows[at].path, names, row, (rows[at].likeness or 0.0, False))
        return rows


def book_meant(project: Project, model: Path | None) -> Path | None:
    """Return the book that a `--model` means: by its word or path; without one where no training run is."""
    path = keeping.place(project)
    if model is None:
        trained = (project.root / run.RUNS / "train" / run.LATEST).exists()
        return path if path.is_file() and not trained else None
    if model.name == FILE_NAME and model.is_file():
        return model
    if str(model) != WORD or model.is_file() or any((model / name / CARD_NAME).is_file() for name in ("", "model")):
        return None  # another model, or one in a folder of that name
    return path


def open_classes(path: Path, progress: Progress, *, offline: bool, threads: int | None = None) -> Opened:
    """Return the classes of a book, ready to answer.

    Raises:
        UsageError: it has no class.
        DataError: it is refused, or an example is gone whose vector is not kept.
        MissingPartError: the backbone cannot run here.
    """
    book = keeping.filled(path)
    store = keeping.embeddings(path)
    describer = describing.open_describer(book.backbone, progress, offline=offline, threads=threads, store=store)
    model = fitted.of_book(path, book, lambda: describer, describer.identity, progress)
    card = Card(
        task="classify",
        classes=ClassMap(model.names),
        preprocess=describer.preprocess,
        decode=Decode(temperature=model.temperature),
        family=FAMILY,
        model={"backbone": book.backbone, "head": book.head},
        licence=describer.engines[0].licence or UNKNOWN_LICENCE,
        name=FAMILY,
        created="",
    )
    return Opened(path, card, book, model, describer)


def _answer(path: Path, names: Sequence[str], scores: Floats, like: tuple[float, bool]) -> Answer:
    """Return one row; `like` is how like the examples the photo is, and whether that is too little."""
    top = _top(names, scores)
    if like[1]:
        return Answer(path, NONE_OF_THESE, None, top, likeness=like[0])
    best = next(iter(top))
    return Answer(path, best, top[best], top, likeness=like[0])


def _top(names: Sequence[str], scores: NDArray[np.float64]) -> Mapping[str, float]:
    order = np.argsort(-scores, kind="stable")[:_TOP]
    return {names[at]: float(scores[at]) for at in order.tolist()}
