"""Tiny labelled sets, and people who answer tasks in the labelling tools' own files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

SIZE = (100, 80)
BOXES = {"car": (10, 10, 30, 30), "bike": (50, 20, 90, 60)}


def photo(path: Path, shade: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE, (40 * shade % 256, 90, 60)).save(path)


def box_csv(folder: Path, photos: int = 4, boxes: Mapping[str, tuple[int, ...]] = BOXES) -> Path:
    """Write photos with the same boxes each, and the CSV that says so."""
    rows = ["path,label,xmin,ymin,xmax,ymax,width,height"]
    for number in range(photos):
        photo(folder / f"photos/p{number}.png", number)
        rows += [f"photos/p{number}.png,{name},{','.join(map(str, box))},100,80" for name, box in boxes.items()]
    file = folder / "boxes.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


def class_csv(folder: Path, labels: Mapping[str, str], name: str = "labels.csv") -> Path:
    """Write photos with a class each."""
    for number, each in enumerate(labels):
        photo(folder / each, number)
    file = folder / name
    file.write_text("path,label\n" + "".join(f"{each},{label}\n" for each, label in labels.items()))
    return file


Result = dict[str, Any]


def answer_studio(tasks: Path, change: Callable[[int, list[Result]], list[Result] | None], who: str | int) -> Path:
    """Answer Label Studio's tasks: a change of None leaves a task open. Label Studio keeps ids of suggested regions."""
    documents = json.loads((tasks / "tasks.json").read_text())
    for number, task in enumerate(documents):
        task["id"] = 100 + number
        shown = task["predictions"][0]["result"] if task.get("predictions") else []
        results = change(number, json.loads(json.dumps(shown)))
        by = {"email": who} if isinstance(who, str) else who
        task["annotations"] = [] if results is None else [{"id": 900 + number, "completed_by": by, "result": results}]
    file = tasks / "answers.json"
    file.write_text(json.dumps(documents))
    (tasks / "tasks.json").unlink()
    return file


def studio_box(name: str, box: tuple[float, ...], mark: str) -> Result:
    x, y, right, bottom = box
    places = {"x": x, "y": y * 100 / 80, "width": right - x, "height": (bottom - y) * 100 / 80, "rotation": 0}
    base = {"id": mark, "from_name": "label", "to_name": "image", "type": "rectanglelabels", "image_rotation": 0}
    return {**base, "original_width": 100, "original_height": 80, "value": {**places, "rectanglelabels": [name]}}


def studio_export(file: Path, said: Mapping[str, Mapping[str, list[Result]]], images: str = "images") -> Path:
    """Write Label Studio's export: results by photo and person."""
    tasks = [
        {
            "id": number,
            "data": {"image": f"/data/local-files/?d={images}/{name}", "width": 100, "height": 80},
            "annotations": [
                {"id": 10 * number + place, "completed_by": {"email": who}, "result": results}
                for place, (who, results) in enumerate(people.items())
            ],
        }
        for number, (name, people) in enumerate(said.items(), start=1)
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(said):
        photo(file.parent / images / name, number)
    file.write_text(json.dumps(tasks))
    return file


def choice(name: str) -> list[Result]:
    base = {"id": "c", "from_name": "choice", "to_name": "image", "type": "choices"}
    return [{**base, "value": {"choices": [name]}}]


def move_cvat(file: Path, old: str, new: str) -> None:
    """Change a coordinate of CVAT's XML wherever it stands."""
    text = file.read_text()
    assert re.search(old, text), text
    file.write_text(re.sub(old, new, text))


FLEISS_1971 = (
    (0, 0, 0, 0, 14),
    (0, 2, 6, 4, 2),
    (0, 0, 3, 5, 6),
    (0, 3, 9, 2, 0),
    (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0),
    (3, 2, 6, 3, 0),
    (2, 5, 3, 2, 2),
    (6, 5, 2, 1, 0),
    (0, 2, 2, 3, 7),
)
"""The worked example of Fleiss' kappa, 0.210: ten subjects, fourteen raters, five categories."""
