"""What is compared: runs of training or evaluation, and model files; and whether their test set is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from vision_cli.core import artefact, run
from vision_cli.core.artefact import Card, Decode
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import DataError, UsageError
from vision_cli.core.predictions import Predictions
from vision_cli.core.preprocess import Preprocess
from vision_cli.core.tasks import PHOTO_TASKS
from vision_cli.stages.evaluating.evaluate import PREDICTIONS_NAME, RESULT_NAME
from vision_cli.stages.running import loading
from vision_cli.stages.running.answers import SEPARATOR

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those that are compared.

    Attributes:
        name: short and its own.
        model: the model.
        result: `result.json` of an evaluation run; None for a model that is to be judged now.
        folder: of the evaluation run.
    """

    name: str
    model: Path
    result: Mapping[str, Any] | None = None
    folder: Path | None = None


def resolve(paths: Sequence[Path]) -> list[Contender]:
    """Return what is compared, two or more.

    Raises:
        UsageError: fewer than two, or one twice.
        DataError: a path is neither run nor model.
    """
    found = [_contender(path) for path in paths]
    if len(found) < 2:
        raise UsageError(
            "compare takes two runs or models, or more.", hint="vision compare runs/train/ONE runs/train/OTHER"
        )
    places = [each.folder or each.model.resolve() for each in found]
    if len(set(places)) < len(places):
        twice = next(path for path, place in zip(paths, places, strict=True) if places.count(place) > 1)
        raise UsageError(f"{twice}: is named twice.", hint="Give each run or model once.")
    counts = Counter(each.name for each in found)
    return [
        replace(each, name=str(path)) if counts[each.name] > 1 else each
        for each, path in zip(found, paths, strict=True)
    ]


def _contender(path: Path) -> Contender:
    if not path.exists():
        raise DataError(
            f"{path}: does not exist.", hint="Give a run's folder, a model folder, an .onnx or .tflite file."
        )
    if path.is_file():
        return Contender(path.name, path)
    if (path / artefact.CARD_NAME).is_file():
        return Contender(_name(path), path)
    if (path / loading.MODEL_FOLDER / artefact.CARD_NAME).is_file():
        return Contender(_name(path), path / loading.MODEL_FOLDER)
    if (path / RESULT_NAME).is_file() and (path / PREDICTIONS_NAME).is_file():
        result = run.read_json(path / RESULT_NAME)
        if "model" in result and "data" in result and "runtime" in result:
            return Contender(_name(path), Path(result["model"]["path"]), result, path.resolve())
    raise DataError(
        f"{path}: is neither a run with a model, nor an evaluation run, nor a model.",
        hint="vision compare takes folders of runs/train and runs/eval, model folders, .onnx and .tflite files.",
    )


