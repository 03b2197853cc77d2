"""Classes that stand for pixels nobody labelled are neither learned nor judged, unless they are declared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vision_cli import formats
from vision_cli.core.config import SourceConfig
from vision_cli.core.place_targets import IGNORED
from vision_cli.core.project import load
from vision_cli.core.truth_maps import class_map
from vision_cli.stages import place_truth
from vision_cli.stages.data import load_view

VOID, ROAD, ROOF = 0, 1, 2
COLOURS = {VOID: (0, 0, 0), ROAD: (128, 64, 128), ROOF: (128, 0, 0)}


def masks(folder: Path, void: str, *, coloured: bool) -> np.ndarray:
    """Write eight photos with masks of three classes, and return one mask."""
    (folder / "set/images").mkdir(parents=True)
    (folder / "set/masks").mkdir()
    plane = np.full((40, 48), ROAD, np.uint8)
    plane[:10], plane[25:, 30:] = VOID, ROOF
    for number in range(8):
        Image.new("RGB", (48, 40), (number, 0, 0)).save(folder / f"set/images/{number}.png")
        shown = np.array(list(COLOURS.values()), np.uint8)[plane] if coloured else plane
        Image.fromarray(shown).save(folder / f"set/masks/{number}.png")
    names = (void, "road", "roof")
    lines = [
        "{} {} {} {}".format(*COLOURS[value], name) if coloured else f"{value} {name}"
        for value, name in enumerate(names)
    ]
    file = "label_colors.txt" if coloured else "classes.txt"
    (folder / "set" / file).write_text("\n".join(lines) + "\n")
    return plane


def seen(folder: Path, more: str = "") -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...]]:
    """Return the classes, the true map of the first photo, and the notes of the project's view."""
    text = f"version: 1\nname: roofs\n{more}data: {{sources: {{set: {{path: set}}}}}}\n"
    (folder / "vision.yaml").write_text(text)
    data = load_view(load(folder / "vision.yaml"), remember=False)
    assert data.task == "semantic"
    dataset = data.dataset
    truth = place_truth.truth(dataset, dataset.classes, data.task)
    return dataset.classes.names, class_map(truth, 0, place_truth.background(dataset)), dataset.notes


@pytest.mark.parametrize("coloured", [False, True])
@pytest.mark.parametrize("void", ["Void", "unlabeled", "void--unlabeled", "__ignore__", "don't care"])
def test_pixels_of_no_class_are_ignored(tmp_path: Path, void: str, coloured: bool) -> None:
    plane = masks(tmp_path, void, coloured=coloured)
    names, found, notes = seen(tmp_path)
    assert names == ("road", "roof")
    expected = np.array([IGNORED, 0, 1], dtype=np.int16)[plane]
    assert (found == expected).all()
    assert any(repr(void) in note and "ignored" in note for note in notes)


def test_a_class_that_is_declared_is_learned(tmp_path: Path) -> None:
    plane = masks(tmp_path, "void", coloured=False)
    names, found, notes = seen(tmp_path, "classes: [void, road, roof]\n")
    assert names == ("void", "road", "roof")
    assert (found == plane).all()
    assert not any("ignored" in note for note in notes)


@pytest.mark.parametrize("name", ["background", "avoid", "voids", "ignored road", "other"])
def test_other_names_are_classes(tmp_path: Path, name: str) -> None:
    masks(tmp_path, name, coloured=False)
    assert name in seen(tmp_path)[0]


def test_the_data_set_itself_keeps_the_class(tmp_path: Path) -> None:
    """Only what learns and judges leaves it out; a conversion or a look does not."""
    masks(tmp_path, "void", coloured=False)
    assert "void" in formats.read("set", SourceConfig(path="set"), tmp_path / "set").classes.names
