"""What a report shows, before it is a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Picture:
    """A small photo with what is said of it.

    Attributes:
        jpeg: bytes of a JPEG thumbnail.
        name: file name.
        truth: label, in words.
        answer: the model's answer, in words; None where none was asked.
        confidence: 0..1; None without one.
    """

    jpeg: bytes
    name: str
    truth: str
    answer: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A photo with what is in it, beside what was found in it.

    Attributes:
        jpeg: bytes of a JPEG: the truth on the left, the answer on the right; the truth alone where none is kept.
        name: file name.
        said: in words, how right the answer is.
        keys: names of classes with the colour that they have in the picture, red, green and blue of 0..255.
    """

    jpeg: bytes
    name: str
    said: str
    keys: Sequence[tuple[str, tuple[int, int, int]]] = ()


@dataclass(frozen=True, slots=True)
class DataSection:
    """The photos.

    Attributes:
        splits: names of the splits, in order.
        counts: photos by class (or `all` for values), one number a split.
        sizes_px: (width, height) of every photo.
        values: of `regress`, by split; empty otherwise.
        samples: some photos, spread over the classes.
        findings: code, message and figure of what the data cannot support.
        digest: of paths, splits and labels.
        counted: what the counts are of: `photo`, `object` or `segment`.
    """

    splits: Sequence[str]
    counts: Mapping[str, Sequence[int]]
    sizes_px: Sequence[tuple[int, int]]
    values: Mapping[str, Sequence[float]]
    samples: Sequence[Picture]
    findings: Sequence[Mapping[str, Any]]
    digest: str
    counted: str = "photo"


@dataclass(frozen=True, slots=True)
class TrainSection:
    """The training run.

    Attributes:
        run: folder name.
        epochs: rows of metrics.jsonl: epoch, train_loss, val_loss, val_score, learning_rate, seconds.
        how: what was done, one line each.
        settings: dotted key and value of the settings that matter.
        versions: of Python and libraries.
        seconds: from start to end.
        pictures: JPEGs of batches and answers with what each shows, in words.
        best_by: what the epoch whose weights were kept has: the least `val_loss`, or the greatest `val_score`.
        score: key of the metric that `val_score` is; empty where it is not known.
        fit: verdict, reason and what to `try` of the curves; empty where there is none.
    """

    run: str
    epochs: Sequence[Mapping[str, Any]]
    how: Sequence[str]
    settings: Sequence[tuple[str, str]]
    versions: Mapping[str, str]
    seconds: float
    pictures: Sequence[tuple[str, bytes]] = ()
    best_by: str = "val_loss"
    score: str = ""
    fit: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvalSection:
    """One evaluation: the document that `vision eval --json` prints, with its worst mistakes.

    Attributes:
        result: members model, data, runtime, metrics, intervals, kpis, passed, confusion, warnings; `asked`
            holds KPIs that only this evaluation was asked (`--kpi`).
        classes: names, in the order of the confusion matrix.
        mistakes: the most confident wrong answers first (for values: the largest differences).
        pairs: of `regress`: (truth, answer) of every photo.
        certainties: of `classify`: (confidence, whether the answer was right) of every photo.
        worst: of tasks of places: photos that were answered worst, the worst first.
        best: likewise, the best first.
    """

    result: Mapping[str, Any]
    classes: Sequence[str]
    mistakes: Sequence[Picture] = ()
    pairs: Sequence[tuple[float, float]] = ()
    certainties: Sequence[tuple[float, bool]] = ()
    worst: Sequence[Example] = ()
    best: Sequence[Example] = ()


@dataclass(frozen=True, slots=True)
class Heated:
    """A photo with heat where its answer comes from.

    Attributes:
        jpeg: bytes of the picture.
        name: file name.
        answer: in words.
        confidence: 0..1; None without one.
        truth: label, or how right the answer is, in words; None where it is not known.
        kind: `wrong`, `right`, `worst` or `best` of validation photos; empty where the user named the photo.
        about: what the heat is evidence for, in words.
        several: whether the picture is a sheet of several maps.
        nearest: label and distance of the training photos nearest to it.
    """

    jpeg: bytes
    name: str
    answer: str
    confidence: float | None = None
    truth: str | None = None
    kind: str = ""
    about: str = ""
    several: bool = False
    nearest: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """What the last `vision explain` showed.

    Attributes:
        model: its path, as seen from the project.
        method: that made the maps.
        layer: whose maps they are.
        chosen: whether the photos were chosen from the validation split.
        photos: in the order in which they were explained.
    """

    model: str
    method: str
    layer: str
    chosen: bool
    photos: Sequence[Heated]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes:
        name: of the project.
        task: of `core.tasks.TASKS`.
        created: when, in words.
        data: the photos; None when they are not at hand.
        training: the last training; None before the first.
        evaluations: the last of each runtime, of the current model on the declared split.
        exports: members format, path, size_mb, precision, photos, parity of each file.
        declared: text and demanded confidence of the project's KPIs; None takes those of the evaluations.
        split: that the KPIs are judged on.
        left_out: evaluations that the verdict does not stand on, in words.
        map: the document that the last `vision embed` wrote; None before the first.
        explained: what the last `vision explain` showed; None before the first.
    """

    name: str
    task: str
    created: str
    data: DataSection | None = None
    training: TrainSection | None = None
    evaluations: Sequence[EvalSection] = field(default=())
    exports: Sequence[Mapping[str, Any]] = field(default=())
    declared: Sequence[tuple[str, float | None]] | None = None
    split: str = "test"
    left_out: Sequence[str] = ()
    map: Mapping[str, Any] | None = None
    explained: Explained | None = None
