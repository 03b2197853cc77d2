"""Write Label Studio's tasks: records as they were where the columns still say the same, everything else anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from vision_cli.core.columns import IMAGE_COLUMNS, MORE_IMAGE_COLUMNS
from vision_cli.core.containment import Containment
from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import DataError
from vision_cli.formats import Written, photos
from vision_cli.formats.label_files import write_files
from vision_cli.formats.labelling_rows import Row, agree, attributes_of, by_image, tree_names
from vision_cli.formats.labelstudio.build import results_of
from vision_cli.formats.labelstudio.config import CONFIG, class_order, config_of
from vision_cli.formats.labelstudio.min import task_of
from vision_cli.formats.labelstudio.paths import image_field, local_url, photo_path
from vision_cli.formats.labelstudio.reading import LAYOUT, MEMBER, MIN, Task, photo_size
from vision_cli.formats.labelstudio.results import REGIONS
from vision_cli.formats.labelstudio.rows import KINDS, OTHER_RESULTS, Answer, answers, listed

NAME = "tasks.json"
_BOOKKEEPING = frozenset({"labelling", "annotators", "record"})
_KNOWN = frozenset((*IMAGE_COLUMNS.names, *MORE_IMAGE_COLUMNS.names)) | _BOOKKEEPING


def write(dataset: Dataset, folder: Path) -> Written:
    """Write `tasks.json` and `label_config.xml`; see `formats.labelstudio.write`."""
    names = tree_names(dataset)
    origins = list(dataset.origins.values())
    header: Mapping[str, bytes] = {}
    if len(origins) == 1 and origins[0].format == "labelstudio":
        header = origins[0].header
    tasks = list(_tasks(dataset, names, header))
    verbatim = header.get(LAYOUT) == MIN and all(task is None for _, _, task in tasks)
    shapes = list(dict.fromkeys(shape for _, found, _ in tasks for shape in found))
    parts = [record[1:-1] if verbatim else _rendered(record, task, header) for record, _, task in tasks]
    content = b"[" + b",\n".join(parts) + b"]\n"
    write_files(folder, [(NAME, content), (CONFIG, _config(dataset, header, shapes))])
    return Written(names, {})


def _rendered(record: bytes, task: Task | None, header: Mapping[str, bytes]) -> bytes:
    """Return a task's bytes: new ones, the record, or those of the task that JSON-MIN's record means."""
    if task is None and header.get(LAYOUT) == MIN:
        task = task_of(msgspec.json.decode(record))
    return record if task is None else msgspec.json.encode(task)


def _config(dataset: Dataset, header: Mapping[str, bytes], shapes: list[str]) -> bytes:
    names = list(dataset.classes.names)
    if CONFIG in header and class_order(header[CONFIG], names) == names:
        return header[CONFIG]
    whole = {"choices", "number"} & set(shapes)
    regions = [shape for shape in REGIONS if shape in shapes or (shape == "rectangle" and not whole)]
    return config_of(names, regions, choices="choices" in shapes, number="number" in shapes)


def _tasks(
    dataset: Dataset, names: list[str], header: Mapping[str, bytes]
) -> Iterator[tuple[bytes, list[str], Task | None]]:
    """Yield each photo's record, what shapes its labels have, and its task unless the record says it all."""
    for name, (image, rows) in zip(names, by_image(dataset), strict=True):
        size = image.get("width", 0), image.get("height", 0)
        shapes = sorted({_shape(row) for row in rows})
        if not header or "record" not in image:
            yield b"", shapes, _new_task(image, name, rows)
            continue
        record: bytes = image["record"]
        found = msgspec.json.decode(record)
        task: Task = task_of(found) if header[LAYOUT] == MIN else found
        same_photo = _same_photo(task, image, name, size)
        old = list(answers(task, photo_size(task) if photo_size(task)[0] else size))
        if same_photo and _agree([row for answer in old for row in answer.rows], rows):
            yield record, shapes, None
        else:
            yield record, shapes, _changed(task, image, name, _Rows(old, rows, size))


def _shape(row: Row) -> str:
    if "value" in row:
        return "number"
    if row.get("outline_parts"):
        return "brush" if row["outline_parts"] < 0 else "polygon"
    if "x" in row:
        return "ellipse" if attributes_of(row).get("shape") in ("ellipse", "circle") else "rectangle"
    return "keypoint" if "keypoints" in row else "choices"


def _agree(one: list[Row], other: list[Row]) -> bool:
    return len(one) == len(other) and all(agree(old, new) for old, new in zip(one, other, strict=True))


def _same_photo(task: Task, image: Row, name: str, size: tuple[int, int]) -> bool:
    """Return whether a task's record says path, split, group and size as the columns do."""
    data = task["data"]
    field = image_field(data)
    split = data.get("split")
    known = photos.split_of(split) if isinstance(split, str) else None
    group = data.get("group") if isinstance(data.get("group"), str) else None
    if field is None or known != image.get("split") or group != image.get("group"):
        return False
    try:
        path = photo_path(data[field], Containment(Path("/nonexistent")))
    except DataError:
        return False
    return path.rpartition("/")[2].endswith(name.rpartition("/")[2]) and photo_size(task) in ((0, 0), size)