def _name(path: Path) -> str:
    """Return the name of a run's folder, even where it is named by the link `latest` or by its model."""
    place = path.resolve()
    return place.parent.name if place.name == loading.MODEL_FOLDER else place.name


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What an evaluation run kept.

    Attributes:
        paths: of the photos.
        truths: in words.
        card: of the model, as far as answers go.
        truth: int64 (N,), bool (N, C) or float64 (N,), by task.
        predictions: of the photos.
    """

    paths: tuple[str, ...]
    truths: tuple[str, ...]
    card: Card
    truth: np.ndarray[Any, np.dtype[Any]]
    predictions: Predictions


def all_saved(contenders: Sequence[Contender]) -> bool:
    """Tell whether all are evaluation runs whose answers are kept whole."""
    return all(each.result is not None and _is_whole(each.result) for each in contenders)


def _is_whole(result: Mapping[str, Any]) -> bool:
    """Tell whether answers are kept with all scores, in words that can be read back."""
    task = result["model"].get("task")
    return task in PHOTO_TASKS and not (task == "multilabel" and any(SEPARATOR in name for name in result["classes"]))


def check_one_task(tasks: Mapping[str, str]) -> str:
    """Return the task of all.

    Raises:
        UsageError: they have several.
    """
    if len(set(tasks.values())) > 1:
        told = ", ".join(f"{name}: {task}" for name, task in tasks.items())
        raise UsageError(f"they have different tasks ({told}).", hint="Compare models of one task.")
    return next(iter(tasks.values()))


def saved(contenders: Sequence[Contender]) -> tuple[list[Saved], tuple[str, ...]]:
    """Return what evaluation runs kept of one test set, photos and classes in one order, and notes.

    Raises:
        DataError: their test sets or classes differ.
        UsageError: their tasks do.
    """
    check_one_task({each.name: str((each.result or {})["model"]["task"]) for each in contenders})
    names = tuple((contenders[0].result or {})["classes"])
    found = [_read(each, names) for each in contenders]
    digests = [str((each.result or {})["data"].get("digest", "")) for each in contenders]
    for other, contender, digest in zip(found[1:], contenders[1:], digests[1:], strict=True):
        _check_same((contenders[0], found[0], digests[0]), (contender, other, digest))
    if len(set(digests)) > 1:
        note = "the data changed between these runs, but neither these photos nor their labels did."
        return found, (note,)
    return found, ()


Side = tuple[Contender, Saved, str]


def _check_same(one: Side, other: Side) -> None:
    """Refuse two runs of different test sets.

    Raises:
        DataError: with both digests, and how many photos are in both.
    """
    (first, kept, digest), (second, found, another) = one, other
    pairs, others = dict(zip(kept.paths, kept.truths, strict=True)), dict(zip(found.paths, found.truths, strict=True))
    both = pairs.keys() & others.keys()
    changed = sorted(path for path in both if pairs[path] != others[path])
    if len(both) == len(pairs) == len(others) and not changed:
        return
    raise DataError(
        f"{first.name} and {second.name} were judged on different test sets: {len(both)} photos are in both.",
        details=[
            f"{first.name}: {len(pairs)} photos, data {digest}",
            f"{second.name}: {len(others)} photos, data {another}",
            *([f"labels differ of {len(changed)}, such as {changed[0]}"] if changed else []),
            *(f"only in {first.name}: {path}" for path in sorted(pairs.keys() - both)[:_SHOWN]),
            *(f"only in {second.name}: {path}" for path in sorted(others.keys() - both)[:_SHOWN]),
        ],
        hint=f"Judge both on one: vision compare {first.model} {second.model}",
    )


def _read(contender: Contender, names: tuple[str, ...]) -> Saved:
    result, folder = contender.result or {}, contender.folder or Path()
    task, own = str(result["model"]["task"]), tuple(result["classes"])
    if set(own) != set(names):
        raise DataError(
            f"{contender.name}: has other classes than the first.",
            details=[f"{contender.name}: {', '.join(own)}", f"the first: {', '.join(names)}"],
            hint="Models of different classes cannot be compared photo by photo.",
        )
    table = pq.read_table(folder / PREDICTIONS_NAME).sort_by("path")
    scores = np.array(table["scores"].to_pylist(), dtype=np.float64).reshape(table.num_rows, -1)
    if task != "regress":
        scores = scores[:, [own.index(name) for name in names]]
    truths, said = (tuple(map(str, table[column].to_pylist())) for column in ("truth", "predicted"))
    limits = _thresholds(scores, said, names) if task == "multilabel" else ()
    card = Card(task, ClassMap(names), Preprocess((1, 1)), Decode(thresholds=limits), "", {}, "", contender.name, "")
    paths = tuple(map(str, table["path"].to_pylist()))
    return Saved(paths, truths, card, _truth(truths, task, names), Predictions(scores, scores))


def _truth(words: Sequence[str], task: str, names: tuple[str, ...]) -> np.ndarray[Any, np.dtype[Any]]:
    if task == "regress":
        return np.array([float(word) for word in words], dtype=np.float64)
    if task == "classify":
        place = {name: index for index, name in enumerate(names)}
        return np.array([place[word] for word in words], dtype=np.int64)
    return _matrix(words, names)


def _matrix(words: Sequence[str], names: tuple[str, ...]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    sets = [set(word.split(SEPARATOR)) for word in words]
    return np.array([[name in each for name in names] for each in sets], dtype=np.bool_).reshape(len(words), len(names))


def _thresholds(scores: np.ndarray[Any, Any], said: Sequence[str], names: tuple[str, ...]) -> tuple[float, ...]:
    """Return a threshold for each class that gives the answers that were given."""
    yes = _matrix(said, names)
    lowest = np.where(yes, scores, np.inf).min(axis=0, initial=np.inf)
    highest = np.where(yes, -np.inf, scores).max(axis=0, initial=-np.inf)
    middle = (np.minimum(lowest, 1.0) + np.maximum(highest, 0.0)) / 2
    return tuple(np.where(np.isfinite(lowest), np.minimum(middle, lowest), np.nextafter(1.0, 2.0)).tolist())