def _new_task(image: Row, name: str, rows: list[Row]) -> Task:
    data: dict[str, Any] = {"image": local_url(name)}
    for own in ("source_id", "split", "group", "width", "height"):
        if own in image:
            data[own] = image[own]
    rest = _other_results(image)
    for column, value in image.items():
        if column not in _KNOWN and not (rest and column == OTHER_RESULTS):
            data[f"{MEMBER}{column}" if column in data or column.startswith(MEMBER) else column] = (
                value if isinstance(value, str | int | float | bool) else str(value)
            )
    return {"data": data, **_with_others(_answers_of(rows, (image.get("width", 0), image.get("height", 0))), rest)}


def _other_results(image: Row) -> list[dict[str, Any]]:
    """Return what reading kept of results that are no labels; nothing where the column is of somebody else."""
    try:
        found = msgspec.json.decode(str(image.get(OTHER_RESULTS, "[]")), type=list[dict[str, Any]])
        return [each for each in found if listed(each, "result")]
    except (msgspec.DecodeError, DataError):
        return []


def _with_others(found: dict[str, list[Any]], rest: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return annotations and predictions with the results that are no labels, each in the answer that it was of."""
    for each in rest:
        kind = "predictions" if KINDS["predictions"] in each else "annotations"
        identity = each.get(KINDS[kind])
        answers_there = found.setdefault(kind, [])
        owner = next((answer for answer in answers_there if answer.get("id") == identity), None)
        if owner is None:
            owner = ({} if identity is None else {"id": identity}) | {"result": []}
            answers_there.append(owner)
        owner["result"] += each["result"]
    return found


def _answers_of(rows: list[Row], size: tuple[int, int]) -> dict[str, list[Any]]:
    """Return annotations and predictions, one an annotator or model.

    A photo whose rows all have a score has predictions; else scores travel in `meta`.
    """
    if not rows:
        return {}
    kind = "predictions" if all("score" in row for row in rows) else "annotations"
    groups: dict[tuple[Any, str | None], list[Row]] = {}
    for row in rows:
        groups.setdefault((attributes_of(row).get(KINDS[kind]), row.get("annotator")), []).append(row)
    found = [_answer(kind, identity, who, group, size) for (identity, who), group in groups.items()]
    return {kind: found}


def _answer(kind: str, identity: Any, who: str | None, rows: list[Row], size: tuple[int, int]) -> dict[str, Any]:
    answer: dict[str, Any] = {} if identity is None else {"id": identity}
    if who is not None and kind == "predictions":
        answer["model_version"] = who
    elif who is not None:
        answer["completed_by"] = (
            int(who) if who.isascii() and who.isdigit() and str(int(who)) == who else {"email": who}
        )
    if any(attributes_of(row).get("ground_truth") is True for row in rows):
        answer["ground_truth"] = True
    if kind == "predictions" and not any(name in row for row in rows for name in ("x", "outline", "keypoints")):
        answer["score"] = max(row["score"] for row in rows)  # results about a whole photo have no place for one
    return {**answer, "result": results_of(rows, size, kind)}


class _Rows:
    """What a task said and what it shall say.

    Args:
        old: answers of the record.
        rows: of the data set.
        size: of the photo.
    """

    def __init__(self, old: list[Answer], rows: list[Row], size: tuple[int, int]) -> None:
        self.old, self.size = old, size
        self._rows = rows

    def of(self, answer: Answer) -> list[Row]:
        """Return the rows that belong to an answer, by its id, else by who answered."""
        return [row for row in self._rows if self._owner(row) is answer]

    def new(self) -> list[Row]:
        """Return the rows that belong to no answer."""
        return [row for row in self._rows if self._owner(row) is None]

    def _owner(self, row: Row) -> Answer | None:
        attributes = attributes_of(row)
        for answer in self.old:
            identity = answer.record.get("id")
            if identity is not None and attributes.get(KINDS[answer.kind]) == identity:
                return answer
        if any(key in attributes for key in KINDS.values()):
            return None
        return next((answer for answer in self.old if self._who(answer) == row.get("annotator")), None)

    @staticmethod
    def _who(answer: Answer) -> str | None:
        return answer.rows[0].get("annotator") if answer.rows else None


def _changed(task: Task, image: Row, name: str, rows: _Rows) -> Task:
    """Return a task with other labels; what is no label stays."""
    data = dict(task["data"])
    data[image_field(data) or "image"] = local_url(name)
    for own in ("split", "group"):
        data.pop(own, None)
        if own in image:
            data[own] = image[own]
    changed = {**task, "data": data}
    for answer in rows.old:
        now = rows.of(answer)
        if not _agree(answer.rows, now):
            kept = _Kept(answer)
            results = [*results_of(now, rows.size, answer.kind, kept.result), *kept.unread()]
            record = {**answer.record, "result": results}
            changed[answer.kind] = [record if item is answer.record else item for item in changed[answer.kind]]
    for kind, found in _answers_of(rows.new(), rows.size).items():
        changed[kind] = [*listed(changed, kind), *found]
    return changed


class _Kept:
    """Results of an answer that can be written as they were.

    Args:
        answer: of the record.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._results = listed(answer.record, "result")
        self._numbers = [answer.results.count(index) for index in range(len(self._results))]

    def result(self, row: Row) -> list[dict[str, Any]]:
        """Return the results of a row that did not change: its own, and those that tell more of the same region."""
        for old, index in zip(self._answer.rows, self._answer.results, strict=True):
            if self._numbers[index] == 1 and row.get("outline_parts", 0) < 2 and agree(old, row):
                first = self._results[index]
                more = [item for item in self._results if item is not first and item.get("id") == first.get("id", ...)]
                return [first, *more]
        return []

    def unread(self) -> list[dict[str, Any]]:
        """Return the results that are no labels."""
        return [self._results[index] for index in self._answer.unread]
